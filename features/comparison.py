"""Pictures side by side: which pairs are worth a look, how far apart they are, and what lies between them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from features import hamming
from features.facts import DISTANCE_COLUMNS, HASH_KINDS
from features.information import LOW_INFORMATION
from features.same_photo import same_photo

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray
    from pandas.api.extensions import ExtensionArray

BLOCK_PAIRS = 1 << 19
"""Most pairs compared at once, unless one picture alone meets more; a pair takes some 700 bytes."""

RESHAPED_RATIO = 1.02
"""Change of the aspect ratio beyond which a picture counts as reshaped; rounding to whole pixels stays below."""


class Edit(StrEnum):
    """What visibly lies between two pictures that look alike."""

    NONE = "none"
    """The same bytes."""
    RECOMPRESSED = "recompressed"
    """Other bytes at the same width and height."""
    RESIZED = "resized"
    """Another size of the same shape."""
    RESHAPED = "reshaped"
    """Another shape: squeezed, cropped or framed."""


class Pictures(NamedTuple):
    """Fingerprints as arrays.

    Parameters
    ----------
    image_id
        Shape (n,), numbered from 0.
    hashes
        Shape (n, 5), in the order of ``HASH_KINDS``.
    size
        Width and height in pixels, shape (n, 2).
    informative
        Whether they hold enough to be recognised by their hashes, shape (n,).
    """

    image_id: pd.Series[str]
    hashes: NDArray[np.uint64]
    size: NDArray[np.float64]
    informative: NDArray[np.bool_]

    @classmethod
    def of(cls, fingerprints: pd.DataFrame) -> Pictures:
        """Take them from a frame with ``FINGERPRINT_COLUMNS``."""
        return cls(
            image_id=fingerprints["image_id"].reset_index(drop=True),
            hashes=fingerprints[list(HASH_KINDS)].to_numpy(np.uint64),
            size=fingerprints[["width", "height"]].to_numpy(np.float64),
            informative=fingerprints["information"].to_numpy(np.float64) >= LOW_INFORMATION,
        )


def candidate_blocks(
    queries: NDArray[np.uint64], keys: NDArray[np.uint64], radii: Mapping[str, int]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield the pairs that lie within the radius of at least one kind of hash.

    Parameters
    ----------
    queries, keys
        Hashes, shapes (n, 5) and (m, 5).
    radii
        Most differing bits by kind; a kind that is not named brings no pair in.

    Yields
    ------
    tuple
        Row numbers of queries and of keys, each pair once, ordered by query and key over all parts. A part holds no
        more than ``BLOCK_PAIRS`` pairs or those of one query.
    """
    step = max(1, BLOCK_PAIRS // max(1, len(keys)))
    for start in range(0, len(queries), step):
        block = queries[start : start + step]
        pair_numbers = [np.empty(0, np.int64)]
        for kind, radius_bits in radii.items():
            column = HASH_KINDS.index(kind)
            hits = hamming.within(block[:, column], keys[:, column], radius_bits)
            pair_numbers.append(hits.query_index * len(keys) + hits.key_index)
        # Sorting, since np.unique hashes, and slows down a hundredfold on many evenly spaced numbers.
        numbers = np.sort(np.concatenate(pair_numbers))
        query, key = np.divmod(numbers[np.diff(numbers, prepend=-1) > 0], max(1, len(keys)))
        yield start + query, key


def compare(left: Pictures, left_row: NDArray[np.int64], right: Pictures, right_row: NDArray[np.int64]) -> pd.DataFrame:
    """Describe pairs of pictures.

    Returns
    -------
    pandas.DataFrame
        One row for each pair: ``DISTANCE_COLUMNS`` (``int64``, bits), ``edit`` (one of `Edit`), and ``same_photo``
        (probability; 1 where the bytes are the same).
    """
    distance = np.bitwise_count(left.hashes[left_row] ^ right.hashes[right_row])
    same_bytes = np.asarray(left.image_id.take(left_row).array == right.image_id.take(right_row).array)
    described = pd.DataFrame(distance.astype(np.int64), columns=list(DISTANCE_COLUMNS))
    return described.assign(
        edit=_edits(left.size[left_row], right.size[right_row], same_bytes),
        same_photo=np.where(same_bytes, 1.0, same_photo(distance)),
    )


def _edits(size: NDArray[np.float64], other_size: NDArray[np.float64], same_bytes: NDArray[np.bool_]) -> ExtensionArray:
    """Name the edit of each pair; sizes in pixels, shape (n, 2)."""
    scale = size / other_size
    change_of_shape = scale.max(axis=1) / scale.min(axis=1)
    number = np.select(
        [same_bytes, change_of_shape > RESHAPED_RATIO, (size == other_size).all(axis=1)],
        [_EDITS.index(Edit.NONE), _EDITS.index(Edit.RESHAPED), _EDITS.index(Edit.RECOMPRESSED)],
        _EDITS.index(Edit.RESIZED),
    )
    return pd.array(_EDITS, dtype="str").take(number)


_EDITS = tuple(edit.value for edit in Edit)
