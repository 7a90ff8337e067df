"""Every filter of the queue in the order of one index, and the cases to be read again in an index of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ORDER = ["priority", "listing_key", "posted_at", "price"]
QUEUES = {
    "cases_in_order": ["state", *ORDER],
    "cases_by_band": ["state", "band", *ORDER],
    "cases_by_edit": ["state", "edit", *ORDER, "band"],
    "cases_by_reason": ["state", "reason", *ORDER, "band", "edit"],
    "cases_by_category": ["state", "category", *ORDER, "band", "edit", "reason"],
}
WANTED = sa.text("second_wanted = 1")


def upgrade() -> None:
    """Widen the three indexes there were, and add two for edits and reasons and one for second readings."""
    for name in ("cases_in_order", "cases_by_band", "cases_by_category"):
        op.drop_index(name, "cases")
    for name, columns in QUEUES.items():
        op.create_index(name, "cases", columns, unique=False)
    op.create_index(
        "cases_to_read_again", "cases", ["listing_key"], unique=False, sqlite_where=WANTED, postgresql_where=WANTED
    )
