"""Figures of the fleet: how many units are how. Of a single one only gaps are told."""

from collections import Counter
from collections.abc import Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from host_bridge.director.presence import Presence
from host_bridge.domain.floor import RoomView
from host_bridge.logs import printable

VERSIONS = 10
"""Firmware versions that are told apart, from the most frequent: units may claim any."""


def of_units(presence: Presence, rooms: Sequence[RoomView]) -> Iterator[Metric]:
    """Counts over all units of the plan and all that were heard."""
    planned = {desk.unit for room in rooms for desk in room.desks}
    heard = {unit: said.state for unit, said in dict(presence.heard).items()}
    online = sum(state.online for state in heard.values())
    units = GaugeMetricFamily("chequer_units", "Desk units in a state.", labels=["state"])
    units.add_metric(["online"], online)
    units.add_metric(["offline"], len(heard) - online)
    units.add_metric(["silent"], len(planned - heard.keys()))
    yield units
    for name, text, value in (
        ("faulty", "with a chip that does not work", sum(bool(s.faults) for s in heard.values())),
        ("safe_mode", "in safe mode", sum(s.mode == "safe" for s in heard.values())),
        ("unplanned", "at no desk of the settings", len(heard.keys() - planned)),
    ):
        yield GaugeMetricFamily(f"chequer_units_{name}", f"Units {text}.", value=value)
    versions = GaugeMetricFamily(
        "chequer_unit_versions", "Units by the version of their firmware.", labels=["version"]
    )
    counts = Counter(printable(state.firmware) for state in heard.values())
    for version, count in counts.most_common(VERSIONS):
        versions.add_metric([version], count)
    yield versions
