"""A scenario's world is lived: its people use the story's desks, and the record says so."""

from sim.crew import Crew, Person
from sim.room import Room
from sim.scenario.record import Kind
from sim.scenario.site import Cards
from sim.scenario.stage import Stage
from sim.scenario.world import VISITOR, World, agent, cleaner
from sim.worlds.day import plan

SHORT_S = 0.2
"""No press of a world's people is shorter."""


async def live(stage: Stage) -> None:
    """Live through the world of the stage's scenario, to its last action."""
    scenario = stage.scenario
    world = scenario.world
    assert world is not None

    def tell(kind: Kind, text: str, desk: str | None) -> None:
        stage.record.add(kind, text, desk)
        if kind == "press" and desk is not None:
            now = stage.engine.clock.now()
            stage.presses.setdefault(desk, []).append(stage.engine.clock.unix())
            stage.pressed.setdefault(desk, []).append((now, now + SHORT_S))

    room = Room(
        stage.engine.units,
        stage.engine.clock,
        crew(world, scenario.cards),
        badge_first=scenario.site.badge_in == "badge-then-headset",
        tell=tell,
    )
    await room.live(plan(world.numbers(scenario.site), scenario.seed).actions, world.speed)


def crew(world: World, cards: Cards) -> Crew:
    """The people of a world, with the cards that the story's register knows."""
    return Crew(
        people=[
            Person(name=name, badge=cards.uid(name, "badge"), headset=cards.uid(name, "headset"))
            for name in map(agent, range(world.agents))
        ],
        cleaners=[cards.uid(cleaner(n), "card") for n in range(world.cleaners)],
        stranger=cards.uid(VISITOR, "headset"),
    )
