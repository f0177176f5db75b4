"""A PN532 driver on the chip model, in simulated time."""

import drivers.pn532 as driver
import drivers.pn532_link as link
from drivers.fault import ChipFault
from drivers.pn532 import PN532
from drivers.pn532_bus import SPIBus
from drivers.pn532_i2c import I2CBus
from port import sleep_ms
from sim.chips.clock import ManualClock
from sim.chips.iso14443 import Card
from sim.chips.pn532 import PN532Model
from sim.chips.pn532_firmware import ACK

FOUR = b"\x12\x34\x56\x78"
SEVEN = b"\x04\xa1\xb2\xc3\xd4\xe5\xf6"
TEN = b"\x04\x01\x02\x03\x04\x05\x06\x07\x08\x09"
BUSES = ("spi", "lsb first", "i2c")


def reason_in(fault):
    assert fault.chip == "rfid"
    assert 0 < len(fault.reason) <= 80  # what fits into a fact
    return fault.reason


class CountingBus:
    """A bus that also counts the bytes between two rests of the driver, and keeps what is sent."""

    def __init__(self, bus, clock):
        self.clock = clock
        self.bus = bus
        self.name = bus.name
        self.begin = bus.begin
        self.bytes = 0
        self.sent = []
        self.sent_at = []
        self.lost = 0  # reads that come to nothing, counted down

    def write(self, frame):
        self.bytes += len(frame)
        self.sent.append(frame)
        self.sent_at.append(self.clock())
        self.bus.write(frame)

    def status(self):
        self.bytes += 2
        return self.bus.status()

    def read(self, into):
        self.bytes += len(into)
        self.bus.read(into)
        if self.lost and bytes(into[1:7]) != ACK:
            self.lost -= 1
            into[:] = bytes(len(into))


class Rig:
    """A started driver on a model; the driver's sleeps move the model's clock."""

    def __init__(self, bus="spi", seed=1):
        self.clock = ManualClock()
        self.model = model = PN532Model(self.clock, seed, bus == "lsb first")
        wires = I2CBus(model) if bus == "i2c" else SPIBus(model, model.cs, bus == "lsb first")
        self.bus = CountingBus(wires, self.clock)
        self.most = 0
        self.use_clock()
        self.reader = PN532(self.bus, model.rst)
        self.reader.start()

    def use_clock(self):
        driver.sleep_ms = link.sleep_ms = self.sleep_ms
        driver.block_ms = self.clock.pass_ms

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
