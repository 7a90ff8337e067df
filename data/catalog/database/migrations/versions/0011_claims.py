"""Claims in a file of their own where a writer locks a whole file; what was claimed in this moment is free again."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the table out of the catalog's file, so that its name means that of the other one."""
    if op.get_context().dialect.name == "sqlite":
        op.execute("DROP TABLE main.claims")
