"""Examples: each listing at one moment, with what was known of it then and what was decided on it since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from datetime import datetime

MOMENT_COLUMNS = ("listing_key", "seller_key", "as_of", "price")
EXAMPLE_COLUMNS = ("listing_key", "seller_key", "as_of", "photo_cluster", "price", "y", "known_at")
FRAUD = "fraud"
LEGIT = "legit"
Y_OF_LABEL = {FRAUD: 1.0, LEGIT: 0.0}


def make_examples(
    moments: pd.DataFrame,
    features: pd.DataFrame,
    labels: pd.DataFrame,
    *,
    clusters: pd.Series,
    until: datetime,
) -> pd.DataFrame:
    """Join moments, their features, photo clusters and the decisions known by ``until``.

    Parameters
    ----------
    moments
        ``MOMENT_COLUMNS`` (``price`` NaN where unknown), one row for each moment to learn from or be judged on.
    features
        Feature columns as of each moment, on the same index as ``moments``.
    labels
        ``listing_key, label, known_at``; see `training_labels`.
    clusters
        Cluster number by ``listing_key``; see `models.dataset.photo_clusters.photo_clusters`.
    until
        Aware UTC. Moments after it are left out, decisions known after it do not exist.

    Returns
    -------
    DataFrame
        ``EXAMPLE_COLUMNS``, ``source`` if the labels name it, and the feature columns; ordered by ``as_of`` then
        ``listing_key``, numbered from 0.
        ``y`` is 1 fraud, 0 legit, NaN undecided. A listing missing in ``clusters`` is a cluster of its own.
    """
    if not moments.index.equals(features.index):
        message = "moments and features must stand on the same index"
        raise ValueError(message)
    cluster = moments["listing_key"].map(clusters)
    described = moments[list(MOMENT_COLUMNS)].assign(
        photo_cluster=cluster.fillna(moments["listing_key"]).astype("int64"),
        **training_labels(moments, labels, until),
    )
    feature_columns = [name for name in features.columns if name not in described.columns]
    joined = pd.concat([described, features[feature_columns]], axis=1)
    joined = joined[joined["as_of"] <= pd.Timestamp(until)]
    return joined.sort_values(["as_of", "listing_key"], ignore_index=True)


def label_moments(moments: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
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
    columns = ["y", "known_at", *(["source"] if "source" in labels else [])]
    of_moments = latest.loc[latest["y"].notna(), columns].reindex(moments["listing_key"])
    return of_moments.astype({"known_at": "datetime64[us, UTC]"}).set_axis(moments.index)
