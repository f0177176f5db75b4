"""What can be expected: each sentence says whether it holds now, and what is seen."""

import re

import msgspec

from sim.scenario.light import family
from sim.scenario.measure import Amount
from sim.scenario.phrase import phrase
from sim.scenario.site import unit_of
from sim.scenario.stage import Stage

DESK, PAGE, KEPT = "At the desk", "On the page", "What is kept"


class Seen(msgspec.Struct, frozen=True):
    """Whether it holds, and what was seen."""

    holds: bool
    what: str


def display(stage: Stage, desk: str) -> str:
    """What a display says, in one line."""
    unit = stage.unit(desk)
    if not unit.powered:
        return "nothing, it has no power"
    return " ".join(unit.show().display) or "nothing"


@phrase(
    "expectation", DESK, "the display of {desk} is {word}", "exactly this, lines joined by spaces"
)
async def display_is(stage: Stage, desk: str, word: str) -> Seen:
    """The whole text."""
    seen = display(stage, desk)
    return Seen(seen == word, f"the display says {seen}")


@phrase("expectation", DESK, "the display of {desk} is not {word}", "anything else")
async def display_is_not(stage: Stage, desk: str, word: str) -> Seen:
    """Not this text."""
    seen = display(stage, desk)
    return Seen(seen != word, f"the display says {seen}")


@phrase(
    "expectation",
    DESK,
    "the display of {desk} carries {word}",
    "these words, perhaps beside others",
)
async def display_carries(stage: Stage, desk: str, word: str) -> Seen:
    """These words among others."""
    seen = display(stage, desk)
    return Seen(f" {word} " in f" {seen} ", f"the display says {seen}")


@phrase("expectation", DESK, "the display of {desk} is dark", "no text on it")
async def display_dark(stage: Stage, desk: str) -> Seen:
    """No text."""
    text = stage.unit(desk).show().display
    return Seen(not text, f"the display says {' '.join(text)}")


@phrase("expectation", DESK, "the ring of {desk} is dark", "no pixel is lit")
async def ring_dark(stage: Stage, desk: str) -> Seen:
    """No light."""
    colour = family(stage.unit(desk).show().ring)
    return Seen(colour == "dark", f"the ring is {colour}")


@phrase("expectation", DESK, "the ring of {desk} is not dark", "some pixel is lit")
async def ring_lit(stage: Stage, desk: str) -> Seen:
    """Some light."""
    colour = family(stage.unit(desk).show().ring)
    return Seen(colour != "dark", "the ring is dark")


@phrase(
    "expectation",
    DESK,
    "the ring of {desk} is {colour}",
    "most lit pixels are of this family of colours",
)
async def ring_is(stage: Stage, desk: str, colour: str) -> Seen:
    """A family of colours."""
    found = family(stage.unit(desk).show().ring)
    return Seen(found == colour, f"the ring is {found}")


@phrase(
    "expectation",
    PAGE,
    "the page shows {desk} as {state}",
    "the state of the desk on the floor plan",
)
async def page_shows(stage: Stage, desk: str, state: str) -> Seen:
    """A desk's state."""
    found = (await stage.engine.host.rooms()).state(stage.desk(desk))
    return Seen(found == state, f"the page shows {found}")


@phrase(
    "expectation", PAGE, "the page counts {amount} people in {room}", "places that are claimed now"
)
async def page_counts(stage: Stage, amount: Amount, room: str) -> Seen:
    """The head count."""
    found = (await stage.engine.host.rooms()).people(room)
    return Seen(amount.holds(found), f"the page counts {found}")


@phrase("expectation", PAGE, "the page misses {amount} fact(s) of {desk}", "a gap, with its size")
async def page_misses(stage: Stage, amount: Amount, desk: str) -> Seen:
    """A gap."""
    found = await stage.engine.host.missing(stage.desk(desk))
    return Seen(amount.holds(found), f"the page misses {found}")


@phrase(
    "expectation", PAGE, "no desk is in conflict for more than {time}",
    "as the page shows it; only as `always: ...`", lasting=True,
)  # fmt: skip
async def conflicts_end(stage: Stage, time: float) -> Seen:
    """Conflicts don't last."""
    now = stage.engine.clock.now()
    rooms = await stage.engine.host.rooms()
    for desk in stage.scenario.site.desks:
        if rooms.state(desk) == "conflict":
            since = stage.conflicts.setdefault(desk, now)
            if now - since > time:
                return Seen(False, f"{desk} has been in conflict for {now - since:.1f} s")
        else:
            stage.conflicts.pop(desk, None)
    return Seen(True, "no long conflict")


@phrase(
    "expectation",
    KEPT,
    "{desk} has {amount} {fact} fact(s)",
    "in the database, of this desk's unit",
)
async def has_facts(stage: Stage, desk: str, amount: Amount, fact: str) -> Seen:
    """How many facts are stored."""
    unit = unit_of(stage.desk(desk))
    ((found,),) = stage.engine.host.rows(
        "SELECT count(*) FROM facts WHERE unit = ? AND type = ?", unit, fact
    ) or [(0,)]
    return Seen(amount.holds(int(str(found))), f"{found} are stored")


@phrase(
    "expectation", KEPT, "{amount} {fact} fact(s) of {desk} came after its press",
    "the host had the first press of this desk before so many of these facts",
)  # fmt: skip
async def came_after(stage: Stage, desk: str, amount: Amount, fact: str) -> Seen:
    """A press goes ahead of what waited before it."""
    unit = unit_of(stage.desk(desk))
    ((found,),) = stage.engine.host.rows(
        "SELECT count(*) FROM facts WHERE unit = ? AND type = ? AND id >"
        " (SELECT min(id) FROM facts WHERE unit = ? AND type = 'press')",
        unit,
        fact,
        unit,
    ) or [(0,)]
    return Seen(amount.holds(int(str(found))), f"{found} came after it")


@phrase(
    "expectation", KEPT, "{amount} fact(s) of {desk} came after a later one",
    "the host had them only after a fact of the same lane that the unit has counted after them",
)  # fmt: skip
async def came_out_of_order(stage: Stage, desk: str, amount: Amount) -> Seen:
    """The order of the commits is not that of the unit's count."""
    ((found,),) = stage.engine.host.rows(
        "SELECT count(*) FROM facts AS late WHERE unit = ? AND EXISTS (SELECT * FROM facts AS later"
        " WHERE (later.unit, later.boot, later.lane) = (late.unit, late.boot, late.lane)"
        " AND later.seq > late.seq AND later.id < late.id)",
        unit_of(stage.desk(desk)),
    ) or [(0,)]
    return Seen(amount.holds(int(str(found))), f"{found} came after a later one")


@phrase(
    "expectation", KEPT, "presses at {desk} are dated within {time}",
    "each stored press has the time at which the button was pressed, give or take",
)  # fmt: skip
async def presses_dated(stage: Stage, desk: str, time: float) -> Seen:
    """The time that the host worked out is the true one."""
    place = stage.desk(desk)
    rows = stage.engine.host.rows(
        "SELECT time_ms FROM facts WHERE unit = ? AND type = 'press' ORDER BY boot, seq",
        unit_of(place),
    )
    made = stage.presses.get(place, [])
    if len(rows) != len(made):
        return Seen(False, f"{len(made)} presses were made, {len(rows)} are stored")
    off = [abs(int(str(row[0])) / 1000 - at) for row, at in zip(rows, made, strict=True)]
    worst = max(off, default=0.0)
    return Seen(worst <= time, f"the worst is {worst:.2f} s off")


@phrase(
    "expectation", KEPT, "every press is stored",
    "at every desk, as many presses as were made, by whomever",
)  # fmt: skip
async def every_press_stored(stage: Stage) -> Seen:
    """No press is lost, whatever else happens."""
    rows = stage.engine.host.rows(
        "SELECT unit, count(*) FROM facts WHERE type = 'press' GROUP BY unit"
    )
    stored = {str(unit): int(str(count)) for unit, count in rows}
    for desk, made in stage.presses.items():
        if (found := stored.get(unit_of(desk), 0)) != len(made):
            return Seen(False, f"{len(made)} presses were made at {desk}, {found} are stored")
    return Seen(True, f"{sum(map(len, stage.presses.values()))} presses are stored")


@phrase(
    "expectation",
    KEPT,
    "the ledger adds up",
    "received = stored + duplicates + dead letters, for each relay",
)
async def ledger_adds_up(stage: Stage) -> Seen:
    """Every received fact is accounted for."""
    rows = stage.engine.host.rows(
        "SELECT worker, received, stored + duplicates + dead_letters FROM ledger"
    )
    wrong = [f"{worker}: received {a}, accounted for {b}" for worker, a, b in rows if a != b]
    return Seen(not wrong, "; ".join(wrong) or "it adds up")


@phrase(
    "expectation",
    KEPT,
    "there are {amount} dead letter(s)",
    "messages that were kept because nobody understood them",
)
async def dead_letters(stage: Stage, amount: Amount) -> Seen:
    """How many dead letters."""
    found = stage.engine.host.rows("SELECT reason FROM dead_letters ORDER BY id")
    reasons = "; ".join(str(reason) for (reason,) in found[:3])
    return Seen(amount.holds(len(found)), f"there are {len(found)} {reasons}".rstrip())


@phrase(
    "expectation",
    KEPT,
    "{amount} duplicate(s) came in",
    "copies that were received and not stored again",
)
async def duplicates(stage: Stage, amount: Amount) -> Seen:
    """How many copies."""
    ((found,),) = stage.engine.host.rows("SELECT coalesce(sum(duplicates), 0) FROM ledger") or [
        (0,)
    ]
    return Seen(amount.holds(int(str(found))), f"{found} came in")


@phrase(
    "expectation", KEPT, "no fact is stored twice", "a fact's key is (unit, boot, lane, number)"
)
async def stored_once(stage: Stage) -> Seen:
    """Each key once."""
    rows = stage.engine.host.rows(
        "SELECT unit, boot, lane, seq, count(*) FROM facts GROUP BY 1, 2, 3, 4 HAVING count(*) > 1"
    )
    return Seen(not rows, f"stored twice: {rows[:3]}")


@phrase(
    "expectation", KEPT, "no card number is kept",
    "no raw UID of any card of the story is in the database or in a log of the host",
)  # fmt: skip
async def no_uid_kept(stage: Stage) -> Seen:
    """Privacy: the raw UID never leaves a unit."""
    needles = []
    for uid in stage.scenario.cards.uids():
        raw = bytes.fromhex(uid)
        needles += [uid.encode(), uid.lower().encode(), ",".join(map(str, raw)).encode()]
        needles += [raw] if len(raw) > 4 else []  # four bytes may occur by chance
    # One pattern: to look for one after the other takes as long for each as for all together.
    needle = re.compile(b"|".join(map(re.escape, needles)))
    found = stage.engine.host.traces(needle) if needles else []
    return Seen(not found, f"a card's number is in {', '.join(found)}")


STANDING_RULES = ("the ledger adds up", "no fact is stored twice", "no card number is kept")
"""What every story ends with."""
