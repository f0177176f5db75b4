"""The tables, as SQLAlchemy Core. `migrations/` brings a database to this form.

Times are Unix milliseconds. Names of people live in `people` and nowhere else.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows only for a column of the type INTEGER, which is 64 bits wide there.
_RowId = BigInteger().with_variant(Integer, "sqlite")


def _stream(*, primary_key: bool = False, nullable: bool = False) -> list[Column[object]]:
    """The four columns that name a stream."""
    return [
        Column("site", String(32), primary_key=primary_key, nullable=nullable),
        Column("unit", String(32), primary_key=primary_key, nullable=nullable),
        Column("boot", BigInteger, primary_key=primary_key, nullable=nullable),
        Column("lane", String(8), primary_key=primary_key, nullable=nullable),
    ]


_BUTTON = text("lane = 'button'")

facts = Table(
    "facts",
    metadata,
    Column("id", _RowId, primary_key=True, autoincrement=True),
    *_stream(),
    Column("seq", BigInteger, nullable=False),
    Column("type", String(16), nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("sure", String(8), nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("site", "unit", "boot", "lane", "seq"),
    # PostgreSQL has facts by the month of arrival, and the arrival in the primary key.
    Index(None, "received_ms").ddl_if(dialect="sqlite"),
    Index(None, "site", "type", "time_ms"),
    Index("ix_facts_button", "site", "id", sqlite_where=_BUTTON, postgresql_where=_BUTTON),
    sqlite_autoincrement=True,
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", _RowId, primary_key=True, autoincrement=True),
    Column("received_ms", BigInteger, nullable=False),
    Column("topic", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    *_stream(nullable=True),
    Column("seq", BigInteger, nullable=True),
    Index(None, "site", "unit", "boot", "lane", "seq"),
    sqlite_autoincrement=True,
)

spans = Table(
    "spans",
    metadata,
    *_stream(primary_key=True),
    Column("first", BigInteger, primary_key=True),
    Column("last", BigInteger, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
)
"""Merged ranges of the numbers that were received. `since_ms`: when its first fact came, which
is since when the gap before it is known."""

tails = Table(
    "tails",
    metadata,
    *_stream(primary_key=True),
    Column("last", BigInteger, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
)
"""How far a past boot had counted, as the following boot reported."""

ledger = Table(
    "ledger",
    metadata,
    Column("worker", String(64), primary_key=True),
    Column("received", BigInteger, nullable=False),
    Column("stored", BigInteger, nullable=False),
    Column("duplicates", BigInteger, nullable=False),
    Column("dead_letters", BigInteger, nullable=False),
)

workers = Table(
    "workers",
    metadata,
    Column("worker", String(64), primary_key=True),
    Column("in_flight", BigInteger, nullable=False),
    Column("queue_depth", BigInteger, nullable=False),
    Column("last_commit_ms", BigInteger, nullable=True),
    Column("reconnects", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Column("commits", BigInteger, nullable=False, server_default="0"),
    Column("commit_ms", BigInteger, nullable=False, server_default="0"),
)

people = Table(
    "people",
    metadata,
    Column("id", _RowId, primary_key=True, autoincrement=True),
    Column("name", String(200), nullable=False, unique=True),
    sqlite_autoincrement=True,
)

tags = Table(
    "tags",
    metadata,
    Column("site", String(32), primary_key=True),
    Column("tag", String(32), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("person", _RowId, ForeignKey("people.id"), nullable=True),
    Column("status", String(8), nullable=False),
)

incident_records = Table(
    "incident_records",
    metadata,
    Column("id", _RowId, primary_key=True, autoincrement=True),
    Column("site", String(32), nullable=False),
    Column("unit", String(32), nullable=False),
    Column("boot", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("word", String(16), nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    UniqueConstraint("site", "unit", "boot", "seq", "word"),
    sqlite_autoincrement=True,
)
"""What was done about incidents: rows are added, never changed. (`boot`, `seq`) is the incident's
last report at that time."""

modes = Table(
    "modes",
    metadata,
    Column("site", String(32), primary_key=True),
    Column("unit", String(32), primary_key=True),
    Column("drill_until_ms", BigInteger, nullable=True),
    Column("quiet", Boolean, nullable=False),
)
"""How units are to behave, where somebody has asked for something."""

leases = Table(
    "leases",
    MetaData(naming_convention=metadata.naming_convention),
    Column("site", String(32), primary_key=True),
    Column("holder", String(80), nullable=False),
    Column("term", BigInteger, nullable=False),
    Column("beat", BigInteger, nullable=False),
)
"""Who directs a site now. Apart from the others: it is of this database and of this moment, so it
is neither moved nor backed up."""

commit_order = Table(
    "commit_order",
    MetaData(),
    Column("last", BigInteger, nullable=False),
    Column("commits", BigInteger, nullable=False),
)
"""PostgreSQL only, one row: the last id given to a fact, and how many commits there were. SQLite,
with one writer at a time, keeps both by itself."""

update_offers = Table(
    "update_offers",
    metadata,
    Column("site", String(32), primary_key=True),
    Column("unit", String(32), primary_key=True),
    Column("bundle", String(32), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("again", Boolean, nullable=False),
    Column("batch", BigInteger, nullable=False),
    Column("offered_ms", BigInteger, nullable=False),
    Column("told_ms", BigInteger, nullable=True),
    Column("standing", String(16), nullable=False),
)
"""Which unit is to have which version of the firmware. `told_ms`: since when it has a place."""

update_progress = Table(
    "update_progress",
    metadata,
    Column("site", String(32), primary_key=True),
    Column("unit", String(32), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("step", String(16), nullable=False),
    Column("bundle", String(32), nullable=True),
    Column("received", BigInteger, nullable=False),
    Column("refused", String(16), nullable=True),
    Column("message", Text, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
)
"""What units said about their updates last."""
