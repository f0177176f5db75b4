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

from sim.chips.iso14443 import FRAME_DELAY_US, Card, Field, air_us, const, crc_a, frame

__all__ = ["Card", "MFRC522Model"]

_COMMAND = const(0x01)
_COM_IEN = const(0x02)
_DIV_IEN = const(0x03)
_COM_IRQ = const(0x04)
_DIV_IRQ = const(0x05)
_ERROR = const(0x06)
_STATUS1 = const(0x07)
_FIFO_DATA = const(0x09)
_FIFO_LEVEL = const(0x0A)
_WATER_LEVEL = const(0x0B)
_CONTROL = const(0x0C)
_BIT_FRAMING = const(0x0D)
_COLL = const(0x0E)
_MODE = const(0x11)
_TX_MODE = const(0x12)
_RX_MODE = const(0x13)
_TX_CONTROL = const(0x14)
_TX_ASK = const(0x15)
_DEMOD = const(0x19)
_CRC_H = const(0x21)
_CRC_L = const(0x22)
_TMODE = const(0x2A)
_TPRESCALER = const(0x2B)
_TRELOAD_H = const(0x2C)
_TRELOAD_L = const(0x2D)
_TCOUNTER_H = const(0x2E)
_TCOUNTER_L = const(0x2F)
_VERSION = const(0x37)

_READ_ONLY = (_ERROR, _STATUS1, _CRC_H, _CRC_L, _TCOUNTER_H, _TCOUNTER_L, _VERSION)
_RESET = {  # data sheet table 20; those not named are 00h
    0x01: 0x20,
    0x02: 0x80,
    0x04: 0x14,
    0x07: 0x21,
    0x0B: 0x08,
    0x0C: 0x10,
    0x0E: 0xA0,
    0x11: 0x3F,
    0x14: 0x80,
    0x16: 0x10,
    0x17: 0x84,
    0x18: 0x84,
    0x19: 0x4D,
    0x1C: 0x62,
    0x1F: 0xEB,
    0x21: 0xFF,
    0x22: 0xFF,
    0x24: 0x26,
    0x26: 0x48,
    0x27: 0x88,
    0x28: 0x20,
    0x29: 0x20,
    0x33: 0x80,
}

_IDLE = const(0x00)
_MEM = const(0x01)
_CALC_CRC = const(0x03)
_TRANSMIT = const(0x04)
_NO_CHANGE = const(0x07)
_RECEIVE = const(0x08)
_TRANSCEIVE = const(0x0C)
_AUTHENT = const(0x0E)
_SOFT_RESET = const(0x0F)

_TX_IRQ = const(0x40)
_RX_IRQ = const(0x20)
_IDLE_IRQ = const(0x10)
_HI_IRQ = const(0x08)
_LO_IRQ = const(0x04)
_ERR_IRQ = const(0x02)
_TIMER_IRQ = const(0x01)
_CRC_IRQ = const(0x04)

_FIFO_SIZE = const(64)
_HARD_WAKE_US = const(1000)
_SOFT_WAKE_US = const(40)
_PRESETS = (0x0000, 0x6363, 0xA671, 0xFFFF)
_NEVER = const(1 << 60)


class _Noise:
    """A small generator of our own (xorshift): the same bytes from a seed on both interpreters."""

    def __init__(self, seed):
        self._state = seed * 2654435761 & 0xFFFFFFFF or 1

    def byte(self):
        """The next byte."""
        state = self._state
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        self._state = state
        return state >> 11 & 0xFF


class MFRC522Model:
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
        self.field = Field(self._time)
        self.fault = None
        self.noise_per_mille = 1000
        self._clock = clock
        self._version = version
        self._noise = _Noise(seed)
        self._collpos_from_uid = collpos_from_uid
        self._memory = bytes(25)
        self._selected = False
        self._address = None
        self._rst = 1
        self._now = clock()
        self._reset(_HARD_WAKE_US)

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
                self._reset(_HARD_WAKE_US)
            elif not level:
                self.field.power(False)
            self._rst = 1 if level else 0
        return self._rst

    def irq(self):
        """The IRQ pin's level: ComIEn and DivIEn choose the sources, IRqInv the polarity."""
        self._advance()
        inverted = self._regs[_COM_IEN] >> 7
        return int(self._irq_pending()) ^ inverted

    def brown_out(self):
        """A dip in the supply: the chip resets itself and tells nobody."""
        self._reset(_HARD_WAKE_US)

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
        if register == _FIFO_DATA:
            return self._fifo_pop()
        if register == _FIFO_LEVEL:
            return len(self._fifo)
        if register == _COMMAND:
            asleep = self._now < self._awake_at or self._asleep
            return regs[_COMMAND] & 0x2F | (0x10 if asleep else 0)
        if register == _STATUS1:
            level = len(self._fifo)
            water = regs[_WATER_LEVEL]
            return (
                0x20
                | (0x40 if regs[_CRC_H] == regs[_CRC_L] == 0 else 0)
                | (0x10 if self._irq_pending() else 0)
                | (0x08 if self._timer_end < _NEVER else 0)
                | (0x02 if _FIFO_SIZE - level <= water else 0)
                | (0x01 if level <= water else 0)
            )
        if register in (_TCOUNTER_H, _TCOUNTER_L):
            left = self._timer_left()
            return left >> 8 if register == _TCOUNTER_H else left & 0xFF
        return regs[register]

    def _write(self, register, value):
        regs = self._regs
        if register == _COMMAND:
            self._start(value)
        elif register == _FIFO_DATA:
            self._fifo_push(value)
            if regs[_COMMAND] & 0x0F == _CALC_CRC:
                self._calculate_crc()
        elif register == _FIFO_LEVEL:
            if value & 0x80:
                self._fifo = bytearray()
                regs[_ERROR] &= ~0x10
                self._watch_level()
        elif register in (_COM_IRQ, _DIV_IRQ):
            mask = value & 0x7F
            regs[register] = regs[register] | mask if value & 0x80 else regs[register] & ~mask
        elif register == _CONTROL:
            if value & 0x80:
                self._timer_end = _NEVER
            if value & 0x40:
                self._start_timer(self._now)
        elif register == _BIT_FRAMING:
            regs[register] = value & 0x77
            if value & 0x80 and regs[_COMMAND] & 0x0F == _TRANSCEIVE:
                self._transmit()
        elif register == _COLL:
            regs[register] = regs[register] & 0x7F | value & 0x80
        elif register not in _READ_ONLY:
            regs[register] = value
            if register == _TX_CONTROL:
                self._switch_field()

    # FIFO and interrupts

    def _fifo_push(self, byte):
        if len(self._fifo) >= _FIFO_SIZE:
            self._fail(0x10)
            return
        self._fifo.append(byte)
        self._watch_level()

    def _fifo_pop(self):
        if not self._fifo:
            return 0
        byte = self._fifo[0]
        self._fifo = self._fifo[1:]
        self._watch_level()
        return byte

    def _watch_level(self):
        level, water = len(self._fifo), self._regs[_WATER_LEVEL]
        if level <= water:
            self._regs[_COM_IRQ] |= _LO_IRQ
        if _FIFO_SIZE - level <= water:
            self._regs[_COM_IRQ] |= _HI_IRQ

    def _fail(self, bit):
        self._regs[_ERROR] |= bit
        self._regs[_COM_IRQ] |= _ERR_IRQ

    def _irq_pending(self):
        regs = self._regs
        return bool(
            regs[_COM_IRQ] & regs[_COM_IEN] & 0x7F or regs[_DIV_IRQ] & regs[_DIV_IEN] & 0x14
        )

    # Commands

    def _reset(self, wake_us):
        regs = bytearray(64)
        for register, value in _RESET.items():
            regs[register] = value
        regs[_VERSION] = self._version
        self._regs = regs
        self._fifo = bytearray()
        self._asleep = False
        self._timer_end = self._tx_end = self._rx_sync = self._rx_end = _NEVER
        self._outgoing = self._reply = None
        self._receiving = False
        self._crc = 0
        self._awake_at = self._time() + wake_us
        self.field.power(False)

    def _start(self, value):
        regs = self._regs
        command = value & 0x0F
        if value & 0x10:
            self._asleep = True
            self._switch_field()
        elif self._asleep:
            self._asleep = False
            self._awake_at = self._now + _SOFT_WAKE_US
            self._switch_field()
        if self.fault == "stuck" or self._now < self._awake_at:
            regs[_COMMAND] = regs[_COMMAND] & 0x0F | value & 0x20
            return
        if command == _NO_CHANGE:
            regs[_COMMAND] = regs[_COMMAND] & 0x0F | value & 0x20
            return
        regs[_COMMAND] = value & 0x2F
        regs[_ERROR] = 0
        self._receiving = False
        if command == _SOFT_RESET:
            self._reset(_SOFT_WAKE_US)
        elif command == _CALC_CRC:
            self._crc = _PRESETS[regs[_MODE] & 3]
            self._calculate_crc()
        elif command in (_TRANSMIT, _AUTHENT):
            self._transmit()
        elif command == _MEM:
            self._exchange_memory()
        elif command not in (_IDLE, _RECEIVE, _TRANSCEIVE):
            self._finish()
        if command == _IDLE:
            self._tx_end = _NEVER

    def _finish(self):
        self._regs[_COMMAND] &= 0x20
        self._regs[_COM_IRQ] |= _IDLE_IRQ

    def _calculate_crc(self):
        crc = self._crc
        for byte in self._fifo:
            crc ^= byte
            for _ in range(8):
                crc = (crc >> 1) ^ 0x8408 if crc & 1 else crc >> 1
        self._crc = crc
        self._fifo = bytearray()
        self._watch_level()
        self._regs[_CRC_H] = crc >> 8
        self._regs[_CRC_L] = crc & 0xFF
        self._regs[_DIV_IRQ] |= _CRC_IRQ

    def _exchange_memory(self):
        if self._fifo:
            self._memory = (bytes(self._fifo) + bytes(25))[:25]
            self._fifo = bytearray()
        else:
            self._fifo = bytearray(self._memory)
        self._watch_level()
        self._finish()

    # The air

    def _switch_field(self):
        self.field.power(bool(self._regs[_TX_CONTROL] & 3) and not self._asleep)

    def _transmit(self):
        regs = self._regs
        silent = not regs[_TX_CONTROL] & 3
        if not self._fifo or self.fault == "stuck" or (silent and regs[_MODE] & 0x20):
            return
        last_bits = regs[_BIT_FRAMING] & 7
        data = bytes(self._fifo)
        if regs[_TX_MODE] & 0x80:
            data += crc_a(data)
        self._fifo = bytearray()
        self._watch_level()
        value, bits = frame(data, last_bits)
        self._outgoing = None if silent or not regs[_TX_ASK] & 0x40 else (value, bits)
        self._tx_end = self._now + air_us(bits)
        self._rx_sync = self._rx_end = _NEVER
        self._timer_end = _NEVER

    def _sent(self, when):
        regs = self._regs
        self._tx_end = _NEVER
        regs[_COM_IRQ] |= _TX_IRQ
        if regs[_TMODE] & 0x80:
            self._start_timer(when)
        if regs[_COMMAND] & 0x0F == _TRANSMIT:
            self._finish()
        self._reply = self.field.exchange(*self._outgoing) if self._outgoing else None
        if self._reply:
            start = when + FRAME_DELAY_US
            self._rx_sync = start + air_us(3)  # the fifth bit: a start bit and four of data
            self._rx_end = start + air_us(self._reply[1])

    def _synchronised(self):
        self._rx_sync = _NEVER
        if self._regs[_COMMAND] & 0x0F in (_RECEIVE, _TRANSCEIVE):
            self._receiving = True
            self._regs[_COLL] &= 0x80
            self._regs[_COLL] |= 0x20
            if self._regs[_TMODE] & 0x80:
                self._timer_end = _NEVER

    def _received(self):
        self._rx_end = _NEVER
        if not self._receiving:
            return
        self._receiving = False
        regs = self._regs
        value, bits, collided = self._reply
        align = regs[_BIT_FRAMING] >> 4 & 7
        if collided:
            value = self._collide(value, collided, align)
        value <<= align
        bits += align
        data = value.to_bytes((bits + 7) // 8, "little")
        regs[_CONTROL] = regs[_CONTROL] & 0xF8 | bits & 7
        if regs[_RX_MODE] & 0x80:
            if len(data) < 3 or bits & 7 or data[-2:] != crc_a(data[:-2]):
                self._fail(0x04)
            data = data[:-2]
        for byte in data:
            self._fifo_push(byte)
        regs[_COM_IRQ] |= _RX_IRQ
        if regs[_COMMAND] & 0x0F == _RECEIVE:
            self._finish()

    def _collide(self, value, collided, align):
        first = 0
        while not collided >> first & 1:
            first += 1
        position = first + align + 1
        if self._collpos_from_uid:
            position += self._outgoing[1] - 16 - align
        self._fail(0x08)
        regs = self._regs
        regs[_COLL] = regs[_COLL] & 0x80 | (0x20 if position > 32 else position & 0x1F)
        if not regs[_COLL] & 0x80:  # ValuesAfterColl
            return value & ((1 << first) - 1)
        guess = 0
        for shift in range(0, 80, 8):
            guess |= self._noise.byte() << shift
        return value & ~collided | guess & collided

    # Time

    def _time(self):
        now = self._clock()
        return now if now > self._now else self._now

    def _advance(self):
        """Let happen, in order, what happened since the last access."""
        self._now = self._time()
        if self.fault == "stuck":
            return
        while True:
            when = min(self._tx_end, self._rx_sync, self._rx_end, self._timer_end)
            if when > self._now:
                return
            if when == self._tx_end:
                self._sent(when)
            elif when == self._rx_sync:
                self._synchronised()
            elif when == self._rx_end:
                self._received()
            else:
                self._timer_ran_out()

    def _timer_rate(self):
        regs = self._regs
        prescaler = (regs[_TMODE] & 0x0F) << 8 | regs[_TPRESCALER]
        return 2 * prescaler + (2 if regs[_DEMOD] & 0x10 else 1)  # in periods of 13.56 MHz

    def _start_timer(self, when):
        reload = self._regs[_TRELOAD_H] << 8 | self._regs[_TRELOAD_L]
        self._timer_end = when + self._timer_rate() * (reload + 1) * 100 // 1356

    def _timer_ran_out(self):
        self._regs[_COM_IRQ] |= _TIMER_IRQ
        self._timer_end = _NEVER
        if self._regs[_TMODE] & 0x10:
            # From now, not from when it ran out: only the flag tells, and once is enough.
            self._start_timer(self._now + 1)

    def _timer_left(self):
        if self._timer_end == _NEVER:
            return 0
        left = (self._timer_end - self._now) * 1356 // (100 * self._timer_rate())
        return max(0, min(left, 0xFFFF))
