"""NXP PN532: complete UIDs of the type A cards in the field, two at the most.

Source: NXP UM0701-02 (PN532 user manual) rev. 02, chapter 7 (commands). How commands travel:
drivers/pn532_link.py and drivers/pn532_bus.py.

The interface is that of `drivers.mfrc522.MFRC522`. What differs:
- The chip's firmware runs the anticollision and lists two cards at the most (7.3.5). Of three or
  more it lists some two; the others are found when those have left.
- Everything is asked by commands that take milliseconds, so the set-up is part of the first
  `uids()`, and so are its faults.
- The air's checks (BCC, CRC_A) are made by the chip and can't be seen from here.
"""

from drivers.fault import ChipFault
from drivers.pn532_link import Link, frame
from port import block_ms, const, sleep_ms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable

    from drivers.bus import Pin
    from drivers.pn532_bus import Bus

_PN532 = const(0x32)
_MOST = const(2)
_CASCADE_TAG = const(0x88)
_UID_INCOMPLETE = const(0x04)

_VERSION = frame(b"\x02")  # GetFirmwareVersion, 7.2.2
_FIELD_ON = frame(b"\x32\x01\x01")  # RFConfiguration, 7.3.1
_FIELD_OFF = frame(b"\x32\x01\x00")
_SETUP = (
    frame(b"\x14\x01\x14\x01"),  # SAMConfiguration, 7.2.10: no SAM; ends the low battery mode
    frame(b"\x12\x00"),  # SetParameters, 7.2.9: no RATS, nothing of a card is asked but its UID
    frame(b"\x32\x05\xff\x01\x01"),  # MxRtyPassiveActivation 1: an empty poll ends after two tries
)
_LIST = frame(b"\x4a\x02\x00")  # InListPassiveTarget, 7.3.5: two targets, 106 kbit/s type A

_FIELD_MS = const(6)  # a card resets within 5.1 ms and wakes within 5 ms (14443-3, 6.2.3)
_WAKE_POLLS = const(10)  # no card stays unnoticed for longer, whatever state it got into
_LOOKS = const(50)
_LIST_LOOKS = const(200)


class PN532:
    """The reader chip.

    Args:
        bus: `drivers.pn532_bus.SPIBus` or `drivers.pn532_i2c.I2CBus`.
        rst: RSTPDN, active low; a function that does nothing where it is not wired.
    """

    def __init__(self, bus: "Bus", rst: "Pin") -> None:
        self._link = Link(bus)
        self._rst = rst
        self._working = False
        self._wake_in = 0  # polls until the field is switched off and on
        self._wrong = "has not been asked for cards since its start"

    def start(self) -> None:
        """Reset the chip; blocks for 1 ms. The next `uids()` sets it up."""
        self._working = False
        self._wrong = "has not been asked for cards since its start"
        self._rst(0)
        block_ms(1)
        self._rst(1)

    def check(self) -> None:
        """Self-test: did the last `uids()` find the chip at work? Takes no time.

        Every `uids()` is a dialogue in checked frames that fails when the chip is missing or has
        lost its settings, so there is nothing else to test.

        Raises:
            ChipFault: it did not, or there was none since `start()`.
        """
        if not self._working:
            raise ChipFault("rfid", self._wrong)

    def uids(self) -> "Awaitable[list[bytes]]":
        """Await it: UIDs (4, 7 or 10 bytes) of two cards in the field at the most.

        Each UID was received twice alike from the chip. The event loop is held for about a
        millisecond at a stretch. After a poll that has listed cards, and else every tenth time,
        a poll begins by switching the field off and on, which takes about 20 ms: a listed card
        may stay silent. Not re-entrant.

        Raises:
            ChipFault: the chip is missing, unknown, stopped answering, or lost its settings;
                call `start()` before the next use.
        """
        return self._poll()

    async def _poll(self) -> "list[bytes]":
        try:
            if not self._working:
                await self._set_up()
            if self._wake_in <= 0:
                await self._wake_cards()
            length = await self._link.command(_LIST, _LIST_LOOKS, True)
            found = self._targets(length)
        except ChipFault as fault:
            self._working = False
            self._wrong = fault.reason
            raise
        self._working = True
        # A listed card may stay silent as it is; so may one of a listing that was never fetched.
        self._wake_in = 0 if found or self._link.tries > 1 else self._wake_in - 1
        return found

    async def _set_up(self) -> None:
        link = self._link
        for command in _SETUP:
            await link.command(command, _LOOKS, False)
        if await link.command(_VERSION, _LOOKS, True) < 1 or link.answer[0] != _PN532:
            raise ChipFault("rfid", "says chip %02Xh: not a PN532" % link.answer[0])
        self._wake_in = 0

    async def _wake_cards(self) -> None:
        """Switch the field off and on, which takes every card back to where it answers."""
        await self._link.command(_FIELD_OFF, _LOOKS, False)
        await sleep_ms(_FIELD_MS)
        await self._link.command(_FIELD_ON, _LOOKS, False)
        await sleep_ms(_FIELD_MS)
        self._wake_in = _WAKE_POLLS

    def _targets(self, length: int) -> "list[bytes]":
        """The UIDs in an answer: NbTg, then Tg, SENS_RES, SEL_RES, NFCIDLength, NFCID of each."""
        answer = self._link.answer
        found: list[bytes] = []
        at = 1
        count = answer[0] if length else _MOST + 1
        for number in range(1, count + 1):
            end = at + 5 + answer[at + 4] if at + 5 <= length else length + 1
            if count > _MOST or end > length or answer[at] != number:
                raise _strange()
            uid = bytes(answer[at + 5 : end])
            if not _is_complete(uid, answer[at + 3]):
                raise _strange()
            if uid not in found:  # a card that did not go to sleep is listed twice
                found.append(uid)
            at = end
        if at != length:
            raise _strange()
        return found


def _is_complete(uid: bytes, sak: int) -> bool:
    """A cascade tag in front, or a SAK that says so: more of this UID was to come."""
    if len(uid) not in (4, 7, 10) or sak & _UID_INCOMPLETE:
        return False
    return len(uid) != 4 or uid[0] != _CASCADE_TAG


def _strange() -> ChipFault:
    return ChipFault("rfid", "lists cards in a way its manual does not know; start it again")
