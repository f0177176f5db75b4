"""Which GPIO reaches which part. Generated from hardware/pins.toml by `make generate`."""

RFID_SCK = 18
RFID_MISO = 19
RFID_MOSI = 23
RFID_CS = 27
RFID_RST = 26
RFID_IRQ = 35
I2C_SDA = 21
I2C_SCL = 22
RADAR_RX = 16
RADAR_TX = 17
RADAR_OUT = 34
BUTTON = 32
BUTTON_LAMP = 33
RING_DATA = 25
BUZZER = 4
SEAT_SWITCH = 13
PIR = 39
