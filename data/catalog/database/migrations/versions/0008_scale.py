"""Sellers' pasts, and what was not scored yet, found in indexes alone however much the catalog holds."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

PAST = ["seller_key", "listing_key", "observed_at", "category", "location", "price", "currency"]


def upgrade() -> None:
    """Widen the index of a listing's pictures by their time, and add that of sellers' pasts where one can be made."""
    op.drop_index("sightings_by_listing", "sightings")
    op.create_index("sightings_by_listing", "sightings", ["listing_key", "observed_at"], unique=False)
    if op.get_context().dialect.name == "sqlite":
        op.create_index("listings_past", "listings", PAST, unique=False)
