"""Which units are there, from their retained states and last wills."""

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from host_bridge.contract import topics
from host_bridge.contract.facts import MAX_MESSAGE
from host_bridge.contract.messages import State

MAX_UNITS = 20_000
"""More units than any site has: a broker full of invented names must not fill the memory."""


class Heard(msgspec.Struct, frozen=True):
    """What a unit said of itself last. `at_ms`: when it said it, None if that was before our time.

    The last will says only that the unit is gone: the rest is then what it said before.
    """

    state: State
    at_ms: int | None


class Presence:
    """The units of one site that have said whether they are online.

    `ignored` counts what was not understood, by reason.
    """

    def __init__(self, site: str) -> None:
        self.ignored: Counter[str] = Counter()
        self._site = site
        self._online: dict[str, bool] = {}
        self._heard: dict[str, Heard] = {}
        self._decoder = msgspec.json.Decoder(State)

    @property
    def online(self) -> Mapping[str, bool]:
        """For each unit ever seen, whether it is online."""
        return MappingProxyType(self._online)

    @property
    def heard(self) -> Mapping[str, Heard]:
        """For each unit ever seen, what it said last."""
        return MappingProxyType(self._heard)

    def take(self, topic: str, payload: bytes, at_ms: int | None = None) -> bool:
        """Take a retained state as it came from the wire; True when units came or went.

        Args:
            topic: where it came from.
            payload: any bytes.
            at_ms: when the unit said it, Unix milliseconds; None for what the broker had kept.
        """
        state = self._understand(topic, payload)
        if isinstance(state, str):
            self.ignored[state] += 1
            return False
        before = self._heard.get(state.unit)
        said = state if state.online or before is None else _gone(before.state)
        self._heard[state.unit] = Heard(said, at_ms or (before.at_ms if before else None))
        if self._online.get(state.unit) == state.online:
            return False
        self._online[state.unit] = state.online
        return True

    def _understand(self, topic: str, payload: bytes) -> State | str:
        """The state, or why the message can't be believed, in a word."""
        parsed = topics.parse(topic)
        if parsed is None or parsed[0] != self._site or parsed[2] != "state":
            return "topic"
        if len(payload) > MAX_MESSAGE:
            return "size"
        try:
            state = self._decoder.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return "content"
        if state.unit != parsed[1]:
            return "other-unit"
        if state.unit not in self._online and len(self._online) >= MAX_UNITS:
            return "too-many"
        return state


def _gone(state: State) -> State:
    return msgspec.structs.replace(state, online=False)
