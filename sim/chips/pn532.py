"""NXP PN532 (13.56 MHz reader with a firmware of its own) at its SPI or I2C pins.

Sources: NXP UM0701-02 rev. 02: frames 6.2.1, dialogue 6.2.2, I2C 6.2.4, SPI 6.2.5, commands 7;
AN10609 for the low battery mode in which the chip starts.

Frames modelled: normal, extended (from the host), ACK (aborts), NACK (the last answer again),
syntax error. A frame with a wrong sum is not answered; a new command ends the one before.

Commands modelled: 00 Diagnose (communication line test), 02 GetFirmwareVersion, 04
GetGeneralStatus, 12 SetParameters (automatic RATS), 14 SAMConfiguration, 16 PowerDown, 32
RFConfiguration (field on and off, MxRtyPassiveActivation; other items without effect), 40
InDataExchange (no card has memory: time-out), 44/52 InDeselect/InRelease, 4A InListPassiveTarget
(106 kbit/s type A, with or without a UID as InitiatorData; nobody answers other modulations), 54
InSelect. All others are answered by a syntax error.

After a reset the chip is in low battery mode: it sleeps, and neither field nor listing work until
SAMConfiguration. NSS low for 2 ms wakes it, or its I2C address, which it does not acknowledge.
Chosen, because the manual says nothing: an empty try takes 6 ms; a try is made at one moment and
its duration passes afterwards; RATS does not go out, its answer is always the same.

Not modelled: HSU, target modes, FeliCa, type B, Jewel, DEP, GPIO and registers, SAM, P70_IRQ.

Faults: see `fault`, `brown_out`.
"""

from sim.chips.iso14443 import Card
from sim.chips.pn532_firmware import WAKE_US, Firmware

__all__ = ["Card", "PN532Model"]

_ADDRESS = 0x24
_ENODEV = 19
_WRITE = 1
_STATUS = 2
_READ = 3


def mirrored(byte):
    """A byte with its bits in the opposite order."""
    other = 0
    for i in range(8):
        other |= (byte >> i & 1) << 7 - i
    return other


class PN532Model(Firmware):
    """The chip: on SPI `transfer` bytes while `cs(0)`; on I2C `writeto` and `readfrom_into`.

    Args:
        clock: microseconds, see `sim.chips`.
        seed: for noise and truncation.
        lsb_first: the bus sends the low bit first, as the chip wants it; else it is an ordinary
            one and the bytes of `transfer` are mirrored.

    Attributes:
        field: the `Field` in front of the antenna.
        fault: None, or "low" / "high" (MISO stuck or nobody on I2C: the chip is missing),
            "noise" (bytes in both directions are replaced by random ones), "stuck" (answers
            nothing), "mute" (acknowledges, never answers), "nack" (a NACK in place of every
            ACK), "error" (a syntax error in place of every answer), "truncated" (frames break
            off anywhere, zeros follow), "late" (answers come `late_us` later).
        noise_per_mille: how many bytes of a thousand noise replaces.
    """

    def __init__(self, clock, seed=1, lsb_first=False):
        self.noise_per_mille = 1000
        self._lsb_first = lsb_first
        self._selected_at = None
        self._direction = None
        self._written = b""
        self._frame = None
        self._place = 0
        self._rst = 1
        Firmware.__init__(self, clock, seed)

    # The pins

    def cs(self, level=None):
        """NSS, active low: each low phase is one access (6.2.5.1)."""
        if level is not None and bool(level) == (self._selected_at is not None):
            self._end() if level else self._begin()
        return int(self._selected_at is None)

    def rst(self, level=None):
        """RSTPDN: low is the hard power-down, a rising edge resets."""
        if level is not None:
            if level != self._rst:
                self._reset()
            self._rst = 1 if level else 0
        return self._rst

    def irq(self):
        """P70_IRQ's level: low while a frame can be fetched (7.2.10)."""
        return int(self._absent() or not self._ready())

    def brown_out(self):
        """A dip in the supply: the chip resets itself and tells nobody."""
        self._reset()

    def transfer(self, data):
        """Clock bytes in on MOSI and return as many from MISO."""
        if self._absent() or self._selected_at is None:
            return (b"\xff" if self.fault == "high" else b"\x00") * len(data)
        self._now = max(self._now + 2 * len(data), self._time())
        if self._asleep:
            if self._time() - self._selected_at < WAKE_US:
                return bytes(len(data))
            self._asleep = False
        answer = bytearray(len(data))
        for i, byte in enumerate(data):
            heard = self._disturbed(byte if self._lsb_first else mirrored(byte))
            said = self._disturbed(self._clock_byte(heard))
            answer[i] = said if self._lsb_first else mirrored(said)
        return bytes(answer)

    def write(self, buf):
        """As machine.SPI.write."""
        self.transfer(bytes(buf))

    def write_readinto(self, out, into):
        """As machine.SPI.write_readinto."""
        into[:] = self.transfer(bytes(out))

    def writeto(self, addr, buf):
        """As machine.I2C.writeto."""
        self._acknowledge(addr)
        self._hear(bytes(self._disturbed(byte) for byte in bytes(buf)))
        return len(buf)

    def readfrom_into(self, addr, buf):
        """As machine.I2C.readfrom_into: a status byte, then the frame if there is one."""
        self._acknowledge(addr)
        ready = self._ready()
        if len(buf) > 1:
            self._open()
        buf[0] = self._disturbed(int(ready))
        for i in range(1, len(buf)):
            buf[i] = self._disturbed(self._next_byte())
        self._close()

    # The bus

    def _absent(self):
        return self.fault in ("low", "high") or not self._rst

    def _acknowledge(self, addr):
        self._now = self._time()
        if addr == _ADDRESS and not self._absent() and self._now >= self._ready_at:
            if self._asleep and self._woken_at is None:
                self._woken_at = self._now
            elif not self._asleep or self._now - self._woken_at >= WAKE_US:
                self._asleep = False
                self._woken_at = None
                return
        raise OSError(_ENODEV)

    def _begin(self):
        self._selected_at = self._time()
        self._direction = None
        self._written = b""

    def _end(self):
        direction = self._direction
        self._selected_at = self._direction = None
        if direction == _WRITE and not self._absent():
            self._hear(self._written)
        self._close()

    def _clock_byte(self, byte):
        if self._direction is None:
            self._direction = byte
            if byte == _READ:
                self._open()
            return 0xAA
        if self._direction == _WRITE:
            self._written += bytes((byte,))
        elif self._direction == _STATUS:
            return int(self._ready())
        elif self._direction == _READ:
            return self._next_byte()
        return 0

    def _open(self):
        """A read begins: is there a frame?"""
        self._place = 0
        self._frame = None
        if self._ready():
            self._frame = self._queue[0][1]
            if self.fault == "truncated":
                self._frame = self._frame[: 1 + self._noise.byte() % (len(self._frame) - 1)]

    def _next_byte(self):
        self._place += 1
        frame = self._frame
        return frame[self._place - 1] if frame and self._place <= len(frame) else 0

    def _close(self):
        """A read ends: a frame of which a byte was clocked out has been fetched."""
        if self._frame and self._place and self._queue:
            self._fetched()
        self._frame = None
        self._place = 0

    def _disturbed(self, byte):
        if self.fault != "noise":
            return byte
        noise = self._noise
        dice = (noise.byte() << 8 | noise.byte()) % 1000
        return noise.byte() if dice < self.noise_per_mille else byte
