"""A started RFID driver on the chip model, in simulated time."""

import drivers.mfrc522 as driver
from drivers.fault import ChipFault
from drivers.mfrc522 import MFRC522
from sim.chips.clock import ManualClock
from sim.chips.mfrc522 import MFRC522Model
from tests.firmware.unit.reader_rig import ReaderRig, reason_in


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


class Rig(ReaderRig):
    """A started driver on a model; the driver's sleeps move the model's clock."""

    def __init__(self, started=True, **options):
        self.clock = ManualClock()
        self.model = MFRC522Model(self.clock, **options)
        self.bus = CountingBus(self.model)
        self.reader = MFRC522(self.bus, self.model.cs, self.model.rst)
        driver.sleep_ms = self.sleep_ms
        driver.block_ms = self.clock.pass_ms
        if started:
            self.reader.start()


def fault_in(call):
    """The reason of the ChipFault that it raises; None when it raises none."""
    try:
        call()
    except ChipFault as fault:
        return reason_in(fault)
    return None
