"""Hi-Link LD2410 (24 GHz presence radar) at its UART pins.

Source: Hi-Link LD2410 serial communication protocol V1.02 (256000 baud, 8N1).

Reports: one every 100 ms, basic (23 bytes) or engineering (45 bytes; 43 on modules without the
light sensor). They go on in configuration mode, between ACKs; `quiet_in_config` models firmware
that pauses them. Bytes come at line speed, so a reader may see half a frame. The receive buffer
of the reader is modelled too: what does not fit is lost, as in the ESP32's UART driver.

Commands modelled: FF enable configuration, FE end, 60 gates and timeout, 61 query, 62/63
engineering on and off, 64 sensitivity of one gate or all (FFFFh), A0 version, A1 baud index (kept,
answered, without effect: the wire has no baud rate here), A2 factory reset (at the next restart),
A3 restart (1.1 s deaf and mute, configuration kept), A4 Bluetooth, A5 MAC address, AA/AB distance
resolution. Outside configuration mode only FF is answered. An unknown command is acknowledged
with status 1.
Not modelled: what the antenna sees (the test says what is seen), calibration states' timing, the
Bluetooth password, the OUT pin's hold time.

Faults: `fault` "silence" (nothing is sent), "noise" (bytes are replaced by random ones),
"truncated" (frames are cut off anywhere); `inject` puts raw bytes on the line.
"""

_HEAD = b"\xf4\xf3\xf2\xf1"
_FOOT = b"\xf8\xf7\xf6\xf5"
_COMMAND_HEAD = b"\xfd\xfc\xfb\xfa"
_COMMAND_FOOT = b"\x04\x03\x02\x01"
_PERIOD_US = 100_000
_DEAF_US = 1_100_000
_BYTE_US = 39  # ten bits at 256000 baud
_ACK_DELAY_US = 2_000
_STALE = 20  # reports that a reader who slept for long never gets: its buffer is full anyway


def _word(number):
    return bytes((number & 0xFF, number >> 8 & 0xFF))


class LD2410Model:
    """The module, seen from the other end of its UART.

    Args:
        clock: microseconds, see `sim.chips`.
        seed: for noise and truncation.
        buffer: size of the reader's receive buffer in bytes.
        quiet_in_config: no reports in configuration mode.
        light: the module has the light sensor (two more bytes in engineering reports).

    Attributes:
        state: 0 nobody, 1 moving, 2 still, 3 both, 4 to 6 calibration.
        moving_cm, moving_energy, still_cm, still_energy, detection_cm: what reports say.
        fault: None, "silence", "noise" or "truncated".
        noise_per_mille: how many bytes of a thousand noise replaces.
        lost: bytes that found the reader's buffer full.
    """

    def __init__(self, clock, seed=1, buffer=256, quiet_in_config=False, light=True):
        self.state = self.moving_cm = self.moving_energy = 0
        self.still_cm = self.still_energy = self.detection_cm = 0
        self.fault = None
        self.noise_per_mille = 200
        self.lost = 0
        self.mac = b"\x8f\x27\x2e\xb8\x0f\x65"
        self._clock = clock
        self._buffer = buffer
        self._quiet_in_config = quiet_in_config
        self._light = light
        self._seed = seed * 2654435761 & 0xFFFFFFFF or 1
        self._line = []  # [time of the first byte, bytes] still on the wire
        self._line_free = 0
        self._inbox = b""
        self._incoming = b""
        self._reset_pending = False
        self._factory()
        self._boot(clock())

    def target(self, state, cm=0, energy=0):
        """Say what is seen: nobody (0), moving (1), still (2) or both (3), at `cm`."""
        self.state = state
        self.moving_cm, self.moving_energy = (cm, energy) if state & 1 else (0, 0)
        self.still_cm, self.still_energy = (cm, energy) if state & 2 else (0, 0)
        self.detection_cm = cm if state else 0

    def out(self):
        """The OUT pin's level."""
        return int(self.state in (1, 2, 3))

    # The UART

    def any(self):
        """Bytes that have arrived at the reader."""
        self._advance()
        return len(self._inbox)

    def read(self, count=None):
        """Up to `count` bytes, None when there are none (as machine.UART)."""
        self._advance()
        count = len(self._inbox) if count is None else count
        data, self._inbox = self._inbox[:count], self._inbox[count:]
        return data or None

    def readinto(self, buf, count=None):
        """As machine.UART.readinto."""
        data = self.read(len(buf) if count is None else count)
        if data is None:
            return None
        buf[: len(data)] = data
        return len(data)

    def write(self, data):
        """Bytes from the reader to the module; a restarting module hears nothing."""
        self._advance()
        if self._clock() >= self._deaf_until and self.fault != "silence":
            self._incoming = (self._incoming + bytes(data))[-128:]
            self._parse()
        return len(data)

    def inject(self, data):
        """Put raw bytes on the line to the reader, as a disturbance."""
        self._advance()
        self._send(bytes(data), self._clock())

    def at_rest(self):
        """Whether nothing is on the line or in the reader's buffer."""
        self._advance()
        return not self._line and not self._inbox

    def skip(self):
        """Leave out the reports that are due and not yet sent, but for the last of them."""
        self._next_report += max(0, (self._clock() - self._next_report) // _PERIOD_US) * _PERIOD_US

    # Reports

    def _advance(self):
        now = self._clock()
        if now - self._next_report > _STALE * _PERIOD_US:
            skipped = (now - self._next_report) // _PERIOD_US - _STALE
            self._next_report += skipped * _PERIOD_US
        while self._next_report <= now:
            if not (self._config and self._quiet_in_config):
                self._send(self._report(), self._next_report)
            self._next_report += _PERIOD_US
        self._arrive(now)

    def _report(self):
        body = bytes((1 if self._engineering else 2, 0xAA, self.state))
        body += _word(self.moving_cm) + bytes((self.moving_energy,))
        body += _word(self.still_cm) + bytes((self.still_energy,)) + _word(self.detection_cm)
        if self._engineering:
            body += bytes((self._gates[0], self._gates[1]))
            body += self._energies(self.moving_cm, self.moving_energy)
            body += self._energies(self.still_cm, self.still_energy)
            if self._light:
                body += bytes((0x80, self.out()))
        body += b"\x55\x00"
        return _HEAD + _word(len(body)) + body + _FOOT

    def _energies(self, cm, energy):
        gate = min(cm // (20 if self._resolution else 75), 8)
        return bytes(energy if i == gate else 0 for i in range(9))

    def _send(self, data, when):
        if self.fault == "silence":
            return
        if self.fault == "truncated":
            data = data[: 1 + self._dice(len(data) - 1)]
        elif self.fault == "noise":
            data = bytes(
                self._dice(256) if self._dice(1000) < self.noise_per_mille else b for b in data
            )
        start = max(when, self._line_free)
        self._line.append((start, data))
        self._line_free = start + len(data) * _BYTE_US

    def _arrive(self, now):
        while self._line:
            start, data = self._line[0]
            count = min((now - start) // _BYTE_US, len(data))
            if count <= 0:
                return
            room = self._buffer - len(self._inbox)
            self._inbox += data[: min(count, room)]
            self.lost += max(count - room, 0)
            if count < len(data):
                self._line[0] = (start + count * _BYTE_US, data[count:])
                return
            self._line.pop(0)

    def _dice(self, sides):
        self._seed = (self._seed * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._seed >> 8) % sides

    # Commands

    def _factory(self):
        self._gates = [8, 8, 5]  # farthest moving gate, farthest still gate, seconds to vacancy
        self._moving = [50, 50, 40, 30, 20, 15, 15, 15, 15]
        self._still = [0, 0, 40, 40, 30, 30, 20, 20, 20]
        self._resolution = 0
        self._bluetooth = 1
        self._baud = 7

    def _boot(self, when):
        if self._reset_pending:
            self._factory()
            self._reset_pending = False
        self._config = False
        self._engineering = False
        self._deaf_until = when
        self._next_report = when + _PERIOD_US

    def _parse(self):
        while True:
            start = self._incoming.find(_COMMAND_HEAD)
            if start < 0:
                self._incoming = self._incoming[-3:]
                return
            frame = self._incoming[start:]
            self._incoming = frame
            if len(frame) < 6:
                return
            length = frame[4] | frame[5] << 8
            if not 2 <= length <= 64:
                self._incoming = frame[1:]
                continue
            if len(frame) < length + 10:
                return
            if frame[length + 6 : length + 10] != _COMMAND_FOOT:
                self._incoming = frame[1:]
                continue
            self._incoming = frame[length + 10 :]
            self._obey(frame[6] | frame[7] << 8, frame[8 : length + 6])

    def _obey(self, command, value):
        if command == 0xFF:
            self._config = True
            self._acknowledge(command, 0, b"\x01\x00\x40\x00")
        elif self._config:
            reply = self._configure(command, value)
            self._acknowledge(command, 1 if reply is None else 0, reply or b"")
            if command == 0xA3:
                now = self._clock()
                self._boot(now + _DEAF_US)

    def _acknowledge(self, command, status, reply):
        body = _word(command | 0x100) + _word(status) + reply
        frame = _COMMAND_HEAD + _word(len(body)) + body + _COMMAND_FOOT
        self._send(frame, self._clock() + _ACK_DELAY_US)

    def _configure(self, command, value):
        """Carry out a command; the ACK's value, None to refuse."""
        if command in (0xA1, 0xA4, 0xAA):
            return self._set_word(command, value)
        if command == 0xFE:
            self._config = False
        elif command in (0x62, 0x63):
            self._engineering = command == 0x62
        elif command == 0xA2:
            self._reset_pending = True
        elif command == 0x60:
            return self._set_gates(value)
        elif command == 0x64:
            return self._set_sensitivity(value)
        elif command != 0xA3:
            return self._query(command)
        return b""

    def _query(self, command):
        answers = {
            0x61: self._parameters(),
            0xA0: b"\x00\x00\x07\x01\x16\x15\x09\x22",  # V1.07.22091516
            0xA5: self.mac,
            0xAB: _word(self._resolution),
        }
        return answers.get(command)

    def _set_word(self, command, value):
        if len(value) != 2:
            return None
        number = value[0] | value[1] << 8
        if command == 0xA1 and 1 <= number <= 8:
            self._baud = number
        elif command == 0xA4 and number <= 1:
            self._bluetooth = number
        elif command == 0xAA and number <= 1:
            self._resolution = number
        else:
            return None
        return b""

    def _numbers(self, value):
        """The three (word, 32-bit number) pairs of commands 60 and 64, None when malformed."""
        if len(value) != 18:
            return None
        for i in range(3):
            if value[6 * i] != i or value[6 * i + 1]:
                return None
        return [int.from_bytes(value[6 * i + 2 : 6 * i + 6], "little") for i in range(3)]

    def _set_gates(self, value):
        numbers = self._numbers(value)
        if numbers is None or not (2 <= numbers[0] <= 8 and 2 <= numbers[1] <= 8):
            return None
        if numbers[2] > 0xFFFF:
            return None
        self._gates = numbers
        return b""

    def _set_sensitivity(self, value):
        numbers = self._numbers(value)
        if numbers is None or numbers[1] > 100 or numbers[2] > 100:
            return None
        gates = range(9) if numbers[0] == 0xFFFF else (numbers[0],)
        for gate in gates:
            if gate > 8:
                return None
            self._moving[gate] = numbers[1]
            self._still[gate] = numbers[2]
        return b""

    def _parameters(self):
        return (
            bytes((0xAA, 8, self._gates[0], self._gates[1]))
            + bytes(self._moving)
            + bytes(self._still)
            + _word(self._gates[2])
        )
