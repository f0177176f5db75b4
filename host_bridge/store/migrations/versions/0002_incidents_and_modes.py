"""Records about incidents, and modes of units."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this form."""
    op.create_table(
        "incident_records",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("unit", sa.String(length=32), nullable=False),
        sa.Column("boot", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("word", sa.String(length=16), nullable=False),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_records")),
        sa.UniqueConstraint(
            "site",
            "unit",
            "boot",
            "seq",
            "word",
            name=op.f("uq_incident_records_site_unit_boot_seq_word"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "modes",
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("unit", sa.String(length=32), nullable=False),
        sa.Column("drill_until_ms", sa.BigInteger(), nullable=True),
        sa.Column("quiet", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("site", "unit", name=op.f("pk_modes")),
    )


def downgrade() -> None:
    """Go back; records about incidents and modes are lost, the reports themselves are facts."""
    op.drop_table("modes")
    op.drop_table("incident_records")
