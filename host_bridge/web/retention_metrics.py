"""Figures of the nightly deletion, by class of data; never of a person."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from host_bridge.director import Director
from host_bridge.store import Store


def of_retention(director: Director, store: Store, now_ms: int) -> Iterator[Metric]:
    """What the last deletion did, and whether this host's next one comes to grief.

    Raises:
        StoreUnavailableError: the database can't be read.
    """
    runs = store.retention.last_run(director.site.name)
    nightly = director.nightly
    for name, text, value in (
        ("failed", "1 while this host can't delete what is over its time.", nightly.failed),
        ("refused", "1 while that is because its clock may be wrong.", nightly.refused),
    ):
        yield GaugeMetricFamily(f"chequer_deletion_{name}", text, value=int(value))
    # Never is very long ago: so the alert calls then, too.
    age_s = (now_ms - runs[0].at_ms) / 1000 if runs else float("inf")
    yield GaugeMetricFamily(
        "chequer_deletion_age_seconds", "Since the last complete deletion.", value=age_s
    )
    deleted = GaugeMetricFamily(
        "chequer_deletion_rows", "What the last deletion deleted.", labels=["data"]
    )
    oldest = GaugeMetricFamily(
        "chequer_deletion_oldest_age_seconds",
        "How old the oldest was that the last deletion left.",
        labels=["data"],
    )
    for run in runs:
        deleted.add_metric([run.data], run.deleted)
        if run.oldest_ms is not None:
            oldest.add_metric([run.data], (run.at_ms - run.oldest_ms) / 1000)
    yield deleted
    yield oldest
