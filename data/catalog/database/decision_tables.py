"""The tables of what models and analysts make of the market: scores, verdicts, the queue between them, and runs."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, Table, Text, text

from data.catalog.database.market_tables import key, metadata, required

QUEUE_ORDER = ("priority", "listing_key", "posted_at", "price")

# Feature vectors as scored: float64 values in the order of the feature list that ``spec`` fingerprints.
features = Table(
    "features",
    metadata,
    key("listing_key"),
    key("as_of"),
    key("spec", Text),
    required("vector", LargeBinary),
    Index("features_by_time", "spec", "as_of", "listing_key"),  # complete, so that a sample is drawn without any vector
)

scores = Table(
    "scores",
    metadata,
    key("listing_key"),
    key("as_of"),
    key("model_id", Text),
    required("observed_at", BigInteger),
    required("score", Float),
    required("rank", Integer),
    required("band"),
    required("reasons"),
    required("spec"),
    Column("first_seller_key", BigInteger),
    Column("first_listing_key", BigInteger),
    required("matched_images", Integer),
    required("images", Integer),
    required("run_id"),
    Index("scores_by_run", "run_id"),
    Index("scores_by_time", "as_of"),
)

# What stood in ``features`` and ``scores`` until the same moment was scored again from facts that came late.
# ``replaced_by`` is the run.
past_features = Table(
    "past_features",
    metadata,
    key("listing_key"),
    key("as_of"),
    key("spec", Text),
    key("replaced_at"),
    required("vector", LargeBinary),
    required("replaced_by"),
)

past_scores = Table(
    "past_scores",
    metadata,
    key("listing_key"),
    key("as_of"),
    key("model_id", Text),
    key("replaced_at"),
    required("observed_at", BigInteger),
    required("score", Float),
    required("rank", Integer),
    required("band"),
    required("reasons"),
    required("spec"),
    Column("first_seller_key", BigInteger),
    Column("first_listing_key", BigInteger),
    required("matched_images", Integer),
    required("images", Integer),
    required("run_id"),
    required("replaced_by"),
)

# Moments drawn at random to be looked at whatever they scored. ``propensity`` is the chance with which each was drawn,
# ``band`` and ``model_id`` are those of the score it had then.
audits = Table(
    "audits",
    metadata,
    key("listing_key"),
    key("as_of"),
    required("model_id"),
    required("band"),
    required("propensity", Float),
    required("run_id"),
    Index("audits_by_run", "run_id"),
)

# Append-only: what analysts decided, and took back. ``kind`` says what a row is, ``said`` what its author found, and
# ``verdict`` what holds for the listing from then on, "undecided" if nothing does. Rows with pictures are about this
# pair alone. The database itself refuses to change or remove a row.
verdicts = Table(
    "verdicts",
    metadata,
    key("verdict_id", Text),
    required("listing_key", BigInteger),
    Column("image_id", Text),
    Column("other_image_id", Text),
    required("kind"),
    required("verdict"),
    Column("said", Text),
    Column("problem", Text),
    Column("note", Text),
    Column("about_id", Text),
    required("actor"),
    required("decided_at", BigInteger),
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
    key("listing_key"),
    required("as_of", BigInteger),
    required("model_id"),
    required("score", Float),
    required("band"),
    required("value", Float),
    required("priority", Float),
    required("seller_key", BigInteger),
    Column("category", Text),
    Column("price", Float),
    Column("currency", Text),
    required("edit"),
    required("reason"),
    required("copied_images", Integer),
    required("posted_at", BigInteger),
    required("audited", Integer),
    required("state"),
    required("second_wanted", Integer),
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
    key("listing_key"),
    required("actor"),
    required("claimed_at", BigInteger),
    required("expires_at", BigInteger),
    Index("claims_by_actor", "actor"),
)

# Append-only: what became of models. The champion is the newest ``promoted`` or ``rolled back to``.
model_events = Table(
    "model_events",
    metadata,
    Column("event", Integer, primary_key=True, autoincrement=True),
    required("model_id"),
    required("action"),
    required("reason"),
    Column("previous_id", Text),
    required("happened_at", BigInteger),
)

runs = Table(
    "runs",
    metadata,
    key("run_id", Text),
    required("kind"),
    required("status"),
    required("summary"),
    required("started_at", BigInteger),
    Column("finished_at", BigInteger),
)
