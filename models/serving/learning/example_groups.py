"""The groups in which an evaluation looks at listings: sellers, accounts, what was done to photos, prices, kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from data.progress import advance
from features.point_in_time.feature_frame import evidence
from models.evaluation.slices import account_groups, edit_groups, price_bands
from models.serving.scoring.score_listings import facts_of

if TYPE_CHECKING:
    from data.catalog.feature_facts import Market
    from models.serving.context import Context

SLICES = ("seller", "account", "surest_copied_photo", "price_band", "category")


def example_groups(context: Context, examples: pd.DataFrame, known: Market) -> pd.DataFrame:
    """Return the groups of each example, a column for each of `SLICES`.

    Parameters
    ----------
    examples
        ``listing_key, as_of, y, price`` and the features. What was done to the photos is looked up for decided
        listings alone, since only they are judged group by group; others have no copied photo here.
    """
    listings = known.listings.set_index("listing_key")[["category", "currency"]]
    kinds = listings.reindex(examples["listing_key"]).set_axis(examples.index)
    edit = _surest_edits(context, examples[examples["y"].notna() & (examples["copied_photos"] > 0)])
    return pd.DataFrame(
        {
            "seller": np.where(examples["seller_listings"] > 0, "known before", "new"),
            "account": account_groups(examples),
            "surest_copied_photo": edit_groups(edit.reindex(examples.index)),
            "price_band": price_bands(examples["price"], kinds),
            "category": kinds["category"].fillna("(none)"),
        }
    )


def _surest_edits(context: Context, copying: pd.DataFrame) -> pd.Series:
    """Return what was done to the surest copied photo of listings that have one, on their index."""
    rows = context.settings.batch_rows
    parts = [pd.Series(dtype="str", index=copying.index[:0])]
    for start in range(0, len(copying), rows):
        part = copying.iloc[start : start + rows]
        moments = part[["listing_key", "as_of"]].reset_index(drop=True)
        found = evidence(moments, facts_of(context, moments))
        surest = found[found["copied"]].drop_duplicates("moment")
        parts.append(pd.Series(surest["edit"].to_numpy(), index=part.index[surest["moment"]], dtype="str"))
        advance("looking at copied photos", len(part), len(copying))
    edits: pd.Series = pd.concat(parts)
    return edits
