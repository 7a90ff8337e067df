"""How probable it is that two pictures are one photo, from registering one on the other."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from features.registration.affine import PARTNER_BITS

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

COEFFICIENTS_FILE = Path(__file__).with_name("same_photo.json")

PICTURES_PER_LISTING = 4.0
FALSE_MATCHES_PER_LISTING = 1 / 1000
LEAST, MOST = 0.5, 0.999
"""Bounds of the operating point: below, two pictures are likelier not one photo; above, copies are lost for nothing."""

NO_POINTS, NO_BLOCKS = 2.0, 1.0
"""Shares and means are taken as if so many more had been compared in vain: all of two tells less than all of fifty."""

HALF_OFF_PIXELS = 0.6
"""So far off, a match counts half. Medians: copies 0.3, neighbouring views with many matches 1.9."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """What one measure adds to the log-odds: straight between knots, level beyond them.

    Parameters
    ----------
    knots
        Values of the measure, ascending, shape (k,).
    log_odds
        What each of them adds, shape (k,): never less as a measure grows that speaks for one photo, never more as one
        grows that speaks against it.
    """

    knots: NDArray[np.float64]
    log_odds: NDArray[np.float64]

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what each value adds."""
        return np.asarray(np.interp(values, self.knots, self.log_odds), np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Tail:
    """How often a picture scores high against one that is not the same photo.

    Parameters
    ----------
    pictures
        In a catalog of so many,
    per_query
        so many of them reach, expected for one picture that is asked for, descending, shape (k,),
    log_odds
        this much and more, ascending, shape (k,).
    scale
        Beyond the last one: what more log-odds it takes to make them fewer by a factor of e.
    """

    pictures: float
    per_query: NDArray[np.float64]
    log_odds: NDArray[np.float64]
    scale: float

    def reached_by(self, per_query: float, pictures: float) -> float:
        """Return the log-odds that so many false matches reach in a catalog of that size."""
        rarity = -math.log(per_query * self.pictures / max(pictures, 1.0))
        measured = -np.log(self.per_query)
        beyond = max(0.0, rarity - float(measured[-1]))
        return float(np.interp(rarity, measured, self.log_odds)) + beyond * self.scale


@dataclass(frozen=True, slots=True, eq=False)
class SamePhoto:
    """The fitted function; ``tests/benchmarks/fit_same_photo.py`` writes the file it is read from.

    Parameters
    ----------
    intercept
        Log-odds to which the curves add.
    curves
        By the names that `measures` gives.
    tail
        Of pictures that are not the same photo.
    """

    intercept: float
    curves: dict[str, Curve]
    tail: Tail

    @classmethod
    def read(cls, stored: dict[str, Any]) -> SamePhoto:
        """Take it from what its file holds."""
        curves = {
            name: Curve(np.array(curve["knots"], np.float64), np.array(curve["log_odds"], np.float64))
            for name, curve in stored["curves"].items()
        }
        tail = stored["false_matches"]
        per_query, log_odds = (np.array(tail[name], np.float64) for name in ("per_query", "log_odds"))
        return cls(stored["intercept"], curves, Tail(tail["pictures"], per_query, log_odds, tail["scale"]))

    def log_odds(self, overlays: NDArray[np.void]) -> NDArray[np.float64]:
        """Return the logarithm of the odds of being one photo."""
        measured = measures(overlays)
        added = [curve(measured[name]) for name, curve in self.curves.items()]
        return np.asarray(self.intercept + np.sum(added, axis=0), np.float64)

    def operating_point(self, pictures: int, per_listing: float = FALSE_MATCHES_PER_LISTING) -> float:
        """Return the probability from which two pictures are taken for one photo; see `operating_point`."""
        reached = self.tail.reached_by(per_listing / PICTURES_PER_LISTING, pictures)
        return float(np.clip(probability(reached), LEAST, MOST))


def measures(overlays: NDArray[np.void]) -> dict[str, NDArray[np.float64]]:
    """Return what the curves are of, each of shape (n,).

    Parameters
    ----------
    overlays
        `features.registration.registration.OVERLAY`, shape (n,).

    Returns
    -------
    dict
        ``matches``, ``bits``, ``off_pixels``, ``agreeing``, ``common_query`` and ``common_reference`` as they are;
        ``repeated`` with `NO_POINTS` further points that were not, and ``mean_off``, ``middle_off`` and ``low_off``,
        what the correlations lack to 1, with `NO_BLOCKS` further blocks that lack all of it. ``evidence`` counts the
        matches, each for less the fewer of the points match, the more their hashes differ and the further they are
        off: many poor matches are found in any two striped skirts, few good ones in any two of one outline, many good
        ones in copies alone.
    """
    matches, textured = overlays["matches"].astype(np.float64), overlays["textured"]
    repeated = matches * overlays["repeated"] / np.maximum(matches + NO_POINTS * overlays["repeated"], 1.0)
    alike = np.clip(1.0 - overlays["bits"] / PARTNER_BITS, 0.0, 1.0)
    near = 1.0 / (1.0 + (overlays["off_pixels"] / HALF_OFF_PIXELS) ** 2)
    return {
        "evidence": matches * repeated * alike * near,
        "matches": matches,
        "repeated": repeated,
        "bits": overlays["bits"],
        "off_pixels": overlays["off_pixels"],
        "agreeing": overlays["agreeing"].astype(np.float64),
        **{
            f"{name}_off": ((1.0 - overlays[name]) * textured + NO_BLOCKS) / (textured + NO_BLOCKS)
            for name in ("mean", "middle", "low")
        },
        "common_query": overlays["common_query"],
        "common_reference": overlays["common_reference"],
    }


@cache
def load() -> SamePhoto:
    """Read the fitted function that ships with the package."""
    return SamePhoto.read(json.loads(COEFFICIENTS_FILE.read_text(encoding="utf-8")))


def probability(log_odds: ArrayLike) -> NDArray[np.float64]:
    """Return the probabilities of log-odds."""
    return np.exp(-np.logaddexp(0.0, -np.asarray(log_odds, np.float64)))


def same_photo(overlays: NDArray[np.void]) -> NDArray[np.float64]:
    """Return the probability that the pictures of each pair are one photo, perhaps edited.

    It never falls with more matching points or agreeing blocks, nor with a better correlation. It is calibrated for
    pairs that the search for copies looks at, as many true ones as chance ones; see ``docs/matching.md``.

    Parameters
    ----------
    overlays
        `features.registration.registration.OVERLAY`, shape (n,).

    Returns
    -------
    numpy.ndarray
        ``float64``, shape (n,).
    """
    return probability(load().log_odds(overlays))


def operating_point(pictures: int, *, per_listing: float = FALSE_MATCHES_PER_LISTING) -> float:
    """Return the probability from which two pictures are taken for one photo.

    It rises with the catalog, so that chance finds no more for a listing than it may.

    Parameters
    ----------
    pictures
        Distinct pictures in the catalog.
    per_listing
        False matches that may be expected for one new listing of `PICTURES_PER_LISTING` pictures.
    """
    return load().operating_point(pictures, per_listing)
