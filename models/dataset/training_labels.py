"""Which decision counts for a listing, as known at a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from datetime import datetime

FRAUD = "fraud"
LEGIT = "legit"
Y_OF_LABEL = {FRAUD: 1.0, LEGIT: 0.0}


def training_labels(moments: pd.DataFrame, labels: pd.DataFrame, until: datetime) -> pd.DataFrame:
    """Give each moment the latest decision on its listing that was known by ``until``.

    A decision counts only from ``known_at`` on, and a later one replaces an earlier one. A listing nobody decided on
    stays unlabelled and is left out of training: most listings never get a label, and calling them legit would teach
    the model that what reviewers overlook is honest. A latest decision other than ``fraud`` or ``legit`` (an analyst
    who is unsure) leaves the listing unlabelled too. Of several known at the same instant, ``fraud`` counts
    before ``legit``, and ``legit`` before others.

    Parameters
    ----------
    moments
        Has ``listing_key``; any index.
    labels
        Has ``listing_key``, ``label`` and ``known_at``, any number of rows a listing, in any order; optionally
        ``source``, who decided.
    until
        Aware UTC; decisions known later do not exist yet.

    Returns
    -------
    DataFrame
        Index of ``moments``; ``y`` (float64: 1 fraud, 0 legit, NaN unlabelled), ``known_at`` (NaT unlabelled) and,
        if the labels name it, ``source``.
    """
    known = labels[labels["known_at"] <= pd.Timestamp(until)]
    known = known.assign(y=known["label"].map(Y_OF_LABEL).astype("float64"))
    in_order = known.sort_values(["known_at", "y"], na_position="first")
    latest = in_order.drop_duplicates("listing_key", keep="last").set_index("listing_key")
    found = latest.loc[latest["y"].notna(), _given(labels)].reindex(moments["listing_key"])
    return found.astype({"known_at": "datetime64[us, UTC]"}).set_axis(moments.index)


def _given(labels: pd.DataFrame) -> list[str]:
    return ["y", "known_at", *(["source"] if "source" in labels else [])]
