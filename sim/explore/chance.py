"""A story by chance: who does what when at which desk, and what goes wrong meanwhile."""

import random
from collections.abc import Callable

from host_bridge.faultpoint import POINTS
from sim.explore.plan import Happening, Line, Plan, wait
from sim.scenario.site import People

AGENTS = ["Anna", "Ben", "Cleo"]
_DESKS = ("A1", "A2", "B1")
_MINUTES = (1.0, 75.0)
_NEAR_S = 4.0
_DEFECTS = (
    ("reader", "missing"),
    ("reader", "stuck at 00"),
    ("reader", "stuck at FF"),
    ("reader", "noisy"),
    ("radar", "missing"),
    ("radar", "noisy"),
    ("radar", "truncated"),
    ("display", "missing"),
)
_MESSES = ("garbage", "fact of another unit")
"""Not "an unknown type": it says that it is number 900, and the host rightly misses the rest."""

_POWER = ("the power of {} is cut", "the power of {} is back")
_NETWORK = ("the network of {} is lost", "the network of {} is back")


def plan(seed: int) -> Plan:
    """The story of a seed; the same for ever, on every machine."""
    return _Chance(seed).plan()


class _Chance:
    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._dice = random.Random(f"story {seed}")  # noqa: S311 (a story, no secret)
        count = self._dice.choices((1, 2, 3), (7, 3, 1))[0]
        self._desks = _DESKS[:count]
        self._seconds = self._spread(*_MINUTES) * 60
        self._moments: list[float] = []

    def plan(self) -> Plan:
        happenings: list[Happening] = []
        for rank, desk in enumerate(self._desks):
            happenings += self._life(desk, AGENTS[rank])
        self._moments = [each.at for each in happenings]
        for _ in range(self._dice.choices((0, 1, 2, 3, 4, 5, 6), (1, 4, 5, 4, 3, 2, 1))[0]):
            happenings.append(self._fault())
        return Plan(
            seed=self._seed,
            badge_in=self._dice.choice(("headset", "headset", "badge-then-headset")),
            desks=self._desks,
            people=People(agents=AGENTS, cleaners=["Vera"], strangers=["Sam"]),
            happenings=tuple(sorted(happenings, key=lambda each: each.at)),
        )

    # What people do

    def _life(self, desk: str, who: str) -> list[Happening]:
        """What happens at one desk, one thing after the other: there is one pair of hands."""
        count = self._dice.randint(2, 8)
        free, life = 2.0, []
        for at in sorted(self._dice.uniform(2.0, self._seconds) for _ in range(count)):
            begins = round(max(at, free), 1)
            happening = Happening(begins, self._deed(desk, who))
            free = happening.ends + self._dice.choice((0.3, 1.0, 5.0))
            life.append(happening)
        return life

    def _deed(self, desk: str, who: str) -> tuple[Line, ...]:
        dice, other = self._dice, self._dice.choice(AGENTS)
        deeds: list[tuple[float, Callable[[], tuple[Line, ...]]]] = [
            (4, lambda: (Line(f"{who} presses the button at {desk}"),)),
            (1, lambda: (self._timed(f"{who} holds the button at {desk} for {{}}", 1.5, 5),)),
            (1, lambda: (self._counted(f"{who} hammers the button at {desk} {{}} times", 2, 12),)),
            (3, lambda: self._arrives(desk, who)),
            (2, lambda: (Line(f"{who} leaves {desk}"), wait(1.5))),
            (1, lambda: (Line(f"{who} gets up from {desk}"),)),
            (1, lambda: (Line(f"{who} taps {other}'s headset at {desk}"), wait(1))),
            (1, lambda: (Line(f"Sam taps his headset at {desk}"), wait(1))),
            (1, lambda: (Line(f"Vera cleans {desk}"), wait(1))),
            (1, lambda: (self._timed(f"somebody passes by {desk} for {{}}", 1, 20),)),
            (0.7, lambda: (self._crowd(desk),)),
        ]
        return dice.choices([deed for _, deed in deeds], [weight for weight, _ in deeds])[0]()

    def _arrives(self, desk: str, who: str) -> tuple[Line, ...]:
        return (Line(f"{who} badges in at {desk}"), wait(1.5), Line(f"{who} sits down at {desk}"))

    def _crowd(self, desk: str) -> Line:
        """Many facts: what fills more than a page of the journal when nobody listens."""
        count = self._dice.randint(12, 60)
        return Line("repeat {} times every 2s", count, "times", f"Sam taps his headset at {desk}")

    # What goes wrong

    def _fault(self) -> Happening:
        dice, desk = self._dice, self._dice.choice(self._desks)
        faults: list[tuple[float, Callable[[], tuple[Line, ...]]]] = [
            (3, lambda: self._while(*_both(_NETWORK, desk), 400)),
            (1, lambda: self._while("the broker is killed", "the broker is started", 300)),
            (1, lambda: (Line("the broker is restarted"),)),
            (1, lambda: (self._timed("the broker stalls for {}", 1, 120),)),
            (1, lambda: self._while("the relay is killed", "the relay is started", 300)),
            (4, self._relay_dies),
            (1, lambda: self._while("the director is killed", "the director is started", 300)),
            (1, lambda: (self._timed("the database is locked for {}", 1, 90),)),
            (3, lambda: self._while(*_both(_POWER, desk), 120)),
            (3, lambda: self._flash_cut(desk)),
            (1.5, lambda: self._dark_hour(desk)),
            (0.5, lambda: (Line("everything is restarted at once"),)),
            (1, lambda: self._defect(desk)),
            (1, self._clock_jump),
            (0.5, lambda: (Line(f"{dice.choice(_MESSES)} arrives from {desk}"),)),
        ]
        lines = dice.choices([fault for _, fault in faults], [weight for weight, _ in faults])[0]()
        return Happening(self._when(), lines)

    def _when(self) -> float:
        """Mostly close to something that people do: that is when there is something to lose."""
        at = self._dice.uniform(2.0, self._seconds)
        if self._moments and self._dice.random() < 0.7:
            at = self._dice.choice(self._moments) + self._dice.uniform(-_NEAR_S, _NEAR_S)
        return round(max(2.0, at), 1)

    def _while(self, begins: str, ends: str, longest: float) -> tuple[Line, ...]:
        return Line(begins), wait(self._spread(0.3, longest)), Line(ends)

    def _relay_dies(self) -> tuple[Line, ...]:
        point = self._dice.choice(POINTS)
        dies = Line(f"the relay is restarted to die at {point}")
        # Killed in the end: it may not have come to that point.
        return (
            dies,
            wait(self._spread(1, 120)),
            Line("the relay is killed"),
            Line("the relay is started"),
        )

    def _flash_cut(self, desk: str) -> tuple[Line, ...]:
        count = round(self._spread(1, 3000))
        fails = Line(f"the power of {desk} fails after {{}} more bytes of flash", count, "bytes")
        cut, back = map(Line, _both(_POWER, desk))
        # Cut in the end: less may have been written.
        return fails, wait(self._spread(1, 120)), cut, wait(self._spread(0.3, 10)), back

    def _dark_hour(self, desk: str) -> tuple[Line, ...]:
        """Nobody listens, much happens, and the power fails too: all that there is is in flash."""
        (cut, back), (lost, found) = _both(_POWER, desk), _both(_NETWORK, desk)
        pause = wait(self._spread(1, 60))
        return Line(lost), self._crowd(desk), Line(cut), pause, Line(back), pause, Line(found)

    def _defect(self, desk: str) -> tuple[Line, ...]:
        chip, defect = self._dice.choice(_DEFECTS)
        return self._while(
            f"the {chip} of {desk} is {defect}", f"the {chip} of {desk} is mended", 120
        )

    def _clock_jump(self) -> tuple[Line, ...]:
        way = self._dice.choice(("ahead", "back"))
        return (self._timed(f"the host's clock jumps {way} by {{}}", 1, 6 * 3600),)

    def _timed(self, text: str, least: float, most: float) -> Line:
        return Line(text, round(self._spread(least, most), 1), "s")

    def _counted(self, text: str, least: int, most: int) -> Line:
        return Line(text, self._dice.randint(least, most), "times")

    def _spread(self, least: float, most: float) -> float:
        """As many short times as long ones: evenly in the logarithm."""
        return float(least * (most / least) ** self._dice.random())


def _both(lines: tuple[str, str], desk: str) -> tuple[str, str]:
    """How something begins and ends, at a desk."""
    begins, ends = lines
    return begins.format(desk), ends.format(desk)
