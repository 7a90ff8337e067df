"""Who else took a picture, found by the picture; and what it takes to find texts that were shown before.

Texts that are there were not read yet: the next run reads them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BANDS = ("band_1", "band_2", "band_3", "band_4")


def upgrade() -> None:
    """Add the index of matches and the table of texts, with a row for every version of a listing."""
    op.create_index("matches_by_other_image", "matches", ["other_image_id"], unique=False)
    op.create_table(
        "texts",
        sa.Column("listing_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("observed_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seller_key", sa.BigInteger(), nullable=False),
        sa.Column("hashed", sa.Integer(), nullable=False),
        *(sa.Column(band, sa.BigInteger(), nullable=True) for band in BANDS),
        sa.PrimaryKeyConstraint("listing_key", "observed_at"),
    )
    op.execute(
        "INSERT INTO texts (listing_key, observed_at, seller_key, hashed) "
        "SELECT listing_key, observed_at, seller_key, 0 FROM listings"
    )
    op.create_index("texts_by_hashed", "texts", ["hashed"], unique=False)
    for band in BANDS:
        op.create_index(f"texts_by_{band}", "texts", [band, "seller_key", "observed_at"], unique=False)
