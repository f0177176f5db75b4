"""What goes wrong where data changes hands, beyond power, chips and ends of processes."""

from sim.faults.abilities import (
    ageing,
    broker_of,
    drifting,
    host_of,
    operated,
    radio_of,
    tossing,
)
from sim.scenario.engine import Part
from sim.scenario.errors import StoryError
from sim.scenario.phrase import phrase
from sim.scenario.site import unit_of
from sim.scenario.stage import Stage

BAD = "Bad radio, broker, disk"


@phrase(
    "action", BAD, "during {time} the radio of {desks} loses {share}",
    "so many packets of a hundred come late, after being sent again; goes on when the time is over",
)  # fmt: skip
async def radio_loses(stage: Stage, time: float, desks: list[str], share: float) -> None:
    """Packets are lost, and TCP sends them again."""
    await _weather(stage, time, desks, share, 0.0)


@phrase(
    "action", BAD, "during {time} the radio of {desks} is late by {delay}",
    "each byte comes so much later, in both directions; goes on when the time is over",
)  # fmt: skip
async def radio_late(stage: Stage, time: float, desks: list[str], delay: float) -> None:
    """A slow way."""
    await _weather(stage, time, desks, 0.0, delay)


@phrase(
    "action", BAD, "the connections of {desks} are half open",
    "those that are open now carry nothing any more, nobody is told; new ones work",
)  # fmt: skip
async def half_open(stage: Stage, desks: list[str]) -> None:
    """A router on the way has forgotten them."""
    for desk in desks:
        stage.record.add("fault", "connection half open", stage.desk(desk))
        radio_of(stage.unit(desk), "half-open connection").half_open()


@phrase(
    "action", BAD, "the radio of {desks} roams for {time}",
    "the network is lost for so long, and what was connected is half open afterwards",
)  # fmt: skip
async def roams(stage: Stage, desks: list[str], time: float) -> None:
    """From one access point to another."""
    units = [radio_of(stage.unit(desk), "roaming") for desk in desks]
    for desk in desks:
        stage.record.add("fault", "roams", stage.desk(desk))
        await stage.unit(desk).network(False)
    await stage.engine.clock.sleep(time)
    for unit in units:
        unit.half_open()
    for desk in desks:
        await stage.unit(desk).network(True)


@phrase("action", BAD, "the broker is slow for {time}", "it works one moment in a hundred")
async def broker_slow(stage: Stage, time: float) -> None:
    """An overloaded machine."""
    since = stage.engine.clock.now()
    await broker_of(stage.engine.broker, "slow broker").slow(time)
    stage.record.lasted("fault", "broker slow", since)


@phrase(
    "action", BAD, "the broker is full",
    "restarted so that it says it has a message, and throws away what nobody takes at once",
)  # fmt: skip
async def broker_full(stage: Stage) -> None:
    """A broker that promises and does not keep."""
    await broker_of(stage.engine.broker, "full broker").fill(True)
    stage.record.add("fault", "broker full")


@phrase("action", BAD, "the broker has room again", "restarted as it should be")
async def broker_roomy(stage: Stage) -> None:
    """It keeps what it takes."""
    await broker_of(stage.engine.broker, "full broker").fill(False)
    stage.record.add("fault", "broker has room")


@phrase(
    "action", BAD, "the broker delivers twice and in any order for {time}",
    "what units report, some of it twice; in virtual time only",
)  # fmt: skip
async def broker_tosses(stage: Stage, time: float) -> None:
    """Members of a cluster hand a session to each other."""
    since = stage.engine.clock.now()
    await tossing(stage.engine.broker, "broker that delivers in any order").toss(time)
    stage.record.lasted("fault", "any order, and twice", since)


@phrase(
    "action", BAD, "the {part} hangs for {time}", "it does nothing and closes nothing; then goes on"
)
async def part_hangs(stage: Stage, part: Part, time: float) -> None:
    """A process that is stopped."""
    since = stage.engine.clock.now()
    await host_of(stage.engine.host, "hanging process").hang(part, time)
    stage.record.lasted("fault", f"{part} hangs", since)


@phrase("action", BAD, "the database is slow for {time}", "others hold it nine tenths of the time")
async def database_slow(stage: Stage, time: float) -> None:
    """A database that others use too."""
    since = stage.engine.clock.now()
    await host_of(stage.engine.host, "slow database").slow_database(time)
    stage.record.lasted("fault", "database slow", since)


@phrase("action", BAD, "the disk is full for {time}", "the relay can write nothing for so long")
async def disk_full(stage: Stage, time: float) -> None:
    """No room on the host's disk."""
    since = stage.engine.clock.now()
    await host_of(stage.engine.host, "full disk").fill_disk(time)
    stage.record.lasted("fault", "disk full", since)


CLOCKS = "Clocks"


@phrase(
    "action", CLOCKS, "the host's clock jumps {way} by {time}",
    "ahead or back; in virtual time only",
)  # fmt: skip
async def clock_jumps(stage: Stage, way: int, time: float) -> None:
    """Somebody sets the host's clock."""
    stage.record.add("fault", f"the host's clock jumps by {way * time:g} s")
    await stage.engine.host.jump_clock(way * time)


@phrase(
    "action", CLOCKS, "the host's clock runs {rate}",
    "from now on; in virtual time only",
)  # fmt: skip
async def host_drifts(stage: Stage, rate: int) -> None:
    """Nobody sets the host's clock right."""
    drifting(stage.engine.host, "clock that drifts").drift(rate)
    stage.record.add("fault", f"the host's clock runs at {rate:+d} ppm")


@phrase(
    "action", CLOCKS, "the clock of {desks} runs {rate}",
    "from the unit's next start on; in virtual time only",
)  # fmt: skip
async def unit_drifts(stage: Stage, desks: list[str], rate: int) -> None:
    """A crystal that is off."""
    for desk in desks:
        drifting(stage.unit(desk), "clock that drifts").drift(rate)
        stage.record.add("fault", f"the clock runs at {rate:+d} ppm", stage.desk(desk))


@phrase(
    "action", CLOCKS, "{desk} starts again {time} before its ticks wrap",
    "power cut and back; its count of milliseconds begins again at 0 so long after, "
    "as that of a unit does which has run for 12.4 days",
)  # fmt: skip
async def wraps(stage: Stage, desk: str, time: float) -> None:
    """A unit that has run for long."""
    unit = stage.unit(desk)
    ageing(unit, "ticks that wrap").wrap(time)
    stage.record.add("fault", f"ticks wrap in {time:g} s", stage.desk(desk))
    await unit.power_cut()
    await unit.power_on()


OFFICE = "The back office"


@phrase("action", OFFICE, "a drill begins at {desk}", "for half an hour presses there are practice")
async def drill(stage: Stage, desk: str) -> None:
    """Practice."""
    await _command(stage, "units", "drill", unit_of(stage.desk(desk)))
    stage.record.add("note", "drill", stage.desk(desk))


@phrase(
    "action", OFFICE, "somebody takes up the report of {desk}",
    "the newest that nobody has answered for yet; `chequer incidents hear`",
)  # fmt: skip
async def takes_up(stage: Stage, desk: str) -> None:
    """A person answers for a report."""
    rows = stage.engine.host.rows(
        "SELECT id FROM facts WHERE unit = ? AND type = 'press' ORDER BY id DESC LIMIT 1",
        unit_of(stage.desk(desk)),
    )
    if not rows:
        raise StoryError(f"no report of {stage.desk(desk)} is stored")
    await _command(stage, "incidents", "hear", str(rows[0][0]))
    stage.record.add("note", "report taken up", stage.desk(desk))


@phrase(
    "action", OFFICE, "the next tag at {desk} is to be {who}'s headset",
    "`chequer registry enrol`; goes on when a tag was presented, or after half a minute",
)  # fmt: skip
async def enrols(stage: Stage, desk: str, who: str) -> None:
    """A tag is entered at a desk."""
    unit = unit_of(stage.desk(desk))
    stage.record.add("note", "enrolment", stage.desk(desk))
    words = ("--unit", unit, "--kind", "headset", "--holder", who, "--seconds", "30")
    await _command(stage, "registry", "enrol", *words)


async def _command(stage: Stage, *words: str) -> None:
    await operated(stage.engine.host, "command line").command(*words)


async def _weather(
    stage: Stage, seconds: float, desks: list[str], loss: float, delay: float
) -> None:
    units = [radio_of(stage.unit(desk), "bad radio") for desk in desks]
    since = stage.engine.clock.now()
    for unit in units:
        unit.weather(loss, delay)
    try:
        await stage.engine.clock.sleep(seconds)
    finally:
        for unit in units:
            unit.weather(0.0, 0.0)
    for desk in desks:
        stage.record.lasted("fault", "bad radio", since, stage.desk(desk))
