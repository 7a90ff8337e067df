"""Whether two accounts were known to be one business."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from features.as_of import microseconds, rows_as_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


def same_party(
    sellers: pd.DataFrame, one: pd.Series[int], other: pd.Series[int], at: pd.Series[Any]
) -> NDArray[np.bool_]:
    """Tell which pairs of sellers were known to be of one group at a time; three columns of one length.

    An account without a version by then (``SELLER_COLUMNS`` in ``sellers``) has no group.
    """
    times_us = microseconds(at)
    group = rows_as_of(sellers, "seller_key", np.asarray(one, np.int64), times_us)["group_id"]
    other_group = rows_as_of(sellers, "seller_key", np.asarray(other, np.int64), times_us)["group_id"]
    return (group.notna() & (group == other_group)).to_numpy(bool)
