"""Who is at a desk: sitting (the sensor), signed in (the headset), gone for too long."""

from dataclasses import replace

from host_bridge.domain import hygiene
from host_bridge.domain.desk import Badge, Desk


def seat(desk: Desk, occupied: bool, time: int) -> Desk:
    """The sensor's word. Saying the same again changes nothing, so `since` stays true."""
    if occupied == desk.occupied:
        return desk
    return replace(desk, occupied=occupied, since=time, used=desk.used or occupied)


def show_badge(desk: Desk, person: int, time: int) -> Desk:
    """A badge was read; the headset of the same person is awaited."""
    return replace(desk, badge=Badge(person, time))


def sign_in(desk: Desk, person: int, time: int) -> Desk:
    """The person holds the desk from now on, whether sitting yet or not."""
    return replace(desk, holder=person, held_since=time, badge=None, used=True, dirty=False)


def settle(desk: Desk, now: int, away_ms: int) -> Desk:
    """What time alone has done by `now`: who stays away for `away_ms` has left.

    Settling twice is the same as settling once at the later time, so it may be done whenever
    somebody looks.
    """
    at = away_at(desk, away_ms)
    return hygiene.leave(desk) if at is not None and now >= at else desk


def away_at(desk: Desk, away_ms: int) -> int | None:
    """When whoever has left the desk empty has left it for good; None when nobody has."""
    if desk.used and not desk.occupied:
        return max(desk.since, desk.held_since) + away_ms
    return None
