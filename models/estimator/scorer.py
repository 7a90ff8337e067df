"""What anything that scores must offer, a trained model or the rule before the first one, and the features it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from data.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import pandas as pd
    from numpy.typing import NDArray

    from features.spec import FeatureSpec
    from models.estimator.calibration import Calibration

BAND_NAMES = ("low", "medium", "high")
FAR_BITS = 8
"""Hashes this far apart are of different pictures; how much further says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """Least score of the bands ``high`` and ``medium``; everything else is ``low``."""

    high: float
    medium: float

    def names(self, scores: NDArray[np.float64]) -> NDArray[np.str_]:
        """Return the band of each score."""
        step = (scores >= self.medium).astype(int) + (scores >= self.high).astype(int)
        return np.asarray(np.take(BAND_NAMES, step), dtype=np.str_)


class Scorer(Protocol):
    """Turns features into margins and probabilities; knows its bands and what an ordinary listing looks like."""

    @property
    def model_id(self) -> str:
        """Name that every score carries."""

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Columns of the matrices it takes, in order."""

    @property
    def reference(self) -> NDArray[np.float64]:
        """The features of an ordinary legit listing, NaN where such a listing lacks one; shape (features,)."""

    @property
    def bands(self) -> Bands:
        """Least scores of the bands."""

    @property
    def trained_until(self) -> datetime | None:
        """Moment up to which it has learned; ``None`` when it never learned."""

    def margins(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return raw log-odds, shape (rows,), for features of shape (rows, features) with NaN for missing."""

    def probabilities(self, margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of fraud that each margin stands for."""


class Estimator(Protocol):
    """A fitted classifier whose probabilities are calibrated margins, such as our ensemble."""

    reference_: NDArray[np.float64]
    calibration_: Calibration

    def margins(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return raw log-odds of the second class, shape (rows,)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """A trained model: what was fitted, and how its scores are to be read."""

    model_id: str
    feature_names: tuple[str, ...]
    estimator: Estimator
    bands: Bands
    trained_until: datetime | None

    @property
    def reference(self) -> NDArray[np.float64]:
        """The features of an ordinary legit listing of the training data."""
        return self.estimator.reference_

    def margins(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the estimator's raw log-odds."""
        return self.estimator.margins(x)

    def probabilities(self, margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return calibrated probabilities."""
        return self.estimator.calibration_(margins)


def feature_matrix(frame: pd.DataFrame, specs: Sequence[FeatureSpec]) -> NDArray[np.float64]:
    """Return the features in the order of ``specs``, shape (rows, features), NaN for missing.

    Raises
    ------
    ModelError
        When a column is missing; all of them are named.
    """
    names = [spec.name for spec in specs]
    absent = [name for name in names if name not in frame.columns]
    if absent:
        raise ModelError(
            "(any)",
            f"the features lack the column(s) {', '.join(absent)}",
            "Compute the features with the list that this version ships",
        )
    return np.ascontiguousarray(frame[names].to_numpy("float64"))
