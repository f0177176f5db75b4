"""The serial boot loader in the ESP32's ROM, and esptool's stub, which takes its place.

Protocol: esptool's documentation, "Serial Protocol". A command is a SLIP packet: 00, opcode, length
u16, checksum u32, data. The answer: 01, opcode, length u16, value u32, data, status. The ROM's
status has four bytes, the stub's two; the first is 0 when it went well, the second says why not.
"""

import struct
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from sim.serial_board import slip
from sim.serial_board.registers import Registers

if TYPE_CHECKING:
    from sim.serial_board.flash import Flash

_INVALID, _FAILED, _BAD_CHECKSUM, _INFLATE = 0x05, 0x06, 0x07, 0x0B
_STUB_ONLY = {0xD0, 0xD1}
_S3_CHIP_ID = 9

Answer = tuple[int, bytes]


class Refused(Exception):  # noqa: N818 - an answer, not a failure of ours
    """The loader says no; `args[0]` is the protocol's reason."""


class Loader:
    """The loader of one board.

    Args:
        flash: What it writes.
        mac: Six bytes.
        send: Takes what goes onto the wire.
        start: Called when the host tells the chip to run what is in flash.
        chip: "ESP32", or "ESP32-S3" for a board that does not belong here.
    """

    def __init__(
        self,
        flash: "Flash",
        mac: bytes,
        send: Callable[[bytes], None],
        start: Callable[[], None],
        chip: str = "ESP32",
    ) -> None:
        self._flash = flash
        self._registers = Registers(mac)
        self._send = send
        self._start = start
        self._chip = chip
        self._decoder = slip.Decoder()
        self._stub = False
        self._at = self._sequence = 0
        self._inflate = zlib.decompressobj()
        self.blocks = 0
        self._commands: dict[int, Callable[[bytes, int], Answer]] = {
            0x02: self._flash_begin,
            0x03: self._flash_data,
            0x04: self._flash_end,
            0x05: self._mem_begin,
            0x06: self._mem_end,
            0x07: self._mem_data,
            0x08: self._sync,
            0x09: self._write_reg,
            0x0A: self._read_reg,
            0x0B: self._accept,
            0x0D: self._accept,
            0x0F: self._accept,
            0x10: self._deflate_begin,
            0x11: self._deflate_data,
            0x12: self._flash_end,
            0x13: self._md5,
            0x14: self._security_info,
            0xD0: self._erase_all,
            0xD1: self._erase_region,
        }
        self._after: Callable[[], None] | None = None

    def feed(self, data: bytes) -> None:
        """Bytes from the host."""
        for packet in self._decoder.feed(data):
            if len(packet) >= 8 and packet[0] == 0:
                _, op, length, checksum = struct.unpack_from("<BBHI", packet)
                self._execute(op, packet[8 : 8 + length], checksum)

    def _execute(self, op: int, data: bytes, checksum: int) -> None:
        known = self._stub or op not in _STUB_ONLY
        command = self._commands.get(op, self._refuse) if known else self._refuse
        self._after = None
        try:
            value, body = command(data, checksum)
            status = b"\x00\x00"
        except Refused as refusal:
            value, body, status = 0, b"", bytes((1, refusal.args[0]))
        except (ValueError, struct.error):
            value, body, status = 0, b"", bytes((1, _FAILED))
        if not self._stub:
            status += b"\x00\x00"
        answer = slip.encode(struct.pack("<BBHI", 1, op, len(body + status), value) + body + status)
        self._send(answer * (8 if op == 0x08 else 1))
        if self._after is not None:
            self._after()

    def _refuse(self, _data: bytes, _checksum: int) -> Answer:
        raise Refused(_INVALID)

    def _accept(self, _data: bytes, _checksum: int) -> Answer:
        return 0, b""

    def _sync(self, _data: bytes, _checksum: int) -> Answer:
        return 0 if self._stub else 0x20120707, b""

    def _read_reg(self, data: bytes, _checksum: int) -> Answer:
        return self._registers.read(struct.unpack("<I", data)[0]), b""

    def _write_reg(self, data: bytes, _checksum: int) -> Answer:
        address, value, mask, _delay = struct.unpack_from("<IIII", data)
        self._registers.write(address, value, mask)
        return 0, b""

    def _security_info(self, _data: bytes, _checksum: int) -> Answer:
        """The ESP32's ROM does not know this command; later chips say their number."""
        if self._chip == "ESP32":
            raise Refused(_INVALID)
        return 0, struct.pack("<IB7xII", 0, 0, _S3_CHIP_ID, 0)

    def _mem_begin(self, data: bytes, _checksum: int) -> Answer:
        struct.unpack("<IIII", data)
        self._sequence = 0
        return 0, b""

    def _mem_data(self, data: bytes, checksum: int) -> Answer:
        self._block(data, checksum)
        return 0, b""

    def _mem_end(self, data: bytes, _checksum: int) -> Answer:
        """Jump into what was loaded: the stub, which greets and serves from now on."""
        stay, _entry = struct.unpack("<II", data)
        if not stay:
            self._after = self._become_stub
        return 0, b""

    def _become_stub(self) -> None:
        self._stub = True
        self._send(slip.encode(b"OHAI"))

    def _flash_begin(self, data: bytes, _checksum: int) -> Answer:
        size, _blocks, _block_size, offset = struct.unpack_from("<IIII", data)
        self._flash.erase(offset, size)
        self._at, self._sequence = offset, 0
        return 0, b""

    def _flash_data(self, data: bytes, checksum: int) -> Answer:
        self._program(self._block(data, checksum))
        return 0, b""

    def _deflate_begin(self, data: bytes, checksum: int) -> Answer:
        self._inflate = zlib.decompressobj()
        return self._flash_begin(data, checksum)

    def _deflate_data(self, data: bytes, checksum: int) -> Answer:
        try:
            self._program(self._inflate.decompress(self._block(data, checksum)))
        except zlib.error as error:
            raise Refused(_INFLATE) from error
        return 0, b""

    def _flash_end(self, data: bytes, _checksum: int) -> Answer:
        """0: reboot, 1: run the user's code. The strapping pins still say "boot loader"."""
        (run,) = struct.unpack("<I", data)
        if not run:
            self._stub = False
        elif not self._stub:
            self._after = self._start
        return 0, b""

    def _md5(self, data: bytes, _checksum: int) -> Answer:
        offset, size, _, _ = struct.unpack("<IIII", data)
        digest = self._flash.md5(offset, size)
        return 0, digest if self._stub else digest.hex().encode()

    def _erase_all(self, _data: bytes, _checksum: int) -> Answer:
        self._flash.erase(0, 4 * 1024 * 1024)
        return 0, b""

    def _erase_region(self, data: bytes, _checksum: int) -> Answer:
        offset, size = struct.unpack("<II", data)
        self._flash.erase(offset, size)
        return 0, b""

    def _block(self, data: bytes, checksum: int) -> bytes:
        """The payload of a data command, if its order and checksum are right."""
        size, sequence, _, _ = struct.unpack_from("<IIII", data)
        payload = data[16 : 16 + size]
        state = 0xEF
        for byte in payload:
            state ^= byte
        if state != checksum & 0xFF or len(payload) != size:
            raise Refused(_BAD_CHECKSUM)
        if sequence != self._sequence:
            raise Refused(_FAILED)
        self._sequence += 1
        return payload

    def _program(self, data: bytes) -> None:
        self._flash.write(self._at, data)
        self._at += len(data)
        self.blocks += 1
