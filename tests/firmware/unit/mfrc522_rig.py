"""A started RFID driver on the chip model, in simulated time."""

import drivers.mfrc522 as driver
from drivers.fault import ChipFault
from drivers.mfrc522 import MFRC522
from port import sleep_ms
from sim.chips.clock import ManualClock
from sim.chips.iso14443 import Card
from sim.chips.mfrc522 import MFRC522Model

FOUR = b"\x12\x34\x56\x78"
SEVEN = b"\x04\xa1\xb2\xc3\xd4\xe5\xf6"
TEN = b"\x04\x01\x02\x03\x04\x05\x06\x07\x08\x09"


def reason_in(fault):
    assert fault.chip == "rfid"
    assert 0 < len(fault.reason) <= 120
    return fault.reason


class CountingBus:
    """The model's SPI, which also counts what goes over it between two rests of the driver."""

    def __init__(self, model):
        self.model = model
        self.bytes = 0
        self.error = 0  # laid over ErrorReg
        self.error_in_collision = 0

    def write(self, buf):
        self.bytes += len(buf)
        self.model.write(buf)

    def write_readinto(self, out, into):
        self.bytes += len(out)
        self.model.write_readinto(out, into)
        if len(out) == 6 and out[1] == 0x80 | 0x06 << 1:
            into[2] |= self.error | (self.error_in_collision if into[2] & 0x08 else 0)


class Rig:
    """A started driver on a model; the driver's sleeps move the model's clock."""

    def __init__(self, started=True, **options):
        self.clock = ManualClock()
        self.model = MFRC522Model(self.clock, **options)
        self.bus = CountingBus(self.model)
        self.reader = MFRC522(self.bus, self.model.cs, self.model.rst)
        self.most = 0
        driver.sleep_ms = self.sleep_ms
        driver.block_ms = self.clock.pass_ms
        if started:
            self.reader.start()

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


async def fault_of(awaitable):
    """The reason of the ChipFault that it raises; None when it raises none."""
    try:
        await awaitable
    except ChipFault as fault:
        return reason_in(fault)
    return None


def fault_in(call):
    try:
        call()
    except ChipFault as fault:
        return reason_in(fault)
    return None


async def reads(rig, *uids):
    """Put cards with these UIDs: does the driver find exactly them?"""
    rig.model.field.clear()
    rig.put(*uids)
    return sorted(await rig.reader.uids()) == sorted(uids)
