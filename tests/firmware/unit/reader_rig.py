"""What the rigs of both RFID readers share: cards, faults, sleeps that move the chip's clock."""

from drivers.fault import ChipFault
from port import sleep_ms
from sim.chips.iso14443 import Card

FOUR = b"\x12\x34\x56\x78"
SEVEN = b"\x04\xa1\xb2\xc3\xd4\xe5\xf6"
TEN = b"\x04\x01\x02\x03\x04\x05\x06\x07\x08\x09"


def reason_in(fault):
    assert fault.chip == "rfid"
    assert 0 < len(fault.reason) <= 80  # what fits into a fact
    return fault.reason


class ReaderRig:
    """A driver (`reader`) on a model, with a clock and a bus that counts its bytes."""

    most = 0
    """Bytes between two rests of the driver, at the most."""

    async def sleep_ms(self, ms):
        self.most = max(self.most, self.bus.bytes)
        self.bus.bytes = 0
        self.clock.pass_ms(ms)
        await sleep_ms(0)

    def put(self, *uids):
        cards = [Card(uid, wake_us=0) for uid in uids]
        for card in cards:
            self.model.field.put(card)
        return cards

    async def fault(self):
        """The reason of the ChipFault that the next poll raises; None when it raises none."""
        try:
            await self.reader.uids()
        except ChipFault as fault:
            return reason_in(fault)
        return None

    async def reads(self, *uids):
        """Put cards with these UIDs: does the driver find exactly them?"""
        self.model.field.clear()
        self.put(*uids)
        return sorted(await self.reader.uids()) == sorted(uids)
