"""Describe listings as of their moments, score them, and keep scores with reasons and vectors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from data.catalog.feature_facts import facts_about
from data.catalog.market.prices import (
    KIND,
    all_model_prices,
    gather_prices,
    kinds_of_goods,
    latest_model_prices,
    prices_of,
)
from data.catalog.market.scoring_moments import by_seller, forget_news, unscored_moments
from data.catalog.scores.scores import champion, rank_run, save_features, save_scores
from features.facts import Facts
from features.point_in_time.feature_frame import SPEC_FINGERPRINT, SPECS, build, evidence, first_owner
from features.point_in_time.price_features import LATEST_PRICES, PRICE_WINDOW, product_models_of, usual_prices
from features.point_in_time.ring_features import TIE_LIMITS
from features.sightings.evidence import Judgements, judge
from models.estimator.reasons import reasons
from models.estimator.rule import RULE_ID, rule_for
from models.estimator.scoring import score
from models.serving.load_tables import read_listing_texts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from data.catalog.database.engine import Connection
    from models.estimator.scorer import Scorer
    from models.serving.context import Context

Counts = dict[str, int]
Moment = tuple[int, pd.Timestamp]

EVIDENCE_A_LISTING = 20
REUSE = "reuse"


@dataclass(frozen=True, slots=True)
class Prices:
    """The frames ``prices`` and ``product_models`` of `features.facts.Facts`, for some moments or for all."""

    usual: pd.DataFrame
    product_models: pd.DataFrame

    def for_versions(self, versions: pd.DataFrame) -> Prices:
        """Return those that describing some versions of listings may look at, of prices of the whole market.

        Parameters
        ----------
        versions
            ``marketplace, category, currency, title``.
        """
        wanted = np.unique(product_models_of(versions).dropna().to_numpy(np.int64))
        known = self.product_models["goods"].to_numpy(np.int64)
        start, stop = np.searchsorted(known, wanted, "left"), np.searchsorted(known, wanted, "right")
        rows = np.repeat(start - np.concatenate([[0], np.cumsum(stop - start)[:-1]]), stop - start)
        return Prices(self.usual, self.product_models.iloc[rows + np.arange(len(rows))])


def scorer_in_use(context: Context) -> Scorer:
    """Return the champion, or the documented rule before the first one."""
    return scorer_named(context, model_in_use(context))


def model_in_use(context: Context) -> str:
    """Return the id of the champion, or that of the documented rule before the first one."""
    with context.catalog.read() as connection:
        return champion(connection) or RULE_ID


def scorer_named(context: Context, model_id: str) -> Scorer:
    """Return a kept model, or the rule by its own id.

    Raises
    ------
    ModelError
        There is no such model, or it does not fit this version.
    """
    return rule_for(SPECS) if model_id == RULE_ID else context.registry.load(model_id, SPECS)


def describe(context: Context, moments: pd.DataFrame, prices: Prices | None = None) -> tuple[pd.DataFrame, Facts]:
    """Return the features of some moments, and the facts they were made of; see `known_facts`."""
    facts = facts_of(context, moments, prices)
    return build(moments, facts), facts


def facts_of(context: Context, moments: pd.DataFrame, prices: Prices | None = None) -> Facts:
    """Read what is known about some moments, all of it at one time; see `known_facts`."""
    with context.catalog.read() as connection:
        return known_facts(connection, moments, prices)


def known_facts(connection: Connection, moments: pd.DataFrame, prices: Prices | None = None) -> Facts:
    """Read all that describes some moments.

    Parameters
    ----------
    prices
        `all_prices`, for many parts of a whole; otherwise those of these moments
        are read.
    """
    found = facts_about(connection, moments, TIE_LIMITS)
    versions = found["listings"][found["listings"]["listing_key"].isin(moments["listing_key"])]
    known = _prices_for(connection, versions, moments) if prices is None else prices.for_versions(versions)
    return Facts(**found, prices=known.usual, product_models=known.product_models)


def moments_to_score(context: Context, since: datetime | None, until: datetime | None) -> list[Moment]:
    """Return the moments of a span that have something new since they were last scored, a seller's together.

    What describing them looks up of prices is gathered for all of them at once.
    """
    read_listing_texts(context)  # a catalog of an older version brings some that were not read when they were loaded
    with context.catalog.read() as connection:
        moments = by_seller(connection, unscored_moments(connection, since, until))
    gather_prices_of(context, moments)
    return list(moments.itertuples(index=False, name=None))


def gather_prices_of(context: Context, moments: pd.DataFrame) -> None:
    """Gather the prices of the days that describing some moments (``as_of``) looks at: many are described faster."""
    if moments.empty:
        return
    days, gathered = moments["as_of"].dt.floor("D"), 1
    while gathered:
        with context.catalog.write() as connection:
            gathered = gather_prices(connection, days.min() - PRICE_WINDOW, days.max())


def all_prices(connection: Connection, moments: pd.DataFrame) -> Prices:
    """Return the prices that describing moments (``as_of``) of any listings may look at; there may be none."""
    days = moments["as_of"].dt.floor("D")
    return Prices(_by_days(connection, kinds_of_goods(connection), days), all_model_prices(connection))


def score_moments(context: Context, keys: Sequence[Moment], run_id: str) -> Counts:
    """Score some moments and keep everything needed to replay and to explain it."""
    moments = pd.DataFrame(list(keys), columns=["listing_key", "as_of"])
    features, rows = score_rows(context, moments, scorer_in_use(context))
    with context.catalog.write() as connection:
        save_features(connection, moments, features, SPEC_FINGERPRINT)
        save_scores(connection, rows.assign(run_id=run_id))
    return {"scored": len(rows), **band_counts(rows)}


def score_rows(context: Context, moments: pd.DataFrame, scorer: Scorer) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the features of some moments, and their scores with reasons: all columns that are kept but ``run_id``.

    The same moment gives the same bytes, whatever other moments are asked for with it.
    """
    facts = facts_of(context, moments)
    judgements = judge(facts)
    features = build(moments, facts, judgements)
    rows, _ = score_features(moments, features, facts, scorer, judgements)
    return features, rows


def score_features(
    moments: pd.DataFrame, features: pd.DataFrame, facts: Facts, scorer: Scorer, judgements: Judgements | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the scores of described moments with reasons, as `score_rows` does, and the evidence behind them."""
    scored = score(features, scorer, SPECS)
    judgements = judgements or judge(facts)
    found = evidence(moments, facts, judgements)
    told = reasons(
        features.assign(listing_key=range(len(features))),
        scored.contributions,
        SPECS,
        evidence=_named(found),
    )
    rows = pd.concat([moments, scored.table, first_owner(moments, facts, judgements)], axis=1)
    rows = rows.assign(observed_at=moments["as_of"], reasons=told.map(json.dumps), spec=SPEC_FINGERPRINT)
    return rows, found


def end_scoring(context: Context, run_id: str) -> None:
    """Forget what was new, as all of it is scored now, and rank the scores of a run together."""
    with context.catalog.write() as connection:
        forget_news(connection)
    rank(context, run_id)


def band_counts(rows: pd.DataFrame) -> Counts:
    """Count scores by their band."""
    return {f"band_{name}": int(n) for name, n in rows["band"].value_counts().items()}


def rank(context: Context, run_id: str) -> None:
    """Rank all scores of a run together."""
    with context.catalog.write() as connection:
        rank_run(connection, run_id)


def _prices_for(connection: Connection, versions: pd.DataFrame, moments: pd.DataFrame) -> Prices:
    """Return the prices that describing some listings may look at.

    Parameters
    ----------
    versions
        ``marketplace, category, currency, title`` of the versions of the listings.
    moments
        ``as_of``; not empty.
    """
    kinds = versions[list(KIND)].dropna(subset="category").fillna({"currency": ""})
    days = moments["as_of"].dt.floor("D")
    models = latest_model_prices(
        connection,
        product_models_of(versions).dropna(),
        first=days.min(),
        last=days.max(),
        window=PRICE_WINDOW,
        most=LATEST_PRICES,
    )
    return Prices(_by_days(connection, kinds.drop_duplicates(ignore_index=True), days), models)


def _by_days(connection: Connection, kinds: pd.DataFrame, days: pd.Series) -> pd.DataFrame:
    prices = prices_of(connection, kinds, days.min() - PRICE_WINDOW, days.max())
    return usual_prices(kinds, days.drop_duplicates(), prices)


def _named(found: pd.DataFrame) -> pd.DataFrame:
    counted = found[found["copied"]]
    few = counted[counted.groupby("moment").cumcount() < EVIDENCE_A_LISTING]
    names = few["image_id"] + ":" + few["other_image_id"]
    return pd.DataFrame({"listing_key": few["moment"], "block": REUSE, "evidence_id": names})
