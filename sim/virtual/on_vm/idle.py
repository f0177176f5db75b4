"""Leaves out what changes nothing: polls that would see what the last one saw, and keep-alives.

The unit does the same things at the same moments as without; a test holds the facts of both
against each other. What is not the same: a ring pattern without an end stands still meanwhile, the
retained state that a unit says every 30 s is not said, and the console does not list calls that
nobody took. How rounds are left out: `sim/board/rounds.py`; which of them: its neighbours.
"""

import time
from asyncio import core

import quiet
import quiet_front
import quiet_link
import rounds
import wire

_GOOD_MS = 62_000
_WATCHED = ("button", "tick", "tidy", "link", "rfid", "presence", "display")
_RESTING = ("tick", "show", "tidy", "rfid", "presence", "guard")
_REST = {"button": ("guard",), "display": ("show",), "link": ("link", "redial")}

_stand_still_ms = time.sleep_ms
_tasks = {}
_erasing = False
_held = False


def stir():
    """Something has happened in the unit."""
    if rounds.parked:
        _hold(False)
        rounds.wake("tick", "show", "tidy", "main")


def told(what):
    """The world does something."""
    if "broker" in what:
        quiet_link.broker(what["broker"])
    if "calm" in what:
        quiet_link.calm = what["calm"]
    if not rounds.unit:
        return
    if "air_in" in what or "air" in what or "calm" in what:
        quiet_link.dial()
        quiet_link.stir()
        stir()
    elif "fault" in what:
        quiet_link.stir()
        stir()
    quiet.touched(what)


def _block_ms(ms):
    """The program stands still: whoever would wake meanwhile wakes late, and counts on from there.

    A reader that is started again and again does that, for tens of milliseconds.
    """
    if rounds.unit and rounds.parked:
        quiet_link.dial()
        quiet_link.stir()
        stir()
        rounds.wake("rfid", "presence", "guard")
    _stand_still_ms(ms)


def relive(task, at):
    """Let a task do what it would have begun at `at`, a moment before now, up to now."""
    now, running = time.site_us(), core.cur_task
    core.cur_task = task
    while time.site_us_of(at) < now:
        time.go_back(time.site_us_of(at))
        task.coro.send(None)  # it falls asleep in it, and so is queued
        at = task.ph_key
        core._task_queue.remove(task)
    core._task_queue.push(task, at)
    core.cur_task = running
    time.go_back(now)


def _unit_sleep(ms):
    if ms == 50:
        return quiet_front.tick_sleep_ms(ms)
    if ms != 1000:
        return core.sleep_ms(ms)
    if core.cur_task is _tasks.get("tidy"):
        return core.sleep_ms(ms) if _has_to_tidy() else rounds.sleep_on("tidy", ms)
    _tasks.setdefault("main", core.cur_task)
    if core.cur_task is _tasks["main"] and _rest_all():
        _hold(True)
        return rounds.sleep_on("main", ms)
    return core.sleep_ms(ms)


def _rest_all():
    """Whether nobody is left whom the watchdog would have to watch."""
    if rounds.unit._uptime.now() < _GOOD_MS or not quiet_link.rests():
        return False
    return all(name in rounds.parked for name in _RESTING)


def _has_to_tidy():
    unit = rounds.unit
    times, wall = unit._memory.times, unit._wall
    start = wall.at(0)
    moved = wall.quality != times._kept[1] or abs(start - times._kept[0]) >= 1000
    return (
        _erasing
        or unit._known.unsaved
        or wall.quality > unit._clock_set
        or (wall.quality and moved)
        or unit._button.active
    )


def _hold(held):
    """Whether the watchdog is held: nothing is there that could hang."""
    global _held
    if held != _held:
        _held = held
        wire.tell('{"held":%d}' % held)


def _look(watch, look):
    now = time.ticks_ms()
    for name in _WATCHED:
        rests = any(each in rounds.parked for each in _REST.get(name, (name,)))
        watch._beaten[name] = max(now if rests else 0, watch._beaten[name])
    look(watch)


def _fails(link):
    if quiet_link.pauses(link):
        stir()


def _appends(_lane):
    quiet_link.stir()
    stir()


def _tells_state(_unit):
    quiet_link.works()


def _tidies(lane, tidy):
    global _erasing
    done = tidy(lane)
    _erasing = bool(done) or (_erasing and lane.name == "ordinary")
    return done


def install(broker, steady):
    """Take the firmware's sleeps over; it must not run yet.

    Whether the `broker` runs, and whether the unit's clock is `steady`: as fast as the site's.
    """
    time.sleep_ms = _block_ms  # before the firmware asks for it
    from desk_unit import lane, link, mqtt, unit, watch

    rounds.exact, rounds.relive, rounds.upcoming = True, relive, time.upcoming_ms
    quiet_link.listens, quiet_link.steady = broker, steady
    rounds.made_up["tidy"] = lambda _grid, _at: rounds.unit._watch.beat("tidy")
    quiet.install(stir)
    unit.sleep_ms = _unit_sleep
    link.sleep_ms, mqtt.sleep_ms = quiet_link.link_sleep_ms, quiet_link.mqtt_sleep_ms
    rounds.wrap(unit.Unit, "state", _tells_state)
    rounds.wrap(unit.Unit, "_tidy", lambda _unit: _tasks.update(tidy=core.cur_task))
    rounds.wrap(link.Link, "_pause", _fails)
    rounds.wrap(mqtt.Connection, "greet", quiet_link.greets)
    rounds.wrap(lane.Lane, "append", _appends)
    tidy, look = lane.Lane.tidy, watch.Watch.look
    lane.Lane.tidy = lambda self: _tidies(self, tidy)
    watch.Watch.look = lambda self: _look(self, look)
