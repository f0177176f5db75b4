"""The chips that the configuration chooses, on the pins of the map.

A driver is loaded only if its chip is chosen, and this module is needed once: the memory of a unit
has no room for what it does not use.
"""

import machine

from board import pins
from port import const

_VSPI = const(2)
_SPI_HZ = const(4_000_000)
_RADAR_BAUD = const(256_000)


def reader(chip: str):
    """The RFID reader, not yet started: "mfrc522" or "pn532"."""
    spi = machine.SPI(
        _VSPI,
        baudrate=_SPI_HZ,
        sck=machine.Pin(pins.RFID_SCK),
        mosi=machine.Pin(pins.RFID_MOSI),
        miso=machine.Pin(pins.RFID_MISO),
    )
    select = machine.Pin(pins.RFID_CS, machine.Pin.OUT, value=1)
    reset = machine.Pin(pins.RFID_RST, machine.Pin.OUT, value=1)
    if chip == "pn532":
        from drivers.pn532 import PN532
        from drivers.pn532_bus import SPIBus

        return PN532(SPIBus(spi, select), reset)
    from drivers.mfrc522 import MFRC522

    return MFRC522(spi, select, reset)


def _radar():
    from drivers.ld2410 import LD2410

    # UART 1, away from its default pins 9 and 10, which belong to the flash.
    return LD2410(
        machine.UART(
            1,
            baudrate=_RADAR_BAUD,
            rx=machine.Pin(pins.RADAR_RX),
            tx=machine.Pin(pins.RADAR_TX),
            rxbuf=512,
        )
    )


def _pir():
    from drivers.pir import PIR

    return PIR(machine.Pin(pins.PIR, machine.Pin.IN))


def _seat_switch():
    from drivers.seat_switch import SeatSwitch

    return SeatSwitch(machine.Pin(pins.SEAT_SWITCH, machine.Pin.IN))


def sensors(names) -> tuple:
    """The presence sensors of these names, as in the configuration."""
    return tuple(_SENSORS[name]() for name in names)


def presence(sensors):
    """What says whether somebody is there: the only sensor, or all of them combined."""
    moving = [sensor for sensor in sensors if sensor.chip == "pir"]
    if len(sensors) == 1 and not moving:
        return sensors[0]
    from desk_unit.presence import Combined

    return Combined([sensor for sensor in sensors if sensor not in moving], moving)


_SENSORS = {"ld2410": _radar, "pir": _pir, "seat-switch": _seat_switch}
