"""NXP MFRC522 (13.56 MHz reader) at its SPI pins, with a field to put cards into.

Sources: NXP MFRC522 data sheet rev. 3.9: SPI 8.1.2, FIFO 8.3, interrupts 8.4, timer 8.5,
registers 9.3, commands 10.3.

Registers modelled: 01 Command, 02 ComIEn, 03 DivIEn, 04 ComIrq, 05 DivIrq, 06 Error (BufferOvfl,
CollErr, CRCErr), 07 Status1, 08 Status2 (MFCrypto1On stays 0), 09 FIFOData, 0A FIFOLevel,
0B WaterLevel, 0C Control (TStopNow, TStartNow, RxLastBits), 0D BitFraming (StartSend, RxAlign,
TxLastBits), 0E Coll, 11 Mode (TxWaitRF, CRCPreset), 12 TxMode and 13 RxMode (CRC enable),
14 TxControl (Tx1RFEn, Tx2RFEn), 15 TxASK (without Force100ASK no type A card understands),
19 Demod (TPrescalEven), 21/22 CRCResult, 2A TMode (TAuto, TAutoRestart), 2B TPrescaler,
2C/2D TReload, 2E/2F TCounterVal, 37 Version. All others keep what is written and do nothing.

Commands modelled: Idle, Mem, CalcCRC, Transmit, NoCmdChange, Receive, Transceive, SoftReset.
MFAuthent goes out and no card answers it: the timer runs out, MFCrypto1On stays 0.
Generate RandomID ends at once without effect.

Time is real: frames take their time on the air, the timer runs at its programmed rate from the
end of a transmission to the fifth received bit. Every byte on the bus takes a microsecond at
least, so that a driver that polls gets on even when the clock handed in stands still.

CollPos counts from the first bit that reached the FIFO, RxAlign included, as NXP's own reader
library takes it; `collpos_from_uid` counts from the first bit of the cascade level instead, as
widespread Arduino code expects. 0 stands for bit 32.

Not modelled: other bit rates, RxMultiple, RxNoErr, RcvOff, gated timer, self-test, test
registers, antenna gain, I2C and UART, parity, protocol and temperature errors.

Faults: see `fault`, `brown_out`.
"""

from sim.chips import mfrc522_registers as reg
from sim.chips.iso14443 import Card
from sim.chips.mfrc522_radio import Radio

__all__ = ["Card", "MFRC522Model"]


class MFRC522Model(Radio):
    """The chip: `transfer` bytes while `cs(0)`, hold `rst(0)` for a hard power-down.

    It also offers MicroPython's SPI methods, so that a driver can be handed the model itself.

    Args:
        clock: microseconds, see `sim.chips`.
        version: what VersionReg says (92h and 91h NXP, 88h and 12h clones).
        seed: for noise, and for what a demodulator makes of collided bits.
        collpos_from_uid: see the module.

    Attributes:
        field: the `Field` in front of the antenna.
        fault: None, or "low" / "high" (MISO stuck: the chip is missing), "noise" (bytes on both
            lines are replaced by random ones), "stuck" (registers answer, but nothing happens).
        noise_per_mille: how many bytes of a thousand noise replaces.
    """

    def __init__(self, clock, version=0x92, seed=1, collpos_from_uid=False):
        self.noise_per_mille = 1000
        self._memory = bytes(25)
        self._selected = False
        self._address = None
        self._rst = 1
        self._crc = 0
        self._writers = {
            reg.COMMAND: self._start,
            reg.FIFO_DATA: self._write_fifo,
            reg.FIFO_LEVEL: self._write_level,
            reg.CONTROL: self._write_control,
            reg.BIT_FRAMING: self._write_framing,
            reg.COLL: self._write_coll,
            reg.TX_CONTROL: self._write_tx_control,
        }
        self._commands = {
            reg.IDLE: self._stop,
            reg.MEM: self._exchange_memory,
            reg.CALC_CRC: self._begin_crc,
            reg.TRANSMIT: self._transmit,
            reg.RECEIVE: self._listen,
            reg.TRANSCEIVE: self._listen,
            reg.AUTHENT: self._transmit,
            reg.SOFT_RESET: self._soft_reset,
        }
        Radio.__init__(self, clock, version, seed, collpos_from_uid)

    # The pins

    def cs(self, level=None):
        """Chip select, active low: each low phase is one access to one register (8.1.2)."""
        if level is not None:
            self._selected = not level
            self._address = None
        return int(not self._selected)

    def rst(self, level=None):
        """NRSTPD: low is the hard power-down, a rising edge resets."""
        if level is not None:
            if level and not self._rst:
                self._reset(reg.HARD_WAKE_US)
            elif not level:
                self.field.power(False)
            self._rst = 1 if level else 0
        return self._rst

    def irq(self):
        """The IRQ pin's level: ComIEn and DivIEn choose the sources, IRqInv the polarity."""
        self._advance()
        inverted = self._regs[reg.COM_IEN] >> 7
        return int(self._irq_pending()) ^ inverted

    def brown_out(self):
        """A dip in the supply: the chip resets itself and tells nobody."""
        self._reset(reg.HARD_WAKE_US)

    def transfer(self, data):
        """Clock bytes in on MOSI and return as many from MISO."""
        if self.fault in ("low", "high") or not self._selected or not self._rst:
            return (b"\xff" if self.fault == "high" else b"\x00") * len(data)
        self._now += len(data)
        self._advance()
        answer = bytearray(len(data))
        noisy = self.fault == "noise"
        for i, byte in enumerate(data):
            answer[i] = self._clock_byte(self._disturb(byte) if noisy else byte)
            if noisy:
                answer[i] = self._disturb(answer[i])
        return bytes(answer)

    def write(self, buf):
        """As machine.SPI.write."""
        self.transfer(bytes(buf))

    def write_readinto(self, out, into):
        """As machine.SPI.write_readinto."""
        into[:] = self.transfer(bytes(out))

    # The bus

    def _clock_byte(self, byte):
        if self._address is None:
            self._address = byte
            return 0
        address = self._address
        if not address & 0x80:
            self._write(address >> 1 & 0x3F, byte)
            return 0
        # While one register is read, the next address comes in.
        self._address = byte
        return self._read(address >> 1 & 0x3F)

    def _disturb(self, byte):
        noise = self._noise
        dice = (noise.byte() << 8 | noise.byte()) % 1000
        return noise.byte() if dice < self.noise_per_mille else byte

    def _read(self, register):
        regs = self._regs
        if register == reg.FIFO_DATA:
            return self._fifo_pop()
        if register == reg.FIFO_LEVEL:
            return len(self._fifo)
        if register == reg.COMMAND:
            asleep = self._now < self._awake_at or self._asleep
            return regs[reg.COMMAND] & 0x2F | (0x10 if asleep else 0)
        if register == reg.STATUS1:
            level = len(self._fifo)
            water = regs[reg.WATER_LEVEL]
            return (
                0x20
                | (0x40 if regs[reg.CRC_H] == regs[reg.CRC_L] == 0 else 0)
                | (0x10 if self._irq_pending() else 0)
                | (0x08 if self._timer_end < reg.NEVER else 0)
                | (0x02 if reg.FIFO_SIZE - level <= water else 0)
                | (0x01 if level <= water else 0)
            )
        if register in (reg.TCOUNTER_H, reg.TCOUNTER_L):
            left = self._timer_left()
            return left >> 8 if register == reg.TCOUNTER_H else left & 0xFF
        return regs[register]

    def _write(self, register, value):
        regs = self._regs
        writer = self._writers.get(register)
        if writer:
            writer(value)
        elif register in (reg.COM_IRQ, reg.DIV_IRQ):
            mask = value & 0x7F
            regs[register] = regs[register] | mask if value & 0x80 else regs[register] & ~mask
        elif register not in reg.READ_ONLY:
            regs[register] = value

    def _write_fifo(self, value):
        self._fifo_push(value)
        if self._regs[reg.COMMAND] & 0x0F == reg.CALC_CRC:
            self._calculate_crc()

    def _write_level(self, value):
        if value & 0x80:
            self._fifo = bytearray()
            self._regs[reg.ERROR] &= 0xEF  # BufferOvfl
            self._watch_level()

    def _write_control(self, value):
        if value & 0x80:
            self._timer_end = reg.NEVER
        if value & 0x40:
            self._start_timer(self._now)

    def _write_framing(self, value):
        self._regs[reg.BIT_FRAMING] = value & 0x77
        if value & 0x80 and self._regs[reg.COMMAND] & 0x0F == reg.TRANSCEIVE:
            self._transmit()

    def _write_coll(self, value):
        self._regs[reg.COLL] = self._regs[reg.COLL] & 0x7F | value & 0x80

    def _write_tx_control(self, value):
        self._regs[reg.TX_CONTROL] = value
        self._switch_field()

    # Commands

    def _start(self, value):
        self._power_down(bool(value & 0x10))
        regs = self._regs
        command = value & 0x0F
        deaf = self.fault == "stuck" or self._now < self._awake_at
        if deaf or command == reg.NO_CHANGE:
            regs[reg.COMMAND] = regs[reg.COMMAND] & 0x0F | value & 0x20
            return
        regs[reg.COMMAND] = value & 0x2F
        regs[reg.ERROR] = 0
        self._receiving = False
        self._commands.get(command, self._finish)()

    def _power_down(self, down):
        if down == self._asleep:
            return
        if not down:
            self._awake_at = self._now + reg.SOFT_WAKE_US
        self._asleep = down
        self._switch_field()

    def _stop(self):
        self._tx_end = reg.NEVER

    def _listen(self):
        """Receive waits for the air, Transceive for StartSend too."""

    def _soft_reset(self):
        self._reset(reg.SOFT_WAKE_US)

    def _begin_crc(self):
        self._crc = reg.PRESETS[self._regs[reg.MODE] & 3]
        self._calculate_crc()

    def _calculate_crc(self):
        crc = self._crc
        for byte in self._fifo:
            crc ^= byte
            for _ in range(8):
                crc = (crc >> 1) ^ 0x8408 if crc & 1 else crc >> 1
        self._crc = crc
        self._fifo = bytearray()
        self._watch_level()
        self._regs[reg.CRC_H] = crc >> 8
        self._regs[reg.CRC_L] = crc & 0xFF
        self._regs[reg.DIV_IRQ] |= reg.CRC_IRQ

    def _exchange_memory(self):
        if self._fifo:
            self._memory = (bytes(self._fifo) + bytes(25))[:25]
            self._fifo = bytearray()
        else:
            self._fifo = bytearray(self._memory)
        self._watch_level()
        self._finish()
