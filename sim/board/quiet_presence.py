"""When polls of the presence sensors may be left out: they say what they said, and filters rest.

The radar's reports that a left-out poll would have read were never sent. Whoever sits moves for a
second twice a minute, which a PIR sees: then, and as long as it holds its output, it is polled.
"""

import time
from asyncio import core

import rounds
import sensors

_POLL_MS = 50
_GOOD_CHECKS = 5
_WINDOW_MS = 10_000
_REPORT_US = 100_000
_REPORT_LASTS_US = 900

_present = None
"""What the sensors said last, all together."""


def sleep_ms(ms):
    """In place of the sleep between two polls."""
    wait = _wait(rounds.unit._seat)
    return core.sleep_ms(ms) if wait == 0 else rounds.sleep_on("presence", ms, wait)


def know(seat):
    """Hear what the sensors say to the seat."""
    feed = seat.feed

    def heard(present, now):
        global _present
        _present = present
        return feed(present, now)

    seat.feed = heard


def _wait(sense):
    """In how many milliseconds a poll may see something new; 0 for the next, None for never."""
    faults = rounds.unit._chips.faults
    if min(sense._good) < _GOOD_CHECKS or any(each.chip in faults for each in sense._sensors):
        return 0
    waits = [_SENSORS[each.chip](each) for each in sense._sensors]
    if 0 in waits:
        return 0
    held = _held_back(sense)
    if not held and sense.seat.occupied != _present:
        return 0
    # Before a filter lets something through there are some polls as usual.
    waits += [max(0, due - time.ticks_ms() - 4 * _POLL_MS) for due in held]
    waits = [wait for wait in waits if wait is not None]
    return min(waits) if waits else None


def _held_back(sense):
    """When filters let through what they hold back (milliseconds of `port.ticks_ms`)."""
    settle, on, off = sense.seat._filters
    delays = [on, off]
    if hasattr(sense._presence, "_steady"):
        delays += [sense._presence._steady, sense._presence._still]
    dues = [each._since + each._ms for each in delays if _holds(each)]
    if settle._candidate is not None:
        dues.append(settle._since + settle._ms)
    return dues


def _holds(delay):
    return delay._waiting and delay._output is not delay._value


def _radar(driver):
    model = sensors._radar
    under_way = model.fault or model._line or model._inbox or driver._count
    return 0 if under_way or driver.state > 3 or driver.state != model.state else None


def _pir(driver):
    model, now = sensors._pir, time.ticks_us()
    if model.fault or not driver._warm or driver._moving or driver._stuck:
        return 0
    if now < max(model._warm_at, model._until, sensors._moves_until):
        return 0
    moves = sensors.next_movement(now)
    return None if moves is None else moves // 1000


def _switch(driver):
    model = sensors._switch
    if model.fault or time.ticks_us() < model._quiet_at or driver._closed != model._taken:
        return 0
    if driver._changes or driver._chatters or driver._stuck:
        return 0
    return driver._since + driver._stuck_ms - time.ticks_ms() if driver._closed else None


_SENSORS = {"radar": _radar, "pir": _pir, "seat-switch": _switch}
"""Chip -> in how many milliseconds it may say something new; 0 for soon, None for never."""


def _made_up(grid, at):
    count = grid.count(at)
    rounds.unit._watch.beat("presence")
    if not rounds.exact:
        sensors.skip_reports()
    elif count:
        due = time.ticks_ms() - core.ticks_diff(core.ticks(), at)
        for each in rounds.unit._seat._sensors:
            if each.chip == "radar":
                _radar_now(each, due)
            elif each.chip == "seat-switch":
                _switch_now(each, due)
        rounds.unit._seat._polls += count


def _radar_now(driver, now):
    """The radar's reports up to the last poll were read; the next ones are still to come."""
    model = sensors._radar
    before = (now - _POLL_MS) * 1000
    due = model._next_report
    if due <= before:
        due += ((before - due) // _REPORT_US + 1) * _REPORT_US
        model._next_report = due
    model._line.clear()
    model._inbox = b""
    read = -(-(due - _REPORT_US + _REPORT_LASTS_US) // 1000)
    driver._heard = now - (now - read) // _POLL_MS * _POLL_MS


def _switch_now(driver, now):
    """The contact's changes are counted from ten seconds to ten seconds."""
    last = now - _POLL_MS
    if last - driver._window >= _WINDOW_MS:
        first = last - (last - driver._window - _WINDOW_MS) // _POLL_MS * _POLL_MS
        driver._window = first + (last - first) // _WINDOW_MS * _WINDOW_MS


rounds.made_up["presence"] = _made_up
