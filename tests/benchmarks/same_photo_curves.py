"""The most likely curves that never bend the wrong way, and the tail of chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import minimize

from features.registration.same_photo import Curve, Tail, measures

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
LACKS = (0.015, 0.02, 0.03, 0.045, 0.07, 0.1, 0.14, 0.2, 0.3, 0.45, 0.65, 1.0)
KNOTS: dict[str, tuple[float, ...]] = {
    "evidence": (0, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2, 3, 4.5, 7, 10, 15, 25, 40, 70),
    "matches": (0, 1, 2, 3, 4, 6, 9, 13, 20, 30, 45, 70, 100, 150),
    "repeated": SHARES,
    "bits": (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14),
    "off_pixels": (0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3, 4, 6),
    "agreeing": (0, 1, 2, 4, 6, 9, 13, 20, 30, 45, 64),
    "mean_off": LACKS,
    "middle_off": LACKS,
    "low_off": LACKS,
    "common_query": SHARES,
    "common_reference": SHARES,
}
SPEAK_AGAINST = frozenset({"bits", "off_pixels", "mean_off", "middle_off", "low_off"})
MUCH_EVIDENCE, LEAST_RISE = 1.0, 1.5
"""From so much on, each further unit adds so much at the least, before log-odds are made probabilities.

Among strangers evidence falls exponentially, as far as it can be measured, so that what lies far beyond them speaks
for a copy the more, the further. The fit alone would not say so, since no two strangers here come that far; and what
is beyond all doubt is needed where a large catalog asks for more.
"""
ROUGHNESS = 1e-4
"""Price of the squared difference between what neighbouring stretches add, the weights of all pairs adding up to 1."""
SIZE = 1e-7
"""Price of the squared log-odds that a stretch adds, so that stretches without pairs have an answer."""
TAIL_COUNTS = (3000, 2000, 1000, 500, 300, 200, 100, 70, 50, 30, 20, 10, 6)
"""False matches at which the tail is noted; beyond the fewest it is taken to fall exponentially."""
STEEPNESS_COUNTS = (20, 30, 50, 70, 100)
CAUTION = 1.25
"""How much flatter the tail is taken to fall than measured: its pairs come in twos and families, and are few."""
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
    start, end = (np.concatenate([knots[side] for knots in KNOTS.values()]) for side in (slice(-1), slice(1, None)))
    return np.where((owners() == "evidence") & (start >= MUCH_EVIDENCE), LEAST_RISE * (end - start), 0.0)


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


def tail_of(log_odds: NDArray[np.float64], per_pair: NDArray[np.float64], pictures: int) -> Tail:
    """Note how many false matches reach how much.

    Parameters
    ----------
    log_odds
        Of pairs that are not one photo and were registered on each other.
    per_pair
        What each of them stands for: false matches for one picture that is asked for and one that is known.
    pictures
        Size of the catalog for which rates are given.
    """
    order = np.argsort(-log_odds)
    ranked, rates = log_odds[order], pictures * np.cumsum(per_pair[order])
    counts = np.array(TAIL_COUNTS)
    scale = CAUTION * max(float((ranked[:count] - ranked[count]).mean()) for count in STEEPNESS_COUNTS)
    return Tail(pictures, rates[counts - 1], ranked[counts - 1].round(DIGITS), round(scale, DIGITS))
