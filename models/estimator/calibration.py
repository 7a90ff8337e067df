"""From a raw margin to a probability that means what it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

if TYPE_CHECKING:
    from numpy.typing import NDArray

ISOTONIC_MIN_ROWS = 1_000
ISOTONIC_MIN_FRAUDS = 100
"""Below these counts isotonic regression follows noise, Platt's two parameters do not (Niculescu-Mizil 2005)."""
MIN_SLOPE = 1e-3
"""A calibration never turns the order of two margins around."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A non-decreasing map from margins (log-odds) to probabilities, as plain numbers.

    Parameters
    ----------
    method
        ``sigmoid``: probability = expit(slope · margin + intercept), with ``x = (slope, intercept)`` and no ``p``.
        ``isotonic``: straight lines between the knots ``(x, p)``, level outside them.
    x, p
        The numbers of the method.
    rows, frauds
        How many decided rows it was learned from.
    """

    method: Literal["sigmoid", "isotonic"]
    x: tuple[float, ...]
    p: tuple[float, ...]
    rows: int
    frauds: int

    def __call__(self, margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of each margin."""
        if self.method == "isotonic":
            return np.interp(margins, self.x, self.p)
        slope, intercept = self.x
        return np.asarray(expit(slope * margins + intercept), dtype=np.float64)

    def log_odds(self, margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the log-odds of the probability of each margin."""
        if self.method == "isotonic":
            return np.asarray(logit(self(margins)), dtype=np.float64)
        slope, intercept = self.x
        return np.asarray(slope * margins + intercept, dtype=np.float64)


UNCALIBRATED = Calibration(method="sigmoid", x=(1.0, 0.0), p=(), rows=0, frauds=0)
"""Takes margins for log-odds: nothing is known of what they mean."""


def calibrate(
    margins: NDArray[np.float64], y: NDArray[np.float64], weight: NDArray[np.float64] | None = None
) -> Calibration:
    """Learn a calibration from rows the estimator has not learned from.

    Parameters
    ----------
    margins
        Raw log-odds, shape (n,).
    y
        1 fraud, 0 legit, shape (n,); both must occur.
    weight
        Listings that each row stands for, shape (n,); 1 each where it is not given.
    """
    weight = np.ones(len(y)) if weight is None else weight
    enough = len(y) >= ISOTONIC_MIN_ROWS and y.sum() >= ISOTONIC_MIN_FRAUDS
    return _isotonic(margins, y, weight) if enough else _sigmoid(margins, y, weight)


def _sigmoid(margins: NDArray[np.float64], y: NDArray[np.float64], weight: NDArray[np.float64]) -> Calibration:
    """Platt's scaling with his smoothed targets, which keep separable data from claiming certainty (Platt 1999)."""
    frauds = float(y.sum())
    legits = len(y) - frauds
    target = np.where(y == 1, (frauds + 1) / (frauds + 2), 1 / (legits + 2))
    both = np.concatenate([margins, margins])[:, None]
    classes = np.repeat([1, 0], len(y))
    shares = np.concatenate([target * weight, (1 - target) * weight])
    fitted = LogisticRegression(C=np.inf).fit(both, classes, sample_weight=shares)
    slope = max(float(fitted.coef_[0, 0]), MIN_SLOPE)
    return Calibration(method="sigmoid", x=(slope, float(fitted.intercept_[0])), p=(), rows=len(y), frauds=int(frauds))


def _isotonic(margins: NDArray[np.float64], y: NDArray[np.float64], weight: NDArray[np.float64]) -> Calibration:
    """Isotonic regression, each level drawn together to its middle so that order survives (Oron & Flournoy 2017)."""
    level = IsotonicRegression().fit_transform(margins, y, sample_weight=weight)
    p, at = np.unique(level, return_inverse=True)
    size = np.bincount(at, weights=weight)
    middle = np.bincount(at, weights=weight * margins) / size
    p = _without_certainty(p, np.bincount(at))
    return Calibration(
        method="isotonic",
        x=tuple(middle.tolist()),
        p=tuple(p.tolist()),
        rows=len(y),
        frauds=int(y.sum()),
    )


def _without_certainty(p: NDArray[np.float64], size: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give levels of exactly 0 and 1 what Laplace's rule of succession allows them, without passing a neighbour."""
    doubted = p.copy()
    lowest, highest = 1 / (size[0] + 2), 1 - 1 / (size[-1] + 2)
    if p[0] == 0 and len(p) > 1:
        doubted[0] = min(lowest, p[1])
    if p[-1] == 1 and len(p) > 1:
        doubted[-1] = max(highest, doubted[-2])
    return doubted
