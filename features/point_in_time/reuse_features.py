"""Photos that somebody else had shown before: how many, how surely, how much earlier, and beside their originals."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from features.facts import HASH_KINDS
from features.registration.edits import AND, Edit
from features.sightings.evidence import COMMON_SELLERS, FIRST, SAME_PHOTO, photos_shown
from features.sightings.photos import photo_of
from features.spec import FeatureSpec
from features.timeline import days_between, rows_as_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from features.facts import Facts
    from features.sightings.evidence import Judgements

RADII = {"ahash": 4, "phash": 8, "dhash": 8, "whash": 4, "colorhash": 0}
"""The usual cut-off of each hash, in bits.

pHash and dHash keep most recompressed and resized copies within 8 of 64 bits. aHash and wHash only know light from
dark: catalogue photos on white agree within 10 bits by the ten thousand, so they get half. colorhash counts colours
and not shapes, so that only equality says anything.
"""

NO_COPY = "no photo counts as copied"

REUSE_SPECS = (
    FeatureSpec(
        name="images", block="reuse", unit="count",
        meaning="Photos of the listing. Pictures of one photo, in other sizes or encoded anew, count once, here and "
        "below.",
    ),
    FeatureSpec(name="images_readable", block="reuse", unit="count", meaning="Photos that could be read and hashed."),
    FeatureSpec(
        name="low_information_share", block="reuse", unit="share", missing="no photo is readable",
        meaning="Share of the readable photos with too little information to be recognised.",
    ),
    *(
        FeatureSpec(
            name=f"photos_within_{kind}", block="reuse", unit="count",
            meaning=f"Photos within {radius} bits ({kind}) of an image that another party had shown before, "
            "including common and low-information ones.",
            reason=f"Photos within {radius} bits ({kind}) of a picture seen earlier under another seller: {{value}}.",
        )
        for kind, radius in RADII.items()
    ),
    *(
        FeatureSpec(
            name=f"nearest_{kind}", block="reuse", unit="bits", missing="no photo resembles an earlier one",
            meaning=f"Smallest {kind} distance from a photo to a similar image that another party had shown before.",
            reason=f"The closest picture seen earlier under another seller is {{value}} bits ({kind}) away.",
        )
        for kind in HASH_KINDS
    ),
    FeatureSpec(
        name="surest_same_photo", block="reuse", unit="probability", direction=1,
        meaning="Highest probability that a photo is one that another party had shown before; 0 if none is similar. "
        "Low-information and common photos, and those that this seller probably had first, do not count.",
        reason="A photo is, with a probability of {value}, one that another seller had shown before.",
    ),
    FeatureSpec(
        name="copied_photos", block="reuse", unit="count", direction=1,
        meaning=f"Copied photos: the same photo (probability from {SAME_PHOTO}) was shown by another party before "
        f"(certainty from {FIRST}, see `owner_certainty`), it holds information, and no more than {COMMON_SELLERS} "
        "other sellers had shown it.",
        reason="Photos first seen under another seller: {value}.",
    ),
    FeatureSpec(
        name="copied_share", block="reuse", unit="share", direction=1, missing="no photo is readable",
        meaning="Share of the readable photos that are copied.",
        reason="{value} of the photos were first seen under another seller.",
    ),
    FeatureSpec(
        name="photos_from_one_listing", block="reuse", unit="count", direction=1,
        meaning="Largest number of copied photos that were first shown together in one other listing.",
        reason="Photos that were first seen together in one listing of another seller: {value}.",
    ),
    FeatureSpec(
        name="other_sellers", block="reuse", unit="count",
        meaning="Distinct sellers who had shown the copied photos first.",
        reason="The photos were collected from other sellers: {value}.",
    ),
    FeatureSpec(
        name="commonest_sellers", block="reuse", unit="count",
        missing="no photo is the same as an earlier one",
        meaning="Other sellers who had shown the commonest of the reused photos by then.",
    ),
    FeatureSpec(
        name="rarest_sellers", block="reuse", unit="count",
        missing="no photo is the same as an earlier one",
        meaning="Other sellers who had shown the rarest of the reused photos by then.",
    ),
    FeatureSpec(
        name="lead_days", block="reuse", unit="days", missing=NO_COPY,
        meaning="How much earlier the surest copied photo was observed under the other seller.",
        reason="The surest copied photo was seen under another seller {value} days earlier.",
    ),
    FeatureSpec(
        name="posted_lead_days", block="reuse", unit="days", missing=NO_COPY, direction=1,
        meaning="How much earlier the other seller posted the surest copied photo, by the marketplace's clock; "
        "negative if this listing was posted a little earlier and observed later, which leaves doubt about who copied.",
        reason="The surest copied photo was posted by another seller {value} days earlier.",
    ),
    FeatureSpec(
        name="owner_certainty", block="reuse", unit="probability", missing=NO_COPY, direction=1,
        meaning="How certainly the other seller was first with the surest copied photo: 1 if both observed and posted "
        "clearly earlier, a half if the order is open; where it is below, the photo does not count as copied.",
        reason="That the other seller had the surest copied photo first is certain to {value}.",
    ),
    FeatureSpec(
        name="late_photos", block="reuse", unit="count",
        meaning="Copied photos of which it became known only after this listing's that somebody had posted them "
        "earlier.",
        reason="Photos that another seller turned out to have posted earlier: {value}.",
    ),
)  # fmt: skip


def reuse_block(described: pd.DataFrame, judgements: Judgements, copied: pd.DataFrame) -> pd.DataFrame:
    """Compute the features of `REUSE_SPECS`.

    Parameters
    ----------
    described
        ``listing_key, as_of``; its index numbers the moments.
    judgements
        Photos and matches of the sellers concerned.
    copied
        The matches that count as copying by each moment, best first (`features.sightings.evidence.copies`).

    Returns
    -------
    pandas.DataFrame
        One row for each moment, in the order of ``described``.
    """
    shown = photos_shown(described, judgements)
    photos = shown.groupby("moment")
    moments = described.index
    readable = _total(photos["readable"], moments)
    copied_photos = _total(photos["copied"], moments)
    late = copied[copied["late"]].groupby("moment")["photo"].nunique()
    surest = copied.drop_duplicates("moment").set_index("moment").reindex(moments)
    return pd.DataFrame(
        {
            "images": photos.size().reindex(moments, fill_value=0),
            "images_readable": readable,
            "low_information_share": _share(_total(photos["low_information"], moments), readable),
            **_proximity(shown, moments),
            "surest_same_photo": photos["same_photo"].max().reindex(moments, fill_value=0.0),
            "copied_photos": copied_photos,
            "copied_share": _share(copied_photos, readable),
            "photos_from_one_listing": _most_from_one_listing(copied).reindex(moments, fill_value=0),
            "other_sellers": copied.groupby("moment")["other_seller_key"].nunique().reindex(moments, fill_value=0),
            "commonest_sellers": photos["sellers_showing"].max().reindex(moments),
            "rarest_sellers": photos["sellers_showing"].min().reindex(moments),
            "lead_days": days_between(surest["other_observed_at"], surest["observed_at"]),
            "posted_lead_days": days_between(surest["other_created_at"], surest["created_at"]),
            "owner_certainty": surest["certainty"],
            "late_photos": late.reindex(moments, fill_value=0),
        }
    )


def _proximity(shown: pd.DataFrame, moments: pd.Index[Any]) -> dict[str, pd.Series[Any]]:
    """Count photos within each hash's radius, and find the nearest."""
    by_moment = shown.groupby("moment")
    columns = {}
    for kind, radius in RADII.items():
        within = (shown[f"distance_{kind}"] <= radius).groupby(shown["moment"])
        columns[f"photos_within_{kind}"] = _total(within, moments)
        columns[f"nearest_{kind}"] = by_moment[f"distance_{kind}"].min().reindex(moments)
    return columns


def _total(flags: Any, moments: pd.Index[Any]) -> pd.Series[Any]:
    totals: pd.Series[Any] = flags.sum().reindex(moments, fill_value=0).astype("int64")
    return totals


def _share(part: pd.Series[Any], whole: pd.Series[Any]) -> pd.Series[Any]:
    return part / whole.where(whole > 0)


def _most_from_one_listing(copied: pd.DataFrame) -> pd.Series[Any]:
    photos = copied.groupby(["moment", "other_listing_key"])["photo"].nunique()
    return photos.groupby("moment").max()


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
        meaning="Copied photos that are mirrored, turned or tilted compared with their originals.",
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
        meaning="Copied photos that differ from their originals in proportions, slant, brightness or contrast.",
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
        facts.listings, "listing_key", surest["other_listing_key"].to_numpy(np.int64), surest["as_of"]
    ).set_axis(surest.index)
    return pd.DataFrame(
        {
            **_edited(copied, described.index),
            "size_to_original": _size_ratio(surest, facts).reindex(described.index),
            "set_taken": _set_taken(copied, facts).reindex(described.index),
            "title_agreement": _words_shared(described["title"].loc[surest.index], original["title"]).reindex(
                described.index
            ),
            "category_agreement": _same_category(described.loc[surest.index], original).reindex(described.index),
        },
        index=described.index,
    )


def _edited(copied: pd.DataFrame, moments: pd.Index[Any]) -> dict[str, pd.Series[Any]]:
    """Count the copied photos by what was done to the surest match of each."""
    best = copied.drop_duplicates(["moment", "photo"])
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


def _set_taken(copied: pd.DataFrame, facts: Facts) -> pd.Series[Any]:
    """Return the largest share of one listing's photos that was copied, by moment."""
    place = ["moment", "other_listing_key"]
    pictures = facts.other_photos.assign(position=0)
    pictures = pictures.assign(other_photo=photo_of(pictures, facts.versions, same_photo=SAME_PHOTO))
    pictures = pictures.rename(columns={"listing_key": "other_listing_key", "image_id": "other_image_id"})
    names = pictures[["other_listing_key", "other_image_id", "other_photo"]]
    taken = copied[[*place, "other_image_id"]].merge(names).groupby(place)["other_photo"].nunique()
    places = copied[[*place, "as_of"]].drop_duplicates(place)
    shown = places.merge(pictures, on="other_listing_key")
    known = shown[shown["observed_at"] <= shown["as_of"]].groupby(place)["other_photo"].nunique()
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
