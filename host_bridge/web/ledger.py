"""The ledger as the interface gives it: sums, workers, and gaps without their kind."""

from collections.abc import Iterable

from host_bridge.store import Gap as StoredGap
from host_bridge.store import LedgerRow, Store, WorkerRow
from host_bridge.web.models import Count, Gap, Ledger, Worker, instant

FIELDS = ("received", "stored", "duplicates", "dead_letters", "in_flight", "unaccounted")


def read(store: Store, site: str, now_ms: int) -> Ledger:
    """The ledger now, with the gaps of one site.

    Raises:
        StoreUnavailableError: the database can't be read.
    """
    workers = _workers(store.ledger(), store.workers())
    total = Count(**{name: sum(getattr(w, name) for w in workers) for name in FIELDS})
    gaps = _gaps((gap for gap in store.gaps() if gap.site == site), now_ms)
    return Ledger(
        sum=total,
        workers=workers,
        missing=sum(gap.missing for gap in gaps),
        dropped=sum(gap.dropped for gap in gaps),
        gaps=gaps,
    )


def _workers(rows: Iterable[LedgerRow], heartbeats: Iterable[WorkerRow]) -> list[Worker]:
    in_flight = {row.worker: row.in_flight for row in heartbeats}
    known = {row.worker: row for row in rows}
    for name in in_flight:
        # A worker that has not committed anything yet.
        known.setdefault(
            name, LedgerRow(worker=name, received=0, stored=0, duplicates=0, dead_letters=0)
        )
    return [
        Worker(
            worker=name,
            received=row.received,
            stored=row.stored,
            duplicates=row.duplicates,
            dead_letters=row.dead_letters,
            in_flight=in_flight.get(name, 0),
            unaccounted=row.difference,
        )
        for name, row in sorted(known.items())
    ]


def _gaps(gaps: Iterable[StoredGap], now_ms: int) -> list[Gap]:
    """One entry for each unit.

    The lanes are added up: a gap of the button's lane alone would tell of presses at a desk.
    """
    missing: dict[str, int] = {}
    dropped: dict[str, int] = {}
    since: dict[str, int] = {}
    for gap in gaps:
        missing[gap.unit] = missing.get(gap.unit, 0) + gap.missing
        dropped[gap.unit] = dropped.get(gap.unit, 0) + gap.dropped
        since[gap.unit] = min(since.get(gap.unit, gap.since_ms), gap.since_ms)
    return [
        Gap(
            unit=unit,
            missing=missing[unit],
            dropped=dropped[unit],
            since=instant(since[unit]),
            age_seconds=max(0, now_ms - since[unit]) // 1000,
        )
        for unit in sorted(missing)
    ]
