"""UART between the unit and its LD2410, in words.

Source: Hi-Link LD2410 serial communication protocol V1.02.
"""

from sim.workbench.trace import Seen

_REPORT = (b"\xf4\xf3\xf2\xf1", b"\xf8\xf7\xf6\xf5")
_COMMAND = (b"\xfd\xfc\xfb\xfa", b"\x04\x03\x02\x01")
_STATES = ("nobody", "moving", "still", "moving and still")
_COMMANDS = {
    0xFF: "enable configuration", 0xFE: "end configuration", 0x60: "gates and time",
    0x61: "read parameters", 0x62: "engineering on", 0x63: "engineering off",
    0x64: "sensitivity", 0xA0: "read version", 0xA1: "baud rate", 0xA2: "factory reset",
    0xA3: "restart", 0xA4: "Bluetooth", 0xA5: "read MAC address", 0xAA: "distance resolution",
    0xAB: "read distance resolution",
}  # fmt: skip
_HEAD, _FRAME, _LONGEST = 4, 10, 64


class RadarWire:
    """One direction of the line; `way` is "in" (the radar speaks) or "out"."""

    def __init__(self, way: str) -> None:
        self._way = way
        self._buffer = b""

    def feed(self, data: bytes) -> list[Seen]:
        """Bytes as they came; frames that are complete with them, and what was no frame."""
        self._buffer += data
        found = []
        while True:
            start = _first(self._buffer)
            if start:
                found.append(self._garbage(self._buffer[:start]))
                self._buffer = self._buffer[start:]
            length = _length(self._buffer)
            if length is None:
                return found
            frame, tail = self._buffer[:length], self._buffer[:4] == _REPORT[0]
            if not length or frame[-4:] != (_REPORT if tail else _COMMAND)[1]:
                found.append(self._garbage(self._buffer[:_HEAD]))
                self._buffer = self._buffer[_HEAD:]
                continue
            self._buffer = self._buffer[length:]
            found.append(Seen(self._way, frame, f"LD2410 {_words(frame)}"))

    def _garbage(self, data: bytes) -> Seen:
        return Seen(self._way, data, "LD2410 bytes that are no frame")


def _first(data: bytes) -> int:
    """Where a frame may begin; all that could be the beginning of a head is kept."""
    for i in range(len(data)):
        part = data[i : i + _HEAD]
        if any(head.startswith(part) for head in (_REPORT[0], _COMMAND[0])):
            return i
    return len(data)


def _length(data: bytes) -> int | None:
    """Of the frame that begins here: None when more must come, 0 when it can't be one."""
    if len(data) < 6:
        return None
    length = int.from_bytes(data[4:6], "little")
    if not 2 <= length <= _LONGEST:
        return 0
    return None if len(data) < length + _FRAME else length + _FRAME


def _words(frame: bytes) -> str:
    body = frame[6:-4]
    if frame[:4] == _REPORT[0]:
        return _report(body)
    command, value = body[0] | body[1] << 8, body[2:]
    name = _COMMANDS.get(command & 0xFF, f"command {command & 0xFF:02X}")
    if command & 0x100:
        return f"answer: {name} {_verdict(value)}"
    return f"command: {name}"


def _report(body: bytes) -> str:
    if len(body) < 11:
        return f"report of {len(body)} bytes"
    state = body[2]
    if state >= len(_STATES):
        return "report: calibrating"
    if not state:
        return "report nobody"
    cm = int.from_bytes(body[3:5] if state == 1 else body[6:8], "little")
    energy = body[5] if state == 1 else body[8]
    return f"report {_STATES[state]} {cm} cm, energy {energy}"


def _verdict(value: bytes) -> str:
    return "refused" if any(value[:2]) else "done"
