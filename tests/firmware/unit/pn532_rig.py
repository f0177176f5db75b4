"""A PN532 driver on the chip model, in simulated time."""

import drivers.pn532 as driver
import drivers.pn532_link as link
from drivers.pn532 import PN532
from drivers.pn532_bus import SPIBus
from drivers.pn532_i2c import I2CBus
from sim.chips.clock import ManualClock
from sim.chips.pn532 import PN532Model
from sim.chips.pn532_firmware import ACK
from tests.firmware.unit.reader_rig import ReaderRig

BUSES = ("spi", "lsb first", "i2c")


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


class Rig(ReaderRig):
    """A started driver on a model; the driver's sleeps move the model's clock."""

    def __init__(self, bus="spi", seed=1):
        self.clock = ManualClock()
        self.model = model = PN532Model(self.clock, seed, bus == "lsb first")
        wires = I2CBus(model) if bus == "i2c" else SPIBus(model, model.cs, bus == "lsb first")
        self.bus = CountingBus(wires, self.clock)
        self.use_clock()
        self.reader = PN532(self.bus, model.rst)
        self.reader.start()

    def use_clock(self):
        driver.sleep_ms = link.sleep_ms = self.sleep_ms
        driver.block_ms = self.clock.pass_ms
