"""Whether two accounts were known to be one business."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from features.timeline import microseconds, rows_as_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


def same_party(
    sellers: pd.DataFrame, one: pd.Series[int], other: pd.Series[int], at: pd.Series[Any]
) -> NDArray[np.bool_]:
    """Tell which pairs of sellers were known to be of one group at a time; three columns of one length.

    An account without a version by then (``SELLER_COLUMNS`` in ``sellers``) has no group.
    """
    group, other_group = known_groups(sellers, one, at), known_groups(sellers, other, at)
    return (group.notna() & (group == other_group)).to_numpy(bool)


def known_groups(sellers: pd.DataFrame, accounts: pd.Series[int], at: pd.Series[Any]) -> pd.Series[str]:
    """Return the group that each account was known to be of at a time, in the order given; NA if none."""
    return rows_as_of(sellers, "seller_key", np.asarray(accounts, np.int64), microseconds(at))["group_id"]
