"""Type A cards (ISO/IEC 14443-3:2018, clause 6) and the field that carries their answers.

A frame is a pair (value, bits): `value` holds the data bits in the order of transmission, the
first one as bit 0. Parity bits are left out; they neither collide nor fail here.

Modelled: states IDLE, READY, ACTIVE, HALT with their starred forms (a card that came from HALT
falls back to HALT), REQA, WUPA, bit-oriented ANTICOLLISION and SELECT on three cascade levels
with CT and BCC, HLTA, CRC_A checked on SELECT and HLTA, loss of power, time to wake up, a frame
delay time, the superposition of any number of answers bit by bit.
Not modelled: everything after selection (RATS, memory, Crypto1), other bit rates, random UIDs,
distance (a card is in the field or it is not), parity.
"""

try:
    from micropython import const
except ImportError:

    def const(value):
        """MicroPython's compiler folds what is marked with this."""
        return value


OFF = const(0)
IDLE = const(1)
READY = const(2)
ACTIVE = const(3)
HALT = const(4)

CASCADE_TAG = const(0x88)
FRAME_DELAY_US = const(91)
"""Silence between the reader's last bit and the card's first: 1236/fc (clause 6.2.1.1)."""

_REQA = const(0x26)
_WUPA = const(0x52)
_SELECT = const(0x93)  # and 95h, 97h on the next cascade levels
_HLTA = b"\x50\x00"
_UID_INCOMPLETE = const(0x04)


def air_us(bits):
    """Microseconds on the air of a frame with so many data bits, parity and framing too."""
    return (bits + bits // 8 + 2) * 12800 // 1356


def crc_a(data):
    """CRC_A of ISO/IEC 14443-3 Annex B as two bytes in the order of transmission."""
    crc = 0x6363
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0x8408 if crc & 1 else crc >> 1
    return bytes((crc & 0xFF, crc >> 8))


def frame(data, last_bits=0):
    """A frame (value, bits) from bytes; `last_bits` of the last byte count, 0 means all eight."""
    bits = len(data) * 8 - (8 - last_bits if last_bits else 0)
    return int.from_bytes(data, "little") & ((1 << bits) - 1), bits


class Card:
    """A type A card or sticker.

    Args:
        uid: 4, 7 or 10 bytes.
        sak: the last SAK (08h MIFARE Classic 1K, 00h NTAG and Ultralight, 20h ISO 14443-4).
        wake_us: how long it hears nothing after it gets power (at most 5 ms by the standard).

    Raises:
        ValueError: a UID of another length, or one that begins with the cascade tag where the
            standard forbids it.
    """

    def __init__(self, uid, sak=None, wake_us=5000):
        if len(uid) not in (4, 7, 10):
            raise ValueError("a UID has 4, 7 or 10 bytes, not %d" % len(uid))
        if (uid[0] == CASCADE_TAG and len(uid) == 4) or (len(uid) == 7 and uid[3] == CASCADE_TAG):
            raise ValueError("88h is the cascade tag and cannot begin the last part of this UID")
        self.uid = bytes(uid)
        self.sak = sak if sak is not None else (0x08 if len(uid) == 4 else 0x00)
        self.wake_us = wake_us
        self.state = OFF
        self.level = 0
        self._starred = False
        self._blocks = []
        rest = self.uid
        while len(rest) > 4:
            self._blocks.append(bytes((CASCADE_TAG,)) + rest[:3])
            rest = rest[3:]
        self._blocks.append(rest)

    def power(self, on):
        """The field appears or vanishes: either way the card forgets its state."""
        self.state = IDLE if on else OFF
        self.level = 0
        self._starred = False

    def answer(self, value, bits):
        """What the card sends back to a frame, as a frame, or None when it stays silent."""
        if bits == 7:
            return self._short(value)
        if self.state in (READY, ACTIVE):
            return self._addressed(value, bits)
        return None

    def _short(self, value):
        if value == _WUPA and self.state == HALT:
            self._starred = True
        elif self.state != IDLE or value not in (_REQA, _WUPA):
            # A READY or ACTIVE card takes even REQA and WUPA as an error (figure 7).
            self._fall_back()
            return None
        self.state = READY
        self.level = 0
        return 0x04 | (len(self._blocks) - 1) << 6, 16

    def _addressed(self, value, bits):
        data = value.to_bytes((bits + 7) // 8, "little")
        if self.state == READY and bits >= 16 and data[0] == _SELECT + 2 * self.level:
            reply = self._anticollision(data, bits)
            if reply:
                return reply
        elif self.state == ACTIVE and data[:2] == _HLTA and data[2:] == crc_a(_HLTA):
            self._starred = True
        self._fall_back()
        return None

    def _anticollision(self, data, bits):
        block = self._blocks[self.level]
        block += bytes((block[0] ^ block[1] ^ block[2] ^ block[3],))
        if data[1] == 0x70:
            return self._select(data, bits, block)
        known = (data[1] >> 4) * 8 + (data[1] & 7) - 16
        if known != bits - 16 or not 0 <= known < 40:
            return None
        mine, _ = frame(block)
        sent, _ = frame(data[2:], 0) if known else (0, 0)
        if (mine ^ sent) & ((1 << known) - 1):
            return None
        return mine >> known, 40 - known

    def _select(self, data, bits, block):
        if bits != 72 or data[2:7] != block or data[7:] != crc_a(data[:7]):
            return None
        self.level += 1
        sak = _UID_INCOMPLETE
        if self.level == len(self._blocks):
            self.state = ACTIVE
            sak = self.sak & ~_UID_INCOMPLETE
        return frame(bytes((sak,)) + crc_a(bytes((sak,))))

    def _fall_back(self):
        if self.state in (READY, ACTIVE):
            self.state = HALT if self._starred else IDLE
            self.level = 0


class Field:
    """The reader's field with the cards in it; put and take them at any time.

    `watch`, when set, is called with every frame (value, bits) before the cards hear it: tests
    record the dialogue with it, or take a card away in the middle.
    """

    def __init__(self, clock):
        self.cards = []
        self.watch = None
        self._clock = clock
        self._on = False
        self._awake = {}

    def put(self, card):
        """Bring a card into the field."""
        self.cards.append(card)
        self._supply(card)

    def take(self, card):
        """Take a card away; one that is not there is nothing to take."""
        if card in self.cards:
            self.cards.remove(card)
            self._awake.pop(id(card), None)
            card.power(False)

    def clear(self):
        """Take all cards away."""
        while self.cards:
            self.take(self.cards[0])

    def power(self, on):
        """The reader switches its field; cards keep their state while it stays on."""
        if on != self._on:
            self._on = on
            for card in self.cards:
                self._supply(card)

    def _supply(self, card):
        card.power(self._on)
        self._awake[id(card)] = self._clock() + card.wake_us

    def exchange(self, value, bits):
        """Send a frame to all cards.

        Returns:
            None when nobody answers, else (value, bits, collided): the answers laid over each
            other and a mask of the bits in which they differ.
        """
        if self.watch:
            self.watch(value, bits)
        if not self._on:
            return None
        now = self._clock()
        total = length = collided = 0
        for card in list(self.cards):
            reply = card.answer(value, bits) if self._awake[id(card)] <= now else None
            if reply is None:
                continue
            if length:
                collided |= (total ^ reply[0]) & ((1 << min(length, reply[1])) - 1)
            total |= reply[0]
            length = max(length, reply[1])
        return (total, length, collided) if length else None
