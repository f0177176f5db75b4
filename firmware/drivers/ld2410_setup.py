"""Hi-Link LD2410: its commands, for the bench and for provisioning.

Source: Hi-Link LD2410 serial communication protocol V1.02. Apart from the reports, because a desk
unit that runs takes the radar as it is and has better use for the memory.
"""

from drivers.fault import ChipFault
from drivers.ld2410 import COMMAND, COMMAND_END, LD2410
from port import const, sleep_ms

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
    """The radar, with its commands. Not re-entrant."""

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
