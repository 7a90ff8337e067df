"""Listings with something new since they were scored, in a table of their own: a run need not look through all."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

UNSCORED = """
    INSERT INTO news (listing_key)
    SELECT DISTINCT moments.listing_key FROM (
        SELECT listing_key, observed_at AS as_of FROM listings
        UNION SELECT listing_key, observed_at FROM sightings
        UNION SELECT listing_key, other_observed_at FROM matches WHERE other_observed_at > observed_at
    ) AS moments WHERE NOT EXISTS (
        SELECT 1 FROM scores WHERE scores.listing_key = moments.listing_key AND scores.as_of = moments.as_of
    )
"""


def upgrade() -> None:
    """Add the table, with the listings that have a moment without a score."""
    op.create_table(
        "news",
        sa.Column("listing_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("listing_key"),
    )
    op.execute(UNSCORED)
