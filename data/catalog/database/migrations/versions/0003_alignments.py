"""How pictures that look alike lie in each other, and which of them people found to be different photos.

Pairs that are there have no alignment: their recipe is an older one, and the next run compares the pictures again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns of alike pairs and the table of different photos."""
    op.add_column("alike", sa.Column("matched_points", sa.Integer(), nullable=True))
    op.add_column("alike", sa.Column("common_area", sa.Float(), nullable=True))
    op.add_column("alike", sa.Column("other_common_area", sa.Float(), nullable=True))
    op.add_column("alike", sa.Column("lead", sa.Text(), nullable=True))
    op.create_table(
        "different_photos",
        sa.Column("image_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("other_image_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("known_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("image_id", "other_image_id"),
    )
    op.create_index("different_photos_by_other", "different_photos", ["other_image_id"], unique=False)
