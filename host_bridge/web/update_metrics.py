"""Figures of updates: how many units are how far. Which ones they are: `chequer update status`."""

from collections import Counter
from collections.abc import Iterator
from typing import get_args

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from host_bridge.domain.rollout import Standing
from host_bridge.store import Store


def of_updates(store: Store, site: str) -> Iterator[Metric]:
    """The offers of a site by how they stand.

    Raises:
        StoreUnavailableError: they can't be read.
    """
    counts = Counter(offer.standing for offer in store.updates.offers(site).values())
    units = GaugeMetricFamily(
        "chequer_update_units", "Units that an update is offered to.", labels=["standing"]
    )
    for standing in get_args(Standing):
        units.add_metric([standing], counts[standing])
    yield units
