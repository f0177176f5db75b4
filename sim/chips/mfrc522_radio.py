"""The MFRC522 between its registers and its antenna: FIFO, flags, timer, frames on the air.

What is modelled of it is listed in `sim.chips.mfrc522`.
"""

from sim.chips import mfrc522_registers as reg
from sim.chips.iso14443 import FRAME_DELAY_US, Field, air_us, crc_a, frame
from sim.chips.noise import Noise


class Radio:
    """Registers with their FIFO, timer, transmitter and receiver, driven by a clock.

    `MFRC522Model` adds the pins, the bus and the commands.
    """

    def __init__(self, clock, version, seed, collpos_from_uid):
        self.field = Field(self._time)
        self.fault = None
        self._clock = clock
        self._version = version
        self._noise = Noise(seed)
        self._collpos_from_uid = collpos_from_uid
        self._now = clock()
        self._reset(reg.HARD_WAKE_US)

    def _reset(self, wake_us):
        regs = bytearray(64)
        for register, value in reg.RESET.items():
            regs[register] = value
        regs[reg.VERSION] = self._version
        self._regs = regs
        self._fifo = bytearray()
        self._asleep = False
        self._timer_end = self._tx_end = self._rx_sync = self._rx_end = reg.NEVER
        self._outgoing = self._reply = None
        self._receiving = False
        self._awake_at = self._time() + wake_us
        self.field.power(False)

    def _finish(self):
        self._regs[reg.COMMAND] &= 0x20
        self._regs[reg.COM_IRQ] |= reg.IDLE_IRQ

    def _fifo_push(self, byte):
        if len(self._fifo) >= reg.FIFO_SIZE:
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
        level, water = len(self._fifo), self._regs[reg.WATER_LEVEL]
        if level <= water:
            self._regs[reg.COM_IRQ] |= reg.LO_IRQ
        if reg.FIFO_SIZE - level <= water:
            self._regs[reg.COM_IRQ] |= reg.HI_IRQ

    def _fail(self, bit):
        self._regs[reg.ERROR] |= bit
        self._regs[reg.COM_IRQ] |= reg.ERR_IRQ

    def _irq_pending(self):
        regs = self._regs
        return bool(
            regs[reg.COM_IRQ] & regs[reg.COM_IEN] & 0x7F
            or regs[reg.DIV_IRQ] & regs[reg.DIV_IEN] & 0x14
        )

    def _switch_field(self):
        self.field.power(bool(self._regs[reg.TX_CONTROL] & 3) and not self._asleep)

    def _transmit(self):
        regs = self._regs
        silent = not regs[reg.TX_CONTROL] & 3
        if not self._fifo or self.fault == "stuck" or (silent and regs[reg.MODE] & 0x20):
            return
        last_bits = regs[reg.BIT_FRAMING] & 7
        data = bytes(self._fifo)
        if regs[reg.TX_MODE] & 0x80:
            data += crc_a(data)
        self._fifo = bytearray()
        self._watch_level()
        value, bits = frame(data, last_bits)
        self._outgoing = None if silent or not regs[reg.TX_ASK] & 0x40 else (value, bits)
        self._tx_end = self._now + air_us(bits)
        self._rx_sync = self._rx_end = reg.NEVER
        self._timer_end = reg.NEVER

    def _sent(self, when):
        regs = self._regs
        self._tx_end = reg.NEVER
        regs[reg.COM_IRQ] |= reg.TX_IRQ
        if regs[reg.TMODE] & 0x80:
            self._start_timer(when)
        if regs[reg.COMMAND] & 0x0F == reg.TRANSMIT:
            self._finish()
        self._reply = self.field.exchange(*self._outgoing) if self._outgoing else None
        if self._reply:
            start = when + FRAME_DELAY_US
            self._rx_sync = start + air_us(3)  # the fifth bit: a start bit and four of data
            self._rx_end = start + air_us(self._reply[1])

    def _synchronised(self):
        self._rx_sync = reg.NEVER
        if self._regs[reg.COMMAND] & 0x0F in (reg.RECEIVE, reg.TRANSCEIVE):
            self._receiving = True
            self._regs[reg.COLL] &= 0x80
            self._regs[reg.COLL] |= 0x20
            if self._regs[reg.TMODE] & 0x80:
                self._timer_end = reg.NEVER

    def _received(self):
        self._rx_end = reg.NEVER
        if not self._receiving:
            return
        self._receiving = False
        regs = self._regs
        value, bits, collided = self._reply
        align = regs[reg.BIT_FRAMING] >> 4 & 7
        if collided:
            value = self._collide(value, collided, align)
        value <<= align
        bits += align
        data = value.to_bytes((bits + 7) // 8, "little")
        regs[reg.CONTROL] = regs[reg.CONTROL] & 0xF8 | bits & 7
        if regs[reg.RX_MODE] & 0x80:
            if len(data) < 3 or bits & 7 or data[-2:] != crc_a(data[:-2]):
                self._fail(0x04)
            data = data[:-2]
        for byte in data:
            self._fifo_push(byte)
        regs[reg.COM_IRQ] |= reg.RX_IRQ
        if regs[reg.COMMAND] & 0x0F == reg.RECEIVE:
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
        regs[reg.COLL] = regs[reg.COLL] & 0x80 | (0x20 if position > 32 else position & 0x1F)
        if not regs[reg.COLL] & 0x80:  # ValuesAfterColl
            return value & ((1 << first) - 1)
        guess = 0
        for shift in range(0, 80, 8):
            guess |= self._noise.byte() << shift
        return value & ~collided | guess & collided

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
        prescaler = (regs[reg.TMODE] & 0x0F) << 8 | regs[reg.TPRESCALER]
        return 2 * prescaler + (2 if regs[reg.DEMOD] & 0x10 else 1)  # in periods of 13.56 MHz

    def _start_timer(self, when):
        reload = self._regs[reg.TRELOAD_H] << 8 | self._regs[reg.TRELOAD_L]
        self._timer_end = when + self._timer_rate() * (reload + 1) * 100 // 1356

    def _timer_ran_out(self):
        self._regs[reg.COM_IRQ] |= reg.TIMER_IRQ
        self._timer_end = reg.NEVER
        if self._regs[reg.TMODE] & 0x10:
            # From now, not from when it ran out: only the flag tells, and once is enough.
            self._start_timer(self._now + 1)

    def _timer_left(self):
        if self._timer_end == reg.NEVER:
            return 0
        left = (self._timer_end - self._now) * 1356 // (100 * self._timer_rate())
        return max(0, min(left, 0xFFFF))
