"""The ledger as the interface gives it: sums, workers, and gaps without their kind."""

from collections.abc import Iterable

from host_bridge.store import Gap as StoredGap
from host_bridge.store import LedgerRow, Store, WorkerRow
from host_bridge.web.models import Count, Gap, Ledger, Worker, instant

STANDING_S = 600
"""After so long a gap that the unit has not explained calls for somebody."""

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
    by_unit: dict[str, list[StoredGap]] = {}
    for gap in gaps:
        by_unit.setdefault(gap.unit, []).append(gap)
    return [_gap(unit, found, now_ms) for unit, found in sorted(by_unit.items())]


def _gap(unit: str, gaps: list[StoredGap], now_ms: int) -> Gap:
    missing, dropped = sum(gap.missing for gap in gaps), sum(gap.dropped for gap in gaps)
    since_ms = min(gap.since_ms for gap in gaps)
    unexplained = [gap.since_ms for gap in gaps if gap.missing > gap.dropped]
    return Gap(
        unit=unit,
        missing=missing,
        dropped=dropped,
        standing=any(now_ms - each >= STANDING_S * 1000 for each in unexplained),
        since=instant(since_ms),
        age_seconds=max(0, now_ms - since_ms) // 1000,
    )
