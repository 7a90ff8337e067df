"""The stored facts that features are made of, as frames with fixed columns.

Times are ``datetime64[us, UTC]``, keys are ``int64``, counts ``int64``, measures ``float64`` with NaN for unknown,
texts ``str`` with NA for unknown. Who stores the facts is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

HASH_KINDS = ("ahash", "phash", "dhash", "whash", "colorhash")
LOW_INFORMATION = 0.5
"""Bits below which a picture is too empty to be recognised by its hashes.

Measured: flat, noisy, evenly shaded and two-colored pictures, a dot or a small line of text reach 0.4 bits at most;
1,872 real photographs 1.06 and more (an aeroplane in a clear sky), studio pictures on white 1.8 and more. Placeholders
with large lettering or a symbol (0.9 to 2.6) are not told apart by this measure but by how many sellers share them.
"""
DISTANCE_COLUMNS = tuple(f"distance_{kind}" for kind in HASH_KINDS)

MOMENT_COLUMNS = ("listing_key", "as_of")
LISTING_COLUMNS = (
    "listing_key",
    "seller_key",
    "observed_at",
    "created_at",
    "marketplace",
    "title",
    "description",
    "category",
    "location",
    "price",
    "currency",
)
SELLER_COLUMNS = ("seller_key", "observed_at", "joined_at", "feedback_count", "rating", "country", "group_id")
SIGHTING_COLUMNS = (
    "image_id",
    "listing_key",
    "seller_key",
    "position",
    "observed_at",
    "created_at",
)
OTHER_PHOTO_COLUMNS = ("listing_key", "image_id", "observed_at", "width", "height")
VERSION_COLUMNS = ("listing_key", "image_id", "other_image_id", "same_photo", "denied_at")
FINGERPRINT_COLUMNS = ("image_id", "width", "height", "format", *HASH_KINDS, "information")
NEAR_DUPLICATE_COLUMNS = ("image_id", "other_image_id", *DISTANCE_COLUMNS, "edit", "same_photo")
ALIGNMENT_COLUMNS = ("matched_points", "common_area", "other_common_area", "lead")
"""How a picture lies in the other one: points that agree, the share of either's area that lies in the other, and what
leads from a place in the first to the same in the other, both in shares of the sides: two rows of three, as JSON."""
MATCH_COLUMNS = (
    "listing_key",
    "image_id",
    "seller_key",
    "observed_at",
    "other_listing_key",
    "other_image_id",
    "other_seller_key",
    "other_observed_at",
    "other_created_at",
    *DISTANCE_COLUMNS,
    "edit",
    "same_photo",
    "sellers_sharing",
    "sightings",
)
LABEL_COLUMNS = ("listing_key", "seller_key", "label", "known_at")
TAKEN_COLUMNS = ("seller_key", "other_image_id", "other_seller_key", "known_at", "sellers_showing")
TEXT_COLUMNS = ("listing_key", "observed_at", "seller_key", "band", "other_seller_key", "other_observed_at")
PRODUCT_MODEL_COLUMNS = ("goods", "listing_key", "observed_at", "price")
PRICE_COLUMNS = ("marketplace", "category", "currency", "day", "usual_price")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that is known about the listings to be described and about their sellers' pasts.

    Every frame may hold rows observed after the moment described: features must not use them.

    Parameters
    ----------
    listings
        Versions of listings (``LISTING_COLUMNS``): every version of every listing of the sellers concerned, and of
        the listings named as ``other_listing_key`` in the matches of those described. One row for each (listing_key,
        observed_at). Of listings that are neither described nor named so only category, location, price and
        currency are told.
    sellers
        Versions of seller accounts (``SELLER_COLUMNS``), one row for each (seller_key, observed_at): of the sellers
        concerned and of those named in ``taken`` and ``texts``.
    sightings
        Which picture stood in which listing (``SIGHTING_COLUMNS``): all of the listings described, and those in
        ``matches``. ``observed_at`` is when we could first know the picture there; one row for each (image_id,
        listing_key).
    fingerprints
        Size and hashes of those pictures (``FINGERPRINT_COLUMNS``); hashes are ``uint64``; ``information`` is the
        low-information measure of `features.hashing.fingerprint.information` (bits; small means flat). Unreadable
        pictures
        have no row.
    matches
        Earlier sightings under other sellers (``MATCH_COLUMNS``) of all pictures of the sellers concerned: one row for
        each sighting and each distinct picture like it. ``observed_at`` is the own sighting's.
    other_photos
        All photos (``OTHER_PHOTO_COLUMNS``) of the listings named as ``other_listing_key`` in the matches of those
        described, one row for each (listing_key, image_id). ``width`` and ``height`` are ``float64``, NaN if the
        picture is unreadable.
    versions
        Pictures of one listing that are alike (``VERSION_COLUMNS``), of the listings described and of those named as
        ``other_listing_key`` in their matches: each pair once, in either order. ``denied_at`` is since when somebody
        is known to have found them to be different photos, NaT if nobody has.
    labels
        Decisions on listings of the sellers concerned and of those in ``taken`` (``LABEL_COLUMNS``): ``label`` is
        ``fraud`` or ``legit``, ``known_at`` is when it could first be known.
    prices
        Usual prices (``PRICE_COLUMNS``) of the kinds of goods concerned by the days of the moments, as
        `features.point_in_time.price_features.usual_prices` gives them.
    product_models
        Prices asked for models of goods (``PRODUCT_MODEL_COLUMNS``, ``goods`` as
        `features.point_in_time.price_features.product_models_of` numbers them), one
        row for each version of a listing that states one: of the models concerned, at least the latest
        `features.point_in_time.price_features.LATEST_PRICES` before the day of each moment.
    taken
        Photos that sellers took (``TAKEN_COLUMNS``): seller ``seller_key`` showed the same photo as picture
        ``other_image_id``, after ``other_seller_key``, which could be known from ``known_at`` on; by then
        ``sellers_showing`` others had shown it. Only pictures that hold information; one row for each (seller_key,
        other_image_id), the first. Of the sellers concerned and those that rings reach from them
        (`features.point_in_time.ring_features`), as much as rings look at.
    texts
        Who showed nearly the same text as a listing (``TEXT_COLUMNS``): one row for each version, each ``band`` of its
        text (`features.point_in_time.listing_features`) that anybody else shows too, and each of the first sellers to
        show it, the own one
        included, with when that was; enough of them to tell a common text.
    """

    listings: pd.DataFrame
    sellers: pd.DataFrame
    sightings: pd.DataFrame
    fingerprints: pd.DataFrame
    matches: pd.DataFrame
    other_photos: pd.DataFrame
    versions: pd.DataFrame
    labels: pd.DataFrame
    prices: pd.DataFrame
    product_models: pd.DataFrame
    taken: pd.DataFrame
    texts: pd.DataFrame
