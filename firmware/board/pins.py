"""Pin numbers of the desk unit. Generated from hardware/pins.toml by `make generate`."""

from port import const

RFID_SCK = const(18)
RFID_MISO = const(19)
RFID_MOSI = const(23)
RFID_CS = const(27)
RFID_RST = const(26)
RFID_IRQ = const(35)
I2C_SDA = const(21)
I2C_SCL = const(22)
RADAR_RX = const(16)
RADAR_TX = const(17)
RADAR_OUT = const(34)
BUTTON = const(32)
BUTTON_LAMP = const(33)
RING_DATA = const(25)
BUZZER = const(4)
SEAT_SWITCH = const(13)
PIR = const(39)
