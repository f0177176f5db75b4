"""Figures for Prometheus. Of rooms and of the host; never of a desk, a unit's presses, a person."""

import time
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from host_bridge.director import Director
from host_bridge.store import Store, StoreUnavailableError
from host_bridge.web import ledger
from host_bridge.web.fleet_metrics import of_units
from host_bridge.web.live import Live
from host_bridge.web.relay_metrics import of_workers
from host_bridge.web.retention_metrics import of_retention
from host_bridge.web.update_metrics import of_updates
from host_bridge.web.words import WORDS


class Metrics(Collector):
    """Reads the figures when it is asked."""

    def __init__(
        self, director: Director, store: Store, live: Live, now_ms: Callable[[], int]
    ) -> None:
        self._director = director
        self._store = store
        self._live = live
        self._now_ms = now_ms
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """What `text` writes."""
        yield from self._rooms()
        yield from self._work()
        yield from self._election()
        yield from of_units(self._director.presence, self._director.rooms)
        yield from self._delivery()

    def _rooms(self) -> Iterator[Metric]:
        desks = GaugeMetricFamily(
            "chequer_desks", "Desks of a room in a state.", labels=["room", "state"]
        )
        people = GaugeMetricFamily(
            "chequer_room_people", "Places of a room that are claimed.", labels=["room"]
        )
        for room in self._director.rooms:
            people.add_metric([room.name], room.people)
            for state in WORDS:
                desks.add_metric([room.name, state], room.counts[state])
        yield desks
        yield people

    def _work(self) -> Iterator[Metric]:
        director, figures = self._director, self._director.figures
        yield GaugeMetricFamily(
            "chequer_broker_connected",
            "1 while the host is connected to the broker.",
            value=int(director.link.connected),
        )
        for name, text, value in (
            ("chequer_folded_facts", "Facts that the director has read.", figures.facts),
            ("chequer_verdicts", "Taps that were answered.", figures.verdicts),
            (
                "chequer_unanswered_taps",
                "Taps that nobody could answer for want of a broker.",
                figures.unanswered,
            ),
            ("chequer_late_facts", "Facts that came too late to matter.", director.floor.late),
            (
                "chequer_unplanned_facts",
                "Facts of units that are at no desk of the plan.",
                director.floor.ignored,
            ),
            ("chequer_lagging_pages", "Times that a page was too slow.", self._live.lagged),
        ):
            yield CounterMetricFamily(name, text, value=value)
        ignored = CounterMetricFamily(
            "chequer_ignored_states", "States that could not be believed.", labels=["reason"]
        )
        for reason, count in sorted(director.presence.ignored.items()):
            ignored.add_metric([reason], count)
        ignored.add_metric(["overrun"], director.link.overruns)
        yield ignored
        yield GaugeMetricFamily("chequer_pages", "Open live streams.", value=self._live.pages)
        latency = HistogramMetricFamily(
            "chequer_verdict_seconds", "From a tap's arrival at the host to its verdict."
        )
        latency.add_metric([], figures.latency.cumulative(), figures.latency.sum)
        yield latency

    def _election(self) -> Iterator[Metric]:
        lead, link = self._director.lead, self._director.link
        for name, text, value in (
            ("chequer_director_leads", "1 while this host directs the site.", int(lead.leads)),
            (
                "chequer_director_elected",
                "1 while some host directs the site, as seen from here.",
                int(lead.leader is not None),
            ),
            ("chequer_director_term", "The number of the newest term.", lead.term),
            (
                "chequer_director_works",
                "1 while the director has no trouble.",
                int(self._director.trouble is None),
            ),
        ):
            yield GaugeMetricFamily(name, text, value=value)
        yield CounterMetricFamily(
            "chequer_director_changes", "Times that another host took over.", value=lead.changes
        )
        yield CounterMetricFamily(
            "chequer_broker_reconnects",
            "Times that the director's connection was made again.",
            value=link.reconnects,
        )

    def _delivery(self) -> Iterator[Metric]:
        began = time.monotonic()
        try:
            now = ledger.read(self._store, self._director.site.name, self._now_ms())
            workers = self._store.workers()
            newest = self._store.newest()
            updates = list(of_updates(self._store, self._director.site.name))
            retention = list(of_retention(self._director, self._store, self._now_ms()))
        except StoreUnavailableError:
            yield GaugeMetricFamily("chequer_database_up", "1 while it can be read.", value=0)
            return
        yield GaugeMetricFamily("chequer_database_up", "1 while it can be read.", value=1)
        yield GaugeMetricFamily(
            "chequer_database_read_seconds",
            "What reading ledger, gaps and workers took just now.",
            value=time.monotonic() - began,
        )
        yield GaugeMetricFamily(
            "chequer_director_lag_facts",
            "Stored facts that the director has not read yet.",
            value=max(0, newest - (self._director.cursor or 0)),
        )
        yield from updates
        yield from retention
        yield from of_workers(workers, self._now_ms())
        for name, text in (
            ("received", "Facts that came in."),
            ("stored", "Facts that were stored."),
            ("duplicates", "Facts that were stored already."),
            ("dead_letters", "Messages that could not be understood, kept as they came."),
        ):
            family = CounterMetricFamily(f"chequer_facts_{name}", text, labels=["worker"])
            for worker in now.workers:
                family.add_metric([worker.worker], getattr(worker, name))
            yield family
        yield GaugeMetricFamily(
            "chequer_facts_in_flight", "Received, not yet committed.", value=now.sum.in_flight
        )
        yield GaugeMetricFamily(
            "chequer_facts_unaccounted", "Anything but 0 is a defect.", value=now.sum.unaccounted
        )
        yield GaugeMetricFamily(
            "chequer_gap_units", "Units of which facts are missing.", value=len(now.gaps)
        )
        yield GaugeMetricFamily(
            "chequer_gap_standing_units",
            "Units of which facts are missing for long, without an explanation.",
            value=sum(gap.standing for gap in now.gaps),
        )
        for name, text, field in (
            ("gap_facts", "Counted by the unit, never seen by the host.", "missing"),
            ("dropped_facts", "Of the gap: the unit was full, and gave them up.", "dropped"),
            ("gap_age_seconds", "Since when the oldest of them is known.", "age_seconds"),
            ("gap_standing", "1 when they will hardly come by themselves.", "standing"),
        ):
            gaps = GaugeMetricFamily(f"chequer_{name}", text, labels=["unit"])
            for gap in now.gaps:
                gaps.add_metric([gap.unit], getattr(gap, field))
            yield gaps
