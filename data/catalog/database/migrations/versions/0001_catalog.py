"""The first schema: two clocks on every fact."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create all tables."""
    op.create_table(
        "alike",
        sa.Column("image_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("other_image_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("distance_ahash", sa.Integer(), nullable=True),
        sa.Column("distance_phash", sa.Integer(), nullable=True),
        sa.Column("distance_dhash", sa.Integer(), nullable=True),
        sa.Column("distance_whash", sa.Integer(), nullable=True),
        sa.Column("distance_colorhash", sa.Integer(), nullable=True),
        sa.Column("edit", sa.Text(), nullable=False),
        sa.Column("same_photo", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("image_id", "other_image_id"),
    )
    op.create_index("alike_by_other", "alike", ["other_image_id"], unique=False)
    op.create_table(
        "features",
        sa.Column("listing_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("as_of", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("spec", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("listing_key", "as_of", "spec"),
    )
    op.create_table(
        "fetches",
        sa.Column("url_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("image_url", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("http_status", sa.Integer(), nullable=True),
        sa.Column("image_id", sa.Text(), nullable=True),
        sa.Column("content_type", sa.Text(), nullable=True),
        sa.Column("n_bytes", sa.BigInteger(), nullable=True),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("known_at", sa.BigInteger(), nullable=True),
        sa.Column("fetched_at", sa.BigInteger(), nullable=True),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("url_id"),
    )
    op.create_index("fetches_by_image", "fetches", ["image_id"], unique=False)
    op.create_index("fetches_due", "fetches", ["status", "next_attempt_at"], unique=False)
    op.create_table(
        "image_links",
        sa.Column("listing_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("url_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("observed_at", sa.BigInteger(), nullable=False),
        sa.Column("load_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("listing_key", "url_id"),
    )
    op.create_index("image_links_by_load", "image_links", ["load_id"], unique=False)
    op.create_index("image_links_by_url", "image_links", ["url_id"], unique=False)
    op.create_table(
        "images",
        sa.Column("image_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("format", sa.Text(), nullable=True),
        sa.Column("orientation", sa.Integer(), nullable=True),
        sa.Column("ahash", sa.BigInteger(), nullable=True),
        sa.Column("phash", sa.BigInteger(), nullable=True),
        sa.Column("dhash", sa.BigInteger(), nullable=True),
        sa.Column("whash", sa.BigInteger(), nullable=True),
        sa.Column("colorhash", sa.BigInteger(), nullable=True),
        sa.Column("information", sa.Float(), nullable=True),
        sa.Column("recipe", sa.Text(), nullable=True),
        sa.Column("compared", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("image_id"),
    )
    op.create_index("images_by_compared", "images", ["compared", "status"], unique=False)
    op.create_index("images_by_recipe", "images", ["recipe"], unique=False)
    op.create_table(
        "labels",
        sa.Column("listing_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("labelled_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("marketplace", sa.Text(), nullable=False),
        sa.Column("listing_id", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("observed_at", sa.BigInteger(), nullable=False),
        sa.Column("attributes", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("listing_key", "labelled_at", "source"),
    )
    op.create_table(
        "listings",
        sa.Column("listing_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("observed_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("marketplace", sa.Text(), nullable=False),
        sa.Column("listing_id", sa.Text(), nullable=False),
        sa.Column("seller_key", sa.BigInteger(), nullable=False),
        sa.Column("seller_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("price", sa.Float(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("attributes", sa.Text(), nullable=True),
        sa.Column("content_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("listing_key", "observed_at"),
    )
    op.create_index("listings_by_name", "listings", ["marketplace", "listing_id"], unique=False)
    op.create_index(
        "listings_by_price", "listings", ["category", "observed_at", "marketplace", "currency", "price"], unique=False
    )
    op.create_index("listings_by_seller", "listings", ["seller_key"], unique=False)
    op.create_index("listings_by_time", "listings", ["observed_at"], unique=False)
    op.create_table(
        "loads",
        sa.Column("load_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("first_bulk", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("load_id"),
    )
    op.create_table(
        "matches",
        sa.Column("listing_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("image_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("other_image_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("seller_key", sa.BigInteger(), nullable=False),
        sa.Column("observed_at", sa.BigInteger(), nullable=False),
        sa.Column("other_listing_key", sa.BigInteger(), nullable=False),
        sa.Column("other_seller_key", sa.BigInteger(), nullable=False),
        sa.Column("other_observed_at", sa.BigInteger(), nullable=False),
        sa.Column("other_created_at", sa.BigInteger(), nullable=False),
        sa.Column("distance_ahash", sa.Integer(), nullable=True),
        sa.Column("distance_phash", sa.Integer(), nullable=True),
        sa.Column("distance_dhash", sa.Integer(), nullable=True),
        sa.Column("distance_whash", sa.Integer(), nullable=True),
        sa.Column("distance_colorhash", sa.Integer(), nullable=True),
        sa.Column("edit", sa.Text(), nullable=False),
        sa.Column("same_photo", sa.Float(), nullable=False),
        sa.Column("sellers_sharing", sa.BigInteger(), nullable=False),
        sa.Column("sightings", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("listing_key", "image_id", "other_image_id"),
    )
    op.create_index("matches_by_seller", "matches", ["seller_key"], unique=False)
    op.create_table(
        "model_events",
        sa.Column("event", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("model_id", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("previous_id", sa.Text(), nullable=True),
        sa.Column("happened_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("event"),
    )
    op.create_table(
        "rejects",
        sa.Column("reject_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("column_name", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("load_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("reject_key"),
    )
    op.create_table(
        "runs",
        sa.Column("run_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("run_id"),
    )
    op.create_table(
        "scores",
        sa.Column("listing_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("as_of", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("model_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("observed_at", sa.BigInteger(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("band", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("first_seller_key", sa.BigInteger(), nullable=True),
        sa.Column("first_listing_key", sa.BigInteger(), nullable=True),
        sa.Column("matched_images", sa.Integer(), nullable=False),
        sa.Column("images", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("listing_key", "as_of", "model_id"),
    )
    op.create_index("scores_by_run", "scores", ["run_id"], unique=False)
    op.create_table(
        "sellers",
        sa.Column("seller_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("observed_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("marketplace", sa.Text(), nullable=False),
        sa.Column("seller_id", sa.Text(), nullable=False),
        sa.Column("joined_at", sa.BigInteger(), nullable=True),
        sa.Column("feedback_count", sa.Float(), nullable=True),
        sa.Column("rating", sa.Float(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("group_id", sa.Text(), nullable=True),
        sa.Column("attributes", sa.Text(), nullable=True),
        sa.Column("content_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seller_key", "observed_at"),
    )
    op.create_table(
        "sightings",
        sa.Column("image_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("listing_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seller_key", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("observed_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("matched", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("image_id", "listing_key"),
    )
    op.create_index("sightings_by_listing", "sightings", ["listing_key"], unique=False)
    op.create_index("sightings_by_matched", "sightings", ["matched"], unique=False)
    op.create_index("sightings_by_seller", "sightings", ["seller_key"], unique=False)
    op.create_table(
        "verdicts",
        sa.Column("verdict_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("listing_key", sa.BigInteger(), nullable=False),
        sa.Column("image_id", sa.Text(), nullable=True),
        sa.Column("other_image_id", sa.Text(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("verdict_id"),
    )
    op.create_index("verdicts_by_listing", "verdicts", ["listing_key", "decided_at"], unique=False)
