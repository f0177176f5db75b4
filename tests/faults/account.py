"""What became of a load: the database's own rows, held against what had happened at the units."""

from typing import Any

import msgspec
import sqlalchemy as sa

from host_bridge.contract.facts import Lane
from host_bridge.store import Store
from host_bridge.store.tables import dead_letters, facts
from tests.host_bridge.unit_stream import fact_of

_PAGE = 10_000

Totals = dict[tuple[str, int, Lane], int]
"""How many facts there were, by unit, boot and lane."""


class Account(msgspec.Struct, frozen=True):
    """Counted in facts. `amiss` says in words what else is not as it must be."""

    stored: int
    lost: int
    doubled: int
    dead_letters: int
    amiss: list[str]


def take(url: str, site: str, totals: Totals, *, content: bool = True) -> Account:
    """Count what a database holds of a site.

    Args:
        url: the database; nobody writes into it any more.
        site: whose facts these are.
        totals: what there is to be.
        content: read every fact too, and compare it with the one that was sent.
    """
    store = Store.open(url)
    try:
        amiss = [*_books(store, site), *(_contents(store, site) if content else [])]
        rows, distinct, strange = 0, 0, 0
        for *stream, count, seqs, least, most in _streams(store, site):
            total = totals.get(tuple(stream), 0)
            rows, distinct = rows + count, distinct + seqs
            strange += 0 if least >= 1 and most <= total else 1
        if strange:
            amiss.append(f"{strange} streams hold numbers that were never used")
        return Account(
            stored=distinct,
            lost=sum(totals.values()) - distinct,
            doubled=rows - distinct,
            dead_letters=sum(line.dead_letters for line in store.ledger()),
            amiss=amiss,
        )
    finally:
        store.close()


def letters(url: str) -> int:
    """Different dead letters in a database; several relays may each have kept the same one."""
    different = sa.select(dead_letters.c.topic, dead_letters.c.payload).distinct().subquery()
    store = Store.open(url)
    with store._engine.connect() as connection:
        found = connection.scalar(sa.select(sa.func.count()).select_from(different))
    store.close()
    return int(found or 0)


def kept(url: str, site: str) -> int:
    """Facts of a site."""
    store = Store.open(url)
    found = sum(row[3] for row in _streams(store, site))
    store.close()
    return found


def _streams(store: Store, site: str) -> list[Any]:
    stream = (facts.c.unit, facts.c.boot, facts.c.lane)
    count, seq = sa.func.count, facts.c.seq
    figures = (count(), count(seq.distinct()), sa.func.min(seq), sa.func.max(seq))
    query = sa.select(*stream, *figures).where(facts.c.site == site).group_by(*stream)
    with store._engine.connect() as connection:
        return list(connection.execute(query))


def _books(store: Store, site: str) -> list[str]:
    """Does the ledger add up, is nothing shown as missing, is the file sound?"""
    wrong = [f"{row.worker}'s ledger is off by {row.difference}" for row in store.ledger()
             if row.difference]  # fmt: skip
    missing = sum(gap.missing for gap in store.gaps() if gap.site == site)
    if missing:
        wrong.append(f"{missing} facts are shown as missing")
    if store._engine.dialect.name == "sqlite":
        with store._engine.connect() as connection:
            said = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
        wrong += [f"SQLite finds: {said}"] if said != "ok" else []
    return wrong


def _contents(store: Store, site: str) -> list[str]:
    wrong, last = 0, 0
    while rows := store.facts_after(last, _PAGE):
        last = rows[-1].id
        for row in rows:
            sent = fact_of(row.unit, row.boot, row.lane, row.seq)
            same = (type(row.fact), row.fact.up) == (type(sent), sent.up)
            wrong += 0 if same or row.site != site else 1
    return [f"{wrong} facts are not as they were sent"] if wrong else []
