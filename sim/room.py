"""A room of simulated units and the people in it: carries out a day's plan."""

import asyncio
import random
from collections.abc import Callable, Mapping

from sim.day import Action, Crew, Deed, plan
from sim.unit import SimUnit
from sim.vm import VmError

_WALK_S = 0.6
_BETWEEN_TAPS_S = 1.4
_LOOK_S = 4.0
_TAP_MS = 350
_PRESS_MS = 140
_HOLD_MS = 2500
_STAY_S = 9.0

FREE, BLOCKED, DIRTY = "FREE", "BLOCKED", "DIRTY"
"""What the display of a desk says, see the firmware's `desk_unit/screen.py`."""


class Room:
    """Desks by name, and who sits where.

    Args:
        desks: each desk's unit.
        crew: who may come.
        narrate: takes a line about what happens; no line says who it was.
    """

    def __init__(
        self, desks: Mapping[str, SimUnit], crew: Crew, narrate: Callable[[str], None]
    ) -> None:
        self._desks = desks
        self._crew = crew
        self._narrate = narrate
        self._seats: dict[int, str] = {}
        self._in_use: set[str] = set()
        self._reported: set[str] = set()
        self._dice = random.Random(0)  # noqa: S311 (which of several free desks)

    async def day(self, seed: int) -> None:
        """Live through the day of a seed; whoever's deed fails is told of, the others go on."""
        self._dice = random.Random(seed)  # noqa: S311
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.TaskGroup() as group:
            for action in plan(seed):
                await asyncio.sleep(began + action.at - loop.time())
                group.create_task(self._perform(action))

    async def _perform(self, action: Action) -> None:
        try:
            await self._do(action)
        except VmError as error:
            self._narrate(f"{action.deed}: {error}")

    async def _do(self, action: Action) -> None:
        match action.deed:
            case Deed.ARRIVE:
                await self._arrive(action.who, None)
            case Deed.ARRIVE_WITH_WRONG_HEADSET:
                await self._arrive(action.who, action.other)
            case Deed.TRY_UNKNOWN_TAG:
                await self._try_unknown()
            case Deed.SIT_AT_BLOCKED:
                await self._sit_at_blocked()
            case Deed.PRESS:
                await self._press(action.who, _PRESS_MS, "the button is pressed: an abusive call")
            case Deed.HOLD:
                await self._press(action.who, _HOLD_MS, "the button is held: urgent")
            case Deed.LEAVE:
                await self._leave(action.who)
            case Deed.CLEAN:
                await self._clean(action.who)

    # What people do

    async def _arrive(self, who: int, other: int | None) -> None:
        if who in self._seats:
            return
        desk = await self._find(FREE)
        if desk is None:
            self._narrate("somebody arrives, finds no free desk and waits outside")
            return
        self._seats[who] = desk
        unit, person = self._desks[desk], self._crew.people[who]
        self._narrate(f"somebody arrives at {desk} and badges in")
        await self._approach(unit)
        await unit.tap(person.badge, ms=_TAP_MS)
        await asyncio.sleep(_BETWEEN_TAPS_S)
        if other is not None:
            self._narrate(f"at {desk} the wrong headset is tried")
            await unit.tap(self._crew.people[other].headset, ms=_TAP_MS)
            await asyncio.sleep(2 * _BETWEEN_TAPS_S)
        await unit.tap(person.headset, ms=_TAP_MS)
        await asyncio.sleep(_WALK_S)
        await unit.radar("still", 70)

    async def _try_unknown(self) -> None:
        desk = await self._find(FREE)
        if desk is None:
            return
        unit = self._desks[desk]
        self._narrate(f"a tag that nobody knows is tried at {desk}")
        await unit.tap(self._crew.stranger, ms=_TAP_MS)
        await asyncio.sleep(_BETWEEN_TAPS_S)
        self._in_use.discard(desk)

    async def _sit_at_blocked(self) -> None:
        desk = await self._find(BLOCKED)
        if desk is None:
            return
        unit = self._desks[desk]
        self._narrate(f"somebody sits down at {desk}, which is blocked")
        await self._approach(unit)
        await unit.radar("still", 75)
        await asyncio.sleep(_STAY_S)
        self._narrate(f"somebody gets up from {desk} again")
        await self._go(unit)
        self._in_use.discard(desk)

    async def _press(self, who: int, ms: int, what: str) -> None:
        desk = self._seats.get(who) or next(iter(self._seats.values()), None)
        if desk:
            self._narrate(f"at {desk} {what}")
            self._reported.add(desk)
            await self._desks[desk].press(ms)

    async def _leave(self, who: int) -> None:
        desk = self._seats.pop(who, None)
        if desk is None:
            return
        unit = self._desks[desk]
        self._narrate(f"somebody leaves {desk}")
        if desk in self._reported:
            # A day of minutes: so soon after a report the own headset would withdraw it.
            self._reported.discard(desk)
        else:
            await unit.tap(self._crew.people[who].headset, ms=_TAP_MS)
        await self._go(unit)
        self._in_use.discard(desk)

    async def _clean(self, cleaner: int) -> None:
        """All desks that show it, one after the other."""
        for desk, unit in self._desks.items():
            if unit.show().display == [DIRTY] and desk not in self._in_use:
                self._narrate(f"{desk} is cleaned")
                await unit.tap(self._crew.cleaners[cleaner], ms=_TAP_MS)
                await asyncio.sleep(_WALK_S)

    # How they move

    async def _find(self, word: str) -> str | None:
        """A desk whose display says `word` and to which nobody else is going; it is ours now."""
        deadline = asyncio.get_running_loop().time() + _LOOK_S
        while asyncio.get_running_loop().time() < deadline:
            found = [
                desk
                for desk, unit in self._desks.items()
                if desk not in self._in_use and unit.show().display == [word]
            ]
            if found:
                desk = self._dice.choice(found)
                self._in_use.add(desk)
                return desk
            await asyncio.sleep(0.2)
        return None

    @staticmethod
    async def _approach(unit: SimUnit) -> None:
        await unit.radar("moving", 140)
        await asyncio.sleep(_WALK_S)

    @staticmethod
    async def _go(unit: SimUnit) -> None:
        await unit.radar("moving", 120)
        await asyncio.sleep(_WALK_S)
        await unit.radar("none")
