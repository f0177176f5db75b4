"""What people do, and what happens to desks: the sentences of a story."""
# ruff: noqa: ARG001 (a sentence names a person also where it makes no difference who it is)

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sim.scenario.errors import StoryError
from sim.scenario.phrase import Card, phrase
from sim.scenario.stage import Stage
from sim.vm import VmError

TAP_S = 0.4
PRESS_S = 0.12
BETWEEN_CARDS_S = 1.2
_LOOK_S = 5.0

PEOPLE, POWER = "People", "Power, network and chips"


@phrase(
    "action",
    PEOPLE,
    "{who} taps the {cards} at {desk}",
    "holds the cards to the reader for 0.4 s, all at once",
)
async def tap(stage: Stage, who: str, cards: list[Card], desk: str) -> None:
    """Hold cards to the reader as long as people do."""
    await _hold_cards(stage, who, cards, desk, TAP_S)


@phrase("action", PEOPLE, "{who} taps the {cards} at {desk} for {time}", "the same, for this time")
async def tap_for(stage: Stage, who: str, cards: list[Card], desk: str, time: float) -> None:
    """Hold cards to the reader for a time."""
    await _hold_cards(stage, who, cards, desk, time)


@phrase(
    "action",
    PEOPLE,
    "{who} puts the {cards} on {desk}",
    "lays the cards on the reader and leaves them there",
)
async def put(stage: Stage, who: str, cards: list[Card], desk: str) -> None:
    """Lay cards down."""
    stage.record.add("tap", f"{_spoken(who, cards)} is put", stage.desk(desk))
    for uid in stage.uids(who, cards):
        await stage.unit(desk).put(uid)


@phrase("action", PEOPLE, "{who} takes the {cards} from {desk}", "takes the cards away")
async def take(stage: Stage, who: str, cards: list[Card], desk: str) -> None:
    """Take cards away."""
    stage.record.add("tap", f"{_spoken(who, cards)} is taken", stage.desk(desk))
    for uid in stage.uids(who, cards):
        await stage.unit(desk).take(uid)


@phrase(
    "action", PEOPLE, "{who} badges in at {desk}",
    "taps the headset; where the site's rule is badge then headset, the badge before it",
    carries="headset",
)  # fmt: skip
async def badge_in(stage: Stage, who: str, desk: str) -> None:
    """Sign in as the site's rule wants it."""
    if stage.scenario.site.badge_in == "badge-then-headset":
        await _hold_cards(stage, who, [Card(None, "badge")], desk, TAP_S)
        await stage.engine.clock.sleep(BETWEEN_CARDS_S)
    await _hold_cards(stage, who, [Card(None, "headset")], desk, TAP_S)


@phrase("action", PEOPLE, "{who} cleans {desk}", "taps the cleaner's card", carries="card")
async def clean(stage: Stage, who: str, desk: str) -> None:
    """Tap a cleaner's card."""
    await _hold_cards(stage, who, [Card(None, "card")], desk, TAP_S, "clean")


@phrase("action", PEOPLE, "{who} sits down at {desk}", "its sensors see somebody who sits still")
async def sit(stage: Stage, who: str, desk: str) -> None:
    """Be seen by whatever sensors the desk has."""
    stage.record.add("seat", "sits down", stage.desk(desk))
    await stage.unit(desk).radar("still", 70)


@phrase(
    "action",
    PEOPLE,
    "{who} gets up from {desk}",
    "its sensors see nobody (the desk waits 10 s before it believes it)",
)
async def get_up(stage: Stage, who: str, desk: str) -> None:
    """Be seen no more."""
    stage.record.add("seat", "gets up", stage.desk(desk))
    await stage.unit(desk).radar("none", 0)


@phrase(
    "action",
    PEOPLE,
    "{who} passes by {desk} for {time}",
    "its sensors see somebody who moves, for this time",
)
async def pass_by(stage: Stage, who: str, desk: str, time: float) -> None:
    """Walk past."""
    stage.record.add("seat", "passes by", stage.desk(desk))
    await stage.unit(desk).radar("moving", 140)
    await stage.engine.clock.sleep(time)
    await stage.unit(desk).radar("none", 0)


@phrase(
    "action", PEOPLE, "{who} leaves {desk}", "taps the headset again and gets up", carries="headset"
)
async def leave(stage: Stage, who: str, desk: str) -> None:
    """Sign out and go."""
    await _hold_cards(stage, who, [Card(None, "headset")], desk, TAP_S)
    await get_up(stage, who, desk)


@phrase(
    "action",
    PEOPLE,
    "{who} presses the button at {desk}",
    "one press of 0.12 s; the contact bounces, as real ones do",
)
async def press(stage: Stage, who: str, desk: str) -> None:
    """One press."""
    await _press(stage, desk, PRESS_S, "press")


@phrase(
    "action", PEOPLE, "{who} presses the button at {desk} for {time}", "one press of this length"
)
async def press_for(stage: Stage, who: str, desk: str, time: float) -> None:
    """One press of a length."""
    await _press(stage, desk, time, "press")


@phrase(
    "action",
    PEOPLE,
    "{who} holds the button at {desk} for {time}",
    "one long press; from 2 s it is urgent",
)
async def hold(stage: Stage, who: str, desk: str, time: float) -> None:
    """One long press."""
    await _press(stage, desk, time, "hold")


@phrase(
    "action", PEOPLE, "{who} hammers the button at {desk} {number} time(s)",
    "short presses of 40 to 120 ms, 60 to 180 ms apart",
)  # fmt: skip
async def hammer(stage: Stage, who: str, desk: str, number: int) -> None:
    """Many presses."""
    dice = stage.draw(len(stage.presses.get(stage.desk(desk), ())), number)
    for _ in range(number):
        await _press(stage, desk, dice.uniform(0.04, 0.12), "press")
        await stage.engine.clock.sleep(dice.uniform(0.06, 0.18))


@phrase("action", "Time and names", "wait {time}", "nothing happens for so long")
async def wait(stage: Stage, time: float) -> None:
    """Let time pass."""
    await stage.engine.clock.sleep(time)


@phrase(
    "action", "Time and names", "let {name} be a desk that shows {word}",
    "gives a name to such a desk (the first of the file); waits up to 5 s for one",
)  # fmt: skip
async def let(stage: Stage, name: str, word: str) -> None:
    """Name a desk by what it shows."""
    clock = stage.engine.clock
    until = clock.now() + _LOOK_S
    while True:
        for desk, unit in stage.engine.units.items():
            if desk not in stage.aliases.values() and " ".join(unit.show().display) == word:
                stage.aliases[name] = desk
                stage.record.add("note", f"is called {name}", desk)
                return
        if clock.now() >= until:
            shown = {desk: " ".join(u.show().display) for desk, u in stage.engine.units.items()}
            raise StoryError(f"no desk shows {word} after {_LOOK_S:.0f} s, but {shown}")
        await clock.sleep(0.05)


@phrase(
    "action", POWER, "the power of {desks} is cut", "nothing runs from then on, and nobody is told"
)
async def power_cut(stage: Stage, desks: list[str]) -> None:
    """Pull the plug."""
    await _each(stage, desks, "power cut", lambda desk: stage.unit(desk).power_cut())


@phrase("action", POWER, "the power of {desks} is back", "starts; returns when the unit runs")
async def power_on(stage: Stage, desks: list[str]) -> None:
    """Put the plug in."""
    await _each(stage, desks, "power back", lambda desk: stage.unit(desk).power_on())


@phrase(
    "action", POWER, "the power of {desk} fails after {number} more bytes of flash",
    "cut while flash is being written, at that byte; does nothing if less is written",
)  # fmt: skip
async def power_fails(stage: Stage, desk: str, number: int) -> None:
    """Cut in the middle of programming."""
    stage.record.add("fault", "power will fail in flash", stage.desk(desk))
    await _done(stage.unit(desk).fault("flash", "cut", number))


@phrase("action", POWER, "the network of {desks} is lost", "no byte passes, nobody is told")
async def network_lost(stage: Stage, desks: list[str]) -> None:
    """The access point goes."""
    await _each(stage, desks, "network lost", lambda desk: stage.unit(desk).network(False))


@phrase("action", POWER, "the network of {desks} is back", "bytes pass again")
async def network_back(stage: Stage, desks: list[str]) -> None:
    """The access point comes."""
    await _each(stage, desks, "network back", lambda desk: stage.unit(desk).network(True))


@phrase("action", POWER, "the {chip} of {desk} is {defect}", "a chip fails from then on")
async def breaks(stage: Stage, chip: str, desk: str, defect: str) -> None:
    """A chip fails."""
    stage.record.add("fault", f"{chip} {defect}", stage.desk(desk))
    stage.rotten[stage.desk(desk)] += defect == "rotten"
    await _done(stage.unit(desk).fault(stage.chip(chip, desk), defect))


@phrase("action", POWER, "the {chip} of {desk} is mended", "and works again")
async def mended(stage: Stage, chip: str, desk: str) -> None:
    """It works again."""
    stage.record.add("fault", f"{chip} mended", stage.desk(desk))
    await _done(stage.unit(desk).fault(stage.chip(chip, desk), "none"))


async def _each(
    stage: Stage, desks: list[str], what: str, work: Callable[[str], Awaitable[None]]
) -> None:
    for desk in desks:
        stage.record.add("fault", what, stage.desk(desk))
    await asyncio.gather(*(_done(work(desk)) for desk in desks))


async def _hold_cards(  # noqa: PLR0917
    stage: Stage, who: str, cards: list[Card], desk: str, seconds: float, kind: str = "tap"
) -> None:
    uids, unit = stage.uids(who, cards), stage.unit(desk)
    _need_power(stage, desk)
    stage.record.add("clean" if kind == "clean" else "tap", _spoken(who, cards), stage.desk(desk))
    async with _power_may_fail(stage, desk):
        for uid in uids:
            await unit.put(uid)
    await stage.engine.clock.sleep(seconds)
    async with _power_may_fail(stage, desk):
        for uid in uids:
            await unit.take(uid)


async def _press(stage: Stage, desk: str, seconds: float, text: str) -> None:
    _need_power(stage, desk)
    place = stage.desk(desk)
    stage.record.add("press", text, place)
    clock = stage.engine.clock
    stage.presses.setdefault(place, []).append(clock.unix())
    stage.pressed.setdefault(place, []).append((clock.now(), clock.now() + seconds))
    async with _power_may_fail(stage, desk):
        await stage.unit(desk).press(round(seconds * 1000))


def _need_power(stage: Stage, desk: str) -> None:
    if not stage.unit(desk).powered:
        raise StoryError(f"{stage.desk(desk)} has no power")


@asynccontextmanager
async def _power_may_fail(stage: Stage, desk: str) -> AsyncIterator[None]:
    """What a story cuts off in the middle is no error of whoever was pressing."""
    try:
        yield
    except VmError as error:
        if stage.unit(desk).powered:
            raise StoryError(str(error)) from error


async def _done(work: Awaitable[None]) -> None:
    try:
        await work
    except (VmError, ValueError) as error:
        raise StoryError(str(error)) from error


def _spoken(who: str, cards: list[Card]) -> str:
    """Which kinds of cards, and whether they are one's own; the record names nobody."""
    return " and ".join(
        card.kind if card.owner in {None, who} else f"another's {card.kind}" for card in cards
    )
