"""What can be expected of what a site keeps, tells and deletes."""

from sim.scenario.expectations import Seen
from sim.scenario.measure import Amount
from sim.scenario.phrase import phrase
from sim.scenario.stage import Stage

PRIVACY = "What is told and deleted"


@phrase(
    "expectation", PRIVACY, "the report counts {amount} agents in {room}",
    "`chequer report`, of the last day: it is counted in the night that follows it",
)  # fmt: skip
async def report_counts(stage: Stage, amount: Amount, room: str) -> Seen:
    """A group that is large enough."""
    agents = _agents(stage, room)
    told = bool(agents) and agents[0] is not None
    what = f"the report counts {agents[0]}" if told else "the report tells nothing"
    return Seen(told and amount.holds(int(str(agents[0]))), what)


@phrase(
    "expectation", PRIVACY, "the report tells nothing of {room}",
    "the last day was counted, and no figure of this room, nor of the site, is kept of any day",
)  # fmt: skip
async def report_tells_nothing(stage: Stage, room: str) -> Seen:
    """A group that is too small."""
    counted = _agents(stage, room)
    told = stage.engine.host.rows(
        "SELECT day, agents FROM group_days WHERE room IN (?, '')"
        " AND (agents IS NOT NULL OR sign_ins IS NOT NULL OR reports IS NOT NULL)",
        room,
    )
    if not counted:
        return Seen(False, "no day was counted yet")
    return Seen(not told, f"the report tells {told}" if told else "it tells nothing")


@phrase(
    "expectation", PRIVACY, "the last night deleted {amount} row(s)",
    "of all classes of data together; see `chequer forget`",
)  # fmt: skip
async def night_deleted(stage: Stage, amount: Amount) -> Seen:
    """What the last deletion did."""
    found = stage.engine.host.rows(
        "SELECT sum(deleted) FROM retention_runs WHERE at_ms = (SELECT max(at_ms) FROM"
        " retention_runs)"
    ) or [(None,)]
    if found[0][0] is None:
        return Seen(False, "nothing was deleted yet")
    return Seen(amount.holds(int(str(found[0][0]))), f"it deleted {found[0][0]}")


def _agents(stage: Stage, room: str) -> list[object]:
    """How many agents were counted on the last day that was, perhaps None; empty: none was."""
    rows = stage.engine.host.rows(
        "SELECT agents FROM group_days WHERE room = ? ORDER BY day DESC LIMIT 1", room
    )
    return [agents for (agents,) in rows]
