"""Is it night at the site? Then desks are dimmed."""

from datetime import datetime, tzinfo


def is_night(now_ms: int, zone: tzinfo, hours: tuple[int, int] | None) -> bool:
    """Whether the local time is in the night.

    Args:
        now_ms: Unix milliseconds.
        zone: the site's time zone.
        hours: at which it begins and ends (0 to 23), perhaps across midnight; None: never.
    """
    if hours is None:
        return False
    begins, ends = hours
    hour = datetime.fromtimestamp(now_ms / 1000, zone).hour
    if begins <= ends:
        return begins <= hour < ends
    return hour >= begins or hour < ends
