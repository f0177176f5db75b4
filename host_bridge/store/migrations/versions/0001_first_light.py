"""First light: facts, dead letters, spans and tails, ledger and workers, people and tags."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this form."""
    op.create_table(
        "dead_letters",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("site", sa.String(length=32), nullable=True),
        sa.Column("unit", sa.String(length=32), nullable=True),
        sa.Column("boot", sa.BigInteger(), nullable=True),
        sa.Column("lane", sa.String(length=8), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letters")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_dead_letters_site_unit_boot_lane_seq"),
        "dead_letters",
        ["site", "unit", "boot", "lane", "seq"],
    )
    _create_facts()
    op.create_table(
        "ledger",
        sa.Column("worker", sa.String(length=64), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("stored", sa.BigInteger(), nullable=False),
        sa.Column("duplicates", sa.BigInteger(), nullable=False),
        sa.Column("dead_letters", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("worker", name=op.f("pk_ledger")),
    )
    op.create_table(
        "people",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("name", name=op.f("uq_people_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "spans",
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("unit", sa.String(length=32), nullable=False),
        sa.Column("boot", sa.BigInteger(), nullable=False),
        sa.Column("lane", sa.String(length=8), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site", "unit", "boot", "lane", "first", name=op.f("pk_spans")),
    )
    op.create_table(
        "tails",
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("unit", sa.String(length=32), nullable=False),
        sa.Column("boot", sa.BigInteger(), nullable=False),
        sa.Column("lane", sa.String(length=8), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site", "unit", "boot", "lane", name=op.f("pk_tails")),
    )
    op.create_table(
        "workers",
        sa.Column("worker", sa.String(length=64), nullable=False),
        sa.Column("in_flight", sa.BigInteger(), nullable=False),
        sa.Column("queue_depth", sa.BigInteger(), nullable=False),
        sa.Column("last_commit_ms", sa.BigInteger(), nullable=True),
        sa.Column("reconnects", sa.BigInteger(), nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("worker", name=op.f("pk_workers")),
    )
    op.create_table(
        "tags",
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("tag", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("person", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name=op.f("fk_tags_person")),
        sa.PrimaryKeyConstraint("site", "tag", name=op.f("pk_tags")),
    )


def _create_facts() -> None:
    """SQLite: one table. PostgreSQL: parts by the month of arrival, and the commit order."""
    key = ("site", "unit", "boot", "lane", "seq")
    columns = (
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("unit", sa.String(length=32), nullable=False),
        sa.Column("boot", sa.BigInteger(), nullable=False),
        sa.Column("lane", sa.String(length=8), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
        sa.Column("sure", sa.String(length=8), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.create_table(
            "facts",
            sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
            *columns,
            sa.PrimaryKeyConstraint("id", name=op.f("pk_facts")),
            sa.UniqueConstraint(*key, name=op.f("uq_facts_site_unit_boot_lane_seq")),
            sqlite_autoincrement=True,
        )
        return
    op.create_table(
        "facts",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("id", "received_ms", name=op.f("pk_facts")),
        postgresql_partition_by="RANGE (received_ms)",
    )
    op.execute("CREATE TABLE facts_rest PARTITION OF facts DEFAULT")
    op.create_index(op.f("uq_facts_rest"), "facts_rest", [*key], unique=True)
    op.create_table(
        "commit_order",
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("commits", sa.BigInteger(), nullable=False),
    )
    op.execute("INSERT INTO commit_order VALUES (0, 0)")


def downgrade() -> None:
    """Go back to an empty database."""
    for table in (
        "tags",
        "workers",
        "tails",
        "spans",
        "people",
        "ledger",
        "facts",
        "dead_letters",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.drop_table("commit_order")
