"""How desks are to behave: drills and silence somebody asked for, night, the way to badge in."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from host_bridge.contract.messages import Mode
from host_bridge.domain.floor import RoomView
from host_bridge.domain.night import is_night
from host_bridge.settings import Site
from host_bridge.store import Store, UnitMode


class Modes:
    """For one site; `say` is called with a unit and its mode."""

    def __init__(self, site: Site, store: Store, say: Callable[[str, Mode], None]) -> None:
        self._site = site
        self._store = store
        self._say = say
        self._zone = ZoneInfo(site.timezone)
        self._asked: dict[str, UnitMode] = {}
        self._said: object = None

    def read(self) -> bool:
        """Look for what people have asked for since; True when that is something new.

        Raises:
            StoreUnavailableError: the database can't be read.
        """
        before, self._asked = self._asked, self._store.modes.all(self._site.name)
        return before != self._asked

    def tell(self, rooms: tuple[RoomView, ...], now_ms: int) -> None:
        """Tell every desk how to behave; a drill that is over is no longer mentioned."""
        night = is_night(now_ms, self._zone, self._site.night)
        drills = [mode.drill_until_ms or 0 for mode in self._asked.values()]
        said = (night, self._asked, sum(until > now_ms for until in drills))
        if said == self._said:
            return
        self._said = said
        badge_first = self._site.badge_in == "badge-then-headset"
        for room in rooms:
            for desk in room.desks:
                asked = self._asked.get(desk.unit, UnitMode())
                until = asked.drill_until_ms
                mode = Mode(
                    drill_until=until if until is not None and until > now_ms else None,
                    quiet=asked.quiet,
                    night=night,
                    badge_first=badge_first,
                )
                self._say(desk.unit, mode)
