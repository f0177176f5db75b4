"""What is so now, as tables: written with the facts that say so, and made again from them.

Nobody's name, number or tag is here, no time is finer than a minute, nothing comes from the
button, and nothing is kept of what was before. People ask the views `units`, `seats`, `sessions`
and `rooms` (made by migration 0006); docs/operations.md has examples.
"""

from sqlalchemy import BigInteger, Boolean, Column, String, Table, Text

from host_bridge.store.tables import metadata

AWAY_MS = 600_000
"""How long a seat may be empty before a session has ended, at desks of no plan. The view `sessions`
has it too."""

GRACE_MS = 60_000
"""Times are to the minute, so an absence may look a minute longer than it was. The view too."""

unit_states = Table(
    "unit_states",
    metadata,
    Column("site", String(32), primary_key=True),
    Column("unit", String(32), primary_key=True),
    Column("boot", BigInteger, nullable=False),
    Column("firmware", Text, nullable=True),
    Column("heard_ms", BigInteger, nullable=False),
    Column("seat_boot", BigInteger, nullable=False),
    Column("seat_seq", BigInteger, nullable=False),
    Column("occupied", Boolean, nullable=True),
    Column("since_ms", BigInteger, nullable=True),
)
"""A unit: its highest boot, with which firmware (None until its boot fact has come), when an
ordinary fact of it arrived last, and its last seat change: the fact (`seat_boot`, `seat_seq`), both
0 while there is none."""

signed_in = Table(
    "signed_in",
    metadata,
    Column("site", String(32), primary_key=True),
    Column("unit", String(32), primary_key=True),
    Column("boot", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("idle_ms", BigInteger, nullable=True),
)
"""A desk at which somebody is signed in: by which fact, since when, and since when the seat is
empty. Whose headset it was only the fact knows, for as long as that is kept."""

desks = Table(
    "desks",
    metadata,
    Column("site", String(32), primary_key=True),
    Column("unit", String(32), primary_key=True),
    Column("desk", String(32), nullable=False),
    Column("room", String(32), nullable=False),
    Column("cap", BigInteger, nullable=True),
    Column("away_ms", BigInteger, nullable=False),
)
"""The plan as the settings have it: no fact says where a unit stands."""
