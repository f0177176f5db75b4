"""When the link may be left out: keep-alives that are answered, calls that nobody takes.

While the link is calm, pings and the state that is repeated are left out; what they would have
noted is made up for when somebody stirs the link. While the broker is known not to run, a unit
that calls again and again is refused each time: these calls are left out too, with the same chance
spent on the pauses between them.
"""

import time
from asyncio import core

import air
import circuit
import rounds
import wire

_STATE_MS = 30_000
_QUIET_MS = 15_000

calm = True
"""Whether the broker answers what it is asked."""

listens = True
"""Whether there is a broker to call."""

steady = True
"""Whether a millisecond of the unit's is one of the site's."""

_connection = None
_grids = {}
_quiet = False
_pauses = False
_was_connected = False


def link_sleep_ms(ms):
    """In place of the link's sleeps."""
    global _pauses
    if _pauses:
        _pauses = False
        return _pause(ms)
    if ms == 500 and _is_calm():
        return _sleep_on("link", ms)
    return core.sleep_ms(ms)


def mqtt_sleep_ms(ms):
    """In place of the sleep between two looks at the connection."""
    return _sleep_on("supervise", ms) if ms == 1000 and _is_calm() else core.sleep_ms(ms)


def greets(connection):
    """A new connection says hello."""
    global _connection, _quiet
    _connection = connection
    _quiet = False


def pauses(_link):
    """The link has failed, and waits before it calls again; whether it was connected before."""
    global _pauses, _was_connected
    _pauses = True
    was, _was_connected = _was_connected, False
    return was


def works():
    """The unit has told its state: it is connected."""
    global _was_connected
    _was_connected = True


def rests():
    """Whether the link leaves out what it can, or is not connected."""
    parked = rounds.parked
    return not rounds.unit._link.connected or ("link" in parked and "supervise" in parked)


def _is_calm():
    """Whether nothing goes on but keep-alives that are answered."""
    link = rounds.unit._link
    if not (calm and circuit.air_present and link.connected and _connection):
        return False
    if _connection._in_flight or _connection._pinged or link._state_at is None or link._acks:
        return False
    if rounds.unit._uptime.now() - link._state_at >= _STATE_MS:
        return False
    return not any(lane.waiting or lane._live for lane in link._lanes)


def _sleep_on(name, ms):
    global _quiet
    sleep = rounds.sleep_on(name, ms)
    _grids[name] = rounds.parked[name][1]
    if not _quiet and rounds.sleeps("link") and rounds.sleeps("supervise"):
        _quiet = True
        wire.tell('{"quiet":[1,0]}')
    return sleep


def stir():
    """The link may have something to do: its keep-alives so far are made up for."""
    global _quiet
    if not _quiet:
        rounds.wake("link", "supervise")  # one of them may have gone to sleep already
        return
    _quiet = False
    link, unit = rounds.unit._link, rounds.unit
    now = unit._uptime.now()
    off = time.loop_ms() - now
    ticks = time.ticks_ms() - now
    round_trip = air.round_trip_us // 1000
    looks, pings = _grids["link"], _grids["supervise"]
    state = link._state_at
    spoke, heard = _connection._spoke - ticks, _connection._heard - ticks
    following = looks.next(state + _STATE_MS + off) - off
    if following < now:
        state = following + (now - following) // _STATE_MS * _STATE_MS
        link._state_at = spoke = state
        heard = state + round_trip
    while True:
        ping = pings.next(min(spoke, heard) + _QUIET_MS + off) - off
        if ping >= now:
            break
        spoke, heard = ping, ping + round_trip
    _connection._spoke, _connection._heard = spoke + ticks, heard + ticks
    wire.tell('{"quiet":[0,%d]}' % time.site_us_of(spoke + off))
    rounds.wake("link", "supervise")


def _made_up(_grid, _at):
    rounds.unit._watch.beat("link")
    if _quiet:  # after days it goes on by itself
        stir()


rounds.made_up["link"] = rounds.made_up["supervise"] = _made_up


# Calls that nobody takes


def broker(runs):
    """Whether there is somebody to call from now on."""
    global listens
    dial()
    listens = runs


def dial():
    """Whoever waits before the next call goes on: calls so far were refused."""
    entry = rounds.parked.pop("redial", None)
    if not entry:
        return
    task, at = entry
    backoff, now = rounds.unit._link._backoff, time.site_us()
    while time.site_us_of(at) + air.round_trip_us // 2 <= now:
        at += air.round_trip_us // 1000 + backoff.next()
    core._task_queue.remove(task)
    if time.site_us_of(at) < now:  # that call is still on its way to the broker
        air.called_us = time.site_us_of(at)
        at = time.loop_ms()
    core._task_queue.push(task, at)


def _pause(ms):
    usual = steady and air.refused_after == air.round_trip_us  # the last call was
    if listens or not (usual and calm and rounds.unit._link._wire.network.is_up()):
        return core.sleep_ms(ms)
    # Entered as its one point: chance is spent on the others when they are known to have passed.
    rounds.parked["redial"] = [core.cur_task, core.ticks() + ms]
    return rounds.Sleep("redial", core.ticks() + rounds.FAR_MS)
