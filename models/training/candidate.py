"""A candidate: what was fitted, and everything known of how good it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from models.estimator.scorer import Model
from models.evaluation.evaluation import CANDIDATE

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from features.spec import FeatureSpec
    from models.estimator.calibrated_classifier import CalibratedClassifier
    from models.estimator.scorer import Bands
    from models.evaluation.evaluation import Evaluation


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidate:
    """A trained estimator that may become the champion.

    Parameters
    ----------
    estimator
        Learned from every decision known by ``until``.
    specs
        The features it takes.
    bands
        From the volume of the test periods and the daily capacity.
    evaluation
        Of the same recipe on the folds, beside the baselines.
    folds
        ``fold, cut, end, train_rows, left_out, test_rows, decided, frauds, skipped`` (the reason, or empty).
    scored
        The test rows of all folds with ``row`` (position in the examples), ``seller_key, as_of, y, price, period``,
        ``score`` and one column for each baseline, form (`models.estimator.ensemble.FORMS`) and policy that was
        tried; scored by the fold's own models, which knew nothing of them.
    card
        See `models.registry.card`.
    """

    estimator: CalibratedClassifier
    specs: tuple[FeatureSpec, ...]
    bands: Bands
    evaluation: Evaluation
    folds: pd.DataFrame
    scored: pd.DataFrame
    card: dict[str, Any]
    until: datetime

    def model(self, model_id: str = CANDIDATE) -> Model:
        """Return the candidate as something that scores."""
        names = tuple(spec.name for spec in self.specs)
        return Model(
            model_id=model_id,
            feature_names=names,
            estimator=self.estimator,
            bands=self.bands,
            trained_until=self.until,
        )
