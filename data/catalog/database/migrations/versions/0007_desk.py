"""What the analysts' desk needs: cases, claims, and verdicts that nobody can change."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SQLITE_REFUSALS = tuple(
    f"""
    CREATE TRIGGER verdicts_no_{action.lower()} BEFORE {action} ON verdicts
    BEGIN SELECT RAISE(ABORT, 'verdicts are append-only'); END
    """
    for action in ("UPDATE", "DELETE")
)
POSTGRESQL_REFUSALS = (
    """
    CREATE FUNCTION refuse_change_of_verdicts() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'verdicts are append-only'; END $$
    """,
    """
    CREATE TRIGGER verdicts_append_only BEFORE UPDATE OR DELETE ON verdicts
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_verdicts()
    """,
    """
    CREATE TRIGGER verdicts_not_emptied BEFORE TRUNCATE ON verdicts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_verdicts()
    """,
)


def upgrade() -> None:
    """Add two tables, the new columns of verdicts, and the database's own refusal to change one."""
    op.add_column("verdicts", sa.Column("kind", sa.Text(), nullable=False, server_default="verdict"))
    op.add_column("verdicts", sa.Column("said", sa.Text(), nullable=True))
    op.add_column("verdicts", sa.Column("about_id", sa.Text(), nullable=True))
    op.add_column("verdicts", sa.Column("until_at", sa.BigInteger(), nullable=True))
    op.add_column("verdicts", sa.Column("seconds", sa.Float(), nullable=True))
    op.create_index("verdicts_by_time", "verdicts", ["decided_at"], unique=False)
    op.create_index("verdicts_by_picture", "verdicts", ["image_id"], unique=False)
    op.create_index("verdicts_by_other", "verdicts", ["other_image_id"], unique=False)
    is_sqlite = op.get_context().dialect.name == "sqlite"
    for refusal in SQLITE_REFUSALS if is_sqlite else POSTGRESQL_REFUSALS:
        op.execute(refusal)
    op.create_table(
        "cases",
        sa.Column("listing_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("model_id", sa.Text(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("band", sa.Text(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("priority", sa.Float(), nullable=False),
        sa.Column("seller_key", sa.BigInteger(), nullable=False),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("price", sa.Float(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("edit", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("copied_images", sa.Integer(), nullable=False),
        sa.Column("posted_at", sa.BigInteger(), nullable=False),
        sa.Column("audited", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("second_wanted", sa.Integer(), nullable=False),
        sa.Column("snoozed_until_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("listing_key"),
    )
    op.create_index("cases_in_order", "cases", ["state", "priority", "listing_key"], unique=False)
    op.create_index("cases_by_band", "cases", ["state", "band", "priority", "listing_key"], unique=False)
    op.create_index("cases_by_category", "cases", ["state", "category", "priority", "listing_key"], unique=False)
    op.create_index("cases_by_seller", "cases", ["seller_key"], unique=False)
    op.create_table(
        "claims",
        sa.Column("listing_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("listing_key"),
    )
    op.create_index("claims_by_actor", "claims", ["actor"], unique=False)
