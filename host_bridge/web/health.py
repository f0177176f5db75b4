"""Which parts of the host work, each with what to do when it does not."""

from host_bridge.director import Director
from host_bridge.store import Store, StoreUnavailableError
from host_bridge.web.models import Health, Part, instant


def check(director: Director, store: Store) -> Health:
    """Look at every part now. Reads the database, so it may wait for it."""
    parts = [_broker(director), _database(store), _director(director)]
    return Health(ready=all(part.ok for part in parts), parts=parts)


def _broker(director: Director) -> Part:
    link = director.link
    what = (
        "Connected."
        if link.connected
        else (
            "No connection to the broker. Desk units keep their facts. Start the broker, or correct"
            " its address in the settings; the host connects by itself."
        )
    )
    return Part(part="broker", ok=link.connected, what=what, since=instant(link.since_ms))


def _database(store: Store) -> Part:
    try:
        store.ledger()
    except StoreUnavailableError as error:
        # Not the whole message: it names the database's address.
        return Part(part="database", ok=False, what=f"It can't be read: {error.reason}.")
    return Part(part="database", ok=True, what="Readable.")


def _director(director: Director) -> Part:
    trouble = director.trouble
    return Part(part="director", ok=trouble is None, what=trouble or _role(director))


def _role(director: Director) -> str:
    lead = director.lead
    if lead.stands_by:
        # Machine and process; the random part is for the election only.
        other = ":".join(str(lead.leader).split(":")[:2])
        return f"Stands by: {other} directs this site. This page only shows."
    return f"Follows the facts, directs this site (term {lead.term})."
