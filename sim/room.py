"""People in a room of desk units: carries out a world's plan with hands, cards and chairs.

A plan says who wants which desk; whether that desk may be used is the host's to say. So whoever
comes looks at the display as a person would, and takes another desk where the plan's is not free.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from sim.crew import Crew
from sim.scenario.engine import Clock, Unit
from sim.scenario.record import Kind
from sim.vm import VmError
from sim.worlds.action import Action, Deed

FREE, DIRTY = "FREE", "DIRTY"
"""What the display of a desk says, see the firmware's `desk_unit/looks.py`."""

Tell = Callable[[Kind, str, str | None], None]
"""Takes what happens, in words that name nobody, and at which desk."""

_LOOK_S, _GLANCE_S = 20.0, 0.5
_WALK_S = 0.6
_BOUNCE_S = 0.15
"""Until the contact has come to rest and a finger can press again."""
_WITHDRAWN_S = 125.0
"""So soon after a report one's own headset would withdraw it (two minutes)."""
_SLIP_S = 110.0
_SHORTEST_VISIT_S = 4.0
_STILL_CM, _MOVING_CM, _PASSING_CM = 70, 120, 140


@dataclass
class _Stay:
    """Somebody's day at a desk."""

    desk: str | None = None
    signed_in: bool = False
    looked: bool = False  # for a desk, on the way in
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Room:
    """Desks by name, and who sits where.

    Args:
        desks: each desk's unit, in the order in which plans count them.
        clock: the time that the room lives by.
        crew: who may come: as many people and cleaners as the plan has.
        badge_first: the site's rule is badge, then headset.
        tell: is told what happens.
    """

    def __init__(
        self, desks: Mapping[str, Unit], clock: Clock, crew: Crew, *, badge_first: bool, tell: Tell
    ) -> None:
        self._desks = desks
        self._names = list(desks)
        self._clock = clock
        self._crew = crew
        self._badge_first = badge_first
        self._tell = tell
        self._stays: dict[int, _Stay] = {}
        self._places: dict[int, str] = {}  # which desk stands for the plan's
        self._in_use: set[str] = set()
        self._sitting: set[str] = set()
        self._pressed: dict[str, float] = {}
        self._speed = 1.0

    async def live(self, actions: Iterable[Action], speed: float = 1.0) -> None:
        """Live through actions, in order, `speed` times as fast; the first happens at once.

        How long a card is held or the button is pressed is not made shorter. Whoever's deed
        fails (a desk without power, say) is told of, the others go on.
        """
        self._speed = speed
        began, first = self._clock.now(), None
        async with asyncio.TaskGroup() as group:
            for action in actions:
                first = action.at_ms if first is None else first
                due = began + (action.at_ms - first) / 1000 / speed
                await self._clock.sleep(due - self._clock.now())
                group.create_task(self._perform(action))

    async def _perform(self, action: Action) -> None:
        try:
            if action.deed in _SURROUNDINGS:
                await _SURROUNDINGS[action.deed](self, action)
                return
            stay = self._stays.setdefault(action.who, _Stay())
            async with stay.turn:  # one after the other, however fast the day goes
                await _DEEDS[action.deed](self, stay, action)
        except VmError as error:
            self._tell("note", f"{action.deed}: {error}", self._places.get(action.desk))

    # What agents do

    async def _badge_in(self, stay: _Stay, action: Action) -> None:
        desk = await self._desk_of(stay, action)
        if desk is None:
            return
        unit = self._desks[desk]
        if stay.signed_in and self._shows(desk) not in {FREE, DIRTY}:
            return  # the desk was kept
        if not unit.powered:
            self._tell("note", "has no power: nobody badges in", desk)
            return
        if desk not in self._sitting:
            await unit.radar("moving", _MOVING_CM)
        person, gap_s = self._crew.people[action.who], action.gap_ms / 1000
        self._tell("tap", "badges in", desk)
        if self._badge_first:
            await self._hold(unit, person.badge, action.ms)
            await self._clock.sleep(gap_s)
        if action.other >= 0:
            self._tell("tap", "tries a colleague's headset", desk)
            await self._hold(unit, self._crew.people[action.other].headset, action.ms)
            await self._clock.sleep(2 * gap_s)
        await self._hold(unit, person.headset, action.ms)
        stay.signed_in = True

    async def _sit(self, stay: _Stay, action: Action) -> None:
        if stay.desk is None and stay.looked:
            return
        desk = await self._desk_of(stay, action)
        if desk is not None and desk not in self._sitting:
            self._sitting.add(desk)
            self._tell("seat", "sits down", desk)
            await self._desks[desk].radar("still", _STILL_CM)

    async def _get_up(self, stay: _Stay, _action: Action) -> None:
        if stay.desk is not None:
            await self._rise(stay.desk)

    async def _step_out(self, stay: _Stay, action: Action) -> None:
        if stay.desk is None:
            return
        pressed = self._clock.now() - self._pressed.get(stay.desk, -_WITHDRAWN_S)
        unit = self._desks[stay.desk]
        if action.ms and stay.signed_in and pressed >= _WITHDRAWN_S and unit.powered:
            self._tell("tap", "taps to leave", stay.desk)
            await self._hold(unit, self._crew.people[action.who].headset, action.ms)
            stay.signed_in = False
        await self._rise(stay.desk)

    async def _leave(self, stay: _Stay, action: Action) -> None:
        await self._step_out(stay, action)
        if stay.desk is not None:
            self._in_use.discard(stay.desk)
        stay.desk, stay.signed_in, stay.looked = None, False, False

    async def _press(self, stay: _Stay, action: Action) -> None:
        desk = stay.desk
        if desk is None:
            return
        if not self._desks[desk].powered:
            self._tell("note", "has no power: the button does nothing", desk)
            return
        held = action.deed == Deed.HOLD
        self._tell("press", "holds the button: urgent" if held else "presses the button", desk)
        self._pressed[desk] = self._clock.now()
        await self._desks[desk].press(action.ms)
        await self._clock.sleep(_BOUNCE_S)

    async def _withdraw(self, stay: _Stay, action: Action) -> None:
        desk = stay.desk
        if desk is None or not stay.signed_in or not self._desks[desk].powered:
            return
        if self._clock.now() - self._pressed.get(desk, -_SLIP_S) < _SLIP_S:
            self._tell("tap", "withdraws a slip", desk)
            await self._hold(self._desks[desk], self._crew.people[action.who].headset, action.ms)

    # What else happens at desks

    async def _clean(self, action: Action) -> None:
        """The desk of the plan, or another that shows that it is dirty."""
        planned = self._place(action.desk)
        desk = next(
            (
                each
                for each in (planned, *self._names)
                if each not in self._in_use and self._shows(each) == DIRTY
            ),
            None,
        )
        if desk is not None:
            self._tell("clean", "is cleaned", desk)
            await self._hold(self._desks[desk], self._crew.cleaners[action.who], action.ms)

    async def _appear(self, action: Action) -> None:
        """Somebody walks by, or the radar believes so; it tells nobody from who sits there."""
        desk = self._place(action.desk)
        if desk not in self._sitting:
            await self._seen_for(desk, action, action.ms / 1000)

    async def _visit(self, action: Action) -> None:
        desk = self._place(action.desk)
        if desk not in self._in_use and desk not in self._sitting:
            self._tell("seat", "a visitor sits down", desk)
            await self._seen_for(
                desk, action, max(_SHORTEST_VISIT_S, action.ms / 1000 / self._speed)
            )

    async def _try(self, action: Action) -> None:
        desk = self._place(action.desk)
        unit = self._desks[desk]
        if desk not in self._in_use and unit.powered:
            self._tell("tap", "a card that nobody knows is tried", desk)
            await self._hold(unit, self._crew.stranger, action.ms)

    async def _seen_for(self, desk: str, action: Action, seconds: float) -> None:
        walking = action.deed == Deed.PASS_BY
        cm = _PASSING_CM if walking else _STILL_CM
        await self._desks[desk].radar("moving" if walking else "still", cm)
        await self._clock.sleep(seconds)
        if desk not in self._sitting:
            await self._desks[desk].radar("none", 0)

    async def _miss(self, action: Action) -> None:
        desk = self._place(action.desk)
        if desk in self._sitting:
            await self._desks[desk].radar("none", 0)
            await self._clock.sleep(action.ms / 1000)
            if desk in self._sitting:
                await self._desks[desk].radar("still", _STILL_CM)

    # How they find their way

    async def _desk_of(self, stay: _Stay, action: Action) -> str | None:
        """The desk of a stay; who has none yet looks for one, and goes home without."""
        if stay.desk is None:
            stay.looked = True
            stay.desk = await self._find(action.desk)
            if stay.desk is None:
                self._tell("note", "somebody finds no free desk", None)
            else:
                self._places[action.desk] = stay.desk
        return stay.desk

    async def _find(self, place: int) -> str | None:
        """A free desk to which nobody else is going, the plan's first; it is ours now."""
        start = place % len(self._names)
        near = [*self._names[start:], *self._names[:start]]
        deadline = self._clock.now() + _LOOK_S
        while True:
            for desk in near:
                if desk not in self._in_use and self._shows(desk) == FREE:
                    self._in_use.add(desk)
                    return desk
            if self._clock.now() >= deadline:
                return None
            await self._clock.sleep(_GLANCE_S)

    def _place(self, place: int) -> str:
        return self._places.get(place, self._names[place % len(self._names)])

    def _shows(self, desk: str) -> str:
        return " ".join(self._desks[desk].show().display)

    async def _rise(self, desk: str) -> None:
        if desk not in self._sitting:
            return
        self._sitting.discard(desk)
        self._tell("seat", "gets up", desk)
        await self._desks[desk].radar("moving", _MOVING_CM)
        await self._clock.sleep(_WALK_S)
        await self._desks[desk].radar("none", 0)

    async def _hold(self, unit: Unit, uid: str, ms: int) -> None:
        await unit.put(uid)
        await self._clock.sleep(ms / 1000)
        await unit.take(uid)


_DEEDS: dict[Deed, Callable[[Room, _Stay, Action], Awaitable[None]]] = {
    Deed.BADGE_IN: Room._badge_in,  # noqa: SLF001
    Deed.SIT: Room._sit,  # noqa: SLF001
    Deed.GET_UP: Room._get_up,  # noqa: SLF001
    Deed.STEP_OUT: Room._step_out,  # noqa: SLF001
    Deed.LEAVE: Room._leave,  # noqa: SLF001
    Deed.PRESS: Room._press,  # noqa: SLF001
    Deed.HOLD: Room._press,  # noqa: SLF001
    Deed.WITHDRAW: Room._withdraw,  # noqa: SLF001
}
_SURROUNDINGS: dict[Deed, Callable[[Room, Action], Awaitable[None]]] = {
    Deed.CLEAN: Room._clean,  # noqa: SLF001
    Deed.PASS_BY: Room._appear,  # noqa: SLF001
    Deed.GHOST: Room._appear,  # noqa: SLF001
    Deed.VISIT: Room._visit,  # noqa: SLF001
    Deed.TRY: Room._try,  # noqa: SLF001
    Deed.MISS: Room._miss,  # noqa: SLF001
}
