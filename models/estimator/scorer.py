"""What anything that scores must offer: a trained model, or the rule before the first model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from models.estimator.bands import Bands
    from models.estimator.ensemble import Fitted


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """A trained model: what was fitted, and how its scores are to be read."""

    model_id: str
    feature_names: tuple[str, ...]
    fitted: Fitted
    bands: Bands
    trained_until: datetime | None

    @property
    def reference(self) -> NDArray[np.float64]:
        """The features of an ordinary legit listing of the training data."""
        return self.fitted.reference

    def margins(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the estimator's raw log-odds."""
        return self.fitted.margins(x)

    def probabilities(self, margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return calibrated probabilities."""
        return self.fitted.calibration(margins)
