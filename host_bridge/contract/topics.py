"""Topic names. A unit publishes and subscribes below `chequer/v1/<site>/<unit>/` only."""

import re

from host_bridge.contract.facts import LANES, Lane

PREFIX = "chequer/v1"

LANE_WORDS: dict[Lane, str] = {"ordinary": "fact", "button": "button"}

DOWN_WORDS = (
    "ack", "verdict", "guidance", "mode", "incident", "enrol", "restart", "update", "piece",
)  # fmt: skip
"""What follows `down/` in the topics on which the host speaks to a unit."""

UP_WORDS = (*LANE_WORDS.values(), "state", "want", "update")
"""What follows the unit's name in the topics on which it speaks itself."""

_TOPIC = re.compile(
    r"chequer/v1/(?P<site>[a-z0-9][a-z0-9-]{0,31})/(?P<unit>[a-z0-9][a-z0-9-]{0,31})/(?P<rest>.+)"
)


def facts(site: str, unit: str, lane: Lane) -> str:
    """Where a unit publishes facts of a lane, QoS 1."""
    return f"{PREFIX}/{site}/{unit}/{LANE_WORDS[lane]}"


def state(site: str, unit: str) -> str:
    """Where a unit keeps its retained state, QoS 1, with its last will."""
    return f"{PREFIX}/{site}/{unit}/state"


def want(site: str, unit: str) -> str:
    """Where a unit asks for a piece of an update, QoS 1."""
    return f"{PREFIX}/{site}/{unit}/want"


def update(site: str, unit: str) -> str:
    """Where a unit keeps how far it is with its update, retained, QoS 1."""
    return f"{PREFIX}/{site}/{unit}/update"


def down(site: str, unit: str, word: str) -> str:
    """Where the host speaks to a unit, QoS 1.

    `word` is one of `DOWN_WORDS`; guidance and mode are retained.
    """
    return f"{PREFIX}/{site}/{unit}/down/{word}"


def filters(site: str = "+") -> list[str]:
    """Topic filters for the relay: both lanes of every unit, the button's first."""
    return [facts(site, "+", lane) for lane in reversed(LANES)]


def parse(topic: str) -> tuple[str, str, str] | None:
    """Split into (site, unit, rest); None when it is not one of ours."""
    match = _TOPIC.fullmatch(topic)
    return (match["site"], match["unit"], match["rest"]) if match else None


def lane_of(rest: str) -> Lane | None:
    """The lane for a topic's last part, None when it is not a lane."""
    for lane, word in LANE_WORDS.items():
        if rest == word:
            return lane
    return None
