"""What stood where a moment was scored again, and what happened in a span of time, found without reading the rest."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables of replaced vectors and scores, and indexes by time."""
    op.create_table(
        "past_features",
        sa.Column("listing_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("as_of", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("spec", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("replaced_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("replaced_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("listing_key", "as_of", "spec", "replaced_at"),
    )
    op.create_table(
        "past_scores",
        sa.Column("listing_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("as_of", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("model_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("replaced_at", sa.BigInteger(), autoincrement=False, nullable=False),
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
        sa.Column("replaced_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("listing_key", "as_of", "model_id", "replaced_at"),
    )
    op.create_index("features_by_time", "features", ["spec", "as_of", "listing_key"], unique=False)
    op.create_index("scores_by_time", "scores", ["as_of"], unique=False)
    op.create_index("fetches_by_time", "fetches", ["fetched_at"], unique=False)
    op.create_index("matches_by_time", "matches", ["observed_at"], unique=False)
