"""What workers say of pictures, as the rows that the catalog keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from data.catalog.market.matches import HASHED
from features.facts import HASH_KINDS
from features.keypoints.serialization import BLOBS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.serving.decoding.messages import Message

UNREADABLE = "unreadable"


def prints_of(found: Sequence[Message]) -> pd.DataFrame:
    """Return all columns of the ``images`` table but ``compared``, one row for each message.

    Parameters
    ----------
    found
        What `models.serving.decoding.worker.answer` says, with ``image_id`` and ``recipe``.
    """
    # Built from objects: a column with a gap would become floating point, which cannot hold 64 bits.
    columns = ["image_id", "reason", "width", "height", "format", "orientation", "information", "recipe"]
    hashes = [*HASH_KINDS, "untransposed_phash"]
    frame = pd.DataFrame(found, columns=[*columns, *hashes], dtype=object)
    status = np.where(frame["reason"].isna(), HASHED, UNREADABLE)
    return frame.astype(dict.fromkeys(hashes, "UInt64") | {"information": "float64"}).assign(status=status)


def sketches_of(found: Sequence[Message]) -> pd.DataFrame:
    """Return all columns of the ``sketches`` table, one row for each message about a readable picture."""
    readable = [row for row in found if row["reason"] is None]
    return pd.DataFrame(readable, columns=["image_id", "recipe", *BLOBS], dtype=object)
