"""Hi-Link LD2410: presence, from its UART.

Source: Hi-Link LD2410 serial communication protocol V1.02; 256000 baud, 8N1.

Reports and acknowledgements share the line, so one parser takes both. After garbage, a cut-off
frame or an overflow it looks for the next header among the bytes it already has: a good frame
behind a bad one is not lost. Every byte that belongs to no good frame is counted in `garbage`.
"""

from drivers.fault import ChipFault
from port import const, ticks_diff, ticks_ms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from drivers.bus import UART

_REPORT = b"\xf4\xf3\xf2\xf1"
_REPORT_END = b"\xf8\xf7\xf6\xf5"
COMMAND = b"\xfd\xfc\xfb\xfa"
COMMAND_END = b"\x04\x03\x02\x01"

_LONGEST = const(48)  # length field; the longest real ones are 35 (report) and 28 (ACK)
_CALIBRATES = const(4)
_SILENCE_MS = const(1500)  # 15 reports; a restart takes 1.1 s


class LD2410:
    """The radar; `poll` and `check` are the interface of `desk_unit.presence`.

    Args:
        uart: 256000 baud, 8N1, with a receive buffer of at least 128 bytes.

    Attributes:
        state: 0 nobody, 1 moving, 2 still, 3 both; 4 to 6 while it calibrates itself, and 4
            before its first report.
        frames: good frames so far. garbage: bytes that belonged to none.
    """

    chip = "radar"

    def __init__(self, uart: "UART") -> None:
        self.state = _CALIBRATES
        self.frames = 0
        self.garbage = 0
        self._uart = uart
        self._in = bytearray(64)
        self._frame = bytearray(_LONGEST + 10)
        self._count = 0
        self._heard = ticks_ms()
        self._garbage_then = 0  # as it was at the last good report
        self._lost = False

    def poll(self, now: int) -> "bool | None":
        """Take in what has arrived: somebody there? `now` is from `port.ticks_ms()`.

        None before the first report, while it is silent, and while it calibrates itself.
        """
        self.receive()
        return None if self._silent(now) or self.state >= _CALIBRATES else self.state != 0

    def receive(self) -> int:
        """Take in what has arrived, 64 bytes at the most; allocates nothing for reports.

        A report takes the chip 3 ms, so after a stall the rest is left to the next polls.

        Returns:
            How many good reports were among it.
        """
        reports = 0
        waiting = min(self._uart.any(), len(self._in))
        if waiting:  # else readinto would wait for the UART's own time-out
            for i in range(self._uart.readinto(self._in, waiting) or 0):
                reports += self._take(self._in[i])
        return reports

    def check(self, now: int) -> None:
        """Is the radar alive? Call `poll()` before. `now` is from `port.ticks_ms()`.

        Raises:
            ChipFault: no good report for 1.5 s. It is raised again until one arrives.
        """
        if self._silent(now):
            garbled = self.garbage != self._garbage_then
            raise ChipFault(self.chip, "sends only garbage" if garbled else "silent for 1.5 s")

    def _silent(self, now: int) -> bool:
        # Remembered, because ticks wrap: after six days of silence the difference turns negative.
        if ticks_diff(now, self._heard) > _SILENCE_MS:
            self._lost = True
        return self._lost

    def _take(self, byte: int) -> int:
        """One more byte; 1 when it completed a good report."""
        self._frame[self._count] = byte
        self._count += 1
        reports = 0
        while self._count:
            size = self._size()
            if size > self._count:
                break
            if size and self._good(size):
                reports += self._deliver(size)
                self.frames += 1
                self._forget(size)
            else:
                self.garbage += self._skip()
        return reports

    def _size(self) -> int:
        """Bytes that the frame at the front needs before more can be said; 0 when it is none."""
        frame, count = self._frame, self._count
        head = _REPORT if frame[0] == _REPORT[0] else COMMAND
        for i in range(min(count, 4)):
            if frame[i] != head[i]:
                return 0
        if count < 6:
            return 6
        length = frame[4] | frame[5] << 8
        return length + 10 if 4 <= length <= _LONGEST else 0

    def _good(self, size: int) -> bool:
        frame = self._frame
        report = frame[0] == _REPORT[0]
        end = _REPORT_END if report else COMMAND_END
        for i in range(4):
            if frame[size - 4 + i] != end[i]:
                return False
        return self._plausible(size) if report else frame[7] == 0x01

    def _plausible(self, size: int) -> bool:
        frame = self._frame
        kind = frame[6]
        if (kind != 2 or size != 23) and (kind != 1 or size < 41):
            return False
        return frame[7] == 0xAA and frame[8] <= 6 and frame[size - 6] == 0x55

    def _deliver(self, _size: int) -> int:
        """Take a good frame of so many bytes; 1 for a report, 0 for an acknowledgement."""
        frame = self._frame
        if frame[0] != _REPORT[0]:
            return 0
        self.state = frame[8]
        self._heard = ticks_ms()
        self._garbage_then = self.garbage
        self._lost = False
        return 1

    def _skip(self) -> int:
        """Drop bytes up to the next one that can begin a header; how many?"""
        for i in range(1, self._count):
            if self._frame[i] in (_REPORT[0], COMMAND[0]):
                break
        else:
            i = self._count
        self._forget(i)
        return i

    def _forget(self, size: int) -> None:
        frame = self._frame
        self._count -= size
        for i in range(self._count):
            frame[i] = frame[i + size]
