"""SPI between the unit and its MFRC522, in words.

Sources: NXP MFRC522 data sheet rev. 3.9: bytes on SPI 8.1.2, registers 9.3, commands 10.3;
ISO/IEC 14443-3:2018 clause 6 for the frames.

Bytes of a UID, and everything that a UID could be worked out from, are hidden: only frames that
are known to carry none are shown as they are.
"""

from sim.workbench.trace import Seen

REGISTERS = {
    0x01: "CommandReg", 0x02: "ComIEnReg", 0x03: "DivIEnReg", 0x04: "ComIrqReg",
    0x05: "DivIrqReg", 0x06: "ErrorReg", 0x07: "Status1Reg", 0x08: "Status2Reg",
    0x09: "FIFODataReg", 0x0A: "FIFOLevelReg", 0x0B: "WaterLevelReg", 0x0C: "ControlReg",
    0x0D: "BitFramingReg", 0x0E: "CollReg", 0x11: "ModeReg", 0x12: "TxModeReg",
    0x13: "RxModeReg", 0x14: "TxControlReg", 0x15: "TxASKReg", 0x16: "TxSelReg",
    0x17: "RxSelReg", 0x18: "RxThresholdReg", 0x19: "DemodReg", 0x21: "CRCResultRegH",
    0x22: "CRCResultRegL", 0x24: "ModWidthReg", 0x26: "RFCfgReg", 0x27: "GsNReg",
    0x28: "CWGsPReg", 0x2A: "TModeReg", 0x2B: "TPrescalerReg", 0x2C: "TReloadRegH",
    0x2D: "TReloadRegL", 0x37: "VersionReg",
}  # fmt: skip
_COMMANDS = {
    0x00: "Idle", 0x01: "Mem", 0x03: "CalcCRC", 0x04: "Transmit", 0x07: "NoCmdChange",
    0x08: "Receive", 0x0C: "Transceive", 0x0E: "MFAuthent", 0x0F: "SoftReset",
}  # fmt: skip
_COMMAND, _COM_IRQ, _FIFO, _LEVEL, _CONTROL, _FRAMING, _COLL = 1, 4, 9, 10, 12, 13, 14
_OF_AN_EXCHANGE = {_COM_IRQ, 6, _FIFO, _LEVEL, _CONTROL, _FRAMING, _COLL}
_TRANSCEIVE = 0x0C
_RECEIVED, _TIMER = 0x20, 0x01
_QUIET_S = 0.06
_LONGEST = 40

_CASCADE = {0x93: 1, 0x95: 2, 0x97: 3}
_PLAIN = {0x26: "REQA", 0x52: "WUPA", 0x50: "HLTA"}


class ReaderWire:
    """Gathers accesses to registers into exchanges with cards; all other accesses into blocks."""

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self._lines: list[str] = []
        self._bytes = b""
        self._names: list[str] = []
        self._exchange = False
        self._wrote = False
        self._last = 0.0
        self._frame = ""
        self._shown = 0
        self._answer = ""

    def access(self, mosi: bytes, miso: bytes, now: float) -> list[Seen]:
        """One low phase of chip select; what is complete with it."""
        if not mosi or len(mosi) != len(miso):
            return []
        reading = bool(mosi[0] & 0x80)
        address = mosi[0] >> 1 & 0x3F
        begins = not reading and address == _COMMAND and mosi[1:] == b"\0"
        asked = {byte >> 1 & 0x3F for byte in mosi[:-1]} if reading else {address}
        goes_on = asked <= _OF_AN_EXCHANGE or (not reading and address == _COMMAND)
        done = []
        if begins or (self._exchange and not goes_on) or len(self._lines) >= _LONGEST:
            done = self.flush()
            self._exchange = begins
        self._last = now
        if reading:
            self._read(mosi, miso)
        else:
            self._write(address, mosi[1:])
        return done

    def quiet(self, now: float) -> list[Seen]:
        """What is complete because nothing followed."""
        return self.flush() if self._lines and now - self._last > _QUIET_S else []

    def flush(self) -> list[Seen]:
        """What was gathered; begin again."""
        if not self._lines:
            return []
        if self._exchange and self._frame:
            text = f"{self._frame} → {self._answer or 'no answer'}"
        elif self._wrote:
            text = f"settings: {_few(self._names)}"
        else:
            text = f"looks at {_few(self._names)}"
        seen = Seen("both", self._bytes, f"MFRC522 {text}", tuple(self._lines))
        self._clear()
        return [seen]

    def _write(self, address: int, values: bytes) -> None:
        name = _name(address)
        self._wrote = True
        if address == _FIFO:
            self._send(values)
            values = values[: self._frame_shown(values)]
            what = f"{values.hex(' ').upper()} {self._frame}"
        elif address == _COMMAND:
            command = _COMMANDS.get(values[-1] & 15, "") if values else ""
            what = f"{values.hex(' ').upper()} {command}"
        else:
            what = values.hex(" ").upper()
        data = bytes((address << 1,)) + values
        self._note(f"write {name} {what}".rstrip(), data, f"{name} {what}")

    def _read(self, mosi: bytes, miso: bytes) -> None:
        parts = []
        for sent, got in zip(mosi[:-1], miso[1:], strict=True):
            address = sent >> 1 & 0x3F
            parts.append((address, got))
        if parts and all(address == _FIFO for address, _ in parts):
            data = bytes(got for _, got in parts)
            self._receive(data)
            shown = data[: self._shown].hex(" ").upper()
            text = f"FIFODataReg {shown} {'(hidden)' if self._shown < 2 else ''}".rstrip()
            self._note(f"read {text}", mosi[:1], text)
            return
        text = ", ".join(
            f"{_name(address)} {'··' if address == _FIFO else f'{got:02X}'}"
            for address, got in parts
        )
        self._outcome(dict(parts))
        self._note(f"read {text}", mosi[:1], text)

    def _note(self, line: str, data: bytes, name: str) -> None:
        if not self._lines or self._lines[-1] != f"MFRC522 {line}":
            self._lines.append(f"MFRC522 {line}")
        self._names.append(name.strip())
        if not self._bytes:
            self._bytes = data

    def _send(self, frame: bytes) -> None:
        """What frame this is, and how much of its answer may be shown."""
        first = frame[0] if frame else 0
        self._answer, self._shown = "", 0
        if first in _PLAIN:
            self._frame, self._shown = _PLAIN[first], 2
        elif first in _CASCADE and len(frame) >= 2:
            select = frame[1] == 0x70
            self._shown = 3 if select else 0
            self._frame = f"{'SELECT' if select else 'anticollision'} level {_CASCADE[first]}"
        else:
            self._frame = f"frame of {len(frame)} bytes"

    @staticmethod
    def _frame_shown(frame: bytes) -> int:
        """Bytes of a frame that hold nothing of a UID: command and number of valid bits."""
        return len(frame) if frame and frame[0] in _PLAIN else 2 if frame[:1] in _STARTS else 0

    def _outcome(self, registers: dict[int, int]) -> None:
        irq = registers.get(_COM_IRQ, 0)
        if irq & _RECEIVED:
            many = ", several cards answered at once" if registers.get(6, 0) & 8 else ""
            self._answer = f"{registers.get(_LEVEL, 0)} bytes{many}"
        elif irq & _TIMER:
            self._answer = "no card" if self._frame in ("REQA", "WUPA") else "silence"

    def _receive(self, data: bytes) -> None:
        shown = data[: self._shown].hex(" ").upper()
        if self._frame in ("REQA", "WUPA"):
            self._answer = self._answer.replace("2 bytes", f"ATQA {shown}")
        elif self._frame.startswith("SELECT"):
            whole = "UID complete" if not data[0] & 4 else "UID goes on"
            self._answer = f"SAK {shown[:2]}, {whole}"
        else:
            self._answer = f"{self._answer}, hidden"


_STARTS = {bytes((byte,)) for byte in _CASCADE}


def _name(address: int) -> str:
    return REGISTERS.get(address, f"register {address:02X}")


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
