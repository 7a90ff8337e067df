"""The tables of what was loaded and observed, and of what pictures and texts have in common."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text

metadata = MetaData()
TEXT_BANDS = ("band_1", "band_2", "band_3", "band_4")


def required(name: str, kind: type = Text) -> Column[object]:
    """Return a column that must have a value."""
    return Column(name, kind, nullable=False)


def key(name: str, kind: type = BigInteger) -> Column[object]:
    """Return a column of a primary key."""
    return Column(name, kind, primary_key=True, autoincrement=False, nullable=False)


# One command's worth of reading; ``finished_at`` is NULL while it is under way or was interrupted.
loads = Table(
    "loads",
    metadata,
    key("load_id", Text),
    required("source"),
    required("first_bulk", Integer),
    required("started_at", BigInteger),
    Column("finished_at", BigInteger),
)

listings = Table(
    "listings",
    metadata,
    key("listing_key"),
    key("observed_at"),
    required("marketplace"),
    required("listing_id"),
    required("seller_key", BigInteger),
    required("seller_id"),
    required("created_at", BigInteger),
    Column("title", Text),
    Column("description", Text),
    Column("category", Text),
    Column("location", Text),
    Column("url", Text),
    Column("price", Float),
    Column("currency", Text),
    Column("attributes", Text),
    required("content_id"),
    Index("listings_by_name", "marketplace", "listing_id"),
    Index("listings_by_seller", "seller_key"),
    # Complete for a seller's past, whose rows lie scattered among long texts. PostgreSQL takes no entry as long as two
    # such columns may be.
    Index(
        "listings_past", "seller_key", "listing_key", "observed_at", "category", "location", "price", "currency"
    ).ddl_if(dialect="sqlite"),
    Index("listings_by_time", "observed_at"),
    Index("listings_by_price", "category", "observed_at", "marketplace", "currency", "price"),
)

sellers = Table(
    "sellers",
    metadata,
    key("seller_key"),
    key("observed_at"),
    required("marketplace"),
    required("seller_id"),
    Column("joined_at", BigInteger),
    Column("feedback_count", Float),
    Column("rating", Float),
    Column("country", Text),
    Column("group_id", Text),
    Column("attributes", Text),
    required("content_id"),
)

# A label may come before its listing; it waits here.
labels = Table(
    "labels",
    metadata,
    key("listing_key"),
    key("labelled_at"),
    key("source", Text),
    required("marketplace"),
    required("listing_id"),
    required("label"),
    required("observed_at", BigInteger),
    Column("attributes", Text),
)

# Prices by kind of goods and day (UTC), so that a half year of them is read in few rows: whole days that stand in
# ``price_days``. ``prices`` are little-endian float64 in no order; an unknown currency is the empty text.
price_days = Table("price_days", metadata, key("day_at"))

daily_prices = Table(
    "daily_prices",
    metadata,
    key("marketplace", Text),
    key("category", Text),
    key("currency", Text),
    key("day_at"),
    required("prices", LargeBinary),
    Index("daily_prices_by_day", "day_at"),
)

# What texts that are nearly the same share, for each version of a listing. ``hashed`` is 0 until the text was read; the
# bands stay NULL where it is too short. ``goods`` names the model of goods where a price is stated for it.
texts = Table(
    "texts",
    metadata,
    key("listing_key"),
    key("observed_at"),
    required("seller_key", BigInteger),
    required("hashed", Integer),
    *(Column(band, BigInteger) for band in TEXT_BANDS),
    Column("goods", BigInteger),
    Column("price", Float),
    Index("texts_by_hashed", "hashed"),
    Index("texts_by_goods", "goods", "observed_at", "listing_key", "price"),
    *(Index(f"texts_by_{band}", band, "seller_key", "observed_at") for band in TEXT_BANDS),
)

image_links = Table(
    "image_links",
    metadata,
    key("listing_key"),
    key("url_id", Text),
    required("position", Integer),
    required("observed_at", BigInteger),
    required("load_id"),
    Index("image_links_by_url", "url_id"),
    Index("image_links_by_load", "load_id"),
)

# What asking for an address led to. ``known_at`` is NULL when the picture came with the load that brought its address,
# and else the clock of the load that got it.
fetches = Table(
    "fetches",
    metadata,
    key("url_id", Text),
    required("image_url"),
    required("status"),
    Column("reason", Text),
    Column("detail", Text),
    Column("http_status", Integer),
    Column("image_id", Text),
    Column("content_type", Text),
    Column("n_bytes", BigInteger),
    Column("etag", Text),
    Column("last_modified", Text),
    required("attempts", Integer),
    Column("known_at", BigInteger),
    Column("fetched_at", BigInteger),
    Column("next_attempt_at", BigInteger),
    Index("fetches_by_image", "image_id"),
    Index("fetches_due", "status", "next_attempt_at"),
    Index("fetches_by_time", "fetched_at"),
)

# Distinct pictures. ``recipe`` is NULL until fingerprinted; ``compared`` is 1 once matched against all known ones.
# ``untransposed_phash`` is that of the picture as its file holds it, NULL where it is displayed so.
images = Table(
    "images",
    metadata,
    key("image_id", Text),
    required("status"),
    Column("reason", Text),
    Column("width", Integer),
    Column("height", Integer),
    Column("format", Text),
    Column("orientation", Integer),
    Column("ahash", BigInteger),
    Column("phash", BigInteger),
    Column("dhash", BigInteger),
    Column("whash", BigInteger),
    Column("colorhash", BigInteger),
    Column("untransposed_phash", BigInteger),
    Column("information", Float),
    Column("recipe", Text),
    required("compared", Integer),
    Index("images_by_recipe", "recipe"),
    Index("images_by_compared", "compared", "status"),
)

# What the search for copies keeps of a readable picture beside its hashes, always of the recipe of its ``images`` row.
# The meaning of the bytes is not known here; those of one recipe have the same length in every row.
sketches = Table(
    "sketches",
    metadata,
    key("image_id", Text),
    required("recipe"),
    required("search_keys", LargeBinary),  # before the larger one: SQLite reads a row from its beginning
    required("thumbnail", LargeBinary),
)

# Which picture stood in which listing, and when that could first be known.
sightings = Table(
    "sightings",
    metadata,
    key("image_id", Text),
    key("listing_key"),
    required("seller_key", BigInteger),
    required("position", Integer),
    required("observed_at", BigInteger),
    required("created_at", BigInteger),
    required("matched", Integer),
    Index("sightings_by_listing", "listing_key", "observed_at"),
    Index("sightings_by_seller", "seller_key"),
    Index("sightings_by_matched", "matched"),
)

# Pairs of distinct pictures that look alike, whoever posted them and whenever; image_id < other_image_id.
alike = Table(
    "alike",
    metadata,
    key("image_id", Text),
    key("other_image_id", Text),
    Column("distance_ahash", Integer),
    Column("distance_phash", Integer),
    Column("distance_dhash", Integer),
    Column("distance_whash", Integer),
    Column("distance_colorhash", Integer),
    required("edit"),
    required("same_photo", Float),
    Column("matched_points", Integer),
    Column("common_area", Float),
    Column("other_common_area", Float),
    Column("lead", Text),
    Index("alike_by_other", "other_image_id"),
)

# Pairs of pictures that somebody found to be different photos, since when that is known; image_id < other_image_id.
different_photos = Table(
    "different_photos",
    metadata,
    key("image_id", Text),
    key("other_image_id", Text),
    required("known_at", BigInteger),
    Index("different_photos_by_other", "other_image_id"),
)

matches = Table(
    "matches",
    metadata,
    key("listing_key"),
    key("image_id", Text),
    key("other_image_id", Text),
    required("seller_key", BigInteger),
    required("observed_at", BigInteger),
    required("other_listing_key", BigInteger),
    required("other_seller_key", BigInteger),
    required("other_observed_at", BigInteger),
    required("other_created_at", BigInteger),
    Column("distance_ahash", Integer),
    Column("distance_phash", Integer),
    Column("distance_dhash", Integer),
    Column("distance_whash", Integer),
    Column("distance_colorhash", Integer),
    required("edit"),
    required("same_photo", Float),
    required("sellers_sharing", BigInteger),
    required("sightings", BigInteger),
    Index("matches_by_seller", "seller_key", "other_image_id"),
    Index("matches_by_time", "observed_at"),
    Index("matches_by_other_image", "other_image_id"),
)

# When each seller first took each photo, and how many others had shown it by then: what matches say, without those of
# empty pictures and mere likeness. Whoever writes matches keeps it (`data.catalog.market.photo_ties`).
taken = Table(
    "taken",
    metadata,
    key("seller_key"),
    key("other_image_id", Text),
    required("other_seller_key", BigInteger),
    required("known_at", BigInteger),
    required("sellers_showing", BigInteger),
    # Complete, both: the earliest of a seller and of a photo are read from them alone.
    Index("taken_by_seller", "seller_key", "sellers_showing", "known_at", "other_image_id", "other_seller_key"),
    Index("taken_by_image", "other_image_id", "known_at", "seller_key", "other_seller_key", "sellers_showing"),
)

# Listings that may have a moment without a score. Each may also have none: what waits is what has no score.
news = Table("news", metadata, key("listing_key"))

# Rows that could not be loaded; a row is never lost.
rejects = Table(
    "rejects",
    metadata,
    key("reject_key"),
    required("source"),
    required("table_name"),
    required("line", BigInteger),
    Column("column_name", Text),
    required("reason"),
    Column("value", Text),
    required("load_id"),
)
