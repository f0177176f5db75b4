"""Builds buses and chips from the pin map; the configuration chooses reader and presence sensors.

A driver is loaded only if its chip is chosen, and this module is needed once: the memory of a unit
has no room for what it does not use. Source: MicroPython 1.28 ESP32 quick reference (`machine`).
"""

import framebuf
import machine

from board import pins
from board.front import display, ring_writer
from desk_unit import screen
from desk_unit.ring import PIXELS
from drivers.buzzer import Buzzer
from drivers.ws2812 import WS2812
from port import const

_VSPI = const(2)
_SPI_HZ = const(4_000_000)
_RADAR_BAUD = const(256_000)
_PWM_HZ = const(1_000)


def build(hardware, config) -> None:
    """Give the hardware its chips, none of them started yet.

    Args:
        hardware: `board.desk.Hardware`.
        config: The unit's configuration.
    """
    hardware.reader = _reader(config.reader)
    hardware.sensors = tuple(_SENSORS[name]() for name in config.presence)
    hardware.presence = _presence(hardware.sensors)
    hardware.pixels = WS2812(ring_writer(), PIXELS)
    hardware.display = display()
    hardware.canvas = framebuf.FrameBuffer(
        hardware.display.buffer, screen.WIDTH, screen.HEIGHT, framebuf.MONO_VLSB
    )
    hardware.glyphs = framebuf.FrameBuffer(bytearray(88), 88, 8, framebuf.MONO_VLSB)
    hardware.buzzer = Buzzer(_pwm(pins.BUZZER))
    hardware.lamp = _pwm(pins.BUTTON_LAMP)


def _reader(chip: str):
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


def _presence(sensors):
    moving = [sensor for sensor in sensors if sensor.chip == "pir"]
    if len(sensors) == 1 and not moving:
        return sensors[0]
    from desk_unit.presence import Combined

    return Combined([sensor for sensor in sensors if sensor not in moving], moving)


_SENSORS = {"ld2410": _radar, "pir": _pir, "seat-switch": _seat_switch}


def _pwm(gpio: int):
    return machine.PWM(machine.Pin(gpio, machine.Pin.OUT), freq=_PWM_HZ, duty_u16=0)
