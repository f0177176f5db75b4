"""What hangs on which GPIO of the simulated board.

Generated from hardware/pins.toml by `make generate`.
"""

RFID_SCK = 18  # rfid SCK
RFID_MISO = 19  # rfid MISO
RFID_MOSI = 23  # rfid MOSI
RFID_CS = 27  # rfid SDA
RFID_RST = 26  # rfid RST
RFID_IRQ = 35  # rfid IRQ
I2C_SDA = 21  # display SDA
I2C_SCL = 22  # display SCL
RADAR_RX = 16  # radar TX
RADAR_TX = 17  # radar RX
RADAR_OUT = 34  # radar OUT
BUTTON = 32  # button NO
BUTTON_LAMP = 33  # button LAMP
RING_DATA = 25  # ring DIN
BUZZER = 4  # buzzer SIG
SEAT_SWITCH = 13  # seat_switch NO
PIR = 39  # pir OUT
