"""When each seller first took each photo, in a table of its own, so that ties are read without anybody's matches."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

FIRST_TIMES = """
    INSERT INTO taken (seller_key, other_image_id, other_seller_key, known_at, sellers_showing)
    SELECT t.seller_key, t.other_image_id, t.other_seller_key, t.known_at, (
        SELECT CASE WHEN count(DISTINCT r.other_seller_key) > max(r.sellers_sharing)
               THEN count(DISTINCT r.other_seller_key) ELSE max(r.sellers_sharing) END
        FROM matches AS r
        WHERE r.listing_key = t.listing_key AND r.image_id = t.image_id AND r.same_photo >= 0.5
            AND CASE WHEN r.other_observed_at > r.observed_at THEN r.other_observed_at ELSE r.observed_at END
                <= t.known_at
    )
    FROM (
        SELECT m.*, row_number() OVER (
            PARTITION BY m.seller_key, m.other_image_id ORDER BY m.known_at, m.listing_key, m.image_id
        ) AS time
        FROM (
            SELECT matches.listing_key, matches.image_id, matches.seller_key, matches.other_image_id,
                matches.other_seller_key,
                CASE WHEN other_observed_at > observed_at THEN other_observed_at ELSE observed_at END AS known_at
            FROM matches JOIN images ON images.image_id = matches.image_id AND images.information >= 0.5
            WHERE matches.same_photo >= 0.5
        ) AS m
    ) AS t WHERE t.time = 1
"""


def upgrade() -> None:
    """Add the table, filled from the matches, and find a seller's matches by the other picture too."""
    op.drop_index("matches_by_seller", "matches")
    op.create_index("matches_by_seller", "matches", ["seller_key", "other_image_id"], unique=False)
    op.create_table(
        "taken",
        sa.Column("seller_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("other_image_id", sa.Text(), nullable=False),
        sa.Column("other_seller_key", sa.BigInteger(), nullable=False),
        sa.Column("known_at", sa.BigInteger(), nullable=False),
        sa.Column("sellers_showing", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seller_key", "other_image_id"),
    )
    op.execute(FIRST_TIMES)
    said = ["sellers_showing", "known_at", "other_image_id", "other_seller_key"]
    op.create_index("taken_by_seller", "taken", ["seller_key", *said], unique=False)
    took = ["known_at", "seller_key", "other_seller_key", "sellers_showing"]
    op.create_index("taken_by_image", "taken", ["other_image_id", *took], unique=False)
