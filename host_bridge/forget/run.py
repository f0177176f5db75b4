"""One deletion, from looking at the clock to the proof."""

from collections import Counter
from collections.abc import Generator, Sequence
from typing import NamedTuple

from host_bridge.domain.incidents import closed
from host_bridge.forget.clock import must_be_right
from host_bridge.forget.days import count
from host_bridge.forget.recall import SURE_MS, Recall, Recalled
from host_bridge.retention import classes, limits_ms
from host_bridge.settings import Settings
from host_bridge.store import Amount, Cut, Room, Run, Store, StoredFact

_CLASS_OF = {kind: name for name, each in classes().items() for kind in each.facts}


class Progress(NamedTuple):
    """How many of how many are deleted, as counted at the beginning."""

    done: int
    total: int


def amounts(store: Store, settings: Settings, now_ms: int) -> list[Amount]:
    """What a site has of each class of data that time deletes, and what is over its time.

    Raises:
        StoreUnavailableError: the database can't be used.
    """
    limits = limits_ms(settings.privacy.keep)
    return _amounts(store, _cut(store, settings, limits, now_ms), now_ms)


def forget(
    store: Store, settings: Settings, now_ms: int, *, clock_is_right: bool = False
) -> Generator[Progress, None, list[Run]]:
    """Delete what is over its time; a generator, so that whoever runs it may rest or end it.

    Every portion is a transaction of its own, after which all that follows from the facts is
    right. A run that is broken off is gone on with by the next one.

    Args:
        store: where everything is.
        settings: the site and its times.
        now_ms: the host's clock, Unix milliseconds.
        clock_is_right: somebody has looked at it.

    Returns:
        What was done to each class, as it was written to the database.

    Raises:
        ClockError: the clock may be wrong; nothing was deleted.
        StoreUnavailableError: the database can't be used.
    """
    site, limits = settings.site, limits_ms(settings.privacy.keep)
    if not clock_is_right:
        must_be_right(store, site.name, now_ms)
    cut = _cut(store, settings, limits, now_ms)
    done: Counter[str] = Counter()
    total = sum(each.over for each in _amounts(store, cut, now_ms))
    yield Progress(0, total)
    recalled = yield from _recall(store, settings, cut, now_ms, total)
    for each in recalled.withdrawals:
        # A host that never ran may have missed it, and the tap that proves it goes.
        store.incidents.add(
            site.name, each.unit, boot=each.boot, seq=each.seq, word="withdrawn", time_ms=each.time
        )
    count(store, settings, recalled.signed_in, _whole_since(store, cut), now_ms)
    for unit in store.retention.units_due(cut):
        found = recalled.settled.get(unit)
        for types in store.retention.forget_unit(cut, unit, found, now_ms - SURE_MS):
            for kind, some in types.items():
                done[_CLASS_OF[kind]] += some
            yield Progress(done.total(), total)
    rooms = [
        Room(name=room.name, units=frozenset(desk.unit for desk in room.desks))
        for room in site.rooms
    ]
    for some in store.retention.forget_seats(cut, rooms, settings.privacy.group):
        done["seats"] += some
        yield Progress(done.total(), total)
    for some in store.retention.forget_letters(cut, _longest_ms(now_ms)):
        done["dead-letters"] += some
        yield Progress(done.total(), total)
    for reports in _reports_due(store, cut):
        store.retention.forget_reports(site.name, reports)
        done["reports"] += len(reports)
        yield Progress(done.total(), total)
    done.update(store.retention.forget_figures(cut))
    runs = [
        Run(
            at_ms=now_ms, data=each.data, limit_ms=limits[each.data],
            deleted=done[each.data], oldest_ms=each.oldest_ms,
        )
        for each in _amounts(store, cut, now_ms)
    ]  # fmt: skip
    store.retention.write_runs(site.name, runs)
    store.retention.sweep()
    return runs


def _cut(store: Store, settings: Settings, limits: dict[str, int], now_ms: int) -> Cut:
    ends = {data: now_ms - limit for data, limit in limits.items()}
    return Cut(site=settings.site.name, before_ms=ends, upto=store.newest())


def _whole_since(store: Store, cut: Cut) -> int:
    """Since when every sign-in was told this night: what was settled before is not told again."""
    return max((run.at_ms - SURE_MS for run in store.retention.last_run(cut.site)), default=0)


def _longest_ms(now_ms: int) -> int:
    return now_ms - limits_ms({})["dead-letters"]


def _amounts(store: Store, cut: Cut, now_ms: int) -> list[Amount]:
    reports = store.incidents.reports(cut.site)
    due = _reports_due(store, cut)
    oldest_ms = min((report.time_ms for report in reports), default=None)
    ours = Amount(data="reports", over=sum(map(len, due)), oldest_ms=oldest_ms)
    return [*store.retention.amounts(cut, _longest_ms(now_ms)), ours]


def _reports_due(store: Store, cut: Cut) -> Sequence[list[StoredFact]]:
    reports = store.incidents.reports(cut.site)
    over = closed(reports, store.incidents.records(cut.site))
    return [group for group, since_ms in over if since_ms <= cut.before_ms["reports"]]


def _recall(
    store: Store, settings: Settings, cut: Cut, now_ms: int, total: int
) -> Generator[Progress, None, Recalled]:
    """Tell all that is left once more."""
    site = settings.site

    def goes(fact: StoredFact) -> bool:
        data = _CLASS_OF[fact.fact.__struct_config__.tag]  # type: ignore[index]
        return fact.time_ms <= cut.before_ms[data]

    recall = Recall(
        site,
        lambda tag: store.registry.record(site.name, tag),
        store.retention.settled(site.name),
        now_ms=now_ms,
        goes=goes,
    )
    for facts in store.retention.events(site.name, cut.upto):
        recall.tell(facts)
        yield Progress(0, total)
    return recall.end()
