"""What holds at the end of any story, once everything works again and has had time to settle."""

from bisect import bisect_right
from contextlib import suppress

import msgspec

from host_bridge.contract.facts import Dropped
from sim.scenario.expectations import Seen, display
from sim.scenario.phrase import phrase
from sim.scenario.site import unit_of
from sim.scenario.stage import Stage
from sim.scenario.words import screen

ALWAYS = "What always holds"

WAKES_S = 3.0
"""After so long with power a unit feels its button."""

KEEPS_S = 0.3
"""A press is on flash after so long; a power cut before that may cost it."""

APART_S = 0.05
"""Presses that are closer together than this are one to the contact's filter."""


@phrase(
    "expectation", ALWAYS, "no press is lost",
    "of each desk, but for presses within 3 s of its start or 0.3 s of its end, and those that "
    "the unit reports as dropped from full flash or that rot has spoilt",
)  # fmt: skip
async def presses_stored(stage: Stage) -> Seen:
    """As many presses as were made while the unit could feel and keep them."""
    wrong = []
    for desk, made in stage.pressed.items():
        ((found,),) = stage.engine.host.rows(
            "SELECT count(*) FROM facts WHERE unit = ? AND type = 'press'", unit_of(desk)
        ) or [(0,)]
        stored, owed = int(str(found)), _owed(made, stage.record.lives.get(desk, []))
        owed -= _dropped(stage, unit_of(desk)) + stage.rotten[desk]
        if not owed <= stored <= len(made):
            wrong.append(
                f"{desk}: {len(made)} were made, {owed} of them safely, {found} are stored"
            )
    return Seen(not wrong, "; ".join(wrong) or "all are stored")


@phrase(
    "expectation", ALWAYS, "everything acknowledged is stored",
    "what a unit was told to forget, perhaps as a dead letter, until its time is over; in virtual "
    "time only",
)  # fmt: skip
async def acknowledged_stored(stage: Stage) -> Seen:
    """An acknowledgement is a promise."""
    wrong = []
    for (unit, boot, lane), last in stage.engine.acknowledged().items():
        rows = stage.engine.host.rows(
            "SELECT seq FROM facts WHERE unit = ? AND boot = ? AND lane = ?", unit, boot, lane
        )
        missing = last - {int(str(seq)) for (seq,) in rows}
        missing -= _dead(stage, unit, boot) if missing else set()
        if len(missing) > (_deleted(stage, unit, boot, lane) if missing else 0):
            wrong.append(f"{unit}, boot {boot}, {lane} lane: {sorted(missing)[:8]}")
    return Seen(not wrong, f"acknowledged and not stored: {'; '.join(wrong)}")


@phrase(
    "expectation", ALWAYS, "everything stored is acknowledged",
    "units were told to forget all that is stored; in virtual time only",
)  # fmt: skip
async def stored_acknowledged(stage: Stage) -> Seen:
    """Nobody keeps what nobody needs to send again."""
    told = stage.engine.acknowledged()
    rows = stage.engine.host.rows("SELECT unit, boot, lane, seq FROM facts")
    left = [
        f"{unit}, boot {boot}, {lane} lane: {seq}"
        for unit, boot, lane, seq in rows
        if seq not in told.get((str(unit), int(str(boot)), str(lane)), ())
    ]
    return Seen(not left, f"stored and not acknowledged: {'; '.join(left[:8])}")


@phrase(
    "expectation", ALWAYS, "no fact is missing",
    "the numbers of every unit have no hole that no report of the unit, and no rot, explains",
)  # fmt: skip
async def none_missing(stage: Stage) -> Seen:
    """Each number that a unit has counted is there."""
    counts = {desk: await stage.engine.host.missing(desk) for desk in stage.scenario.site.desks}
    wrong = [
        f"{count} of {desk}" for desk, count in counts.items() if count > 2 * stage.rotten[desk]
    ]
    return Seen(not wrong, f"missing: {', '.join(wrong)}")


@phrase(
    "expectation", ALWAYS, "every desk shows what it should",
    "the page's word for the desk, or a break; once verdicts and presses are no news any more",
)  # fmt: skip
async def desks_agree(stage: Stage) -> Seen:
    """Display and page say the same."""
    rooms = await stage.engine.host.rooms()
    wrong = []
    for desk in stage.scenario.site.desks:
        seen, state = display(stage, desk), rooms.state(desk)
        if seen != screen(state) and not seen.startswith("BREAK"):
            wrong.append(f"{desk} says {seen}, the page {state}")
    return Seen(not wrong, "; ".join(wrong) or "they agree")


@phrase(
    "expectation", ALWAYS, "no unit has failed",
    "none has reset but for its power, and none has reported a crash",
)  # fmt: skip
async def none_failed(stage: Stage) -> Seen:
    """Units only start again when their power comes back."""
    wrong = [
        f"{desk} has reset after {at:.1f} s ({why})"
        for desk, life in stage.record.lives.items()
        for at, why in life
        if why not in {"on", "cut"}
    ]
    ((found,),) = stage.engine.host.rows("SELECT count(*) FROM facts WHERE type = 'crash'") or [
        (0,)
    ]
    wrong += [f"{found} crashes were reported"] if found else []
    return Seen(not wrong, "; ".join(wrong) or "none has")


INVARIANTS = (
    "no press is lost",
    "everything acknowledged is stored",
    "no fact is missing",
    "every desk shows what it should",
    "no unit has failed",
)
"""All of the above; `STANDING_RULES` are looked at in every story besides."""


def _deleted(stage: Stage, unit: str, boot: int, lane: str) -> int:
    """How many facts of a stream were deleted because their time was over."""
    rows = stage.engine.host.rows(
        "SELECT count FROM forgotten WHERE unit = ? AND boot = ? AND lane = ?", unit, boot, lane
    )
    return sum(int(str(count)) for (count,) in rows)


def _dead(stage: Stage, unit: str, boot: int) -> set[int]:
    """Numbers of a boot's facts that nobody understood, and that were kept as they came."""
    found: set[int] = set()
    for (payload,) in stage.engine.host.rows(
        "SELECT payload FROM dead_letters WHERE topic LIKE ?", f"%/{unit}/%"
    ):
        with suppress(msgspec.DecodeError, UnicodeDecodeError):
            letter = msgspec.json.decode(payload if isinstance(payload, bytes) else str(payload))
            for fact in letter if isinstance(letter, list) else [letter]:
                if isinstance(fact, dict) and fact.get("boot") == boot and "seq" in fact:
                    found.add(fact["seq"])
    return found


def _dropped(stage: Stage, unit: str) -> int:
    """How many presses the unit says that it has given up, because its flash was full."""
    rows = stage.engine.host.rows(
        "SELECT body FROM facts WHERE unit = ? AND type = 'dropped'", unit
    )
    facts = [msgspec.json.decode(str(body), type=Dropped) for (body,) in rows]
    return sum(fact.count for fact in facts if fact.lane == "button")


def _owed(made: list[tuple[float, float]], life: list[tuple[float, str]]) -> int:
    """How many presses (from, to) have to be stored."""
    times = [at for at, _ in life]
    owed, before = 0, -WAKES_S
    for down, up in sorted(made):
        number = bisect_right(times, down)
        began = times[number - 1] if number else -WAKES_S
        ends = times[number] if number < len(times) else down + KEEPS_S + 1
        if down - began >= WAKES_S and ends - down > KEEPS_S and down - before >= APART_S:
            owed += 1
        before = max(before, up)
    return owed
