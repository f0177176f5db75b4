"""Leaves out what changes nothing: polls that would see what the last one saw, and keep-alives.

The unit's tasks poll on grids of their own (the reader every 61 ms, the radar every 50 ms ...). A
task that would find nothing new sleeps on, and wakes at a point of its own grid: when the world
does something to its chip, when the unit has something to tell it, or when a deadline of its own
comes. What a left-out round would have counted or noted is brought up to date before it goes on.
So the unit does the same things at the same moments as without; a test holds the facts of both
against each other. What is not the same: a ring pattern without an end stands still meanwhile, and
the retained state that a unit says every 30 s is not said.

It knows the firmware's inside. Where that has changed, `install` says so, and nothing is left out.
"""

import time
from asyncio import core

import circuit
import parts
import sensors
import wire

_FAR_MS = 1 << 28
"""Three days: asyncio can't count further than six."""

_DISPLAY = 0x3C
_ROUND_TRIP_MS = 10
_STATE_MS = 30_000
_QUIET_MS = 15_000
_UNPROTECTED_MS = 90_000
_GOOD_MS = 62_000
_FRAME_MS = 125
_REPORT_US = 100_000
_REPORT_LASTS_US = 900
_POLL_MS = 50
_HAPPENINGS = (
    "_press",
    "_tag",
    "_sat",
    "_chip",
    "restart",
    "heard",
    "sent",
    "stored",
    "verdict",
    "guidance",
    "told",
    "state",
)
"""Methods of `Unit` after which there may be something to show or to keep."""
_WATCHED = ("button", "tick", "tidy", "link", "rfid", "presence", "display")

_unit = None
_connection = None
_calm = True
_parked = {}
"""Name -> [task, when it would wake by itself, period]; milliseconds of the loop."""
_skip = {"rfid": 0, "show": 0, "presence": 0}
"""Rounds that a task has still to count without doing them."""
_tasks = {}
_erasing = False
_held = False
_quiet = False


async def _at_once():
    """No sleep at all."""


def _sleep_on(name, ms, due, period=None):
    """Sleep, as if every `period` somebody woke and found nothing.

    Up to the first point of the grid that is not before `due` (milliseconds of the loop); without
    one until somebody calls `_wake`.
    """
    period = period or ms
    following = time.loop_ms() + ms
    until = following + _FAR_MS
    if due is not None:
        until = following + max(0, -(-(due - following) // period)) * period
        if until == following:
            return core.sleep_ms(ms)
    _parked[name] = [core.cur_task, following, period]
    return _Sleep(name, until)


class _Sleep:
    """Awaits a moment of the loop; then what was left out is made up for."""

    def __init__(self, name, until):
        self._name = name
        self._until = until
        self._slept = False

    def __iter__(self):
        return self

    def __next__(self):
        if self._slept:
            entry = _parked.pop(self._name, None)
            if entry:
                _make_up(self._name, entry)
            raise StopIteration
        self._slept = True
        core._task_queue.push(core.cur_task, self._until)


def _wake(*names):
    """Let these wake at the next point of their grids."""
    now = time.loop_ms()
    for name in names:
        entry = _parked.get(name)
        if entry and len(entry) == 3:
            task, following, period = entry
            at = following + max(0, -(-(now - following) // period)) * period
            core._task_queue.remove(task)
            core._task_queue.push(task, at)
            entry.append(at)
            if name == "guard":  # by which the button sees whether the program stood still
                _unit._button._due = at - now + time.ticks_ms()


def _make_up(name, entry):
    """A task is about to go on: what its left-out rounds would have left behind."""
    now = time.loop_ms()
    rounds = (now - entry[1]) // entry[2]
    watched = {"guard": "button", "show": "display"}.get(name, name)
    if watched in _WATCHED:
        _unit._watch.beat(watched)  # it beats in some rounds only, and the watch may look before
    if name == "rfid":
        _skip[name] = rounds % 32
    elif name == "show":
        _skip[name] = rounds % 40
    elif name == "presence" and rounds > 0:
        _radar_now(now)
        _skip[name] = rounds % 20


def _radar_now(now):
    """The radar's reports up to the last poll were read; the next ones are still to come."""
    model, driver = sensors._radar, _unit._seat._presence
    off = now - time.ticks_ms()
    before = (now - off - _POLL_MS) * 1000
    due = model._next_report
    if due <= before:
        due += ((before - due) // _REPORT_US + 1) * _REPORT_US
        model._next_report = due
    model._line.clear()
    model._inbox = b""
    read = -(-(due - _REPORT_US + _REPORT_LASTS_US) // 1000)
    driver._heard = now - off - (now - off - read) // _POLL_MS * _POLL_MS


# Who may sleep on, and for how long


def _senses_sleep(ms):
    if ms == 60:
        return _reader_sleep(ms)
    if ms == 50:
        return _presence_sleep(ms)
    if ms == 25 and not _unit._button.active:
        return _sleep_on("guard", ms, None)
    return core.sleep_ms(ms)


def _reader_sleep(ms):
    if _skip["rfid"] > 0:
        _skip["rfid"] -= 1
        return _at_once()
    busy = parts._cards or parts._rfid.fault or _unit._tags._presence._missed
    if busy or type(parts._rfid).__name__ != "MFRC522Model":  # a PN532's poll takes longer
        return core.sleep_ms(ms)
    return _sleep_on("rfid", ms, None, ms + 1)  # a poll of an empty field takes a millisecond


def _presence_sleep(ms):
    if _skip["presence"] > 0:
        _skip["presence"] -= 1
        return _at_once()
    sense = _unit._seat
    if len(sense._sensors) != 1 or sense._presence.chip != "radar" or sense._good[0] < 5:
        return core.sleep_ms(ms)
    if "radar" in _unit._chips.faults:  # it has passed its tests, and the next one says so
        return core.sleep_ms(ms)
    model, driver = sensors._radar, sense._presence
    under_way = model.fault or model._line or model._inbox or driver._count
    if under_way or driver.state > 3 or driver.state != model.state:
        return core.sleep_ms(ms)
    dues = _filter_dues(sense.seat)
    if not dues:
        settled = sense.seat.occupied == (driver.state != 0)
        return _sleep_on("presence", ms, None) if settled else core.sleep_ms(ms)
    due = min(dues) + time.loop_ms() - time.ticks_ms() - 4 * _POLL_MS  # then polls as usual
    return core.sleep_ms(ms) if due < time.loop_ms() else _sleep_on("presence", ms, due)


def _filter_dues(seat):
    """When the filters let through what they hold back (milliseconds of `port.ticks_ms`)."""
    settle, on, off = seat._filters
    if settle._candidate is not None:
        return [settle._since + settle._ms]
    return [
        stage._since + stage._ms
        for stage in (on, off)
        if stage._waiting and stage._output is not stage._value
    ]


def _unit_sleep(ms):
    if ms == 50:
        due = _front_due(True)
        return core.sleep_ms(50) if due == 0 else _sleep_on("tick", 50, due)
    if ms != 1000:
        return core.sleep_ms(ms)
    if core.cur_task is _tasks.get("tidy"):
        return core.sleep_ms(1000) if _has_to_tidy() else _sleep_on("tidy", 1000, None)
    _tasks.setdefault("main", core.cur_task)
    if core.cur_task is not _tasks["main"] or _unit._uptime.now() < _GOOD_MS:
        return core.sleep_ms(1000)
    for name in ("tick", "show", "tidy", "rfid", "presence", "guard", "link", "supervise"):
        if name not in _parked:
            return core.sleep_ms(1000)
    _hold(True)
    return _sleep_on("main", 1000, None)


def _panel_sleep(ms):
    if ms != 50:
        return core.sleep_ms(ms)
    if _skip["show"] > 0:
        _skip["show"] -= 1
        return _at_once()
    due = _front_due(False)
    if due == 0 or _DISPLAY not in circuit.i2c:
        return core.sleep_ms(ms)
    return _sleep_on("show", ms, due)


def _front_due(moves):
    """When time alone changes what is shown (milliseconds of the loop, None: never, 0: soon).

    With `moves` the ring's pictures count too; a pattern without an end stands still meanwhile.
    """
    now = _unit._uptime.now()
    for tap in _unit._taps._waiting:
        if tap[1] is not None:
            return 0
    face = _unit._face
    due = min(_word_ends(now), _link_ends(now))
    if moves:
        frames = _unit._panel._ring._frames
        blinks = len(frames) > 1 or face.marks(now) & 4
        passing = face._progress or face._verdict or face.unprotected
        if blinks and (passing or not frames[now // _FRAME_MS % len(frames)]):
            due = min(due, (now // _FRAME_MS + 1) * _FRAME_MS)
    return None if due >= now + _FAR_MS else due - now + time.loop_ms()


def _word_ends(now):
    """When what a person is shown is over; uptime, as all of these."""
    face, rest = _unit._face, _unit._rest
    ends = [now + _FAR_MS]
    if face._progress:
        ends.append(face._progress_until)
    if face._verdict:
        ends.append(face._verdict_until)
    if now < rest._until:
        ends.append(now + (rest._until - now - 1) % 60_000 + 1)  # minutes are counted down
    ends += [until for until in (_unit._enrol_until, rest._offered_until) if now < until]
    return min(ends)


def _link_ends(now):
    """When nobody has been able to hear a press for too long, or practice is over."""
    link, button, due = _unit._link, _unit._memory.button, now + _FAR_MS
    if not _unit._face.unprotected and not link.connected:
        due = min(due, link._lost_at + _UNPROTECTED_MS)
    if button.journal.waiting:
        due = min(due, button._progress + _UNPROTECTED_MS)
    at = _unit._wall.at(now)
    if 0 < at < _unit._mode[0]:
        due = min(due, now + _unit._mode[0] - at)
    return due


def _has_to_tidy():
    times, wall = _unit._memory.times, _unit._wall
    start = wall.at(0)
    moved = wall.quality != times._kept[1] or abs(start - times._kept[0]) >= 1000
    return (
        _erasing
        or _unit._known.unsaved
        or wall.quality > _unit._clock_set
        or (wall.quality and moved)
        or _unit._button.active
    )


def _link_sleep(ms):
    if ms == 500 and _link_is_calm():
        return _link_parks("link", ms)
    return core.sleep_ms(ms)


def _mqtt_sleep(ms):
    if ms == 1000 and _link_is_calm():
        return _link_parks("supervise", ms)
    return core.sleep_ms(ms)


def _link_is_calm():
    """Whether nothing goes on but keep-alives that are answered."""
    link = _unit._link
    if not (_calm and circuit.air_present and link.connected and _connection):
        return False
    if _connection._in_flight or _connection._pinged or link._state_at is None or link._acks:
        return False
    if _unit._uptime.now() - link._state_at >= _STATE_MS:
        return False
    return not any(lane.journal.waiting or lane._live for lane in link._lanes)


def _sleeps(name):
    """Whether a task sleeps on and was not called yet."""
    return len(_parked.get(name, ())) == 3


def _link_parks(name, ms):
    global _quiet
    sleep = _sleep_on(name, ms, None)
    if not _quiet and _sleeps("link") and _sleeps("supervise"):
        _quiet = True
        wire.tell('{"quiet":[1,0]}')
    return sleep


def stir_link():
    """The link may have something to do: its keep-alives so far are made up for."""
    global _quiet
    if not _quiet:
        _wake("link", "supervise")  # one of them may have gone to sleep already
        return
    _quiet = False
    link = _unit._link
    now = _unit._uptime.now()
    off = time.loop_ms() - now
    ticks = time.ticks_ms() - now
    state = link._state_at
    spoke, heard = _connection._spoke - ticks, _connection._heard - ticks
    following = _next_point(_parked["link"], state + _STATE_MS + off) - off
    if following < now:
        state = following + (now - following) // _STATE_MS * _STATE_MS
        link._state_at = spoke = state
        heard = state + _ROUND_TRIP_MS
    while True:
        ping = _next_point(_parked["supervise"], min(spoke, heard) + _QUIET_MS + off) - off
        if ping >= now:
            break
        spoke, heard = ping, ping + _ROUND_TRIP_MS
    _connection._spoke, _connection._heard = spoke + ticks, heard + ticks
    wire.tell('{"quiet":[0,%d]}' % time.site_us_of(spoke + off))
    _wake("link", "supervise")


def _next_point(entry, at):
    """The first point of a task's grid that is not before `at`."""
    return entry[1] - (entry[1] - at) // entry[2] * entry[2]


def _hold(held):
    """Whether the watchdog is held: nothing is there that could hang."""
    global _held
    if held != _held:
        _held = held
        wire.tell('{"held":%d}' % held)


# What wakes them


def stir():
    """Something has happened in the unit."""
    if _parked:
        _hold(False)
        _wake("tick", "show", "tidy", "main")


def told(what):
    """The world does something."""
    global _calm
    if "calm" in what:
        _calm = what["calm"]
    if not _unit:
        return
    if "air_in" in what or "air" in what or "calm" in what:
        stir_link()
        stir()
    elif "put" in what or "take" in what:
        _wake("rfid")
    elif "radar" in what or "seat" in what or "motion" in what:
        _wake("presence")
    elif "press" in what or "button" in what:
        _wake("guard")
    elif "fault" in what:
        stir_link()
        stir()
        _wake("rfid", "presence", "guard")


def _look(watch, look):
    now = time.ticks_ms()
    for name in _WATCHED:
        watch._beaten[name] = max(now if _rests(name) else 0, watch._beaten[name])
    look(watch)


def _rests(name):
    names = {"button": "guard", "display": "show"}
    return names.get(name, name) in _parked


def _wrap(owner, name, before):
    """Call `before(self)` before a method."""
    method = getattr(owner, name)

    def wrapped(self, *args):
        before(self)
        return method(self, *args)

    setattr(owner, name, wrapped)


def _know(unit):
    global _unit
    _unit = unit
    check = unit._hardware.display.check
    unit._hardware.display.check = lambda: None if _skip["show"] > 0 else check()
    reader = unit._hardware.reader
    look, uids = reader.check, reader.uids
    reader.check = lambda: None if _skip["rfid"] > 0 else look()
    reader.uids = lambda: _none() if _skip["rfid"] > 0 else uids()


async def _none():
    return []


def _greets(connection):
    global _connection, _quiet
    _connection = connection
    _quiet = False


def _appends(_lane):
    stir_link()
    stir()


def _tidies(lane, tidy):
    global _erasing
    done = tidy(lane)
    _erasing = bool(done) or (_erasing and lane.name == "ordinary")
    return done


def install():
    """Take the firmware's sleeps over; it must not run yet."""
    from desk_unit import button, lane, link, mqtt, panel, senses, unit, watch

    senses.sleep_ms = button.sleep_ms = _senses_sleep
    panel.sleep_ms = _panel_sleep
    unit.sleep_ms, link.sleep_ms, mqtt.sleep_ms = _unit_sleep, _link_sleep, _mqtt_sleep
    for name in _HAPPENINGS:
        _wrap(unit.Unit, name, lambda _unit: stir())
    _wrap(unit.Unit, "run", _know)
    _wrap(unit.Unit, "_tidy", lambda _unit: _tasks.update(tidy=core.cur_task))
    _wrap(link.Link, "_pause", lambda _link: stir())
    _wrap(mqtt.Connection, "greet", _greets)
    _wrap(lane.Lane, "append", _appends)
    tidy, look = lane.Lane.tidy, watch.Watch.look
    lane.Lane.tidy = lambda self: _tidies(self, tidy)
    watch.Watch.look = lambda self: _look(self, look)
