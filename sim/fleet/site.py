"""The site of a fleet: desks in rooms of forty, and a headset for each."""

from sim.scenario.site import People, Room, Site

MOST = 26 * 40
"""Units that a fleet has at the most: so many names of desks there are."""

_ROOM = 40


def rooms(units: int) -> Site:
    """A site with so many desks, far enough apart for all to be used at once."""
    names = [f"{chr(65 + n // _ROOM)}{n % _ROOM + 1}" for n in range(units)]
    return Site(
        rooms=[
            Room(name=f"Room {names[n][0]}", desks=[*names[n : n + _ROOM]])
            for n in range(0, units, _ROOM)
        ]
    )


def crew(site: Site) -> People:
    """An agent for each desk, called as the desk is, and one cleaner for all."""
    return People(agents=list(site.desks), cleaners=["Cleaner"])
