"""What the firmware of a PN532 does on the air: it finds and selects type A cards by itself.

Source: ISO/IEC 14443-3:2018 clause 6; NXP UM0701-02 7.3.5 for what is listed.

Every try begins with REQA and no card is woken with WUPA. Of answers that collide it takes the
branch with the 1. A card that was listed is sent to sleep with HLTA when another one is looked
for. That is the least a reader can do; the manual does not say whether the real one does more.
"""

from sim.chips.iso14443 import FRAME_DELAY_US, Field, air_us, crc_a, frame

_REQA = 0x26
_SEL = 0x93
_SILENCE_US = 1000  # how long it waits for a card's answer; chosen
_HLTA = b"\x50\x00" + crc_a(b"\x50\x00")


class Antenna:
    """The field, and the search for cards in it.

    Args:
        clock: microseconds, see `sim.chips`.

    Attributes:
        field: the `Field` in front of the antenna.
    """

    def __init__(self, clock):
        self.field = Field(self._time)
        self._clock = clock
        self._at = None  # while a dialogue is on: its time

    def find(self, when, most):
        """Look for cards once, beginning at the time `when`.

        Returns:
            (ATQA, SAK, UID) of each card found, at most `most`, and the time when it was over.
        """
        self._at = when
        found = []
        while len(found) < most:
            target = self._activate()
            if target is None:
                break
            found.append(target)
            if len(found) < most:
                self._say(*frame(_HLTA))
        over, self._at = self._at, None
        return found, over

    def _time(self):
        return self._clock() if self._at is None else self._at

    def _say(self, value, bits):
        """Send a frame; what comes back, as from `Field.exchange`."""
        self._at += air_us(bits)
        reply = self.field.exchange(value, bits)
        self._at += FRAME_DELAY_US + air_us(reply[1]) if reply else _SILENCE_US
        return reply

    def _activate(self):
        reply = self._say(_REQA, 7)
        if not reply or reply[1] != 16:
            return None
        uid = b""
        for level in range(3):
            block = self._resolve(_SEL + 2 * level)
            sak = self._select(_SEL + 2 * level, block) if block else None
            if sak is None:
                return None
            if not sak & 0x04:
                return reply[0], sak, uid + block[:4]
            uid += block[1:4]
        return None

    def _resolve(self, sel):
        """Anticollision on a cascade level: four bytes and BCC of one card."""
        known = value = 0
        for _ in range(33):
            nvb = (2 + (known >> 3)) << 4 | known & 7
            reply = self._say(sel | nvb << 8 | value << 16, 16 + known)
            if not reply or reply[1] != 40 - known:
                return None
            heard, _, collided = reply
            if not collided:
                block = (value | heard << known).to_bytes(5, "little")
                right = not block[0] ^ block[1] ^ block[2] ^ block[3] ^ block[4]
                return block if right else None
            first = 0
            while not collided >> first & 1:
                first += 1
            value |= (heard & ((1 << first) - 1) | 1 << first) << known
            known += first + 1
            if known > 32:
                return None
        return None

    def _select(self, sel, block):
        data = bytes((sel, 0x70)) + block
        reply = self._say(*frame(data + crc_a(data)))
        if not reply or reply[1] != 24 or reply[2]:
            return None
        answer = reply[0].to_bytes(3, "little")
        return answer[0] if crc_a(answer[:1]) == answer[1:] else None
