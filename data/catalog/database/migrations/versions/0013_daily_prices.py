"""Prices by kind of goods and day; the next run puts together those that are there."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both tables, empty."""
    op.create_table(
        "price_days",
        sa.Column("day_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("day_at"),
    )
    op.create_table(
        "daily_prices",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("marketplace", "category", "currency")),
        sa.Column("day_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("prices", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("marketplace", "category", "currency", "day_at"),
    )
    op.create_index("daily_prices_by_day", "daily_prices", ["day_at"], unique=False)
