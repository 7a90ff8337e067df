"""Copied photos against their originals: what was done to them, how much of the set was taken, and what was said."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from features.registration.edits import AND, Edit
from features.spec import FeatureSpec
from features.timeline import microseconds, rows_as_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from features.facts import Facts

NO_COPY = "no photo counts as copied"
KINDS: Mapping[str, tuple[Edit, ...]] = MappingProxyType(
    {
        "turned": (Edit.MIRROR, Edit.TURN, Edit.TILT),
        "cut": (Edit.CROP,),
        "covered": (Edit.FRAME, Edit.OVERLAY, Edit.COLLAGE),
        "altered": (Edit.RESHAPED, Edit.TONE),
    }
)
"""What marketplaces do not do to a picture by themselves: somebody changed it on purpose, or shot a screen."""

ORIGINAL_SPECS = (
    FeatureSpec(
        name="copies_turned", block="reuse", unit="count",
        meaning="Copied photos that are mirrored, turned or tilted against their originals.",
        reason="Copied photos that were mirrored, turned or tilted: {value}.",
    ),
    FeatureSpec(
        name="copies_cut", block="reuse", unit="count",
        meaning="Copied photos that show more or less than their originals.",
        reason="Copied photos that were cropped: {value}.",
    ),
    FeatureSpec(
        name="copies_covered", block="reuse", unit="count",
        meaning="Copied photos with a frame, something over them or beside them that their originals lack, or the "
        "other way round.",
        reason="Copied photos with something put around, over or beside them: {value}.",
    ),
    FeatureSpec(
        name="copies_altered", block="reuse", unit="count",
        meaning="Copied photos that are squeezed, slanted, lighter or richer in contrast than their originals.",
        reason="Copied photos that were reshaped or changed in tone: {value}.",
    ),
    FeatureSpec(
        name="size_to_original", block="reuse", unit="ratio", missing=NO_COPY + ", or a size is not known",
        meaning="Side of the surest copied photo divided by that of its original, in pixels: the square root of the "
        "ratio of areas.",
        reason="The surest copied photo is {value} times as large as the earlier one.",
    ),
    FeatureSpec(
        name="set_taken", block="reuse", unit="share", missing=NO_COPY, direction=1,
        meaning="Share of another listing's photos, as known by the moment, that stand among the copied ones: the "
        "largest over all listings that something was copied from.",
        reason="{value} of another listing's photos stand in this one.",
    ),
    FeatureSpec(
        name="title_agreement", block="reuse", unit="share", missing=NO_COPY + ", or a title is missing",
        meaning="Share of the words of both titles, this one's and that of the listing with the surest copied photo, "
        "that stand in both.",
        reason="{value} of the words of both titles stand in this one and in that of the copied listing.",
    ),
    FeatureSpec(
        name="category_agreement", block="reuse", unit="share", missing=NO_COPY + ", or a category is missing",
        meaning="1 if the listing with the surest copied photo is in the same category and marketplace, else 0.",
    ),
)  # fmt: skip


def original_block(described: pd.DataFrame, copied: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Compute the features of `ORIGINAL_SPECS`.

    Parameters
    ----------
    described
        ``marketplace, title, category`` of each listing as of its moment; its index numbers the moments.
    copied
        The matches that count as copying by each moment, best first (`features.sightings.evidence.copies`).
    facts
        ``listings``, ``fingerprints`` and ``other_photos`` are read.

    Returns
    -------
    pandas.DataFrame
        One row for each moment, in the order of ``described``.
    """
    surest = copied.drop_duplicates("moment").set_index("moment")
    original = rows_as_of(
        facts.listings, "listing_key", surest["other_listing_key"].to_numpy(np.int64), microseconds(surest["as_of"])
    ).set_axis(surest.index)
    return pd.DataFrame(
        {
            **_edited(copied, described.index),
            "size_to_original": _size_ratio(surest, facts).reindex(described.index),
            "set_taken": _set_taken(copied, facts.other_photos).reindex(described.index),
            "title_agreement": _words_shared(described["title"].loc[surest.index], original["title"]).reindex(
                described.index
            ),
            "category_agreement": _same_category(described.loc[surest.index], original).reindex(described.index),
        },
        index=described.index,
    )


def _edited(copied: pd.DataFrame, moments: pd.Index[Any]) -> dict[str, pd.Series[Any]]:
    """Count the copied photos by what was done to the surest match of each."""
    best = copied.drop_duplicates(["moment", "image_id"])
    words = AND + best["edit"] + AND
    columns = {}
    for kind, edits in KINDS.items():
        pattern = "|".join(f"[{AND}]{edit.value}[{AND}]" for edit in edits)
        counts = words.str.contains(pattern).groupby(best["moment"]).sum()
        columns[f"copies_{kind}"] = counts.reindex(moments, fill_value=0).astype("int64")
    return columns


def _size_ratio(surest: pd.DataFrame, facts: Facts) -> pd.Series[Any]:
    own = facts.fingerprints.drop_duplicates("image_id").set_index("image_id")
    other = facts.other_photos.drop_duplicates("image_id").set_index("image_id")
    own_area = (own["width"].astype("float64") * own["height"]).reindex(surest["image_id"]).to_numpy(np.float64)
    other_area = (other["width"] * other["height"]).reindex(surest["other_image_id"]).to_numpy(np.float64)
    return pd.Series(np.sqrt(own_area / other_area), index=surest.index)


def _set_taken(copied: pd.DataFrame, other_photos: pd.DataFrame) -> pd.Series[Any]:
    """Return the largest share of one listing's photos that was copied, by moment."""
    place = ["moment", "other_listing_key"]
    taken = copied.groupby(place)["other_image_id"].nunique()
    asked = copied[[*place, "as_of"]].drop_duplicates(place)
    shown = asked.merge(other_photos, left_on="other_listing_key", right_on="listing_key")
    known = shown[shown["observed_at"] <= shown["as_of"]].groupby(place)["image_id"].nunique()
    return (taken / known.reindex(taken.index)).groupby("moment").max()


def _words_shared(own: pd.Series[str], other: pd.Series[str]) -> pd.Series[Any]:
    """Return the share of the words of both titles that stand in both, NaN where a title has none."""
    ours, theirs = _words(own), _words(other)
    both = ours.merge(theirs).groupby("moment").size()
    n_ours, n_theirs = (words.groupby("moment").size().reindex(own.index) for words in (ours, theirs))
    shared = both.reindex(own.index, fill_value=0)
    return shared / (n_ours + n_theirs - shared)


def _words(titles: pd.Series[str]) -> pd.DataFrame:
    """Return the distinct words of titles: ``moment, word``."""
    lists = titles.dropna().str.casefold().str.findall(r"\w+")
    words = lists.explode().dropna().astype("str").rename("word").rename_axis("moment").reset_index()
    return words.drop_duplicates()


def _same_category(own: pd.DataFrame, original: pd.DataFrame) -> pd.Series[Any]:
    known = own["category"].notna() & original["category"].notna()
    same = (own["category"] == original["category"]) & (own["marketplace"] == original["marketplace"])
    return same.astype("float64").where(known)
