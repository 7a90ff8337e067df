"""What analysts decided, read as labels: append-only, so that every past moment can be looked at again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.catalog.database.frames import read_by_keys, whole_table
from data.catalog.database.schema import verdicts

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import Connection

ANALYST = "analyst"
"""The ``source`` of labels that are verdicts."""


def verdict_labels(connection: Connection, listing_keys: pd.Series[int]) -> pd.DataFrame:
    """Return every verdict on some listings as ``listing_key, label, known_at, source``, in no order.

    A verdict is known from the moment it was given. None is dropped for a later one: which of them counts depends on
    the moment that is looked at, and an undo is a later verdict. A verdict on a pair of pictures ("not the same photo")
    says nothing of the listing and is left out.

    Parameters
    ----------
    listing_keys
        Of the listings asked about.
    """
    names = ("listing_key", "verdict", "decided_at")
    whole = whole_table(verdicts, names).where(verdicts.c.image_id.is_(None), verdicts.c.other_image_id.is_(None))
    found = read_by_keys(connection, whole, verdicts.c.listing_key, listing_keys)
    renamed = found.rename(columns={"verdict": "label", "decided_at": "known_at"})
    return renamed.assign(source=ANALYST).astype({"source": "str"})
