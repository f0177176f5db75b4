"""Facts can be found by their arrival, and those of the button among all others.

By arrival on SQLite only: PostgreSQL has them by month, and the arrival in the primary key.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ARRIVAL, BUTTON = "ix_facts_received_ms", "ix_facts_button"


def upgrade() -> None:
    """Go to this form."""
    lane = sa.text("lane = 'button'")
    op.create_index(op.f(BUTTON), "facts", ["site", "id"], sqlite_where=lane, postgresql_where=lane)
    if op.get_bind().dialect.name == "sqlite":
        op.create_index(op.f(ARRIVAL), "facts", ["received_ms"])


def downgrade() -> None:
    """Go back; no data is touched."""
    op.drop_index(op.f(BUTTON), "facts")
    if op.get_bind().dialect.name == "sqlite":
        op.drop_index(op.f(ARRIVAL), "facts")
