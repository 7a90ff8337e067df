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
MANY_MATCHES, LEAST_RISE = 30, 1.0
"""From so many matches on, each stretch adds so much at the least.

More matching points are more evidence, however many there are. The fit alone would not say so, since no two strangers
here have that many; and what speaks for a copy beyond all doubt is needed where a large catalog asks for more.
"""
ROUGHNESS = 1e-3
"""Price of the squared difference between what neighbouring stretches add, the weights of all pairs adding up to 1."""
SIZE = 1e-7
"""Price of the squared log-odds that a stretch adds, so that stretches without pairs have an answer."""
TAIL_COUNTS = (1000, 700, 500, 300, 200, 150, 100, 70, 50, 40, 30, 20)
"""False matches at which the tail is noted; beyond the fewest it is taken to fall exponentially."""
STEEPNESS_COUNTS = (20, 30, 50, 70, 100)
CAUTION = 1.25
"""How much flatter the tail is taken to fall than measured: its pairs come in families, and are few."""
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
    columns, roughness, least = stretches(overlays), neighbours(), least_rises()
    price = ROUGHNESS * roughness.T @ roughness + SIZE * np.eye(columns.shape[1])
    sign, weight = np.where(true, 1.0, -1.0), weight / weight.sum()

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = sign * (parameters[0] + columns @ parameters[1:])
        slope = -sign * weight * np.exp(-np.logaddexp(0.0, margin))
        beyond = parameters[1:] - least
        value = float(weight @ np.logaddexp(0.0, -margin) + beyond @ price @ beyond)
        return value, np.append(slope.sum(), slope @ columns + 2 * price @ beyond)

    sides = [(None, 0.0) if name in SPEAK_AGAINST else (rise, None) for name, rise in zip(owners(), least, strict=True)]
    limits = {"maxiter": 3000, "maxfun": 6000}
    found = minimize(loss, np.append(0.0, least), jac=True, bounds=[(None, None), *sides], options=limits)
    rises = {name: found.x[1:][owners() == name] for name in KNOTS}
    curves = {
        name: Curve(np.array(KNOTS[name], np.float64), np.append(0.0, np.cumsum(rise))) for name, rise in rises.items()
    }
    return Fitted(float(found.x[0]), curves)


def owners() -> NDArray[np.str_]:
    """Return the measure of each stretch between two knots, shape (stretches,)."""
    return np.repeat(list(KNOTS), [len(knots) - 1 for knots in KNOTS.values()])


def least_rises() -> NDArray[np.float64]:
    """Return what each stretch adds at the least, shape (stretches,); what speaks against it adds 0 at most."""
    start = np.concatenate([knots[:-1] for knots in KNOTS.values()])
    return np.where((owners() == "matches") & (start >= MANY_MATCHES), LEAST_RISE, 0.0)


def stretches(overlays: NDArray[np.void]) -> NDArray[np.float64]:
    """Return how far each pair has come along each stretch between two knots, 0 to 1, shape (n, stretches)."""
    measured = measures(overlays)
    along = [(measured[name][:, None] - np.array(knots[:-1])) / np.diff(knots) for name, knots in KNOTS.items()]
    return np.clip(np.hstack(along), 0.0, 1.0)


def neighbours() -> NDArray[np.float64]:
    """Return the differences between neighbouring stretches of one measure, shape (differences, stretches)."""
    first = np.flatnonzero(owners()[1:] == owners()[:-1])
    stretch = np.arange(len(owners()))
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
    scale = CAUTION * max(float((ranked[:count] - ranked[count]).mean()) for count in STEEPNESS_COUNTS)
    return Tail(pictures, counts * pictures / looked_at, ranked[counts - 1].round(DIGITS), round(scale, DIGITS))
