"""Of what model a listing's goods are, and what was asked for them: told by words, which are all to be read again."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both to what texts share, and let every text wait to be read."""
    op.add_column("texts", sa.Column("goods", sa.BigInteger()))
    op.add_column("texts", sa.Column("price", sa.Float()))
    op.create_index("texts_by_goods", "texts", ["goods", "observed_at", "listing_key", "price"], unique=False)
    op.execute("UPDATE texts SET hashed = 0")
