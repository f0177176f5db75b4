"""Every fault by name: what it is, how a story says it, and the story that shows that it bites.

The control port, the workbench, `chequer simulate --faults` and docs/simulator.md take theirs from
here. A fault on the control port has a chip and a kind, see `sim.world.FAULTS`.
"""

from typing import Literal

import msgspec


class Fault(msgspec.Struct, frozen=True):
    """One fault.

    Attributes:
        place: where data changes hands.
        name: what goes wrong there.
        explains: what happens then.
        sentence: how a story says it.
        story: the file in `sim/scenarios` that shows that it bites and that nothing is lost.
        told: in which time it can be told.
    """

    place: str
    name: str
    explains: str
    sentence: str
    story: str
    told: Literal["both", "real", "virtual"] = "both"


CATALOGUE = (
    Fault(
        "flash", "cut", "power fails at a byte that is being written",
        "the power of A1 fails after 40 more bytes of flash", "power-cut-in-flash",
    ),
    Fault(
        "flash", "worn", "the block that is being written keeps nothing any more",
        "the flash of A1 is worn", "worn-flash",
    ),
    Fault(
        "flash", "dead", "the block that the journal comes to next keeps nothing",
        "the flash of A1 is dead further on", "dead-flash-block",
    ),
    Fault(
        "flash", "rotten", "a bit turns over in the first fact that a new unit has written",
        "the flash of A1 is rotten", "rotten-flash",
    ),
    Fault(
        "flash", "small", "from the next start on there is room for some twenty facts",
        "the flash of A1 is small", "full-flash",
    ),
    Fault(
        "SPI", "missing", "the reader's line stays low", "the reader of A1 is missing",
        "reader-missing",
    ),
    Fault(
        "SPI", "stuck at FF", "the reader's line stays high", "the reader of A1 is stuck at FF",
        "stuck-reader",
    ),
    Fault(
        "SPI", "noisy", "bytes to and from the reader are replaced by others",
        "the reader of A1 is noisy", "stuck-reader",
    ),
    Fault(
        "UART", "noisy", "bytes from the radar are replaced by others", "the radar of A1 is noisy",
        "radar-noise",
    ),
    Fault(
        "UART", "truncated", "the radar's frames are cut off", "the radar of A1 is truncated",
        "radar-noise",
    ),
    Fault(
        "UART", "missing", "the radar is silent", "the radar of A1 is missing", "stuck-radar",
    ),
    Fault(
        "I2C", "missing", "the display answers nothing", "the display of A1 is missing",
        "display-missing",
    ),
    Fault(
        "radio", "lost", "no byte passes, nobody is told", "the network of A1 is lost",
        "press-without-network",
    ),
    Fault(
        "radio", "loss", "so many packets of a hundred are lost and sent again, later each time",
        "during 5 s the radio of A1 loses 30 %", "bad-radio",
    ),
    Fault(
        "radio", "delay", "every byte is late, in both directions",
        "during 5 s the radio of A1 is late by 800 ms", "bad-radio",
    ),
    Fault(
        "radio", "half-open", "connections carry nothing any more, new ones do",
        "the connections of A1 are half open", "half-open-connection",
    ),
    Fault(
        "radio", "roaming", "away for a while; what was connected before is half open afterwards",
        "the radio of A1 roams for 2 s", "roaming",
    ),
    Fault("broker", "kill", "gone at once, with all it held", "the broker is killed",
          "press-without-broker"),
    Fault("broker", "restart", "gone, and back knowing nothing", "the broker is restarted",
          "broker-restart"),
    Fault("broker", "stall", "holds its connections and does nothing", "the broker stalls for 5 s",
          "broker-stall"),
    Fault("broker", "slow", "works one moment in a hundred", "the broker is slow for 5 s",
          "slow-broker"),
    Fault(
        "broker", "full", "says that it has a message, and throws away what nobody takes at once",
        "the broker is full", "full-broker",
    ),
    Fault(
        "broker", "any order", "delivers what units report in any order, and some of it twice",
        "the broker delivers twice and in any order for 60s", "duplicated-and-reordered-delivery",
        "virtual",
    ),
    Fault("database", "locked", "nobody can write", "the database is locked for 6 s",
          "database-locked"),
    Fault("database", "slow", "others hold it nine tenths of the time",
          "the database is slow for 6 s", "database-outage"),
    Fault("database", "disk full", "the relay can write nothing", "the disk is full for 6 s",
          "database-outage"),
    Fault(
        "clock", "jump", "somebody sets the host's clock",
        "the host's clock jumps back by 64800ms", "host-clock-drift", "virtual",
    ),
    Fault(
        "clock", "host drifts", "nobody sets the host's clock right",
        "the host's clock runs 500 ppm fast", "host-clock-drift", "virtual",
    ),
    Fault(
        "clock", "unit drifts", "a unit's crystal is off", "the clock of A1 runs 40 ppm fast",
        "unit-clock-drift", "virtual",
    ),
    Fault(
        "clock", "wrap", "a unit's count of milliseconds begins again at 0",
        "A1 starts again 15s before its ticks wrap", "ticks-wrap",
    ),
    Fault("process", "kill", "a part of the host is gone at once", "the relay is killed",
          "press-with-dead-relay"),
    Fault("process", "hang", "a part of the host does nothing and closes nothing",
          "the relay hangs for 6 s", "hanging-relay"),
    Fault("process", "at a fault point", "the relay dies at a named point of its work",
          "the relay is restarted to die at relay.after-commit", "relay-crash-anywhere"),
)  # fmt: skip
"""All there are, by the place where they happen."""


def listing() -> list[str]:
    """A line for each."""
    width = max(len(f"{each.place}: {each.name}") for each in CATALOGUE)
    return [
        f"{f'{each.place}: {each.name}':{width}}  {each.explains}{_only(each)}"
        for each in CATALOGUE
    ]


def _only(fault: Fault) -> str:
    return "" if fault.told == "both" else f" (in {fault.told} time only)"
