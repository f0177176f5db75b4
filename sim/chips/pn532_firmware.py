"""The firmware of a PN532: frames that it hears become frames to be fetched, in their time.

What is modelled of it is listed in `sim.chips.pn532`.
"""

from sim.chips.noise import Noise
from sim.chips.pn532_antenna import Antenna

ACK = b"\x00\x00\xff\x00\xff\x00"
NACK = b"\x00\x00\xff\xff\x00\x00"
SYNTAX_ERROR = b"\x00\x00\xff\x01\xff\x7f\x81\x00"

WAKE_US = 2000
_BOOT_US = 2000
_ACK_US = 400  # chosen; the manual allows 15 ms
_WORK_US = 600  # chosen: what any command takes
_TRY_US = 5000  # chosen: from one fruitless try to the next
_FOR_EVER = 0xFF
_ATS = b"\x06\x75\x77\x81\x02\x80"


def packed(body):
    """An answer (its code and parameters) as a normal information frame."""
    length = len(body) + 1
    total = 0xD5 + sum(body)
    head = bytes((0, 0, 0xFF, length, -length & 0xFF, 0xD5))
    return head + body + bytes((-total & 0xFF, 0))


def unpacked(data):
    """The command in a frame to the chip: ACK, NACK or its body; None for what is neither."""
    start = data.find(b"\x00\xff")
    if start < 0 or len(data) < start + 5:
        return None
    rest = data[start + 2 :]
    if rest[:2] in (b"\x00\xff", b"\xff\x00"):
        return ACK if rest[1] else NACK
    if rest[:2] == b"\xff\xff":  # extended information frame
        if len(rest) < 5 or (rest[2] + rest[3] + rest[4]) & 0xFF:
            return None
        length, rest = rest[2] << 8 | rest[3], rest[5:]
    else:
        if (rest[0] + rest[1]) & 0xFF:
            return None
        length, rest = rest[0], rest[2:]
    if length < 2 or len(rest) < length + 1 or sum(rest[: length + 1]) & 0xFF or rest[0] != 0xD4:
        return None
    return rest[1:length]


class Firmware:
    """Commands, their answers and the time these take; `PN532Model` adds pins and buses."""

    def __init__(self, clock, seed):
        self.fault = None
        self.late_us = 0
        self._clock = clock
        self._noise = Noise(seed)
        self._now = clock()
        self._antenna = Antenna(self._time)
        self.field = self._antenna.field
        self._commands = {
            0x00: self._diagnose,
            0x02: self._version,
            0x04: self._general_status,
            0x12: self._set_parameters,
            0x14: self._sam_configuration,
            0x16: self._power_down,
            0x32: self._rf_configuration,
            0x40: self._data_exchange,
            0x44: self._release,
            0x4A: self._list,
            0x52: self._release,
            0x54: self._select,
        }
        self._reset()

    def _reset(self):
        self._ready_at = self._time() + _BOOT_US
        self._queue = []  # [time from which it can be fetched, frame]
        self._last = None
        self._listing = None  # [time of the next try, tries left, most, wanted UID]
        self._targets = []
        self._low_battery = True
        self._asleep = True
        self._drowsy = False  # it sleeps once the answer to PowerDown has been fetched
        self._woken_at = None  # by its I2C address
        self._tries = _FOR_EVER
        self._parameters = 0x14
        self.field.power(False)

    def _time(self):
        now = self._clock()
        return now if now > self._now else self._now

    def _ready(self):
        """Can a frame be fetched now?"""
        self._advance()
        return bool(self._queue) and self._queue[0][0] <= self._now

    def _fetched(self):
        """The host has fetched a frame."""
        _, frame = self._queue.pop(0)
        if frame != ACK:
            self._last = frame
        if self._drowsy and not self._queue:
            self._drowsy = False
            self._asleep = True

    def _hear(self, data):
        """A frame from the host; one with a wrong sum is not answered."""
        self._advance()
        body = unpacked(data)
        if body is None or self.fault == "stuck" or self._now < self._ready_at:
            return
        if body == NACK:
            self._queue = [[self._now + _ACK_US, self._last]] if self._last else []
            return
        self._queue = []  # a command or an ACK ends what was going on
        self._listing = None
        if body == ACK:
            return
        self._last = None
        if self.fault == "nack":
            self._queue.append([self._now + _ACK_US, NACK])
            return
        self._queue.append([self._now + _ACK_US, ACK])
        handler = self._commands.get(body[0])
        answer = handler(body[1:]) if handler and self.fault != "error" else SYNTAX_ERROR
        if answer is not None:
            self._answer(self._now + _ACK_US + _WORK_US, answer)

    def _answer(self, when, answer):
        if self.fault == "mute":
            return
        if answer != SYNTAX_ERROR:
            answer = packed(answer)
        self._queue.append([when + (self.late_us if self.fault == "late" else 0), answer])

    # Commands: each returns its answer, None when that comes later, or SYNTAX_ERROR

    def _diagnose(self, rest):
        return b"\x01" + rest if rest[:1] == b"\x00" else SYNTAX_ERROR  # communication line test

    def _version(self, _rest):
        return b"\x03\x32\x01\x06\x07"

    def _general_status(self, _rest):
        body = bytes((0x05, 0, 0, len(self._targets)))
        for i in range(len(self._targets)):
            body += bytes((i + 1, 0, 0, 0x10))
        return body + b"\x00"

    def _set_parameters(self, rest):
        if len(rest) != 1:
            return SYNTAX_ERROR
        self._parameters = rest[0]
        return b"\x13"

    def _sam_configuration(self, rest):
        if rest[:1] not in (b"\x01", b"\x02", b"\x03", b"\x04"):
            return SYNTAX_ERROR
        self._low_battery = False
        return b"\x15"

    def _power_down(self, _rest):
        self._drowsy = True
        self.field.power(False)
        return b"\x17\x00"

    def _rf_configuration(self, rest):
        if len(rest) < 2 or rest[0] not in (1, 2, 4, 5, 10, 11, 12, 13):
            return SYNTAX_ERROR
        if rest[0] == 1 and not self._low_battery:
            self.field.power(bool(rest[1] & 1))
        elif rest[0] == 5:
            if len(rest) != 4:
                return SYNTAX_ERROR
            self._tries = rest[3]
        return b"\x33"

    def _data_exchange(self, _rest):
        return b"\x41\x01" if self._targets else b"\x41\x27"  # time-out; wrong context

    def _release(self, _rest):
        self._targets = []
        return b"\x53\x00"

    def _select(self, rest):
        known = len(rest) == 1 and 1 <= rest[0] <= len(self._targets)
        return b"\x55\x00" if known else b"\x55\x27"

    def _list(self, rest):
        if len(rest) < 2 or not 1 <= rest[0] <= 2 or rest[1] > 4:
            return SYNTAX_ERROR
        self._targets = []
        if not self._low_battery:
            self.field.power(True)
        wanted = _plain(rest[2:])
        most = rest[0] if rest[1] == 0 else 0  # other modulations find nobody
        self._listing = [self._now + _ACK_US + _WORK_US, self._tries, most, wanted]
        return None

    def _advance(self):
        """Let happen, in order, what happened since the last access."""
        self._now = self._time()
        while self._listing and self._listing[0] <= self._now:
            self._try()

    def _try(self):
        when, left, most, wanted = self._listing
        found, over = self._antenna.find(when, most) if most else ([], when)
        found = [target for target in found if not wanted or target[2] == wanted]
        if not found and left:
            after = over + _TRY_US
            if left == _FOR_EVER:  # nobody counts them: those before the last access are skipped
                after = max(after, self._now - _TRY_US)
            self._listing = [after, left if left == _FOR_EVER else left - 1, most, wanted]
            return
        self._listing = None
        self._targets = found
        self._answer(over, self._listed())

    def _listed(self):
        body = bytes((0x4B, len(self._targets)))
        for number, (atqa, sak, uid) in enumerate(self._targets):
            body += bytes((number + 1, atqa >> 8, atqa & 0xFF, sak, len(uid))) + uid
            if sak & 0x20 and self._parameters & 0x10:
                body += _ATS
        return body


def _plain(wanted):
    """A UID without the cascade tags that InitiatorData has in it."""
    plain = b""
    while len(wanted) > 4 and wanted[0] == 0x88:
        plain += wanted[1:4]
        wanted = wanted[4:]
    return plain + wanted
