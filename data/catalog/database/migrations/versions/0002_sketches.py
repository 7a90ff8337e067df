"""What the search for copies needs of a picture, and its hash before its orientation was applied.

Pictures that are there have neither: their recipe is an older one, and the next run fingerprints them again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table of sketches and the column of images."""
    op.create_table(
        "sketches",
        sa.Column("image_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("recipe", sa.Text(), nullable=False),
        sa.Column("search_keys", sa.LargeBinary(), nullable=False),
        sa.Column("thumbnail", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("image_id"),
    )
    op.add_column("images", sa.Column("untransposed_phash", sa.BigInteger(), nullable=True))
