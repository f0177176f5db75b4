"""SSD1306 display controller with a 128 x 64 panel, at its I2C pins.

Source: Solomon Systech SSD1306 data sheet rev. 1.1 (control byte 8.1.5.2, commands table 9).

Commands modelled: 00-0F/10-1F column start (page mode), 20 addressing mode (horizontal,
vertical, page), 21 column range, 22 page range, 40-7F start line, 81 contrast, 8D charge pump,
A0/A1 segment remap, A4/A5 entire display on, A6/A7 invert, A8 multiplex ratio, AE/AF display off
and on, B0-B7 page start, C0/C8 scan direction, D3 offset, E3 NOP. Remap works on the whole
picture at once, not only on data written later.
Taken with their arguments, without effect: scrolling 26-2F and A3, timing D5, D9, DA, DB.
Any other byte is counted in `unknown`. Not modelled: reading, scrolling, timing, SPI.

A module without a panel supply stays dark until the charge pump is on.
"""

_ARGUMENTS = {
    0x20: 1, 0x21: 2, 0x22: 2, 0x26: 6, 0x27: 6, 0x29: 5, 0x2A: 5, 0x81: 1, 0x8D: 1,
    0xA3: 2, 0xA8: 1, 0xD3: 1, 0xD5: 1, 0xD9: 1, 0xDA: 1, 0xDB: 1,
}  # fmt: skip
_PLAIN = (0x2E, 0x2F, 0xE3)
_ENODEV = 19
_WIDTH = 128
_PAGES = 8


class SSD1306Model:
    """The display. `write` what follows the address on the bus; look at `pixel` or `picture`.

    It also offers MicroPython's I2C methods, as a bus with this one device.

    Attributes:
        address: 7-bit I2C address.
        missing: it does not acknowledge (broken cable).
        memory: GDDRAM, eight pages of 128 bytes; random after power-up.
        on, contrast, inverted, pump: as the commands have set them.
        unknown: bytes taken for commands that the data sheet does not have.
    """

    def __init__(self, address=0x3C, seed=1):
        self.address = address
        self.missing = False
        self._seed = seed
        self.power_cycle()

    def power_cycle(self):
        """Lose the supply and get it back: settings to their defaults, memory random."""
        self.memory = bytearray(_WIDTH * _PAGES)
        state = self._seed
        for i in range(len(self.memory)):
            state = (state * 1103515245 + 12345) & 0x7FFFFFFF
            self.memory[i] = state >> 16 & 0xFF
        self.on = self.inverted = self.pump = self._all_on = False
        self.contrast = 0x7F
        self.unknown = 0
        self._mode = 2
        self._columns = [0, 127]
        self._rows = [0, 7]
        self._column = self._page = 0
        self._start_line = self._offset = 0
        self._lines = 64
        self._remapped = self._flipped = False
        self._pending = []

    # The bus

    def writeto(self, address, buf, stop=True):  # noqa: ARG002 - as MicroPython has it
        """As machine.I2C.writeto."""
        if address != self.address or self.missing:
            raise OSError(_ENODEV)
        self.write(buf)
        return len(buf) + 1

    def writevto(self, address, vector, stop=True):
        """As machine.I2C.writevto."""
        return self.writeto(address, b"".join(bytes(buf) for buf in vector), stop)

    def scan(self):
        """As machine.I2C.scan."""
        return [] if self.missing else [self.address]

    def write(self, data):
        """One message, from its first control byte on."""
        i = 0
        self._pending = []
        while i + 1 < len(data):
            control = data[i]
            take = self._datum if control & 0x40 else self._command
            if control & 0x80:  # Co: one byte, then the next control byte
                take(data[i + 1])
                i += 2
                continue
            for byte in data[i + 1 :]:
                take(byte)
            return

    # Commands and data

    def _command(self, byte):
        pending = self._pending
        pending.append(byte)
        if len(pending) <= _ARGUMENTS.get(pending[0], 0):
            return
        self._pending = []
        if len(pending) > 1:
            self._set(pending[0], pending[1:])
        else:
            self._switch(byte)

    def _set(self, command, values):
        if command == 0x20:
            self._mode = values[0] & 3
        elif command == 0x21:
            self._columns = [value & 0x7F for value in values]
            self._column = self._columns[0]
        elif command == 0x22:
            self._rows = [value & 7 for value in values]
            self._page = self._rows[0]
        elif command == 0x81:
            self.contrast = values[0]
        elif command == 0x8D:
            self.pump = bool(values[0] & 4)
        elif command == 0xA8:
            self._lines = (values[0] & 0x3F) + 1
        elif command == 0xD3:
            self._offset = values[0] & 0x3F

    def _switch(self, byte):
        if byte <= 0x1F:
            self._start_column(byte)
        elif 0x40 <= byte <= 0x7F:
            self._start_line = byte & 0x3F
        elif 0xB0 <= byte <= 0xB7:
            self._page = byte & 7
        elif byte in (0xA0, 0xA1):
            self._remapped = byte == 0xA1
        elif byte in (0xC0, 0xC8):
            self._flipped = byte == 0xC8
        elif byte in (0xA4, 0xA5):
            self._all_on = byte == 0xA5
        elif byte in (0xA6, 0xA7):
            self.inverted = byte == 0xA7
        elif byte in (0xAE, 0xAF):
            self.on = byte == 0xAF
        elif byte not in _PLAIN:
            self.unknown += 1

    def _start_column(self, byte):
        if self._mode == 2:
            low, high = self._column & 0x0F, self._column & 0x70
            self._column = (byte & 7) << 4 | low if byte & 0x10 else high | byte & 0x0F

    def _datum(self, byte):
        self.memory[self._page * _WIDTH + self._column] = byte
        if self._mode == 1:
            if self._next_page():
                self._next_column()
        elif self._mode == 0:
            if self._next_column():
                self._next_page()
        else:
            self._column = (self._column + 1) % _WIDTH

    def _next_column(self):
        """Step; True at the end of the range."""
        ended = self._column == self._columns[1]
        self._column = self._columns[0] if ended else (self._column + 1) % _WIDTH
        return ended

    def _next_page(self):
        """Step; True at the end of the range."""
        ended = self._page == self._rows[1]
        self._page = self._rows[0] if ended else (self._page + 1) % _PAGES
        return ended

    # What is seen

    def pixel(self, x, y):
        """Does the pixel shine? (0, 0) is top left with the connector on top (A1h, C8h)."""
        if not (self.on and self.pump):
            return False
        if self._all_on:
            return True
        column = x if self._remapped else _WIDTH - 1 - x
        row = y if self._flipped else 63 - y
        row = (row + self._offset) % 64
        if row >= self._lines:
            return False
        row = (row + self._start_line) % 64
        lit = self.memory[(row >> 3) * _WIDTH + column] >> (row & 7) & 1
        return bool(lit) != self.inverted

    def state(self):
        """All that decides what is seen; equal states show equal pictures."""
        lit = (self.on, self.pump, self._all_on, self.inverted, self._remapped, self._flipped)
        rows = (self._offset, self._lines, self._start_line)
        return (bytes(self.memory),) + lit + rows

    def picture(self):
        """All 128 x 64 pixels as seen, 1,024 bytes in the layout of framebuf.MONO_VLSB."""
        seen = bytearray(_WIDTH * _PAGES)
        for y in range(64):
            for x in range(_WIDTH):
                if self.pixel(x, y):
                    seen[(y >> 3) * _WIDTH + x] |= 1 << (y & 7)
        return bytes(seen)
