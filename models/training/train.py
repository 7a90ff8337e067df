"""Training: judge the recipe on time-ordered folds, then fit it on everything known."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from data.errors import NotEnoughLabels
from models.dataset.splits import Fold, check_split, prequential_folds
from models.dataset.training_rows import POLICIES, training_rows
from models.estimator.bands import bands_for_capacity, bands_for_costs
from models.estimator.custom import fit_form
from models.estimator.ensemble import ENSEMBLE, FORMS, fit_forms
from models.estimator.rule import RULE_ID, rule_for
from models.estimator.scorer import Bands, feature_matrix
from models.evaluation.evaluation import CANDIDATE, Evaluation, evaluate
from models.registry.card import make_card
from models.training.candidate import Candidate
from models.training.selection import Choice, choose, other_policy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from data.settings import ModelSettings, Undecided
    from features.spec import FeatureSpec
    from models.estimator.calibrated_classifier import CalibratedClassifier

MIN_PER_CLASS = 20
LOGISTIC = "logistic regression"
BASELINES = (LOGISTIC, RULE_ID)
"""Columns of `Candidate.scored` that every training has beside its forms and policies."""


def train(
    examples: pd.DataFrame,
    specs: Sequence[FeatureSpec],
    *,
    until: datetime,
    settings: ModelSettings,
    capacity: int,
    cost_of_a_look: float = 0.0,
) -> Candidate:
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
        Label delay, number of folds, how undecided listings count, seed; and the factory of the estimator to train and
        judge in the place of ours, if any.
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
    SettingsError
        When the factory of the estimator is of no use.
    """
    _require_labels(examples["y"])
    folds = prequential_folds(examples, folds=settings.folds, delay=timedelta(days=settings.delay_days))
    check_split(examples, folds)
    scored, table = _score_folds(examples, folds, specs, settings)
    choice = choose(
        scored, undecided=settings.undecided, capacity=capacity, seed=settings.seed, custom=settings.estimator
    )
    scored = scored.assign(score=scored[choice.form])
    bands = _bands(scored, capacity=capacity, cost_of_a_look=cost_of_a_look)
    evaluation = _evaluated(scored, choice, bands, capacity=capacity, seed=settings.seed)
    return _fitted(
        examples, specs, until, settings, choice, scored=scored, folds=table, bands=bands, evaluation=evaluation
    )


def _fitted(
    examples: pd.DataFrame,
    specs: Sequence[FeatureSpec],
    until: datetime,
    settings: ModelSettings,
    choice: Choice,
    *,
    scored: pd.DataFrame,
    folds: pd.DataFrame,
    bands: Bands,
    evaluation: Evaluation,
) -> Candidate:
    """Fit what was chosen on everything known, and write its card."""
    estimator = fit_form(_known_at(examples, until, settings), specs, form=choice.form, seed=settings.seed)
    card = make_card(
        examples,
        specs,
        until=until,
        settings=settings,
        folds=folds,
        evaluation=evaluation,
        estimator=estimator,
        bands=bands,
        choice=choice,
    )
    return Candidate(
        estimator=estimator,
        specs=tuple(specs),
        bands=bands,
        evaluation=evaluation,
        folds=folds,
        scored=scored,
        card=card,
        until=until,
    )


def logistic(seed: int) -> Pipeline:
    """Return the linear baseline: missing values get the median and a flag of their own."""
    return make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(max_iter=1_000, random_state=seed),
    )


def _evaluated(scored: pd.DataFrame, choice: Choice, bands: Bands, *, capacity: int, seed: int) -> Evaluation:
    """Evaluate what was chosen beside the other forms, the other policy and the baselines."""
    others = [form for form in FORMS if form != choice.form]
    return evaluate(
        scored,
        capacity=capacity,
        scorer=CANDIDATE,
        baselines=(*others, POLICIES[other_policy(choice.undecided)], *BASELINES),
        slices=("new_seller",),
        high=bands.high,
        seed=seed,
    )


def _bands(scored: pd.DataFrame, *, capacity: int, cost_of_a_look: float) -> Bands:
    scores = scored["score"].to_numpy("float64")
    if cost_of_a_look > 0:
        return bands_for_costs(scores, scored["price"].to_numpy("float64"), cost_of_a_look=cost_of_a_look)
    return bands_for_capacity(scores, scored["as_of"], daily_capacity=capacity)


def _known_at(examples: pd.DataFrame, until: datetime, settings: ModelSettings) -> pd.DataFrame:
    """Return everything to learn from at the end, when nothing is left to be judged by."""
    decided, nothing = np.flatnonzero(examples["y"].notna()), np.empty(0, dtype=np.int64)
    return training_rows(
        examples,
        decided,
        cut=pd.Timestamp(until),
        test=nothing,
        undecided=settings.undecided,
        settings=settings,
    )


def _require_labels(y: pd.Series) -> None:
    fraud, legit = int((y == 1).sum()), int((y == 0).sum())
    if min(fraud, legit) < MIN_PER_CLASS:
        raise NotEnoughLabels(fraud=fraud, legit=legit, needed=MIN_PER_CLASS, what_for="to train")


def _score_folds(
    examples: pd.DataFrame, folds: Sequence[Fold], specs: Sequence[FeatureSpec], settings: ModelSettings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score every fold's test by models of its training; return the rows and the table of folds."""
    scored: list[pd.DataFrame] = []
    records: list[dict[str, Any]] = []
    for fold in folds:
        skipped = ""
        try:
            scored.append(_scored_fold(examples, fold, specs, settings))
        except NotEnoughLabels as too_few:
            skipped = str(too_few)
        records.append(_fold_record(examples, fold, skipped))
    if not scored:
        _raise_unjudged(examples, folds)
    return pd.concat(scored, ignore_index=True), pd.DataFrame(records)


def _raise_unjudged(examples: pd.DataFrame, folds: Sequence[Fold]) -> None:
    y = examples["y"].iloc[folds[-1].train] if folds else examples["y"].iloc[:0]
    raise NotEnoughLabels(
        fraud=int((y == 1).sum()),
        legit=int((y == 0).sum()),
        needed=MIN_PER_CLASS,
        what_for="before the last test period, apart by seller and photo, to judge a model by",
    )


def _scored_fold(
    examples: pd.DataFrame, fold: Fold, specs: Sequence[FeatureSpec], settings: ModelSettings
) -> pd.DataFrame:
    test = examples.iloc[fold.test]
    x = feature_matrix(test, specs)
    rule = rule_for(specs)
    seen = examples.loc[examples["as_of"] <= fold.cut, "seller_key"]
    other = other_policy(settings.undecided)
    own_rows = _training_rows(examples, fold, settings.undecided, settings)
    other_rows = _training_rows(examples, fold, other, settings)
    forms: dict[str, CalibratedClassifier] = dict(fit_forms(own_rows, specs, seed=settings.seed))
    if settings.estimator:
        forms[settings.estimator] = fit_form(own_rows, specs, form=settings.estimator, seed=settings.seed)
    return pd.DataFrame(
        {
            "row": fold.test,
            "seller_key": test["seller_key"].to_numpy(),
            "as_of": test["as_of"].to_numpy(),
            "y": test["y"].to_numpy("float64"),
            "price": test["price"].to_numpy("float64"),
            "period": f"fold {fold.number}",
            "new_seller": np.where(test["seller_key"].isin(seen), "known before", "new"),
            **{form: estimator.predict_proba(x)[:, 1] for form, estimator in forms.items()},
            POLICIES[other]: fit_forms(other_rows, specs, seed=settings.seed)[ENSEMBLE].predict_proba(x)[:, 1],
            LOGISTIC: _logistic_scores(examples.iloc[fold.train], x, specs, seed=settings.seed),
            RULE_ID: rule.probabilities(rule.margins(x)),
        }
    )


def _training_rows(examples: pd.DataFrame, fold: Fold, undecided: Undecided, settings: ModelSettings) -> pd.DataFrame:
    """Return what a fold's model learns from, apart by seller and photo from the decisions it is judged by."""
    decided = fold.test[examples["y"].notna().to_numpy()[fold.test]]
    return training_rows(examples, fold.train, cut=fold.cut, test=decided, undecided=undecided, settings=settings)


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
