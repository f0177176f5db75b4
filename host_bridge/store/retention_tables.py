"""What stays when facts are deleted: no tag, no person, and no time finer than a minute.

`forgotten` and `settled` are written in the transaction that deletes the facts which they are of,
so that what follows from the facts is the same before and after.
"""

from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, String, Table

from host_bridge.store.tables import metadata

_RowId = BigInteger().with_variant(Integer, "sqlite")

forgotten = Table(
    "forgotten",
    metadata,
    Column("site", String(32), primary_key=True),
    Column("unit", String(32), primary_key=True),
    Column("boot", BigInteger, primary_key=True),
    Column("lane", String(8), primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("heard_ms", BigInteger, nullable=False),
    Column("seat_seq", BigInteger, nullable=False),
    Column("occupied", Boolean, nullable=True),
    Column("since_ms", BigInteger, nullable=True),
)
"""Of each stream: how many facts were deleted, in which minute the last of them had arrived, and
what the last seat change among them said (`seat_seq` is 0 while there is none)."""

settled = Table(
    "settled",
    metadata,
    Column("site", String(32), primary_key=True),
    Column("unit", String(32), primary_key=True),
    Column("boot", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("occupied", Boolean, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("used", Boolean, nullable=False),
    Column("dirty", Boolean, nullable=False),
    Column("signed_boot", BigInteger, nullable=False),
    Column("signed_seq", BigInteger, nullable=False),
)
"""How a desk was after its unit's ordinary fact (`boot`, `seq`), with nobody signed in: what comes
before that fact needs no reading any more. After (`signed_boot`, `signed_seq`) nobody was signed in
by the simpler rules of `signed_in`."""

room_hours = Table(
    "room_hours",
    metadata,
    Column("site", String(32), primary_key=True),
    Column("room", String(32), primary_key=True),
    Column("hour_ms", BigInteger, primary_key=True),
    Column("highest", Integer, nullable=False),
    Column("mean", Float, nullable=False),
)
"""How many desks of a room were occupied in an hour: at the most, and in the mean, to a tenth."""

group_days = Table(
    "group_days",
    metadata,
    Column("site", String(32), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("room", String(32), primary_key=True),
    Column("threshold", Integer, nullable=False),
    Column("agents", Integer, nullable=True),
    Column("sign_ins", Integer, nullable=True),
    Column("reports", Integer, nullable=True),
)
"""Statistics of a day (as in 2026-11-22) for each room, and for the site, whose `room` is empty.
What `domain.groups` suppresses was never written: its figures are None."""

retention_runs = Table(
    "retention_runs",
    metadata,
    Column("id", _RowId, primary_key=True, autoincrement=True),
    Column("site", String(32), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("data", String(16), nullable=False),
    Column("limit_ms", BigInteger, nullable=False),
    Column("deleted", BigInteger, nullable=False),
    Column("oldest_ms", BigInteger, nullable=True),
    sqlite_autoincrement=True,
)
"""Of each deletion, for each class of data: when, after how long, how many, and from when the
oldest is that is left."""
