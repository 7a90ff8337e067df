"""Examples: one row a listing moment, with what is known of it and what was decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from data.errors import ModelError
from models.dataset.training_labels import training_labels

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from features.spec import FeatureSpec

MOMENT_COLUMNS = ("listing_key", "seller_key", "as_of", "price")
EXAMPLE_COLUMNS = ("listing_key", "seller_key", "as_of", "photo_cluster", "price", "y", "known_at")


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
        ``listing_key, label, known_at``; see `models.dataset.training_labels.training_labels`.
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


def feature_matrix(frame: pd.DataFrame, specs: Sequence[FeatureSpec]) -> NDArray[np.float64]:
    """Return the features in the order of ``specs``, shape (rows, features), NaN for missing.

    Raises
    ------
    ModelError
        When a column is missing; all of them are named.
    """
    names = [spec.name for spec in specs]
    absent = [name for name in names if name not in frame.columns]
    if absent:
        raise ModelError(
            "(any)",
            f"the features lack the column(s) {', '.join(absent)}",
            "Compute the features with the list that this version ships",
        )
    return np.ascontiguousarray(frame[names].to_numpy("float64"))
