"""The statistics of days that are over, counted before the facts go that they are made of."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from host_bridge.domain.groups import SignIn, day_figures, publish
from host_bridge.domain.incidents import fold
from host_bridge.settings import Settings
from host_bridge.store import DayFigures, Store

DAYS = 4
"""How many days back one is counted at the most, if nights were missed: older ones lose taps."""


def count(
    store: Store, settings: Settings, sign_ins: Sequence[SignIn], since_ms: int, now_ms: int
) -> None:
    """Count the days that are over and were not counted yet.

    What is suppressed is not written. A day whose taps are no longer all there is left out.

    Args:
        store: where the reports are, and the figures go.
        settings: the site, its rooms, its time zone and its least group.
        sign_ins: with own headsets, since `since_ms` at least.
        since_ms: only days that began later are whole, Unix milliseconds.
        now_ms: the host's clock.
    """
    site, zone = settings.site, ZoneInfo(settings.site.timezone)
    today = _day(now_ms, zone)
    known = {each.day for each in store.groups.days(site.name)}
    first = today - timedelta(days=DAYS)
    days = [first + timedelta(days=n) for n in range(DAYS)]
    wanted = [
        day for day in days if day.isoformat() not in known and _begin_ms(day, zone) >= since_ms
    ]
    if not wanted:
        return
    rooms = {desk.unit: room.name for room in site.rooms for desk in room.desks}
    reports = [
        (_day(each.time_ms, zone), rooms[each.unit])
        for each in fold(store.incidents.reports(site.name), store.incidents.records(site.name))
        if each.unit in rooms and not each.drill and each.state != "withdrawn"
    ]
    for day in wanted:
        here = [each for each in sign_ins if _day(each.time_ms, zone) == day]
        reported = Counter(room for at, room in reports if at == day)
        if not known and not here and not reported:
            continue  # before the site's first day there is nothing to be told, nor to be hidden
        known.add(day.isoformat())
        figures = day_figures([room.name for room in site.rooms], here, reported)
        told = publish(figures, settings.privacy.group)
        store.groups.put(
            site.name,
            [
                DayFigures(
                    day=day.isoformat(), room=room, threshold=settings.privacy.group, figures=of
                )
                for room, of in told.items()
            ],
        )


def _day(time_ms: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(time_ms / 1000, zone).date()


def _begin_ms(day: date, zone: ZoneInfo) -> int:
    return int(datetime.combine(day, time(), zone).timestamp()) * 1000
