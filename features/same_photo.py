"""How probable it is that two pictures are one photo, from the distances of their five hashes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from features.facts import HASH_KINDS

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

COEFFICIENTS_FILE = Path(__file__).with_name("same_photo.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class SamePhoto:
    """A logistic function of the five distances, fitted on edits of real photographs.

    The file it is read from also says on what it was fitted and how it did on photographs set aside;
    ``tests/benchmarks/fit_same_photo.py`` writes it.

    Parameters
    ----------
    intercept
        Log-odds at five distances of zero.
    per_bit
        Change of the log-odds by each differing bit, shape (5,), in the order of ``HASH_KINDS``; never positive.
    operating_point
        Probability from which two pictures are taken for one photo unless the caller says otherwise.
    """

    intercept: float
    per_bit: NDArray[np.float64]
    operating_point: float

    def probability(self, distances: ArrayLike) -> NDArray[np.float64]:
        """Return the probability that each pair shows one photo; see `same_photo`."""
        log_odds = self.intercept + np.asarray(distances, dtype=np.float64) @ self.per_bit
        return np.exp(-np.logaddexp(0.0, -log_odds))


@cache
def load() -> SamePhoto:
    """Read the fitted function that ships with the package."""
    stored = json.loads(COEFFICIENTS_FILE.read_text(encoding="utf-8"))
    return SamePhoto(
        intercept=stored["intercept"],
        per_bit=np.array([stored["per_bit"][kind] for kind in HASH_KINDS]),
        operating_point=stored["operating_point"],
    )


def same_photo(distances: ArrayLike) -> NDArray[np.float64]:
    """Return the probability that the pictures of each pair are one photo, perhaps edited.

    More differing bits never raise it. It is calibrated for pairs that the radii of `features.alike` admit, as many
    true ones as chance ones; pairs further apart come out near 0.

    Parameters
    ----------
    distances
        Differing bits, shape (n, 5), in the order of ``HASH_KINDS``.

    Returns
    -------
    numpy.ndarray
        ``float64``, shape (n,).
    """
    return load().probability(distances)


def operating_point() -> float:
    """Return the probability from which two pictures are taken for one photo by default."""
    return load().operating_point
