"""The factory test: runs on the new board, through the raw REPL, before it has any secret.

One line a check, `check <name> <ok|fail> <detail>`, then `end`. It looks at what answers: the ring,
the buzzer, the lamp and a PIR give no answer and are judged by eye at the first start. `pins` is
the module `board.pins` of the firmware that has just been copied.
"""

# Runs on MicroPython only: CPython's types do not fit. Every check takes the same arguments.
# mypy: ignore-errors
# ruff: noqa: ARG001, UP031

import asyncio
import gc
import time

import esp
import esp32
from machine import I2C, SPI, UART, Pin, unique_id


def _mac(pins, expected):
    mac = ":".join("%02x" % byte for byte in unique_id())
    return mac == expected["mac"], mac


def _flash(pins, expected):
    return esp.flash_size() >= expected["flash"], "%d bytes" % esp.flash_size()


def _found(label):
    parts = esp32.Partition.find(esp32.Partition.TYPE_DATA, label=label)
    return parts[0] if parts else None


def _partitions(pins, expected):
    for label, place in expected["partitions"].items():
        part = _found(label)
        if part is None:
            return False, "no " + label
        if tuple(part.info()[2:4]) != tuple(place):
            return False, "%s at 0x%x, 0x%x bytes" % (label, part.info()[2], part.info()[3])
    return True, ", ".join(expected["partitions"])


def _journal(pins, expected):
    """Erase, write, read and erase one block of each journal: they are empty and stay so."""
    wanted = bytes(i & 0xFF for i in range(256))
    for label in ("button", "journal"):
        part = _found(label)
        got = bytearray(256)
        part.ioctl(6, 0)
        part.writeblocks(0, wanted, 0)
        part.readblocks(0, got, 0)
        part.ioctl(6, 0)
        if got != wanted:
            return False, label + " does not keep what is written"
    return True, "both"


def _heap(pins, expected):
    gc.collect()
    return gc.mem_free() >= expected["heap"], "%d bytes free" % gc.mem_free()


def _reader(pins, expected):
    """The chip that the site has chosen."""
    select = Pin(pins.RFID_CS, Pin.OUT, value=1)
    reset = Pin(pins.RFID_RST, Pin.OUT, value=1)
    time.sleep_ms(50)
    spi = SPI(
        2,
        baudrate=1_000_000,
        sck=Pin(pins.RFID_SCK),
        mosi=Pin(pins.RFID_MOSI),
        miso=Pin(pins.RFID_MISO),
    )
    try:
        if expected["reader"] == "pn532":
            return _pn532(expected["pn532"](spi, select, reset))
        return _mfrc522(spi, select)
    finally:
        spi.deinit()


def _pn532(chip):
    """A whole dialogue by the firmware's own driver; what lies on the reader is told to nobody."""
    chip.start()
    asyncio.run(chip.uids())
    return True, "PN532"


def _mfrc522(spi, select):
    """VersionReg (37h) of the MFRC522: 91h and 92h, known clones 88h, B2h and 12h."""
    answer = bytearray(2)
    select.value(0)
    spi.write_readinto(bytes((0x37 << 1 | 0x80, 0)), answer)
    select.value(1)
    return answer[1] in (0x91, 0x92, 0x88, 0xB2, 0x12), "version 0x%02x" % answer[1]


def _radar(pins, expected):
    """The LD2410 reports every 100 ms at 256,000 baud; a report begins with F4 F3 F2 F1."""
    uart = UART(1, 256_000, tx=Pin(pins.RADAR_TX), rx=Pin(pins.RADAR_RX), rxbuf=1024)
    heard = b""
    for _ in range(20):
        time.sleep_ms(50)
        heard = (heard + (uart.read() or b""))[-512:]
        if b"\xf4\xf3\xf2\xf1" in heard:
            break
    uart.deinit()
    return b"\xf4\xf3\xf2\xf1" in heard, "%d bytes heard" % len(heard)


def _seat_switch(pins, expected):
    """Active low with its own pull-up, and nobody sits on it at the bench."""
    level = Pin(pins.SEAT_SWITCH, Pin.IN).value()
    return level == 1, "open" if level else "closed, shorted or not wired"


def _display(pins, expected):
    bus = I2C(0, scl=Pin(pins.I2C_SCL), sda=Pin(pins.I2C_SDA), freq=400_000)
    found = bus.scan()
    return 0x3C in found or 0x3D in found, "answers: " + " ".join("0x%02x" % a for a in found)


def _button(pins, expected):
    """Active low with its own pull-up: released reads 1; 0 is a short or a missing resistor."""
    level = Pin(pins.BUTTON, Pin.IN).value()
    return level == 1, "released" if level else "pressed, shorted or not wired"


_SENSORS = {"ld2410": _radar, "seat-switch": _seat_switch}


def run(pins, expected):
    """Run every check.

    `expected`: mac, flash, partitions {label: (offset, size)}, heap, reader and presence as in the
    configuration, and for a PN532 `pn532(spi, select, reset)`, which makes the firmware's driver.
    """
    checks = [_mac, _flash, _partitions, _journal, _heap, _reader]
    checks += [_SENSORS[name] for name in expected["presence"] if name in _SENSORS]
    checks += [_display, _button]
    for check in checks:
        try:
            passed, detail = check(pins, expected)
        except Exception as error:  # noqa: BLE001 - a check that breaks is a failed check
            passed, detail = False, "%s %s" % (type(error).__name__, error)
        print("check", check.__name__[1:], "ok" if passed else "fail", detail[:80])
    print("end")
