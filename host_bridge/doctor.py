"""What can be wrong with an installation, looked at one thing after the other. Changes nothing."""

import ctypes
import http.client
import os
import shutil
import socket
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import msgspec
import sqlalchemy as sa

from host_bridge.clock import SYSTEM
from host_bridge.forget import amounts
from host_bridge.settings import Settings, SettingsError, file_of, load
from host_bridge.store import Store, StoreError, form_of, sample
from host_bridge.transport.limits import BrokerLimits, BrokerUnreachableError, ask

MIB = 2**20
DISK_FAIL, DISK_WARN = 256 * MIB, 2_048 * MIB
"""Free bytes below which facts will soon not be stored; a day of 500 desks is some 100 MiB."""

TIME_ERROR = 5
"""What `ntp_gettime` returns while the kernel's clock is not synchronised."""

UNITS = 5
"""Of how many units the tables are held against the facts."""

OVERDUE_MS = 30 * 3_600_000
"""So long after the last deletion the next one should have been; the alert says the same."""

Outcome = Literal["ok", "warn", "fail"]


class Finding(msgspec.Struct, frozen=True):
    """One thing: how it is, in a sentence, and what to do if it is not as it should be."""

    check: str
    outcome: Outcome
    what: str
    do: str = ""


def examine(config: Path | None) -> list[Finding]:
    """Look at everything; without settings that can be read, only at what needs none."""
    findings = [_version()]
    try:
        settings = load(config)
    except SettingsError as error:
        wrong = Finding("settings", "fail", str(error), "Correct the file; nothing was started.")
        return [*findings, wrong, _clock()]
    findings += [_settings(settings, config), _permissions(settings, config)]
    findings += [_database(settings), *_within(settings), _disk(settings), _clock()]
    return [*findings, _broker(settings), _port(settings)]


def _version() -> Finding:
    python = ".".join(map(str, sys.version_info[:3]))
    return Finding("version", "ok", f"Chequer {version('chequer')} on Python {python}.")


def _settings(settings: Settings, config: Path | None) -> Finding:
    file, _ = file_of(config)
    desks = sum(len(room.desks) for room in settings.site.rooms)
    what = f"{file}: site {settings.site.name}, {desks} desks."
    if not file.exists():
        return Finding(
            "settings", "warn", "There is no chequer.toml: defaults.", "Write one, or --config."
        )
    if not desks:
        do = "Name rooms and desks below [[site.rooms]]; without them no desk gets guidance."
        return Finding("settings", "warn", what, do)
    return Finding("settings", "ok", what)


def _permissions(settings: Settings, config: Path | None) -> Finding:
    """Names and passwords are nobody else's business, and we must be able to write."""
    file, _ = file_of(config)
    database = _sqlite_file(settings)
    secret = settings.broker.password is not None or _has_password(settings)
    in_file = secret and "CHEQUER_BROKER_PASSWORD" not in os.environ
    if in_file and file.exists() and file.stat().st_mode & 0o077:
        return Finding("permissions", "warn", f"Others can read {file}, which has a password.",
                       f"chmod 600 {file}, or put it in CHEQUER_BROKER_PASSWORD.")  # fmt: skip
    if database and database.exists():
        if not os.access(database, os.R_OK | os.W_OK):
            return Finding("permissions", "fail", f"{database} can't be written by us.",
                           "Run as the user who owns it; facts wait at the broker.")  # fmt: skip
        if database.stat().st_mode & 0o007:
            return Finding("permissions", "warn", f"Everybody may read {database}: it has names.",
                           f"chmod 640 {database}, and its folder 750.")  # fmt: skip
    return Finding("permissions", "ok", "Nobody else can read what is secret.")


def _has_password(settings: Settings) -> bool:
    try:
        url = sa.make_url(settings.store.url)
    except sa.exc.ArgumentError:
        return False
    return url.password is not None and "CHEQUER_STORE_URL" not in os.environ


def _sqlite_file(settings: Settings) -> Path | None:
    prefix = "sqlite:///"
    url = settings.store.url
    return Path(url.removeprefix(prefix)) if url.startswith(prefix) else None


def _database(settings: Settings) -> Finding:
    file = _sqlite_file(settings)
    if file is not None and not file.exists():
        do = "Nothing, if this is a new installation; else look at [store] url and the folder."
        return Finding("database", "warn", f"{file} does not exist yet; it will be made.", do)
    try:
        found, newest = form_of(settings.store.url)
    except StoreError as error:
        do = "Start the server or correct [store] url; units keep their facts meanwhile."
        return Finding("database", "fail", str(error), do)
    if found == newest:
        return Finding("database", "ok", f"Reachable, of this version's form ({newest}).")
    if found is None:
        do = "chequer migrate (every command that opens it does so too)."
        return Finding("database", "warn", "Reachable, and empty.", do)
    if found < str(newest):
        do = "chequer backup, then chequer migrate."
        return Finding("database", "warn", f"Of an older form, {found} instead of {newest}.", do)
    do = "Install the Chequer that made it, or go back with that one: chequer migrate --to."
    return Finding("database", "fail", f"Of a newer Chequer: form {found}.", do)


def _within(settings: Settings) -> list[Finding]:
    """What is in the database, if there is one of this version's form to be asked."""
    file = _sqlite_file(settings)
    if file is not None and not file.exists():
        return []
    try:
        found, newest = form_of(settings.store.url)
    except StoreError:
        return []  # the finding before says so
    if found != newest:
        return []
    return [_asked("tables", _tables, settings), _asked("deletion", _deletion, settings)]


def _asked(check: str, look: Callable[[Settings], Finding], settings: Settings) -> Finding:
    """What a look says, or why it could not be had."""
    try:
        return look(settings)
    except StoreError as error:
        do = "If that does not help: chequer restore fills an empty database from a backup."
        return Finding(check, "fail", str(error), do)


def _tables(settings: Settings) -> Finding:
    """Is what is so now what the facts say? Some units."""
    wrong = sample(settings.store.url, UNITS)
    if not wrong:
        return Finding("tables", "ok", "What is so now is what the facts say, as far as sampled.")
    what = f"Of {UNITS} units taken by chance, {len(wrong)} rows are not what the facts say."
    return Finding("tables", "warn", what, "chequer rebuild --check, then chequer rebuild.")


def _deletion(settings: Settings) -> Finding:
    """Does what is over its time go, night for night?"""
    now_ms = SYSTEM.unix_ms()
    store = Store.open(settings.store.url)
    try:
        runs = store.retention.last_run(settings.site.name)
        over = sum(each.over for each in amounts(store, settings, now_ms))
    finally:
        store.close()
    away_ms = now_ms - runs[0].at_ms if runs else None
    when = "There was none yet"
    if away_ms is not None:
        side = "ago" if away_ms >= 0 else "ahead, by this machine's clock"
        when = f"The last one was {abs(away_ms) // 3_600_000:,} hours {side}"
    what = f"{when}; {over:,} rows are over their time."
    if over and (away_ms is None or abs(away_ms) > OVERDUE_MS):
        do = "See the log of chequer serve; chequer forget --dry-run, then chequer forget."
        return Finding("deletion", "warn", what, do)
    return Finding("deletion", "ok", what)


def _disk(settings: Settings) -> Finding:
    """Where SQLite writes; with a server, where this process runs: the server's disk is its own."""
    file = _sqlite_file(settings)
    folder = file.absolute().parent if file else Path.cwd()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    what = f"{free // MIB:,} MiB free at {folder}."
    do = "Make room, or move the database (chequer move). When it is full, facts wait outside."
    if free < DISK_FAIL:
        return Finding("disk", "fail", what, do)
    return Finding("disk", "warn" if free < DISK_WARN else "ok", what, do)


def _clock() -> Finding:
    synchronised = _synchronised()
    if synchronised is None:
        return Finding("clock", "warn", "Whether NTP keeps the clock right can't be told here.",
                       "See to it that it does: times of facts rest on it.")  # fmt: skip
    if not synchronised:
        return Finding("clock", "warn", "Nothing keeps the clock right, says the kernel.",
                       "Start chrony or systemd-timesyncd (on a container's host).")  # fmt: skip
    return Finding("clock", "ok", "Kept right by NTP, as the kernel says.")


def _synchronised() -> bool | None:
    """What the kernel knows (ntp_gettime of the C library); None where it can't be asked."""
    try:
        ask_kernel = ctypes.CDLL(None).ntp_gettime
    except (OSError, AttributeError):
        return None
    buffer = ctypes.create_string_buffer(256)  # a `struct ntptimeval` has 72 bytes
    state = int(ask_kernel(buffer))
    return None if state < 0 else state != TIME_ERROR


def _broker(settings: Settings) -> Finding:
    broker = settings.broker
    where = f"{broker.host}:{broker.port}"
    try:
        limits = ask(broker)
    except BrokerUnreachableError as error:
        do = "Start it, or correct [broker]; units keep their facts meanwhile."
        return Finding("broker", "fail", f"{where}: {error}.", do)
    what = f"{where} answers ({limits.kind}). {_said(limits)}"
    if limits.retain is False or limits.shared is False or (limits.packet or 10**9) < 4_096:
        do = "Allow retained messages, shared subscriptions and packets of 4,096 bytes."
        return Finding("broker", "fail", what, do)
    do = "max_queued_messages can't be seen from outside: let it be 0 (docs/operations.md)."
    return Finding("broker", "ok", what, do)


def _said(limits: BrokerLimits) -> str:
    inflight = "not limited" if limits.inflight is None else str(limits.inflight)
    packet = "not limited" if limits.packet is None else f"{limits.packet} bytes"
    return f"In flight towards it: {inflight}; packets: {packet}."


def _port(settings: Settings) -> Finding:
    host, port = settings.web.host, settings.web.port
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = error.strerror
        else:
            return Finding("port", "ok", f"{host}:{port} is free for chequer serve.")
    if _is_ours(host, port):
        return Finding("port", "ok", f"chequer serve answers on {host}:{port}.")
    do = "End what listens there, or choose another [web] port."
    return Finding("port", "fail", f"{host}:{port} can't be used: {reason}.", do)


def _is_ours(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=3)
    try:
        connection.request("GET", "/healthz")
        return b'"alive"' in connection.getresponse().read(100)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
