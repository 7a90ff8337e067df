"""The most likely curves that never bend the wrong way, and the tail of chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import minimize

from features.same_photo import Curve, Tail, measures

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
LACKS = (0.015, 0.02, 0.03, 0.045, 0.07, 0.1, 0.14, 0.2, 0.3, 0.45, 0.65, 1.0)
KNOTS: dict[str, tuple[float, ...]] = {
    "matches": (0, 1, 2, 3, 4, 6, 9, 13, 20, 30, 45, 70, 100, 150),
    "repeated": SHARES,
    "bits": (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14),
    "off_pixels": (0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3, 4, 6),
    "agreeing": (0, 1, 2, 4, 6, 9, 13, 20, 30, 45, 64),
    "mean_off": LACKS,
    "middle_off": LACKS,
    "low_off": LACKS,
    "common_asked": SHARES,
    "common_known": SHARES,
}
SPEAK_AGAINST = frozenset({"bits", "off_pixels", "mean_off", "middle_off", "low_off"})
ROUGHNESS = 1e-3
"""Price of the squared difference between what neighbouring stretches add, the weights of all pairs adding up to 1."""
SIZE = 1e-7
"""Price of the squared log-odds that a stretch adds, so that stretches without pairs have an answer."""
TAIL_COUNTS = (1000, 700, 500, 300, 200, 150, 100, 70, 50, 40, 30, 20)
"""False matches at which the tail is noted; beyond the fewest it is taken to fall exponentially."""
STEEPNESS_COUNTS = (20, 30, 50, 70, 100)
DIGITS = 4


class Fitted(NamedTuple):
    """Intercept, and what each measure adds."""

    intercept: float
    curves: dict[str, Curve]

    def stretched(self, stretch: float, shift: float) -> Fitted:
        curves = {
            name: Curve(curve.knots, (curve.log_odds * stretch).round(DIGITS)) for name, curve in self.curves.items()
        }
        return Fitted(round(self.intercept * stretch + shift, DIGITS), curves)


def fit(overlays: NDArray[np.void], true: NDArray[np.bool_], weight: NDArray[np.float64]) -> Fitted:
    """Fit a sum of curves; every measure's first knot adds nothing."""
    columns, roughness = stretches(overlays), neighbours()
    price = ROUGHNESS * roughness.T @ roughness + SIZE * np.eye(columns.shape[1])
    sign, weight = np.where(true, 1.0, -1.0), weight / weight.sum()

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = sign * (parameters[0] + columns @ parameters[1:])
        slope = -sign * weight * np.exp(-np.logaddexp(0.0, margin))
        priced = price @ parameters[1:]
        value = float(weight @ np.logaddexp(0.0, -margin) + parameters[1:] @ priced)
        return value, np.concatenate([[slope.sum()], slope @ columns + 2 * priced])

    start = np.zeros(1 + columns.shape[1])
    bounds = [(None, None), *(side for name, knots in KNOTS.items() for side in [allowed(name)] * (len(knots) - 1))]
    found = minimize(loss, start, jac=True, bounds=bounds, options={"maxiter": 3000, "maxfun": 6000})
    ends = np.cumsum([len(knots) - 1 for knots in KNOTS.values()])[:-1]
    rises = zip(KNOTS.items(), np.split(found.x[1:], ends), strict=True)
    curves = {
        name: Curve(np.array(knots, np.float64), np.append(0.0, np.cumsum(rise))) for (name, knots), rise in rises
    }
    return Fitted(float(found.x[0]), curves)


def allowed(name: str) -> tuple[float | None, float | None]:
    return (None, 0.0) if name in SPEAK_AGAINST else (0.0, None)


def stretches(overlays: NDArray[np.void]) -> NDArray[np.float64]:
    """Return how far each pair has come along each stretch between two knots, 0 to 1, shape (n, stretches)."""
    measured = measures(overlays)
    along = [(measured[name][:, None] - np.array(knots[:-1])) / np.diff(knots) for name, knots in KNOTS.items()]
    return np.clip(np.hstack(along), 0.0, 1.0)


def neighbours() -> NDArray[np.float64]:
    """Return the differences between neighbouring stretches of one measure, shape (differences, stretches)."""
    owner = np.repeat(np.arange(len(KNOTS)), [len(knots) - 1 for knots in KNOTS.values()])
    first = np.flatnonzero(np.diff(owner) == 0)
    stretch = np.arange(len(owner))
    return 1.0 * (stretch == first[:, None]) - (stretch == first[:, None] + 1)


def recalibration(
    log_odds: NDArray[np.float64], true: NDArray[np.bool_], weight: NDArray[np.float64]
) -> tuple[float, float]:
    """Return by how much to stretch, then shift log-odds to be most likely for other pairs (Platt 1999)."""
    sign = np.where(true, 1.0, -1.0)

    def loss(parameters: NDArray[np.float64]) -> float:
        return float(weight @ np.logaddexp(0.0, -sign * (parameters[0] * log_odds + parameters[1])))

    stretch, shift = minimize(loss, np.array([1.0, 0.0]), bounds=[(0.1, None), (None, None)]).x
    return float(stretch), float(shift)


def tail_of(log_odds: NDArray[np.float64], looked_at: float, pictures: int) -> Tail:
    """Note how many false matches reach how much.

    Parameters
    ----------
    log_odds
        Of the pairs that are not one photo and were laid over each other.
    looked_at
        All such pairs, far more than those: every picture that was asked for, times the strange ones in its catalog.
    pictures
        Size of the catalog for which rates are given.
    """
    ranked = np.sort(log_odds)[::-1]
    counts = np.array(TAIL_COUNTS)
    scale = max(float((ranked[:count] - ranked[count]).mean()) for count in STEEPNESS_COUNTS)
    return Tail(pictures, counts * pictures / looked_at, ranked[counts - 1].round(DIGITS), round(scale, DIGITS))
