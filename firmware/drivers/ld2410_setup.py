"""Hi-Link LD2410: its commands, distances and energies, for the bench and for provisioning.

Source: Hi-Link LD2410 serial communication protocol V1.02. Apart from presence, because a
desk unit that runs takes the radar as it is and has better use for the memory.
"""

from drivers.fault import ChipFault
from drivers.ld2410 import COMMAND, COMMAND_END, LD2410
from port import const, sleep_ms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from drivers.bus import UART

_ACK_LOOKS = const(60)
_ACK_LOOK_MS = const(5)

_ENABLE = const(0xFF)
_END = const(0xFE)
_GATES = const(0x60)
_PARAMETERS = const(0x61)
_ENGINEERING_ON = const(0x62)
_ENGINEERING_OFF = const(0x63)
_SENSITIVITY = const(0x64)
_FIRMWARE = const(0xA0)
_RESTART = const(0xA3)

ALL_GATES = const(0xFFFF)


class ConfigurableLD2410(LD2410):
    """The radar, with its commands. Not re-entrant.

    Attributes:
        moving_cm, still_cm, detection_cm: distances of the last report, in centimetres.
        moving_energy, still_energy: 0 to 100.
    """

    def __init__(self, uart: "UART") -> None:
        super().__init__(uart)
        self.moving_cm = self.moving_energy = 0
        self.still_cm = self.still_energy = 0
        self.detection_cm = 0
        self._ack_command = -1
        self._ack = b""

    async def configure(self, moving_gate: int, still_gate: int, vacant_after_s: int) -> None:
        """Farthest gates that count (2 to 8, of 75 cm each) and the time to vacancy (0 to 65535 s).

        Raises:
            ChipFault: the radar did not acknowledge, or refused.
        """
        await self._configured(_GATES, _triple(moving_gate, still_gate, vacant_after_s))

    async def sensitivity(self, gate: int, moving: int, still: int) -> None:
        """Thresholds of a gate (0 to 8, or ALL_GATES): energies from 0 to 100 that count.

        Raises:
            ChipFault: the radar did not acknowledge, or refused.
        """
        await self._configured(_SENSITIVITY, _triple(gate, moving, still))

    async def engineering(self, on: bool) -> None:
        """Switch to reports with the energies of every gate, or back; lost at a restart.

        Raises:
            ChipFault: the radar did not acknowledge.
        """
        await self._configured(_ENGINEERING_ON if on else _ENGINEERING_OFF, b"")

    async def parameters(self) -> bytes:
        """What is set: AAh, last gate, moving and still gate, 9 + 9 thresholds, u16 seconds.

        Raises:
            ChipFault: the radar did not acknowledge.
        """
        return await self._configured(_PARAMETERS, b"")

    async def version(self) -> str:
        """Firmware version, for example "1.07.22091516".

        Raises:
            ChipFault: the radar did not acknowledge, or said something else.
        """
        ack = await self._configured(_FIRMWARE, b"")
        if len(ack) < 8:
            raise ChipFault("radar", "answered the version query with %d bytes" % len(ack))
        build = int.from_bytes(ack[4:8], "little")
        return "%d.%02x.%08x" % (ack[3], ack[2], build)

    async def restart(self) -> None:
        """Restart the module; it reports again after about 1.1 s.

        Raises:
            ChipFault: the radar did not acknowledge.
        """
        await self._command(_ENABLE, b"\x01\x00")
        await self._command(_RESTART, b"")

    # Frames

    def _deliver(self, size: int) -> int:
        frame = self._frame
        if not super()._deliver(size):
            self._ack_command = frame[6]
            self._ack = bytes(frame[8 : size - 4])
            return 0
        self.moving_cm = frame[9] | frame[10] << 8
        self.moving_energy = frame[11]
        self.still_cm = frame[12] | frame[13] << 8
        self.still_energy = frame[14]
        self.detection_cm = frame[15] | frame[16] << 8
        return 1

    # Commands

    async def _configured(self, command: int, value: bytes) -> bytes:
        """One command inside configuration mode, which is left again whatever happens."""
        await self._command(_ENABLE, b"\x01\x00")
        try:
            return await self._command(command, value)
        finally:
            await self._command(_END, b"")

    async def _command(self, command: int, value: bytes) -> bytes:
        """Send, and wait at most 600 ms in two tries for the ACK's value."""
        length = len(value) + 2
        frame = COMMAND + bytes((length, 0, command, 0)) + value + COMMAND_END
        for _ in range(2):
            self._ack_command = -1
            self._uart.write(frame)
            for _ in range(_ACK_LOOKS):
                await sleep_ms(_ACK_LOOK_MS)
                self.receive()
                if self._ack_command == command:
                    return self._acknowledged(command)
        raise ChipFault("radar", "did not acknowledge command %02Xh" % command)

    def _acknowledged(self, command: int) -> bytes:
        if self._ack[0] | self._ack[1]:
            raise ChipFault("radar", "refused command %02Xh" % command)
        return self._ack[2:]


def _triple(first: int, second: int, third: int) -> bytes:
    """The value of commands 60h and 64h: three words, each followed by a 32-bit number."""
    value = b""
    for word, number in enumerate((first, second, third)):
        value += bytes((word, 0)) + number.to_bytes(4, "little")
    return value
