"""What may be said on a unit's control port: one JSON object a line, one command an object."""

from typing import Annotated, Any, Literal

import msgspec

from sim.unit import SimUnit
from sim.vm import VmError
from sim.world import RadarState

Uid = Annotated[str, msgspec.Meta(pattern=r"^([0-9A-Fa-f]{8}|[0-9A-Fa-f]{14}|[0-9A-Fa-f]{20})\Z")]
"""4, 7 or 10 bytes in hexadecimal."""

Duration = Annotated[int, msgspec.Meta(ge=1, le=60_000)]


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No field that is not known passes."""


class Tap(_Strict, frozen=True):
    """Hold one card, or several at once, to the reader for `ms` milliseconds."""

    uid: Uid | None = None
    uids: Annotated[list[Uid], msgspec.Meta(min_length=1, max_length=8)] | None = None
    ms: Duration = 400


class Card(_Strict, frozen=True):
    """A card."""

    uid: Uid


class Press(_Strict, frozen=True):
    """Press the button for `ms` milliseconds."""

    ms: Duration = 120


class Radar(_Strict, frozen=True):
    """Who is before the desk, `cm` centimetres away; whatever sensors it has see it."""

    state: RadarState
    cm: Annotated[int, msgspec.Meta(ge=0, le=600)] = 70


class Motion(_Strict, frozen=True):
    """Something moves before the PIR for `ms` milliseconds."""

    ms: Duration = 3000


class Fault(_Strict, frozen=True):
    """Break a chip, or mend it with "none"; `after` counts bytes for flash and "cut"."""

    chip: str
    kind: str
    after: Annotated[int, msgspec.Meta(ge=0, le=1 << 30)] = 0


class Nothing(_Strict, frozen=True):
    """No more to say."""


class Command(_Strict, frozen=True, omit_defaults=True):
    """Exactly one of these."""

    tap: Tap | None = None
    put: Card | None = None
    take: Card | None = None
    press: Press | None = None
    button: Literal["down", "up"] | None = None
    radar: Radar | None = None
    motion: Motion | None = None
    seat: Literal["sit", "stand"] | None = None
    power: Literal["cut", "on"] | None = None
    fault: Fault | None = None
    network: Literal["lost", "back"] | None = None
    show: Nothing | None = None
    watch: Nothing | None = None
    heap: Nothing | None = None


_WORDS = Command.__struct_fields__


class CommandError(Exception):
    """A command can't be carried out. The message says what was expected."""


def parse(line: bytes) -> Command:
    """Read one line.

    Raises:
        CommandError: it is no JSON object, names no command or several, or has wrong values.
    """
    expected = f"expected one JSON object with one of: {', '.join(_WORDS)}"
    try:
        command = msgspec.json.decode(line, type=Command)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CommandError(f"{error}; {expected}") from error
    given = [word for word in _WORDS if getattr(command, word) is not None]
    if len(given) != 1:
        raise CommandError(f"{', '.join(given) or 'nothing'} was given; {expected}")
    if command.tap and (command.tap.uid is None) == (command.tap.uids is None):
        raise CommandError('tap: expected either "uid" or "uids"')
    return command


async def obey(unit: SimUnit, command: Command) -> dict[str, Any]:
    """Carry out a command; the reply.

    Raises:
        CommandError: it could not be done, and nothing was changed.
    """
    try:
        return await _obey(unit, command) or {"ok": True}
    except (VmError, ValueError) as error:
        raise CommandError(str(error)) from error


async def _obey(unit: SimUnit, command: Command) -> dict[str, Any] | None:  # noqa: C901
    if tap := command.tap:
        await unit.tap(*(tap.uids or [tap.uid or ""]), ms=tap.ms)
    elif command.put:
        await unit.put(command.put.uid)
    elif command.take:
        await unit.take(command.take.uid)
    elif command.press:
        await unit.press(command.press.ms)
    elif command.button:
        await unit.button(command.button == "down")
    elif command.radar or command.motion or command.seat:
        await _be_there(unit, command)
    elif command.power == "cut":
        await unit.power_cut()
    elif command.power == "on":
        await unit.power_on()
    elif command.fault:
        await unit.fault(command.fault.chip, command.fault.kind, command.fault.after)
    elif command.network:
        await unit.network(command.network == "back")
    elif command.heap:
        used, free = await unit.heap()
        return {"used": used, "free": free}
    elif command.show:
        return dict(msgspec.to_builtins(unit.show()))
    return None


async def _be_there(unit: SimUnit, command: Command) -> None:
    """Somebody before the desk, or what one sensor alone sees."""
    if command.radar:
        await unit.radar(command.radar.state, command.radar.cm)
    elif command.motion:
        await unit.motion(command.motion.ms)
    else:
        await unit.seat(command.seat == "sit")
