"""The plan of a site as the database keeps it, out of the settings."""

from host_bridge.settings import Site
from host_bridge.store import PlannedDesk


def planned(site: Site) -> list[PlannedDesk]:
    """The desks of all rooms."""
    away_ms = round(site.away_minutes * 60_000)
    return [
        PlannedDesk(unit=desk.unit, desk=desk.name, room=room.name, cap=room.cap, away_ms=away_ms)
        for room in site.rooms
        for desk in room.desks
    ]
