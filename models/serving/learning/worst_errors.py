"""The listings a model misjudged most, with their pictures beside the earlier ones they resemble."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from features.point_in_time.feature_frame import SPECS, evidence
from models.estimator.reasons import reasons
from models.estimator.scoring import score
from models.reports.evaluation_report import MisjudgedListing, PhotoPair
from models.serving.pictures.thumbnails import thumbnail
from models.serving.scoring.score_listings import describe

if TYPE_CHECKING:
    from data.catalog.feature_facts import Market
    from models.estimator.scorer import Scorer
    from models.serving.context import Context

PAIRS_SHOWN = 2
REASONS_SHOWN = 3


def worst_errors(context: Context, worst: pd.DataFrame, scorer: Scorer, known: Market) -> list[MisjudgedListing]:
    """Tell of each listing what was known of it and why it scored as it did.

    Parameters
    ----------
    worst
        ``listing_key, as_of``, the worst first.
    """
    if worst.empty:
        return []
    moments = worst[["listing_key", "as_of"]].reset_index(drop=True)
    features, facts = describe(context, moments)
    scored = score(features, scorer, SPECS)
    told = reasons(moments.join(features), scored.contributions, SPECS)
    found = evidence(moments, facts)
    listings = known.listings.set_index("listing_key")
    return [
        MisjudgedListing(
            title=f"{listings.loc[key, 'listing_id']} of {listings.loc[key, 'seller_id']}",
            facts=_facts(listings.loc[key], as_of, scored.table.loc[moment]),
            reasons=tuple(reason["text"] for reason in told[moment][:REASONS_SHOWN]),
            pairs=_pairs(context, key, found[found["moment"] == moment], known),
        )
        for moment, key, as_of in moments.itertuples(name=None)
    ]


def _facts(listing: pd.Series, as_of: pd.Timestamp, scored: pd.Series) -> str:
    price = "no price" if pd.isna(listing["price"]) else f"price {listing['price']:,.0f}"
    category = "no category" if pd.isna(listing["category"]) else listing["category"]
    return f"Score {scored['score']:.2f}, band {scored['band']} · {category} · {price} · judged {as_of:%Y-%m-%d}"


def _pairs(context: Context, key: int, matched: pd.DataFrame, known: Market) -> tuple[PhotoPair, ...]:
    """Show the pictures that resemble earlier ones, those that count first; without any, the listing's own."""
    listings = known.listings.set_index("listing_key")
    closest = matched.drop_duplicates("image_id").head(PAIRS_SHOWN)
    pairs = [_pair(context, match, listings) for match in closest.to_dict("records")]
    if closest.empty:
        own = known.sightings.loc[known.sightings["listing_key"] == key, "image_id"].head(PAIRS_SHOWN)
        pairs = [PhotoPair(picture) if (picture := thumbnail(context, image_id)) else None for image_id in own]
    return tuple(pair for pair in pairs if pair is not None)


def _pair(context: Context, match: dict[Any, Any], listings: pd.DataFrame) -> PhotoPair | None:
    own, earlier = thumbnail(context, match["image_id"]), thumbnail(context, match["other_image_id"])
    if own is None:
        return None
    other = listings.loc[match["other_listing_key"]]
    said = (
        f"{other['listing_id']} of {other['seller_id']}, {_order(match)}; "
        f"the same photo with a probability of {match['same_photo']:.0%}"
    )
    sellers = match["sellers_showing"]
    shown_by = f", which {sellers:,.0f} other sellers had shown by then" if sellers > 1 else ""
    return PhotoPair(own, earlier, f"{said}{shown_by}{'' if match['copied'] else '; does not count as copying'}.")


def _order(match: dict[Any, Any]) -> str:
    """Tell how much earlier the other side was, and that it was seen only later where it was."""
    day = pd.Timedelta(days=1)
    if match["late"]:
        posted = (match["created_at"] - match["other_created_at"]) / day
        seen = (match["other_observed_at"] - match["observed_at"]) / day
        return f"posted {posted:,.1f} days earlier, though seen {seen:,.1f} days later"
    return f"seen {(match['observed_at'] - match['other_observed_at']) / day:,.1f} days earlier"
