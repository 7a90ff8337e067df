"""At which moment each listing is learned from and judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def judged_moments(moments: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Choose one moment of each listing: the last before anybody decided on it.

    Whatever a listing became after its first decision (pictures taken down, a price put right) would tell the answer.
    A listing decided on before anything else was known of it keeps its first moment; an undecided one its last.

    Parameters
    ----------
    moments
        ``listing_key, as_of``.
    labels
        ``listing_key, known_at``.

    Returns
    -------
    DataFrame
        One row of ``moments`` for each listing, ordered by ``as_of`` and then ``listing_key``, numbered from 0.
    """
    ordered = moments.sort_values(["listing_key", "as_of"], ignore_index=True)
    # Not `map`: without any label it would have no times to take the type of.
    first = labels.groupby("listing_key")["known_at"].min()
    decided_at = first.reindex(ordered["listing_key"]).set_axis(ordered.index)
    too_late = (ordered["as_of"] > decided_at) & ordered.duplicated("listing_key")
    last = ordered[~too_late].drop_duplicates("listing_key", keep="last")
    return last.sort_values(["as_of", "listing_key"], ignore_index=True)
