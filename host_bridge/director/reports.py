"""The way back of a report: withdrawals are recorded, and desks are told what was seen."""

from collections.abc import Callable, Mapping

from host_bridge.domain.floor import Floor, Withdrawal
from host_bridge.store import IncidentRecord, Store

SEEN_WAITS_MS = 3_600_000
"""For how long "seen" waits for a unit that is away, in milliseconds; later it would puzzle."""

Tell = Callable[[str, int, int], bool]


class Reports:
    """For one site.

    Args:
        site: its name.
        store: where records are.
        tell: says "seen" to (unit, boot, seq); False when that could not be sent.
    """

    def __init__(self, site: str, store: Store, tell: Tell) -> None:
        self._site = site
        self._store = store
        self._tell = tell
        self._known: set[Withdrawal] = set()
        self._cursor = 0
        self._untold: list[IncidentRecord] = []

    def record(self, floor: Floor) -> None:
        """Write the withdrawals that the floor has found; a failed one is tried the next time.

        Raises:
            StoreUnavailableError: the database can't be written.
        """
        for each in sorted(floor.withdrawals - self._known, key=lambda found: found.time):
            self._store.incidents.add(
                self._site,
                each.unit,
                boot=each.boot,
                seq=each.seq,
                word="withdrawn",
                time_ms=each.time,
            )
            self._known.add(each)
        floor.withdrawals.clear()

    def read(self) -> bool:
        """Look for what people have done since; True when desks are to be told.

        Raises:
            StoreUnavailableError: the database can't be read.
        """
        for record in self._store.incidents.records(self._site, self._cursor):
            self._cursor = record.id
            if record.word == "heard":
                self._untold.append(record)
        return bool(self._untold)

    def tell(self, now_ms: int, online: Mapping[str, bool]) -> None:
        """Say "seen" to the desks that are there; the others are told when they are back."""
        left = []
        for record in self._untold:
            if now_ms - record.time_ms > SEEN_WAITS_MS:
                continue
            if not online.get(record.unit) or not self._tell(record.unit, record.boot, record.seq):
                left.append(record)
        self._untold = left
