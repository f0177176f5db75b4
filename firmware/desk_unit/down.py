"""What the host tells a unit: each message is checked completely before anything acts on it."""

import json

from port import const

from .clock import MAX_TIME, MIN_TIME

VERDICTS = (
    "own",
    "not-yours",
    "unknown",
    "not-cleaned",
    "elsewhere",
    "badge",
    "badge-first",
    "goodbye",
    "cleaned",
    "withdrawn",
    "enrolled",
    "already-known",
)
SEATS = ("free", "reserved", "taken", "blocked", "conflict", "dirty", "full")
LANES = ("ordinary", "button")

_MOST_SPANS = const(8)
_MOST_SECONDS = const(300)
_MAX_COUNT = 2**32 - 1


def ack(payload: bytes):
    """(boot, lane, spans, time) of an `Ack`, or None if it is none."""
    message = load(payload)
    if (
        message is None
        or not _count(message.get("boot"))
        or message.get("lane") not in LANES
        or not _clock(message.get("time"))
        or not _spans(message.get("spans"))
    ):
        return None
    return message["boot"], message["lane"], message["spans"], message["time"]


def verdict(payload: bytes):
    """(boot, seq, verdict, time) of a `Verdict`, or None if it is none."""
    message = load(payload)
    if (
        message is None
        or not _count(message.get("boot"))
        or not _count(message.get("seq"))
        or message.get("verdict") not in VERDICTS
        or not _clock(message.get("time"))
    ):
        return None
    return message["boot"], message["seq"], message["verdict"], message["time"]


def guidance(payload: bytes):
    """The seat word of a `Guidance`, or None if it is none."""
    message = load(payload)
    if message is None or message.get("seat") not in SEATS or not _count(message.get("version")):
        return None
    return message["seat"]


def restart(payload: bytes):
    """The boot that a `Restart` names, or None if it is none."""
    message = load(payload)
    if message is None or not _count(message.get("boot")):
        return None
    return message["boot"]


def mode(payload: bytes):
    """[drill_until, quiet, night, badge_first] of a `Mode`, or None if it is none.

    `drill_until` is Unix milliseconds, 0 for no drill.
    """
    message = load(payload)
    if message is None:
        return None
    until = message.get("drill_until")
    flags = [message.get(name, False) for name in ("quiet", "night", "badge_first")]
    if (until is not None and not _time(until)) or any(type(flag) is not bool for flag in flags):
        return None
    return [until or 0] + flags


def incident(payload: bytes):
    """(boot, seq) up to which an `Incident` says that reports are seen, or None if it is none."""
    message = load(payload)
    if (
        message is None
        or not _count(message.get("boot"))
        or not _count(message.get("seq"))
        or message.get("stage") != "seen"
    ):
        return None
    return message["boot"], message["seq"]


def enrol(payload: bytes):
    """For how many seconds an `Enrol` wants the next tag, 0 to stop; None if it is none."""
    message = load(payload)
    seconds = message.get("seconds") if message else None
    if type(seconds) is not int or not 0 <= seconds <= _MOST_SECONDS:
        return None
    return seconds


def load(payload: bytes):
    """A message's fields, or None if it is no JSON object."""
    try:
        message = json.loads(payload.decode())
    except Exception:  # whatever the parser makes of hostile bytes
        return None
    return message if isinstance(message, dict) else None


def _count(value) -> bool:
    return type(value) is int and 1 <= value <= _MAX_COUNT


def _clock(value) -> bool:
    # Also one that can't be right: a host whose battery is empty has committed all the same.
    return type(value) is int and value >= 0


def _time(value) -> bool:
    return type(value) is int and MIN_TIME <= value <= MAX_TIME


def _spans(value) -> bool:
    if not isinstance(value, list) or not 1 <= len(value) <= _MOST_SPANS:
        return False
    for span in value:
        if not isinstance(span, list) or len(span) != 2:
            return False
        if not _count(span[0]) or not _count(span[1]) or span[0] > span[1]:
            return False
    return True
