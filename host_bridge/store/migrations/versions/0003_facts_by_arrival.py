"""SQLite: facts can be found by their arrival. PostgreSQL has them by month, and in its key."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NAME = "ix_facts_received_ms"


def upgrade() -> None:
    """Go to this form."""
    if op.get_bind().dialect.name == "sqlite":
        op.create_index(op.f(NAME), "facts", ["received_ms"])


def downgrade() -> None:
    """Go back; no data is touched."""
    if op.get_bind().dialect.name == "sqlite":
        op.drop_index(op.f(NAME), "facts")
