"""When ring, display and the button's guard may be left out: nothing changes but by what happens.

A ring pattern without an end stands still meanwhile, with some pixel lit. What a person has to
see change (progress, a verdict that blinks) is drawn as ever.
"""

from asyncio import core

import circuit
import rounds

_DISPLAY = 0x3C
_UNPROTECTED_MS = 90_000
_FRAME_MS = 125


def tick_sleep_ms(ms):
    """In place of the sleep between two looks at what the ring shows."""
    wait = _wait(moves=True)
    return core.sleep_ms(ms) if wait == 0 else rounds.sleep_on("tick", ms, wait)


def show_sleep_ms(ms):
    """In place of the sleep between two looks at what the display shows."""
    wait = _wait(moves=False)
    if wait == 0 or _DISPLAY not in circuit.i2c:
        return core.sleep_ms(ms)
    return rounds.sleep_on("show", ms, wait)


def guard_sleep_ms(ms):
    """In place of the sleep between two looks at the button."""
    if rounds.unit._button.active:
        return core.sleep_ms(ms)
    return rounds.sleep_on("guard", ms)


def _wait(moves):
    """In how many milliseconds time alone changes what is shown; None for never, 0 for soon.

    With `moves` the ring's pictures count too.
    """
    unit = rounds.unit
    now = unit._uptime.now()
    for tap in unit._taps._waiting:
        if tap[1] is not None:
            return 0
    face = unit._face
    if not moves and _is_behind(face, now):
        return 0
    due = min(_word_ends(now), _link_ends(now))
    if moves:
        frames = unit._panel._ring._frames
        blinks = len(frames) > 1 or face.marks(now) & 4
        passing = face._progress or face._verdict
        if blinks and (passing or not frames[now // _FRAME_MS % len(frames)]):
            due = min(due, (now // _FRAME_MS + 1) * _FRAME_MS)
    return None if due >= now + rounds.FAR_MS else max(0, due - now)


def _is_behind(face, now):
    """Whether the next tick changes words; it may come after a picture of the same moment."""
    unit, rest = rounds.unit, rounds.unit._rest
    standing = "enrol" if now < unit._enrol_until else rest.word(now)
    told = (face.unprotected, face.drill, face.standing, face.minutes)
    return told != (unit._link.unprotected, unit._is_drill(now), standing, rest.minutes(now))


def _word_ends(now):
    """When what a person is shown is over; uptime, as all of these."""
    face, rest = rounds.unit._face, rounds.unit._rest
    ends = [now + rounds.FAR_MS]
    if face._progress:
        ends.append(face._progress_until)
    if face._verdict:
        ends.append(face._verdict_until)
    if now < rest._until:
        ends.append(now + (rest._until - now - 1) % 60_000 + 1)  # minutes are counted down
    ends += [until for until in (rounds.unit._enrol_until, rest._offered_until) if now < until]
    return min(ends)


def _link_ends(now):
    """When nobody has been able to hear a press for too long, or practice is over."""
    unit = rounds.unit
    link, button, due = unit._link, unit._memory.button, now + rounds.FAR_MS
    if not unit._face.unprotected:  # what ends it is something that happens
        if not link.connected:
            due = min(due, link._lost_at + _UNPROTECTED_MS)
        if button.waiting:
            due = min(due, button._progress + _UNPROTECTED_MS)
    at = unit._wall.at(now)
    if 0 < at < unit._mode[0]:
        due = min(due, now + unit._mode[0] - at)
    return due


def _made_up_show(grid, at):
    if rounds.exact:
        rounds.unit._panel._frames += grid.count(at)
    rounds.unit._watch.beat("display")


rounds.made_up["show"] = _made_up_show
rounds.made_up["tick"] = lambda _grid, _at: rounds.unit._watch.beat("tick")
rounds.made_up["guard"] = lambda _grid, _at: rounds.unit._watch.beat("button")
