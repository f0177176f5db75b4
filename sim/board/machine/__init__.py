"""`machine` as on MicroPython's ESP32 port, on the wires of `circuit`; parts load when used."""

import sys

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

_PARTS = {
    "Pin": "pin",
    "PWM": "pwm",
    "SPI": "spi",
    "SoftSPI": "spi",
    "I2C": "i2c",
    "SoftI2C": "i2c",
    "UART": "uart",
    "Timer": "timer",
    "WDT": "wdt",
    "RTC": "rtc",
}


def __getattr__(name):
    """Load a class, or a function of `machine.soc`, when it is first asked for."""
    module = "machine." + _PARTS.get(name, "soc")
    __import__(module)
    value = getattr(sys.modules[module], name)
    globals()[name] = value
    return value
