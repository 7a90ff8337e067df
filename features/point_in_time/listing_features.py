"""What a listing says, and what it leaves out."""

from __future__ import annotations

import pandas as pd

from features.spec import FeatureSpec

STATED = ["title", "description", "category", "location", "price", "currency"]

LISTING_SPECS = (
    FeatureSpec(
        name="title_length", block="listing", unit="characters", missing="there is no title",
        meaning="Length of the title.",
    ),
    FeatureSpec(
        name="description_length", block="listing", unit="characters", missing="there is no description",
        meaning="Length of the description.",
    ),
    FeatureSpec(
        name="missing_fields", block="listing", unit="count",
        meaning=f"How many of {', '.join(STATED[:-1])} and {STATED[-1]} are missing.",
        reason="Fields of the listing left empty: {value}.",
    ),
)  # fmt: skip


def listing_block(described: pd.DataFrame) -> pd.DataFrame:
    """Compute the features of `LISTING_SPECS` from the columns ``title, description, …`` as of each moment."""
    return pd.DataFrame(
        {
            "title_length": described["title"].astype("str").str.len(),
            "description_length": described["description"].astype("str").str.len(),
            "missing_fields": described[STATED].isna().sum(axis="columns"),
        }
    )
