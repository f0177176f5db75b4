"""How tags are hashed: what the host's register needs to know a card that a unit will see."""

import csv
import hmac
from pathlib import Path

from sim.crew import Crew

VISITOR_BADGE = "04BAD6E0000001"
VISITOR_HEADSET = "04C0FFEE000001"
"""Cards of whoever plays along by hand (README, "Touch it")."""


def tag_hash(site_key: bytes, uid: str) -> str:
    """The first 16 bytes of HMAC-SHA256 in hexadecimal, as the firmware's `desk_unit.tags`."""
    return hmac.digest(site_key, bytes.fromhex(uid), "sha256")[:16].hex()


def write_register(path: Path, crew: Crew, site_key: bytes) -> None:
    """A file for `host_bridge registry import`: badges, headsets, cleaners' cards."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("tag", "kind", "holder"))
        for person in crew.people:
            rows.writerow((tag_hash(site_key, person.badge), "badge", person.name))
            rows.writerow((tag_hash(site_key, person.headset), "headset", person.name))
        rows.writerow((tag_hash(site_key, VISITOR_BADGE), "badge", "Visitor"))
        rows.writerow((tag_hash(site_key, VISITOR_HEADSET), "headset", "Visitor"))
        for uid in crew.cleaners:
            rows.writerow((tag_hash(site_key, uid), "cleaner", ""))
