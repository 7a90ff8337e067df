"""One market judged: the model on its folds and on the period after them, beside rule, line and references."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

from features.point_in_time.feature_frame import SPECS
from models.estimator.rule import RULE_ID, rule_for
from models.estimator.scorer import feature_matrix
from models.evaluation.evaluation import CANDIDATE, Evaluation, evaluate
from models.serving.demo_market import DAYS, START
from models.serving.learning.train_model import gather
from models.training.out_of_fold import out_of_fold, random_divisions
from models.training.train import LOGISTIC, logistic, train

from .people import People, people
from .references import on_folds, precision_of, reference_scores, stolen_by_key

if TYPE_CHECKING:
    from data.settings import ModelSettings
    from data.synthetic.market import Market
    from models.serving.demo_market import Recipe
    from models.training.candidate import Candidate

    from .homes import Filled

FOLDS = "folds"
NEXT = "next period"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Everything measured on one market.

    Parameters
    ----------
    evaluations
        By period (`FOLDS`, `NEXT`): ours beside logistic regression and the rule, by the decisions.
    references
        By period and reference: average precision by the decisions.
    random_split
        Average precision that a random split of the same history promises.
    true_precision
        By scorer: average precision in the next period by the truth, over all its listings.
    people
        Who was found and who was accused, of all listings scored by a model that had not learned from them.
    people_next
        The same of the next period alone, which the model that was made of the whole history scored.
    seconds
        By stage, wall time.
    """

    seed: int
    listings: int
    pictures: int
    evaluations: dict[str, Evaluation]
    references: dict[str, dict[str, float]]
    random_split: float
    true_precision: dict[str, float]
    people: People
    people_next: People
    seconds: dict[str, float]
    fingerprints_kept: bool
    peak_mb: float

    @property
    def optimism(self) -> dict[str, float]:
        """What was promised less what came, for our split and for a random one."""
        came = self.evaluations[NEXT].value("average_precision", CANDIDATE)
        ours = self.evaluations[FOLDS].value("average_precision", CANDIDATE)
        return {"our split": ours - came, "random split": self.random_split - came}


def judge(home: Filled, market: Market, recipe: Recipe) -> Judgement:
    """Learn at the end of the history, as `seenbefore train` does, and judge there and on all that came later."""
    context, split_at = home.context, recipe.split_at
    settings = context.settings.model
    begun = perf_counter()
    history = gather(context, since=None, until=split_at, rows=context.settings.batch_rows)
    later = gather(context, since=split_at, until=START + timedelta(days=DAYS), rows=context.settings.batch_rows)
    described = perf_counter()
    trained = train(history.examples, SPECS, until=split_at, settings=settings, capacity=recipe.daily_capacity)
    learned = perf_counter()
    scored = _scored_later(trained, history.examples, later.examples)
    stolen = stolen_by_key(market.truth, later.market.listings)
    truth = _truth(market, later.market.listings)
    judged = trained.scored.assign(listing_key=history.examples["listing_key"].to_numpy()[trained.scored["row"]])
    columns = ["listing_key", "as_of", "score"]
    return Judgement(
        seed=recipe.seed,
        listings=recipe.listings,
        pictures=home.pictures,
        evaluations={
            FOLDS: trained.evaluation,
            NEXT: evaluate(
                scored,
                capacity=recipe.daily_capacity,
                scorer=CANDIDATE,
                baselines=(LOGISTIC, RULE_ID),
                high=trained.bands.high,
                seed=settings.seed,
            ),
        },
        references=_references(history.examples, later.examples, stolen, settings),
        random_split=_random_split(history.examples, settings),
        true_precision={
            name: float(average_precision_score(truth.loc[scored["listing_key"], "fraud"], scored[column]))
            for name, column in {CANDIDATE: "score", LOGISTIC: LOGISTIC, RULE_ID: RULE_ID}.items()
        },
        people=people(
            context, pd.concat([judged[columns], scored[columns]], ignore_index=True), truth, high=trained.bands.high
        ),
        people_next=people(context, scored[columns], truth, high=trained.bands.high),
        seconds={
            "drawing": home.drawing_s,
            "ingest": home.ingest_s,
            "describing": described - begun,
            "training": learned - described,
        },
        fingerprints_kept=home.fingerprints_kept,
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _truth(market: Market, known: pd.DataFrame) -> pd.DataFrame:
    """Return the truth of each listing with its keys and when it was first observed, by ``listing_key``."""
    observed = market.listings[["listing_id", "observed_at"]]
    keys = known[["listing_key", "listing_id", "seller_key"]]
    return keys.merge(market.truth, on="listing_id").merge(observed, on="listing_id").set_index("listing_key")


def _scored_later(trained: Candidate, history: pd.DataFrame, later: pd.DataFrame) -> pd.DataFrame:
    """Score the untouched period by what was learned before it: ours, a line, and the rule."""
    model, x = trained.model(), feature_matrix(later, SPECS)
    decided = history[history["y"].notna()]
    line = logistic(0).fit(feature_matrix(decided, SPECS), decided["y"].to_numpy(np.float64))
    rule = rule_for(SPECS)
    return later[["listing_key", "seller_key", "as_of", "y"]].assign(
        score=model.probabilities(model.margins(x)),
        **{LOGISTIC: line.predict_proba(x)[:, 1], RULE_ID: rule.probabilities(rule.margins(x))},
    )


def _references(
    history: pd.DataFrame, later: pd.DataFrame, stolen: pd.Series, settings: ModelSettings
) -> dict[str, dict[str, float]]:
    """Judge both references where ours is judged: on the same folds, and on the period after them."""
    both = pd.concat([history, later], ignore_index=True)
    ahead = (np.flatnonzero(history["y"].notna()), np.arange(len(history), len(both)))
    found = {
        FOLDS: on_folds(history, stolen, settings),
        NEXT: reference_scores(both, stolen, [ahead], seed=settings.seed),
    }
    return {period: {name: precision_of(rows) for name, rows in scores.items()} for period, scores in found.items()}


def _random_split(history: pd.DataFrame, settings: ModelSettings) -> float:
    divisions = random_divisions(history, parts=settings.folds, seed=settings.seed)
    return precision_of(out_of_fold(history, divisions, SPECS, seed=settings.seed))
