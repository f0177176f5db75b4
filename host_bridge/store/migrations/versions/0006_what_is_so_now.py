"""What is so now: units, seats, rooms and sessions, written with the facts that say so.

`engine.migrate` fills them from the facts there are, when all steps are done: so that is told by
the form of the database that the code knows.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NOW_MS = {
    "sqlite": "CAST(strftime('%s', 'now') AS INTEGER) * 1000",
    "postgresql": "CAST(extract(epoch FROM now()) * 1000 AS bigint)",
}
VIEWS = {
    "units": "SELECT site, unit, boot, firmware, heard_ms FROM unit_states",
    "seats": "SELECT s.site, s.unit, d.room, d.desk, s.occupied, s.since_ms"
    " FROM unit_states AS s LEFT JOIN desks AS d ON d.site = s.site AND d.unit = s.unit"
    " WHERE s.occupied IS NOT NULL",
    "sessions": "SELECT s.site, s.unit, d.room, d.desk, s.since_ms FROM signed_in AS s"
    " LEFT JOIN desks AS d ON d.site = s.site AND d.unit = s.unit"
    " WHERE s.idle_ms IS NULL OR s.idle_ms + coalesce(d.away_ms, 600000) + 60000 > {now}",
    "rooms": "SELECT d.site, d.room, max(d.cap) AS cap, count(*) AS desks,"
    " sum(CASE WHEN u.occupied OR s.unit IS NOT NULL THEN 1 ELSE 0 END) AS taken"
    " FROM desks AS d"
    " LEFT JOIN unit_states AS u ON u.site = d.site AND u.unit = d.unit"
    " LEFT JOIN sessions AS s ON s.site = d.site AND s.unit = d.unit"
    " GROUP BY d.site, d.room",
}


def upgrade() -> None:
    """Go to this form."""
    op.create_table(
        "unit_states",
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("unit", sa.String(length=32), nullable=False),
        sa.Column("boot", sa.BigInteger(), nullable=False),
        sa.Column("firmware", sa.Text(), nullable=True),
        sa.Column("heard_ms", sa.BigInteger(), nullable=False),
        sa.Column("seat_boot", sa.BigInteger(), nullable=False),
        sa.Column("seat_seq", sa.BigInteger(), nullable=False),
        sa.Column("occupied", sa.Boolean(), nullable=True),
        sa.Column("since_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("site", "unit", name=op.f("pk_unit_states")),
    )
    op.create_table(
        "signed_in",
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("unit", sa.String(length=32), nullable=False),
        sa.Column("boot", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("idle_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("site", "unit", name=op.f("pk_signed_in")),
    )
    op.create_table(
        "desks",
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("unit", sa.String(length=32), nullable=False),
        sa.Column("desk", sa.String(length=32), nullable=False),
        sa.Column("room", sa.String(length=32), nullable=False),
        sa.Column("cap", sa.BigInteger(), nullable=True),
        sa.Column("away_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site", "unit", name=op.f("pk_desks")),
    )
    now = NOW_MS[op.get_bind().dialect.name]
    for name, text in VIEWS.items():
        op.execute(sa.text(f"CREATE VIEW {name} AS {text.format(now=now)}"))


def downgrade() -> None:
    """Go back; no fact is touched, and the newer Chequer makes it all again from them."""
    for name in reversed(VIEWS):
        op.execute(sa.text(f"DROP VIEW {name}"))
    for name in ("desks", "signed_in", "unit_states"):
        op.drop_table(name)
