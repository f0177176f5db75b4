"""The presence sensors on the board, and whoever is before them.

One person is seen by all of them at once, each in its own way: the radar sees who is there, the
contact who sits, the PIR who moves. Whoever sits down moves for some seconds, and later a little
twice a minute.
"""

import time

import circuit
import wiring

_RADAR_BAUDS = 256_000
_STATES = ("none", "moving", "still", "both")
_SETTLES_US = 12_000_000
_STIRS_US = 30_000_000
_RADAR_FAULTS = {
    "missing": "silence",
    "stuck00": "silence",
    "stuckff": "silence",
    "noise": "noise",
    "truncated": "truncated",
}
_PIR_FAULTS = {"missing": "low", "stuck00": "low", "stuckff": "high"}
_SWITCH_FAULTS = {"missing": "high", "stuck00": "low", "stuckff": "high", "noise": "chatter"}

_radar = _pir = _switch = None
_state = "none"
_since = 0  # when it became so
_moves_until = 0  # beyond what the person does


def solder(chosen):
    """Connect these: "ld2410", "pir", "seat-switch". Only their models are loaded."""
    global _radar, _pir, _switch
    circuit.levels[wiring.SEAT_SWITCH] = 1  # the board's pull-up and pull-down
    circuit.levels[wiring.PIR] = 0
    if "ld2410" in chosen:
        from sim.chips.ld2410 import LD2410Model

        _radar = LD2410Model(time.ticks_us)  # 64-bit ticks don't wrap
        circuit.uart[wiring.RADAR_RX] = (_radar, _RADAR_BAUDS)
        circuit.levels[wiring.RADAR_OUT] = _radar.out
    if "pir" in chosen:
        from sim.chips.pir import PIRModel

        _pir = PIRModel(time.ticks_us)
        circuit.levels[wiring.PIR] = _movement
    if "seat-switch" in chosen:
        from sim.chips.seat_switch import SeatSwitchModel

        _switch = SeatSwitchModel(time.ticks_us)
        circuit.levels[wiring.SEAT_SWITCH] = _switch


def person(state, cm):
    """Nobody ("none"), or somebody who walks ("moving"), sits ("still") or both, so far away."""
    global _state, _since
    _state, _since = state, time.ticks_us()
    if _radar:
        _radar.target(_STATES.index(state), cm, 60 if state != "none" else 0)
    if _switch:
        _switch.sit(_sits())


def motion(ms):
    """Something moves before the PIR for so long, whoever is there."""
    global _moves_until
    _moves_until = time.ticks_add(time.ticks_us(), ms * 1000)


def seat(taken):
    """The contact under the seat alone: a bag is put on it, or what closed it is taken away."""
    if _switch:
        _switch.sit(taken)


def next_movement(now):
    """In how many microseconds the person moves, who sits still now; None for never."""
    lasted = time.ticks_diff(now, _since)
    if _stirs(lasted):
        return 0
    return _STIRS_US - lasted % _STIRS_US if _sits() else None


def skip_reports():
    """The radar's reports that were due meanwhile, but for the last of them, were never sent."""
    if _radar:
        _radar.skip()
        _radar.any()


def fault(chip, kind):
    """Break a sensor, or with "none" mend it; False if it is none of these."""
    if chip == "ld2410":
        _radar.fault = None
        if kind == "stuck00":
            _radar.inject(b"\0")  # a line that stays low is one long break
        _radar.fault = _RADAR_FAULTS.get(kind)
    elif chip == "pir":
        _pir.fault = _PIR_FAULTS.get(kind)
    elif chip == "seat-switch":
        _switch.fault = _SWITCH_FAULTS.get(kind)
    else:
        return False
    return True


def _sits():
    return _state in ("still", "both")


def _movement():
    now = time.ticks_us()
    if time.ticks_diff(_moves_until, now) > 0 or _stirs(time.ticks_diff(now, _since)):
        _pir.move()
    return _pir()


def _stirs(us):
    """Does the person move, so long after becoming as they are?"""
    if _state in ("moving", "both"):
        return True
    return _sits() and (us < _SETTLES_US or us % _STIRS_US < 1_000_000)
