"""The tables of the catalog.

Times are ``BIGINT`` microseconds since 1970 in UTC, in columns named ``*_at`` or ``as_of``. Hashes are 64 unsigned bits
kept as signed ``BIGINT``. ``listing_key`` and ``seller_key`` stand for (marketplace, id), see
`data.catalog.database.frames`.
Rows of ``listings`` and ``sellers`` are versions: a change adds a row, nothing that was known is overwritten.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text, text

metadata = MetaData()

QUEUE_ORDER = ("priority", "listing_key", "posted_at", "price")
TEXT_BANDS = ("band_1", "band_2", "band_3", "band_4")


def _required(name: str, kind: type = Text) -> Column[object]:
    return Column(name, kind, nullable=False)


def _key(name: str, kind: type = BigInteger) -> Column[object]:
    return Column(name, kind, primary_key=True, autoincrement=False, nullable=False)


# One command's worth of reading; ``finished_at`` is NULL while it is under way or was interrupted.
loads = Table(
    "loads",
    metadata,
    _key("load_id", Text),
    _required("source"),
    _required("first_bulk", Integer),
    _required("started_at", BigInteger),
    Column("finished_at", BigInteger),
)

listings = Table(
    "listings",
    metadata,
    _key("listing_key"),
    _key("observed_at"),
    _required("marketplace"),
    _required("listing_id"),
    _required("seller_key", BigInteger),
    _required("seller_id"),
    _required("created_at", BigInteger),
    Column("title", Text),
    Column("description", Text),
    Column("category", Text),
    Column("location", Text),
    Column("url", Text),
    Column("price", Float),
    Column("currency", Text),
    Column("attributes", Text),
    _required("content_id"),
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
    _key("seller_key"),
    _key("observed_at"),
    _required("marketplace"),
    _required("seller_id"),
    Column("joined_at", BigInteger),
    Column("feedback_count", Float),
    Column("rating", Float),
    Column("country", Text),
    Column("group_id", Text),
    Column("attributes", Text),
    _required("content_id"),
)

# A label may come before its listing; it waits here.
labels = Table(
    "labels",
    metadata,
    _key("listing_key"),
    _key("labelled_at"),
    _key("source", Text),
    _required("marketplace"),
    _required("listing_id"),
    _required("label"),
    _required("observed_at", BigInteger),
    Column("attributes", Text),
)

# Prices by kind of goods and day (UTC), so that a half year of them is read in few rows: whole days that stand in
# ``price_days``. ``prices`` are little-endian float64 in no order; an unknown currency is the empty text.
price_days = Table("price_days", metadata, _key("day_at"))

daily_prices = Table(
    "daily_prices",
    metadata,
    _key("marketplace", Text),
    _key("category", Text),
    _key("currency", Text),
    _key("day_at"),
    _required("prices", LargeBinary),
    Index("daily_prices_by_day", "day_at"),
)

# What texts that are nearly the same share, for each version of a listing. ``hashed`` is 0 until the text was read; the
# bands stay NULL where it is too short. ``goods`` names the model of goods where a price is stated for it.
texts = Table(
    "texts",
    metadata,
    _key("listing_key"),
    _key("observed_at"),
    _required("seller_key", BigInteger),
    _required("hashed", Integer),
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
    _key("listing_key"),
    _key("url_id", Text),
    _required("position", Integer),
    _required("observed_at", BigInteger),
    _required("load_id"),
    Index("image_links_by_url", "url_id"),
    Index("image_links_by_load", "load_id"),
)

# What asking for an address led to. ``known_at`` is NULL when the picture came with the load that brought its address,
# and else the clock of the load that got it.
fetches = Table(
    "fetches",
    metadata,
    _key("url_id", Text),
    _required("image_url"),
    _required("status"),
    Column("reason", Text),
    Column("detail", Text),
    Column("http_status", Integer),
    Column("image_id", Text),
    Column("content_type", Text),
    Column("n_bytes", BigInteger),
    Column("etag", Text),
    Column("last_modified", Text),
    _required("attempts", Integer),
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
    _key("image_id", Text),
    _required("status"),
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
    _required("compared", Integer),
    Index("images_by_recipe", "recipe"),
    Index("images_by_compared", "compared", "status"),
)

# What the search for copies keeps of a readable picture beside its hashes, always of the recipe of its ``images`` row.
# The meaning of the bytes is not known here; those of one recipe have the same length in every row.
sketches = Table(
    "sketches",
    metadata,
    _key("image_id", Text),
    _required("recipe"),
    _required("search_keys", LargeBinary),  # before the larger one: SQLite reads a row from its beginning
    _required("thumbnail", LargeBinary),
)

# Which picture stood in which listing, and when that could first be known.
sightings = Table(
    "sightings",
    metadata,
    _key("image_id", Text),
    _key("listing_key"),
    _required("seller_key", BigInteger),
    _required("position", Integer),
    _required("observed_at", BigInteger),
    _required("created_at", BigInteger),
    _required("matched", Integer),
    Index("sightings_by_listing", "listing_key", "observed_at"),
    Index("sightings_by_seller", "seller_key"),
    Index("sightings_by_matched", "matched"),
)

# Pairs of distinct pictures that look alike, whoever posted them and whenever; image_id < other_image_id.
alike = Table(
    "alike",
    metadata,
    _key("image_id", Text),
    _key("other_image_id", Text),
    Column("distance_ahash", Integer),
    Column("distance_phash", Integer),
    Column("distance_dhash", Integer),
    Column("distance_whash", Integer),
    Column("distance_colorhash", Integer),
    _required("edit"),
    _required("same_photo", Float),
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
    _key("image_id", Text),
    _key("other_image_id", Text),
    _required("known_at", BigInteger),
    Index("different_photos_by_other", "other_image_id"),
)

matches = Table(
    "matches",
    metadata,
    _key("listing_key"),
    _key("image_id", Text),
    _key("other_image_id", Text),
    _required("seller_key", BigInteger),
    _required("observed_at", BigInteger),
    _required("other_listing_key", BigInteger),
    _required("other_seller_key", BigInteger),
    _required("other_observed_at", BigInteger),
    _required("other_created_at", BigInteger),
    Column("distance_ahash", Integer),
    Column("distance_phash", Integer),
    Column("distance_dhash", Integer),
    Column("distance_whash", Integer),
    Column("distance_colorhash", Integer),
    _required("edit"),
    _required("same_photo", Float),
    _required("sellers_sharing", BigInteger),
    _required("sightings", BigInteger),
    Index("matches_by_seller", "seller_key", "other_image_id"),
    Index("matches_by_time", "observed_at"),
    Index("matches_by_other_image", "other_image_id"),
)

# When each seller first took each photo, and how many others had shown it by then: what matches say, without those of
# empty pictures and mere likeness. Whoever writes matches keeps it (`data.catalog.market.photo_ties`).
taken = Table(
    "taken",
    metadata,
    _key("seller_key"),
    _key("other_image_id", Text),
    _required("other_seller_key", BigInteger),
    _required("known_at", BigInteger),
    _required("sellers_showing", BigInteger),
    # Complete, both: the earliest of a seller and of a photo are read from them alone.
    Index("taken_by_seller", "seller_key", "sellers_showing", "known_at", "other_image_id", "other_seller_key"),
    Index("taken_by_image", "other_image_id", "known_at", "seller_key", "other_seller_key", "sellers_showing"),
)

# Listings that may have a moment without a score. Each may also have none: what waits is what has no score.
news = Table("news", metadata, _key("listing_key"))

# Feature vectors as scored: float64 values in the order of the feature list that ``spec`` fingerprints.
features = Table(
    "features",
    metadata,
    _key("listing_key"),
    _key("as_of"),
    _key("spec", Text),
    _required("vector", LargeBinary),
    Index("features_by_time", "spec", "as_of", "listing_key"),  # complete, so that a sample is drawn without any vector
)

scores = Table(
    "scores",
    metadata,
    _key("listing_key"),
    _key("as_of"),
    _key("model_id", Text),
    _required("observed_at", BigInteger),
    _required("score", Float),
    _required("rank", Integer),
    _required("band"),
    _required("reasons"),
    _required("spec"),
    Column("first_seller_key", BigInteger),
    Column("first_listing_key", BigInteger),
    _required("matched_images", Integer),
    _required("images", Integer),
    _required("run_id"),
    Index("scores_by_run", "run_id"),
    Index("scores_by_time", "as_of"),
)

# What stood in ``features`` and ``scores`` until the same moment was scored again from facts that came late.
# ``replaced_by`` is the run.
past_features = Table(
    "past_features",
    metadata,
    _key("listing_key"),
    _key("as_of"),
    _key("spec", Text),
    _key("replaced_at"),
    _required("vector", LargeBinary),
    _required("replaced_by"),
)

past_scores = Table(
    "past_scores",
    metadata,
    _key("listing_key"),
    _key("as_of"),
    _key("model_id", Text),
    _key("replaced_at"),
    _required("observed_at", BigInteger),
    _required("score", Float),
    _required("rank", Integer),
    _required("band"),
    _required("reasons"),
    _required("spec"),
    Column("first_seller_key", BigInteger),
    Column("first_listing_key", BigInteger),
    _required("matched_images", Integer),
    _required("images", Integer),
    _required("run_id"),
    _required("replaced_by"),
)

# Moments drawn at random to be looked at whatever they scored. ``propensity`` is the chance with which each was drawn,
# ``band`` and ``model_id`` are those of the score it had then.
audits = Table(
    "audits",
    metadata,
    _key("listing_key"),
    _key("as_of"),
    _required("model_id"),
    _required("band"),
    _required("propensity", Float),
    _required("run_id"),
    Index("audits_by_run", "run_id"),
)

# Append-only: what analysts decided, and took back. ``kind`` says what a row is, ``said`` what its author found, and
# ``verdict`` what holds for the listing from then on, "undecided" if nothing does. Rows with pictures are about this
# pair alone. The database itself refuses to change or remove a row.
verdicts = Table(
    "verdicts",
    metadata,
    _key("verdict_id", Text),
    _required("listing_key", BigInteger),
    Column("image_id", Text),
    Column("other_image_id", Text),
    _required("kind"),
    _required("verdict"),
    Column("said", Text),
    Column("problem", Text),
    Column("note", Text),
    Column("about_id", Text),
    _required("actor"),
    _required("decided_at", BigInteger),
    Column("until_at", BigInteger),
    Column("seconds", Float),
    Index("verdicts_by_listing", "listing_key", "decided_at"),
    Index("verdicts_by_time", "decided_at"),
    Index("verdicts_by_picture", "image_id"),
    Index("verdicts_by_other", "other_image_id"),
)

# What waits for analysts, or did: one row for each listing worth a look or drawn for the audit.
cases = Table(
    "cases",
    metadata,
    _key("listing_key"),
    _required("as_of", BigInteger),
    _required("model_id"),
    _required("score", Float),
    _required("band"),
    _required("value", Float),
    _required("priority", Float),
    _required("seller_key", BigInteger),
    Column("category", Text),
    Column("price", Float),
    Column("currency", Text),
    _required("edit"),
    _required("reason"),
    _required("copied_images", Integer),
    _required("posted_at", BigInteger),
    _required("audited", Integer),
    _required("state"),
    _required("second_wanted", Integer),
    Column("snoozed_until_at", BigInteger),
    # The orders of the queue. What a page may be narrowed by stands in the index itself: to look it up in the table
    # costs ten times as much.
    Index("cases_in_order", "state", *QUEUE_ORDER),
    Index("cases_by_band", "state", "band", *QUEUE_ORDER),
    Index("cases_by_edit", "state", "edit", *QUEUE_ORDER, "band"),
    Index("cases_by_reason", "state", "reason", *QUEUE_ORDER, "band", "edit"),
    Index("cases_by_category", "state", "category", *QUEUE_ORDER, "band", "edit", "reason"),
    Index("cases_by_seller", "seller_key"),
    Index(
        "cases_to_read_again",
        "listing_key",
        sqlite_where=text("second_wanted = 1"),
        postgresql_where=text("second_wanted = 1"),
    ),
)

# Who is looking at a case, and until when nobody else is given it. SQLite has it in a file of its own, see
# `data.catalog.database.engine.Catalog.claiming`.
claims = Table(
    "claims",
    metadata,
    _key("listing_key"),
    _required("actor"),
    _required("claimed_at", BigInteger),
    _required("expires_at", BigInteger),
    Index("claims_by_actor", "actor"),
)

# Rows that could not be loaded; a row is never lost.
rejects = Table(
    "rejects",
    metadata,
    _key("reject_key"),
    _required("source"),
    _required("table_name"),
    _required("line", BigInteger),
    Column("column_name", Text),
    _required("reason"),
    Column("value", Text),
    _required("load_id"),
)

# Append-only: what became of models. The champion is the newest ``promoted`` or ``rolled back to``.
model_events = Table(
    "model_events",
    metadata,
    Column("event", Integer, primary_key=True, autoincrement=True),
    _required("model_id"),
    _required("action"),
    _required("reason"),
    Column("previous_id", Text),
    _required("happened_at", BigInteger),
)

runs = Table(
    "runs",
    metadata,
    _key("run_id", Text),
    _required("kind"),
    _required("status"),
    _required("summary"),
    _required("started_at", BigInteger),
    Column("finished_at", BigInteger),
)
