"""Retention: what stays of deleted facts, figures of rooms and groups, proofs of deletion."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BY_TIME = "ix_facts_site_type_time_ms"


def upgrade() -> None:
    """Go to this form."""
    op.create_index(op.f(BY_TIME), "facts", ["site", "type", "time_ms"])
    op.create_table(
        "forgotten",
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("unit", sa.String(length=32), nullable=False),
        sa.Column("boot", sa.BigInteger(), nullable=False),
        sa.Column("lane", sa.String(length=8), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("heard_ms", sa.BigInteger(), nullable=False),
        sa.Column("seat_seq", sa.BigInteger(), nullable=False),
        sa.Column("occupied", sa.Boolean(), nullable=True),
        sa.Column("since_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("site", "unit", "boot", "lane", name=op.f("pk_forgotten")),
    )
    op.create_table(
        "settled",
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("unit", sa.String(length=32), nullable=False),
        sa.Column("boot", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("occupied", sa.Boolean(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.Boolean(), nullable=False),
        sa.Column("dirty", sa.Boolean(), nullable=False),
        sa.Column("signed_boot", sa.BigInteger(), nullable=False),
        sa.Column("signed_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site", "unit", name=op.f("pk_settled")),
    )
    _create_figures()


def _create_figures() -> None:
    """The tables of rooms, groups and runs."""
    op.create_table(
        "room_hours",
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("room", sa.String(length=32), nullable=False),
        sa.Column("hour_ms", sa.BigInteger(), nullable=False),
        sa.Column("highest", sa.Integer(), nullable=False),
        sa.Column("mean", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("site", "room", "hour_ms", name=op.f("pk_room_hours")),
    )
    op.create_table(
        "group_days",
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("room", sa.String(length=32), nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=False),
        sa.Column("agents", sa.Integer(), nullable=True),
        sa.Column("sign_ins", sa.Integer(), nullable=True),
        sa.Column("reports", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("site", "day", "room", name=op.f("pk_group_days")),
    )
    op.create_table(
        "retention_runs",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.String(length=16), nullable=False),
        sa.Column("limit_ms", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.BigInteger(), nullable=False),
        sa.Column("oldest_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_runs")),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Go back. What was settled about desks before their oldest fact is gone then."""
    for name in ("retention_runs", "group_days", "room_hours", "settled", "forgotten"):
        op.drop_table(name)
    op.drop_index(op.f(BY_TIME), "facts")
