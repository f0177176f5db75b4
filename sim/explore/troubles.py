"""What goes wrong in a story by chance: every fault of the catalogue that virtual time can tell."""

import random
from collections.abc import Callable

from host_bridge.faultpoint import POINTS
from sim.explore.plan import Line, wait
from sim.faults.catalogue import CATALOGUE, Fault

Lines = tuple[Line, ...]
Make = Callable[["Dice", Fault, str], Lines]

_CHIPS = {"SPI": "reader", "UART": "radar", "I2C": "display"}
_POWER = ("the power of {} is cut", "the power of {} is back")
_NETWORK = ("the network of {} is lost", "the network of {} is back")


class Dice(random.Random):
    """Dice that know how long things last."""

    def spread(self, least: float, most: float) -> float:
        """As many short times as long ones: evenly in the logarithm."""
        return float(least * (most / least) ** self.random())

    def timed(self, text: str, least: float, most: float) -> Line:
        """A sentence that lasts."""
        return Line(text, round(self.spread(least, most), 1), "s")

    def counted(self, text: str, least: int, most: int) -> Line:
        """A sentence with a number."""
        return Line(text, self.randint(least, most), "times")

    def pause(self, begins: str, ends: str, longest: float) -> Lines:
        """Something begins, and ends again."""
        return Line(begins), wait(self.spread(0.3, longest)), Line(ends)


def both(lines: tuple[str, str], desk: str) -> tuple[str, str]:
    """How something begins and ends, at a desk."""
    begins, ends = lines
    return begins.format(desk), ends.format(desk)


def again(desk: str) -> Lines:
    """The power of a desk fails for a moment."""
    cut, back = map(Line, both(_POWER, desk))
    return cut, wait(1), back


def trouble(dice: Dice, desk: str) -> Lines:
    """One fault of the catalogue by chance, at a desk or on the host."""
    names = list(TROUBLES)
    weights = [TROUBLES[name][0] for name in names]
    return told(dice, dice.choices(names, weights)[0], desk)


def told(dice: Dice, name: tuple[str, str], desk: str) -> Lines:
    """The fault of this place and name."""
    return TROUBLES[name][1](dice, _FAULTS[name], desk)


def dark_hour(dice: Dice, desk: str, crowd: Line) -> Lines:
    """Nobody listens, much happens, and the power fails too: all that there is is in flash."""
    (cut, back), (lost, found) = both(_POWER, desk), both(_NETWORK, desk)
    pause = wait(dice.spread(1, 60))
    return Line(lost), crowd, Line(cut), pause, Line(back), pause, Line(found)


def _flash_cut(dice: Dice, _fault: Fault, desk: str) -> Lines:
    count = round(dice.spread(1, 3000))
    fails = Line(f"the power of {desk} fails after {{}} more bytes of flash", count, "bytes")
    cut, back = map(Line, both(_POWER, desk))
    # Cut in the end: less may have been written.
    return fails, wait(dice.spread(1, 120)), cut, wait(dice.spread(0.3, 10)), back


def _flash(_dice: Dice, fault: Fault, desk: str) -> Lines:
    """For good: nobody mends flash. The start shows what is left."""
    return (Line(fault.sentence.replace("A1", desk)), *again(desk))


def _chip(dice: Dice, fault: Fault, desk: str) -> Lines:
    chip = _CHIPS[fault.place]
    return dice.pause(fault.sentence.replace("A1", desk), f"the {chip} of {desk} is mended", 120)


def _lost(dice: Dice, _fault: Fault, desk: str) -> Lines:
    return dice.pause(*both(_NETWORK, desk), 400)


def _loss(dice: Dice, _fault: Fault, desk: str) -> Lines:
    share = dice.choice((5, 30, 60))
    return (dice.timed(f"during {{}} the radio of {desk} loses {share} %", 1, 120),)


def _delay(dice: Dice, _fault: Fault, desk: str) -> Lines:
    late = dice.choice((100, 800, 4000))
    return (dice.timed(f"during {{}} the radio of {desk} is late by {late} ms", 1, 120),)


def _relay_dies(dice: Dice, _fault: Fault, _desk: str) -> Lines:
    dies = Line(f"the relay is restarted to die at {dice.choice(POINTS)}")
    killed, started = Line("the relay is killed"), Line("the relay is started")
    # Killed in the end: it may not have come to that point.
    return dies, wait(dice.spread(1, 120)), killed, started


def _killed(dice: Dice, _fault: Fault, _desk: str) -> Lines:
    part = dice.choice(("relay", "director"))
    return dice.pause(f"the {part} is killed", f"the {part} is started", 300)


def _hangs(dice: Dice, _fault: Fault, _desk: str) -> Lines:
    return (dice.timed(f"the {dice.choice(('relay', 'director'))} hangs for {{}}", 1, 120),)


def _clock_jump(dice: Dice, _fault: Fault, _desk: str) -> Lines:
    return (
        dice.timed(f"the host's clock jumps {dice.choice(('ahead', 'back'))} by {{}}", 1, 21600),
    )


def _rate(dice: Dice, most: int) -> str:
    return f"{dice.randint(1, most)} ppm {dice.choice(('fast', 'slow'))}"


def _host_drifts(dice: Dice, _fault: Fault, _desk: str) -> Lines:
    return dice.pause(
        f"the host's clock runs {_rate(dice, 500)}", "the host's clock runs right", 3600
    )


def _unit_drifts(dice: Dice, _fault: Fault, desk: str) -> Lines:
    return (Line(f"the clock of {desk} runs {_rate(dice, 50)}"), *again(desk))


def _wrap(dice: Dice, _fault: Fault, desk: str) -> Lines:
    return (dice.timed(f"{desk} starts again {{}} before its ticks wrap", 1, 120),)


def _lasting(text: str, least: float, most: float) -> Make:
    return lambda dice, _fault, desk: (dice.timed(text.replace("A1", desk), least, most),)


def _while(begins: str, ends: str, longest: float) -> Make:
    return lambda dice, _fault, _desk: dice.pause(begins, ends, longest)


def _once(_dice: Dice, fault: Fault, desk: str) -> Lines:
    return (Line(fault.sentence.replace("A1", desk)),)


_FAULTS = {(fault.place, fault.name): fault for fault in CATALOGUE}

TROUBLES: dict[tuple[str, str], tuple[float, Make]] = {
    ("flash", "cut"): (3, _flash_cut),
    ("flash", "worn"): (0.4, _flash),
    ("flash", "dead"): (0.4, _flash),
    ("flash", "rotten"): (0.4, _flash),
    ("flash", "small"): (0.4, _flash),
    ("SPI", "missing"): (0.3, _chip),
    ("SPI", "stuck at FF"): (0.3, _chip),
    ("SPI", "noisy"): (0.3, _chip),
    ("UART", "noisy"): (0.3, _chip),
    ("UART", "truncated"): (0.3, _chip),
    ("UART", "missing"): (0.3, _chip),
    ("I2C", "missing"): (0.3, _chip),
    ("radio", "lost"): (3, _lost),
    ("radio", "loss"): (0.7, _loss),
    ("radio", "delay"): (0.7, _delay),
    ("radio", "half-open"): (0.7, _once),
    ("radio", "roaming"): (0.7, _lasting("the radio of A1 roams for {}", 0.3, 60)),
    ("broker", "kill"): (1, _while("the broker is killed", "the broker is started", 300)),
    ("broker", "restart"): (1, _once),
    ("broker", "stall"): (1, _lasting("the broker stalls for {}", 1, 120)),
    ("broker", "slow"): (0.5, _lasting("the broker is slow for {}", 1, 60)),
    ("broker", "full"): (0.7, _while("the broker is full", "the broker has room again", 120)),
    ("broker", "any order"): (
        1, _lasting("the broker delivers twice and in any order for {}", 1, 300),
    ),
    ("database", "locked"): (1, _lasting("the database is locked for {}", 1, 90)),
    ("database", "slow"): (0.7, _lasting("the database is slow for {}", 1, 60)),
    ("database", "disk full"): (0.7, _lasting("the disk is full for {}", 1, 90)),
    ("process", "kill"): (2, _killed),
    ("process", "hang"): (1, _hangs),
    ("process", "at a fault point"): (4, _relay_dies),
    ("clock", "jump"): (0.7, _clock_jump),
    ("clock", "host drifts"): (0.4, _host_drifts),
    ("clock", "unit drifts"): (0.4, _unit_drifts),
    ("clock", "wrap"): (0.7, _wrap),
}  # fmt: skip
"""(Place, name) in the catalogue -> how often it is drawn, and its sentences."""
