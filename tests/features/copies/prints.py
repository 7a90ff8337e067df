"""Fingerprint frames for the tests of comparisons."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.facts import FINGERPRINT_COLUMNS, HASH_KINDS
from features.hashing.hex_digits import HASH_BITS

ARTICLE = (
    "333e9f8981c3c3e3 ac9ec7216b61b076 e7643c330f0f0f0f 033e9f9981c3c3e3 072c0040000",
    "0f0783ce0f8b8b05 ba052a9d13f87f21 fcef273c6a3b3359 0f17039f0f8f8f05 0e400008002",
    "fe86c38181c1c3c7 f4959690dbc385a5 f436060337978f0e fe86c381c1c1c3e7 06280040001",
    "2700017303030f9f af41943dc186ad3d d6cac3c3c36f7f3f 7702037323838fbf 06080009000",
    "78053f3f839383c3 add3406cd3cdcd21 c18d73721f27379e 380d3f3f839383c3 0e2c0001000",
    "fe86c38181c1c3c7 f4959690dbc385a5 f436060337978f0e fe86c381c1c1c3e7 06280080000",
    "2700017303030f9f af41943dc086ad7d d6dac3c3d36f7f3f 3706037323838fbf 06280000000",
)
"""Hashes of the seven photographs of one advert, as published; 5 is a small copy of 2, and 6 of 3."""


def fingerprints(hashes: np.ndarray, **columns: object) -> pd.DataFrame:
    """Make a frame of ``FINGERPRINT_COLUMNS`` from hashes of shape (n, 5); ``image_id`` follows the row number."""
    frame = pd.DataFrame(np.asarray(hashes, dtype=np.uint64).reshape(-1, 5), columns=list(HASH_KINDS))
    frame = frame.assign(
        image_id=pd.Series([f"{n:064x}" for n in range(len(frame))], dtype="str"),
        width=np.int64(640),
        height=np.int64(480),
        format=pd.Series(["JPEG"] * len(frame), dtype="str"),
        information=5.0,
    )
    return frame.assign(**columns)[list(FINGERPRINT_COLUMNS)]


def random_hashes(rng: np.random.Generator, n: int) -> np.ndarray:
    """Draw hashes, shape (n, 5), each kind within its bits."""
    unused = np.array([64 - HASH_BITS[kind] for kind in HASH_KINDS], dtype=np.uint64)
    return rng.integers(0, 2**64, (n, 5), dtype=np.uint64) >> unused


def flip(rng: np.random.Generator, hashes: np.ndarray, bits: int) -> np.ndarray:
    """Return hashes, shape (n,), each with exactly ``bits`` of its lowest 42 bits flipped."""
    ranks = rng.random((len(hashes), 42)).argsort(axis=1)[:, :bits].astype(np.uint64)
    return hashes ^ np.bitwise_or.reduce(np.uint64(1) << ranks, axis=1, initial=np.uint64(0))
