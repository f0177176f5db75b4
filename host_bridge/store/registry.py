"""The register of tags: which tag is whose headset, badge or cleaner's card."""

import csv
import re
import unicodedata
from pathlib import Path
from typing import Any, get_args

import sqlalchemy as sa

from host_bridge.store.engine import translated
from host_bridge.store.errors import RegistryError
from host_bridge.store.records import TagKind, TagRecord, TagStatus
from host_bridge.store.tables import people, tags

_TAG = re.compile(r"[0-9a-f]{32}")
_COLUMNS = {"tag", "kind", "holder"}


class Registry:
    """The register of tags of all sites. Get it from `Store.registry`.

    A holder's name identifies the holder: two people of one name need a distinction in it
    ("Maria Rossi (2)"), or their tags count as one person's.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._writer = engine.execution_options(writes=True)

    def record(self, site: str, tag: str) -> TagRecord | None:
        """The entry of a tag, None when nobody registered it.

        Raises:
            StoreUnavailableError: the database can't be read.
        """
        query = sa.select(tags.c.tag, tags.c.kind, tags.c.person, tags.c.status).where(
            tags.c.site == site, tags.c.tag == tag
        )
        with translated(self._engine), self._engine.connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return TagRecord(**row) if row else None

    def check(self, kind: str, holder_name: str | None) -> None:
        """Would `issue` take this?

        Raises:
            RegistryError: the entry makes no sense.
        """
        _entry({"tag": "0" * 32, "kind": kind, "holder": holder_name or ""})

    def issue(
        self,
        site: str,
        tag: str,
        kind: TagKind,
        holder_name: str | None,
        status: TagStatus = "issued",
    ) -> None:
        """Write one entry; a tag that is in the register already gets the new holder.

        Raises:
            RegistryError: the entry makes no sense.
            StoreUnavailableError: the database can't be written.
        """
        entry = _entry({"tag": tag, "kind": kind, "holder": holder_name or "", "status": status})
        with translated(self._engine), self._writer.begin() as connection:
            _write(connection, site, entry)

    def import_csv(self, site: str, path: Path) -> int:
        """Take a CSV file with the columns tag, kind, holder and perhaps status; all or nothing.

        Returns:
            The number of entries.

        Raises:
            RegistryError: the file can't be read, or a line of it makes no sense.
            StoreUnavailableError: the database can't be written.
        """
        entries = _entries(path)
        with translated(self._engine), self._writer.begin() as connection:
            for entry in entries:
                _write(connection, site, entry)
        return len(entries)


def _entries(path: Path) -> list[dict[str, str]]:
    try:
        # utf-8-sig: spreadsheets put a byte order mark in front.
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = _COLUMNS - set(reader.fieldnames or ())
            if missing:
                raise RegistryError(f"the column {min(missing)!r} is missing", line=1)
            entries = []
            for row in reader:
                try:
                    entries.append(_entry(row))
                except RegistryError as error:
                    raise RegistryError(error.reason, reader.line_num) from error
            return entries
    except OSError as error:
        raise RegistryError(f"{path} can't be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise RegistryError(f"{path} is no CSV file in UTF-8") from error


def _entry(row: dict[str, Any]) -> dict[str, str]:
    """An entry that makes sense, from a line or from arguments."""
    entry = {name: str(row.get(name) or "").strip() for name in ("tag", "kind", "holder", "status")}
    entry["status"] = entry["status"] or "issued"
    if not _TAG.fullmatch(entry["tag"]):
        raise RegistryError("a tag is the 32 hexadecimal digits of its hash, never a card's UID")
    if entry["kind"] not in get_args(TagKind):
        raise RegistryError(f"kind is one of {', '.join(get_args(TagKind))}")
    if entry["status"] not in get_args(TagStatus):
        raise RegistryError(f"status is one of {', '.join(get_args(TagStatus))}")
    if entry["kind"] != "cleaner" and entry["status"] == "issued" and not entry["holder"]:
        raise RegistryError(f"a {entry['kind']} that is issued needs a holder")
    if any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in entry["holder"]):
        raise RegistryError("a holder's name has no control characters")
    if len(entry["holder"]) > 200:
        raise RegistryError("a holder's name has 200 characters at most")
    return entry


def _write(connection: sa.Connection, site: str, entry: dict[str, str]) -> None:
    values = {
        "kind": entry["kind"],
        "status": entry["status"],
        "person": _person(connection, entry["holder"]) if entry["holder"] else None,
    }
    here = sa.and_(tags.c.site == site, tags.c.tag == entry["tag"])
    if connection.execute(sa.update(tags).where(here).values(values)).rowcount == 0:
        connection.execute(sa.insert(tags).values(site=site, tag=entry["tag"], **values))


def _person(connection: sa.Connection, name: str) -> int:
    found = connection.execute(sa.select(people.c.id).where(people.c.name == name)).scalar()
    if found is None:
        inserted = connection.execute(sa.insert(people).values(name=name)).inserted_primary_key
        found = inserted[0] if inserted else None
    assert found is not None
    return int(found)
