"""What a director reads at its start."""

from collections.abc import Sequence
from itertools import product

from host_bridge.contract.facts import Lane
from host_bridge.domain.floor import Floor
from host_bridge.forget.recall import desk_of
from host_bridge.settings import Site
from host_bridge.store import Store, StoredFact

MEMORY_MS = 86_400_000
"""How far a start reads back from the newest arrival."""

LAST: dict[Lane, Sequence[str]] = {"ordinary": ("seat", "tag"), "button": ("press", "urgent")}
"""What a start reads from before that, by lane: the last `LIMIT` of each desk are enough to know
who is signed in, and whether the desk has been cleaned since it was used."""

LIMIT = 50


def begin(store: Store, site: Site, floor: Floor, now_ms: int) -> tuple[int, int]:
    """Take in how each desk was left long ago, as far as its facts are deleted or some days old.

    The day ends with the newest arrival: a site may have been closed for weeks.

    Returns:
        How many facts were read, and the id behind which the last day's facts lie.
    """
    settled = store.retention.settled(site.name)
    for unit, each in settled.items():
        floor.begin(unit, desk_of(each), (each.boot, each.seq))
    newest = store.facts_after(store.newest() - 1, 1)
    newest_ms = min([now_ms, *(fact.received_ms for fact in newest)])
    first = store.first_id_since(newest_ms - MEMORY_MS)
    left: list[StoredFact] = []
    units = [desk.unit for room in site.rooms for desk in room.desks]
    for unit, (lane, types) in product(units, LAST.items()):
        left += store.last_of(site.name, unit, lane, types=types, before_id=first, limit=LIMIT)
    floor.fold(left)
    return len(left), first - 1
