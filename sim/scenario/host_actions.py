"""What happens to the host: broker, relay, director, database."""

import asyncio

from sim.scenario.engine import PARTS, Part
from sim.scenario.phrase import phrase
from sim.scenario.site import SITE, unit_of
from sim.scenario.stage import Stage

HOST = "The host"


@phrase("action", HOST, "the broker is killed", "at once, with all that it held")
async def broker_killed(stage: Stage) -> None:
    """End the broker."""
    stage.record.add("fault", "broker killed")
    await stage.engine.broker.kill()


@phrase("action", HOST, "the broker is started", "on the same port, knowing nothing")
async def broker_started(stage: Stage) -> None:
    """Start it again."""
    await stage.engine.broker.start()
    stage.record.add("fault", "broker started")


@phrase("action", HOST, "the broker is restarted", "killed and started")
async def broker_restarted(stage: Stage) -> None:
    """Kill and start."""
    await broker_killed(stage)
    await broker_started(stage)


@phrase("action", HOST, "the broker stalls for {time}", "it holds its connections and does nothing")
async def broker_stalls(stage: Stage, time: float) -> None:
    """A broker that hangs."""
    since = stage.engine.clock.now()
    await stage.engine.broker.stall(time)
    stage.record.lasted("fault", "broker stalls", since)


@phrase("action", HOST, "the {part} is killed", "at once, as a crash does")
async def part_killed(stage: Stage, part: Part) -> None:
    """End a part of the host."""
    stage.record.add("fault", f"{part} killed")
    await stage.engine.host.kill(part)


@phrase("action", HOST, "the {part} is started", "returns when it works")
async def part_started(stage: Stage, part: Part) -> None:
    """Start it again."""
    await stage.engine.host.start(part)
    stage.record.add("fault", f"{part} started")


@phrase(
    "action", HOST, "the relay is restarted to die at {point}",
    "ended in order and started; it dies when it first gets to this point of its work",
)  # fmt: skip
async def relay_dies(stage: Stage, point: str) -> None:
    """Plan a crash at a fault point of the host."""
    await stage.engine.host.end("relay")
    await stage.engine.host.start("relay", point)
    stage.record.add("fault", f"relay will die {point.partition('.')[2]}")


@phrase(
    "action",
    HOST,
    "the database is locked for {time}",
    "nobody can write to it; goes on when they can again",
)
async def database_locked(stage: Stage, time: float) -> None:
    """Hold the writers' lock."""
    since = stage.engine.clock.now()
    await stage.engine.host.lock_database(time)
    stage.record.lasted("fault", "database locked", since)


@phrase(
    "action",
    HOST,
    "everything is restarted at once",
    "broker, host and all desks lose power, and get it again",
)
async def everything_restarted(stage: Stage) -> None:
    """A power failure of the whole building."""
    engine = stage.engine
    stage.record.add("fault", "everything restarted")
    await asyncio.gather(
        engine.broker.kill(),
        *(engine.host.kill(part) for part in PARTS),
        *(unit.power_cut() for unit in engine.units.values()),
    )
    await engine.broker.start()
    await asyncio.gather(
        *(engine.host.start(part) for part in PARTS),
        *(unit.power_on() for unit in engine.units.values()),
    )


@phrase(
    "action",
    HOST,
    "{mess} arrives from {desk}",
    "a message that makes no sense, on the topic of that desk's unit",
)
async def nonsense(stage: Stage, mess: bytes, desk: str) -> None:
    """Publish what nobody can understand."""
    stage.record.add("fault", "nonsense arrives", stage.desk(desk))
    unit = unit_of(stage.desk(desk))
    await stage.engine.broker.publish(_topic(unit), mess.replace(b"%s", unit.encode()))


@phrase(
    "action", HOST, "a fact of {desk} arrives that skips {number}",
    "as from a unit whose flash has lost so many facts; the last thing to do with that desk",
)  # fmt: skip
async def skips(stage: Stage, desk: str, number: int) -> None:
    """Publish a fact whose number is too high."""
    unit = unit_of(stage.desk(desk))
    ((boot, seq),) = stage.engine.host.rows(
        "SELECT boot, max(seq) FROM facts WHERE unit = ? AND lane = 'ordinary' AND boot ="
        " (SELECT max(boot) FROM facts WHERE unit = ?)",
        unit,
        unit,
    )
    stage.record.add("fault", "facts are lost", stage.desk(desk))
    seq = int(str(seq)) + number + 1
    fact = f'{{"type":"seat","unit":"{unit}","boot":{boot},"seq":{seq},"up":1,"occupied":false}}'
    await stage.engine.broker.publish(_topic(unit), fact.encode())


def _topic(unit: str) -> str:
    return f"chequer/v1/{SITE}/{unit}/fact"
