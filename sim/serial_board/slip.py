"""SLIP (RFC 1055), as the ESP32's boot loader frames its packets: C0 at both ends."""

_END, _ESC, _ESC_END, _ESC_ESC = 0xC0, 0xDB, 0xDC, 0xDD
_MAX_PACKET = 0x8000


def encode(packet: bytes) -> bytes:
    """One packet, ready for the wire."""
    return b"\xc0" + packet.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0"


class Decoder:
    """Packets out of bytes that arrive in any portions. Noise between packets is skipped."""

    def __init__(self) -> None:
        self._packet: bytearray | None = None
        self._escaped = False

    def feed(self, data: bytes) -> list[bytes]:
        """The packets that these bytes complete."""
        done = []
        for byte in data:
            if byte == _END:
                if self._packet:
                    done.append(bytes(self._packet))
                    self._packet = None
                else:
                    self._packet = bytearray()
                self._escaped = False
            elif self._packet is not None:
                self._take(self._packet, byte)
        return done

    def _take(self, packet: bytearray, byte: int) -> None:
        if self._escaped:
            self._escaped = False
            packet.append({_ESC_END: _END, _ESC_ESC: _ESC}.get(byte, byte))
        elif byte == _ESC:
            self._escaped = True
        elif len(packet) < _MAX_PACKET:
            packet.append(byte)
