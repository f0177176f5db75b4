"""What pages are told as it changes: the floor at once, delivery and health every two seconds.

Delivery is slow on purpose: a counter that moved at once would tell of a press by what it does
not move on the plan.
"""

import asyncio
import time

from pydantic import TypeAdapter

from host_bridge.director import Director
from host_bridge.domain.floor import RoomView
from host_bridge.store import Store, StoreUnavailableError
from host_bridge.web import health, ledger
from host_bridge.web.gap_alarm import GapAlarm
from host_bridge.web.live import Event, Live
from host_bridge.web.models import Count, Delivery, Health, Room

PERIOD_SECONDS = 2.0

_rooms_json = TypeAdapter(list[Room]).dump_json


def now_ms() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


class Watch:
    """Follows the director and the store for the pages of one event loop."""

    def __init__(self, director: Director, store: Store) -> None:
        self.live = Live(self._present)
        self.rooms = director.rooms
        self.delivery = Delivery(sum=Count.nothing(), missing=0, dropped=0, units=0)
        self.health = Health(ready=False, parts=[])
        self._director = director
        self._store = store
        self._alarm = GapAlarm()

    async def run(self) -> None:
        """Until cancelled. Starts to hear from the director too."""
        loop = asyncio.get_running_loop()

        def hear(rooms: tuple[RoomView, ...]) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._take_rooms, rooms)

        self._director.listen(hear)
        self._take_rooms(self._director.rooms)
        while True:
            await self.look()
            await asyncio.sleep(PERIOD_SECONDS)

    async def look(self) -> None:
        """Look at delivery and health once; tell what changed."""
        seen = await asyncio.to_thread(health.check, self._director, self._store)
        if seen != self.health:
            self.health = seen
            self.live.publish(Event("health", seen.model_dump_json()))
        try:
            read = await asyncio.to_thread(self._read_delivery)
        except StoreUnavailableError:
            return  # the health check says so
        if read != self.delivery:
            self.delivery = read
            self.live.publish(Event("ledger", read.model_dump_json()))

    def _read_delivery(self) -> Delivery:
        now = ledger.read(self._store, self._director.site.name, now_ms())
        self._alarm.look(now.gaps)
        return Delivery(sum=now.sum, missing=now.missing, dropped=now.dropped, units=len(now.gaps))

    def _take_rooms(self, rooms: tuple[RoomView, ...]) -> None:
        """Tell which desks look different, with their rooms' counts."""
        before, self.rooms = self.rooms, rooms
        changed = [
            Room.of(
                new, [desk for was, desk in zip(old.desks, new.desks, strict=True) if was != desk]
            )
            for old, new in zip(before, rooms, strict=True)
            if old != new
        ]
        if changed:
            self.live.publish(Event("floor", _rooms_json(changed).decode()))

    def _present(self) -> list[Event]:
        return [
            Event("floor", _rooms_json([Room.of(room) for room in self.rooms]).decode()),
            Event("ledger", self.delivery.model_dump_json()),
            Event("health", self.health.model_dump_json()),
        ]
