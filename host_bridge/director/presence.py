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


class Presence:
    """The units of one site that have said whether they are online.

    `ignored` counts what was not understood, by reason.
    """

    def __init__(self, site: str) -> None:
        self.ignored: Counter[str] = Counter()
        self._site = site
        self._online: dict[str, bool] = {}
        self._decoder = msgspec.json.Decoder(State)

    @property
    def online(self) -> Mapping[str, bool]:
        """For each unit ever seen, whether it is online."""
        return MappingProxyType(self._online)

    def take(self, topic: str, payload: bytes) -> bool:
        """Take a retained state as it came from the wire; True when it changed something."""
        state = self._understand(topic, payload)
        if isinstance(state, str):
            self.ignored[state] += 1
            return False
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
