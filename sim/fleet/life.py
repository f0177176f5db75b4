"""What goes on at a desk of a fleet: somebody comes, reports, goes; the desk is cleaned."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from itertools import chain, cycle, repeat

from sim.scenario.site import Cards
from sim.shown import Colour
from sim.unit import SimUnit

_REPORTS = 0.5  # of the agents
_HOLD_S = 0.4
_PRESS_MS = 120
_PATIENCE_S = 12.0
_READY_PIXELS = [4]  # of a free desk's ring: the only green that is no answer


class Tally:
    """What was done at all desks, and how long the answers took.

    Attributes:
        presses: desk -> how often its button was pressed.
        verdicts: seconds from a card on the reader to the verdict on the ring.
        stored: seconds from the press of a button to "stored" on the ring.
        unanswered: what found no answer in twelve seconds, in words.
    """

    def __init__(self) -> None:
        self.presses: dict[str, int] = {}
        self.verdicts: list[float] = []
        self.stored: list[float] = []
        self.unanswered: list[str] = []


class Life:
    """The life of one desk.

    Args:
        desk: its name, which is its agent's too.
        unit: its unit.
        cards: what people carry.
        every: mean time between two happenings, seconds.
        dice: chooses times, and who reports.
        tally: is told.
    """

    def __init__(  # noqa: PLR0917 (one maker, which names them)
        self,
        desk: str,
        unit: SimUnit,
        cards: Cards,
        every: float,
        dice: random.Random,
        tally: Tally,
    ) -> None:
        self._desk = desk
        self._unit = unit
        self._headset = cards.uid(desk, "headset")
        self._cleaner = cards.uid("Cleaner", "card")
        self._every = every
        self._dice = dice
        self._tally = tally

    async def live(self, seconds: float) -> None:
        """Go on for so long; nothing begins after that."""
        until = time.monotonic() + seconds
        # Whoever has reported stays: a tap soon after would withdraw the report.
        if self._dice.random() < _REPORTS:
            deeds: Iterator[Callable[[], Awaitable[None]]] = chain(
                [self._arrive], repeat(self._press)
            )
        else:
            deeds = cycle([self._arrive, self._leave, self._clean])
        pause = self._dice.uniform(0, self._every)
        while time.monotonic() + pause < until:
            await asyncio.sleep(pause)
            await next(deeds)()
            pause = self._dice.uniform(0.5, 1.5) * self._every

    async def _arrive(self) -> None:
        await self._tap(self._headset, "a tap", _greeted)
        await self._unit.radar("still", 70)

    async def _leave(self) -> None:
        await self._tap(self._headset, "a goodbye", _bidden_farewell)
        await self._unit.radar("none", 0)

    async def _clean(self) -> None:
        await self._tap(self._cleaner, "a cleaner's card", _greeted)

    async def _tap(self, uid: str, what: str, answered: Callable[[list[Colour]], bool]) -> None:
        began = time.monotonic()
        await self._unit.put(uid)
        holding = asyncio.create_task(self._let_go(uid))
        try:
            await self._unit.wait_for_ring(answered, _PATIENCE_S)
            self._tally.verdicts.append(time.monotonic() - began)
        except TimeoutError:
            self._tally.unanswered.append(f"{what} at {self._desk}")
        await holding

    async def _let_go(self, uid: str) -> None:
        await asyncio.sleep(_HOLD_S)
        await self._unit.take(uid)

    async def _press(self) -> None:
        self._tally.presses[self._desk] = self._tally.presses.get(self._desk, 0) + 1
        began = time.monotonic()
        await self._unit.press(_PRESS_MS)
        try:
            await self._unit.wait_for_ring(_stored, _PATIENCE_S)
            self._tally.stored.append(time.monotonic() - began)
        except TimeoutError:
            self._tally.unanswered.append(f"a press at {self._desk}")


def _lit(ring: list[Colour]) -> list[int]:
    return [place for place, pixel in enumerate(ring) if any(pixel)]


def _green(ring: list[Colour]) -> bool:
    return all(
        red == blue == 0 < green for red, green, blue in ring if (red, green, blue) != (0, 0, 0)
    )


def _greeted(ring: list[Colour]) -> bool:
    """The light of "yours" or "cleaned"."""
    return bool(_lit(ring)) and _green(ring) and _lit(ring) != _READY_PIXELS


def _bidden_farewell(ring: list[Colour]) -> bool:
    """White that begins at the first pixel; a provisional verdict's is in the middle."""
    red, green, blue = ring[0]
    return red == green == blue > 16


def _stored(ring: list[Colour]) -> bool:
    return len(_lit(ring)) == len(ring) and _green(ring)
