"""Training: judge the recipe on time-ordered folds, then fit it on everything known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from data.errors import NotEnoughLabels
from models.dataset.examples import feature_matrix
from models.dataset.splits import Fold, check_split, prequential_folds
from models.dataset.training_rows import POLICIES, taught_rows
from models.estimator.bands import Bands, bands_for_capacity, bands_for_costs
from models.estimator.ensemble import Fitted, fit, fit_forms, logistic
from models.estimator.rule import RULE_ID, rule_for
from models.estimator.scorer import Model
from models.evaluation.evaluation import CANDIDATE, Evaluation, evaluate
from models.registry.card import make_card
from models.training.selection import FORMS, choose, other_policy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from data.settings import ModelSettings, Undecided
    from features.spec import FeatureSpec

MIN_PER_CLASS = 20
LOGISTIC = "logistic regression"
BASELINES = (LOGISTIC, RULE_ID)
"""Columns of `Trained.judged` that every training has beside its forms and policies."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trained:
    """A candidate and everything known of it.

    Parameters
    ----------
    fitted
        Learned from every decision known by ``until``.
    specs
        The features it takes.
    bands
        From the volume of the test periods and the daily capacity.
    evaluation
        Of the same recipe on the folds, beside the baselines.
    folds
        ``fold, cut, end, train_rows, left_out, test_rows, decided, frauds, skipped`` (the reason, or empty).
    judged
        The test rows of all folds with ``row`` (position in the examples), ``seller_key, as_of, y, price, period``,
        ``score`` and one column for each baseline, form (`models.training.selection.FORMS`) and policy that was
        tried; scored by
        the fold's own models, which knew nothing of them.
    card
        See `models.registry.card`.
    """

    fitted: Fitted
    specs: tuple[FeatureSpec, ...]
    bands: Bands
    evaluation: Evaluation
    folds: pd.DataFrame
    judged: pd.DataFrame
    card: dict[str, Any]
    until: datetime

    def model(self, model_id: str = CANDIDATE) -> Model:
        """Return the candidate as something that scores."""
        names = tuple(spec.name for spec in self.specs)
        return Model(
            model_id=model_id,
            feature_names=names,
            fitted=self.fitted,
            bands=self.bands,
            trained_until=self.until,
        )


def train(
    examples: pd.DataFrame,
    specs: Sequence[FeatureSpec],
    *,
    until: datetime,
    settings: ModelSettings,
    capacity: int,
    cost_of_a_look: float = 0.0,
) -> Trained:
    """Fit a candidate on what was known at ``until`` and judge it honestly.

    Parameters
    ----------
    examples
        As `models.dataset.examples.make_examples` gives them for the same ``until``; optionally with
        ``chance_of_a_look``, see `models.dataset.training_rows.selection_weights`.
    specs
        The features and their directions.
    until
        Aware UTC.
    settings
        Label delay, number of folds, how undecided listings count, seed.
    capacity
        Listings that analysts judge in a day.
    cost_of_a_look
        In the currency of the prices; above 0, bands follow from it in place of the capacity.

    Raises
    ------
    NotEnoughLabels
        When either class has fewer than ``MIN_PER_CLASS`` decisions, or no fold has enough to learn from.
    LeakError
        When the folds do not keep time, sellers and photos apart.
    """
    _require_labels(examples["y"])
    folds = prequential_folds(examples, folds=settings.folds, delay=timedelta(days=settings.delay_days))
    check_split(examples, folds)
    judged, table = _judge(examples, folds, specs, settings)
    choice = choose(judged, undecided=settings.undecided, capacity=capacity, seed=settings.seed)
    judged = judged.assign(score=judged[choice.form])
    fitted = fit_forms(_known_at(examples, until, settings), specs, seed=settings.seed)[choice.form]
    bands = _bands(judged, capacity=capacity, cost_of_a_look=cost_of_a_look)
    evaluation = evaluate(
        judged,
        capacity=capacity,
        scorer=CANDIDATE,
        baselines=(
            *(form for form in FORMS if form != choice.form),
            POLICIES[other_policy(settings.undecided)],
            *BASELINES,
        ),
        slices=("new_seller",),
        high=bands.high,
        seed=settings.seed,
    )
    card = make_card(
        examples,
        specs,
        until=until,
        settings=settings,
        folds=table,
        evaluation=evaluation,
        fitted=fitted,
        bands=bands,
        choice=choice,
    )
    return Trained(
        fitted=fitted,
        specs=tuple(specs),
        bands=bands,
        evaluation=evaluation,
        folds=table,
        judged=judged,
        card=card,
        until=until,
    )


def _bands(judged: pd.DataFrame, *, capacity: int, cost_of_a_look: float) -> Bands:
    scores = judged["score"].to_numpy("float64")
    if cost_of_a_look > 0:
        return bands_for_costs(scores, judged["price"].to_numpy("float64"), cost_of_a_look=cost_of_a_look)
    return bands_for_capacity(scores, judged["as_of"], daily_capacity=capacity)


def _known_at(examples: pd.DataFrame, until: datetime, settings: ModelSettings) -> pd.DataFrame:
    """Return everything to learn from at the end, when nothing is left to be judged by."""
    decided, nothing = np.flatnonzero(examples["y"].notna()), np.empty(0, dtype=np.int64)
    return taught_rows(
        examples,
        decided,
        cut=pd.Timestamp(until),
        judged=nothing,
        undecided=settings.undecided,
        settings=settings,
    )


def _require_labels(y: pd.Series) -> None:
    fraud, legit = int((y == 1).sum()), int((y == 0).sum())
    if min(fraud, legit) < MIN_PER_CLASS:
        raise NotEnoughLabels(fraud=fraud, legit=legit, needed=MIN_PER_CLASS, what_for="to train")


def _judge(
    examples: pd.DataFrame, folds: Sequence[Fold], specs: Sequence[FeatureSpec], settings: ModelSettings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score every fold's test by models of its training; return the rows and the table of folds."""
    judged: list[pd.DataFrame] = []
    records: list[dict[str, Any]] = []
    for fold in folds:
        skipped = ""
        try:
            judged.append(_judged_fold(examples, fold, specs, settings))
        except NotEnoughLabels as too_few:
            skipped = str(too_few)
        records.append(_fold_record(examples, fold, skipped))
    if not judged:
        _raise_unjudged(examples, folds)
    return pd.concat(judged, ignore_index=True), pd.DataFrame(records)


def _raise_unjudged(examples: pd.DataFrame, folds: Sequence[Fold]) -> None:
    y = examples["y"].iloc[folds[-1].train] if folds else examples["y"].iloc[:0]
    raise NotEnoughLabels(
        fraud=int((y == 1).sum()),
        legit=int((y == 0).sum()),
        needed=MIN_PER_CLASS,
        what_for="before the last test period, apart by seller and photo, to judge a model by",
    )


def _judged_fold(
    examples: pd.DataFrame, fold: Fold, specs: Sequence[FeatureSpec], settings: ModelSettings
) -> pd.DataFrame:
    test = examples.iloc[fold.test]
    x = feature_matrix(test, specs)
    rule = rule_for(specs)
    seen = examples.loc[examples["as_of"] <= fold.cut, "seller_key"]
    other = other_policy(settings.undecided)
    own_rows = _taught_by(examples, fold, settings.undecided, settings)
    other_rows = _taught_by(examples, fold, other, settings)
    forms = fit_forms(own_rows, specs, seed=settings.seed)
    return pd.DataFrame(
        {
            "row": fold.test,
            "seller_key": test["seller_key"].to_numpy(),
            "as_of": test["as_of"].to_numpy(),
            "y": test["y"].to_numpy("float64"),
            "price": test["price"].to_numpy("float64"),
            "period": f"fold {fold.number}",
            "new_seller": np.where(test["seller_key"].isin(seen), "known before", "new"),
            **{form: fitted.probabilities(x) for form, fitted in forms.items()},
            POLICIES[other]: fit(other_rows, specs, seed=settings.seed).probabilities(x),
            LOGISTIC: _logistic_scores(examples.iloc[fold.train], x, specs, seed=settings.seed),
            RULE_ID: rule.probabilities(rule.margins(x)),
        }
    )


def _taught_by(examples: pd.DataFrame, fold: Fold, undecided: Undecided, settings: ModelSettings) -> pd.DataFrame:
    """Return what a fold's model learns from, apart by seller and photo from the decisions it is judged by."""
    judged = fold.test[examples["y"].notna().to_numpy()[fold.test]]
    return taught_rows(examples, fold.train, cut=fold.cut, judged=judged, undecided=undecided, settings=settings)


def _logistic_scores(
    training: pd.DataFrame, x: NDArray[np.float64], specs: Sequence[FeatureSpec], *, seed: int
) -> NDArray[np.float64]:
    fitted = logistic(seed).fit(feature_matrix(training, specs), training["y"].to_numpy("float64"))
    return np.asarray(fitted.predict_proba(x)[:, 1], dtype=np.float64)


def _fold_record(examples: pd.DataFrame, fold: Fold, skipped: str) -> dict[str, Any]:
    y = examples["y"].iloc[fold.test]
    return {
        "fold": fold.number,
        "cut": fold.cut.isoformat(),
        "end": fold.end.isoformat(),
        "train_rows": len(fold.train),
        "left_out": fold.left_out,
        "test_rows": len(fold.test),
        "decided": int(y.notna().sum()),
        "frauds": int((y == 1).sum()),
        "skipped": skipped,
    }
