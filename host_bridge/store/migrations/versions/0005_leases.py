"""Which of several hosts directs a site, and how long workers' commits take."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

FIGURES = ("commits", "commit_ms")


def upgrade() -> None:
    """Go to this form."""
    op.create_table(
        "leases",
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("holder", sa.String(length=80), nullable=False),
        sa.Column("term", sa.BigInteger(), nullable=False),
        sa.Column("beat", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site", name=op.f("pk_leases")),
    )
    for name in FIGURES:
        column = sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")
        op.add_column("workers", column)


def downgrade() -> None:
    """Go back; only who directs now is forgotten. Let no more than one host serve a site then."""
    op.drop_table("leases")
    for name in FIGURES:
        op.drop_column("workers", name)
