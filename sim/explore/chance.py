"""A story by chance: who does what when at which desk, and what goes wrong meanwhile."""

from collections.abc import Callable

from sim.explore.plan import Day, Happening, Line, Plan, wait
from sim.explore.troubles import Dice, both, dark_hour, trouble
from sim.scenario.site import People

AGENTS = ["Anna", "Ben", "Cleo"]
_DESKS = ("A1", "A2", "B1")
_MINUTES = (1.0, 75.0)
_NEAR_S = 4.0
_MESSES = ("garbage", "fact of another unit")
"""Not "an unknown type": it says that it is number 900, and the host rightly misses the rest."""

_POWER = ("the power of {} is cut", "the power of {} is back")
_WORLD_DESKS = ("A1", "A2", "A3", "B1", "B2", "B3")
_WORLDS = 0.1


def plan(seed: int) -> Plan:
    """The story of a seed; the same for ever, on every machine."""
    return _Chance(seed).plan()


class _Chance:
    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._dice = Dice(f"story {seed}")
        count = self._dice.choices((1, 2, 3), (7, 3, 1))[0]
        self._desks = _DESKS[:count]
        self._seconds = self._dice.spread(*_MINUTES) * 60
        self._moments: list[float] = []

    def plan(self) -> Plan:
        if self._dice.random() < _WORLDS:
            return self._world()
        happenings: list[Happening] = []
        for rank, desk in enumerate(self._desks):
            happenings += self._life(desk, AGENTS[rank])
        self._moments = [each.at for each in happenings]
        happenings += self._faults()
        return Plan(
            seed=self._seed,
            badge_in=self._dice.choice(("headset", "headset", "badge-then-headset")),
            desks=self._desks,
            people=People(agents=AGENTS, cleaners=["Vera"], strangers=["Sam"]),
            happenings=tuple(sorted(happenings, key=lambda each: each.at)),
        )

    def _world(self) -> Plan:
        """Nobody is told what to do: the people of a model's day live it, and things go wrong."""
        self._desks = _WORLD_DESKS[: self._dice.randint(2, len(_WORLD_DESKS))]
        day = Day(agents=len(self._desks) + 1, hours=round(self._dice.uniform(0.5, 2.0), 1))
        self._seconds = day.hours * 3600
        return Plan(
            seed=self._seed,
            badge_in=self._dice.choice(("headset", "badge-then-headset")),
            desks=self._desks,
            people=People(strangers=["Sam"]),
            happenings=tuple(sorted(self._faults(), key=lambda each: each.at)),
            day=day,
        )

    def _faults(self) -> list[Happening]:
        count = self._dice.choices((0, 1, 2, 3, 4, 5, 6), (1, 4, 5, 4, 3, 2, 1))[0]
        return [self._fault() for _ in range(count)]

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
            (1, lambda: (dice.timed(f"{who} holds the button at {desk} for {{}}", 1.5, 5),)),
            (1, lambda: (dice.counted(f"{who} hammers the button at {desk} {{}} times", 2, 12),)),
            (3, lambda: self._arrives(desk, who)),
            (2, lambda: (Line(f"{who} leaves {desk}"), wait(1.5))),
            (1, lambda: (Line(f"{who} gets up from {desk}"),)),
            (1, lambda: (Line(f"{who} taps {other}'s headset at {desk}"), wait(1))),
            (1, lambda: (Line(f"Sam taps his headset at {desk}"), wait(1))),
            (1, lambda: (Line(f"Vera cleans {desk}"), wait(1))),
            (1, lambda: (dice.timed(f"somebody passes by {desk} for {{}}", 1, 20),)),
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
        kind = dice.choices(("named", "power", "dark", "all", "mess"), (20, 3, 1.5, 0.5, 0.5))[0]
        if kind == "power":
            lines = dice.pause(*both(_POWER, desk), 120)
        elif kind == "dark":
            lines = dark_hour(dice, desk, self._crowd(desk))
        elif kind == "all":
            lines = (Line("everything is restarted at once"),)
        elif kind == "mess":
            lines = (Line(f"{dice.choice(_MESSES)} arrives from {desk}"),)
        else:
            lines = trouble(dice, desk)
        if "is small" in lines[0].text:
            return Happening(0.5, lines)  # flash of another size holds nothing that was written
        return Happening(self._when(), lines)

    def _when(self) -> float:
        """Mostly close to something that people do: that is when there is something to lose."""
        at = self._dice.uniform(2.0, self._seconds)
        if self._moments and self._dice.random() < 0.7:
            at = self._dice.choice(self._moments) + self._dice.uniform(-_NEAR_S, _NEAR_S)
        return round(max(2.0, at), 1)
