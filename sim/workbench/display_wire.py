"""I2C from the unit to its SSD1306, in words.

Source: Solomon Systech SSD1306 data sheet rev. 1.1 (control byte 8.1.5.2, commands table 9).
"""

from sim.workbench.trace import Seen

_COMMANDS = {
    0x20: "addressing mode", 0x21: "columns", 0x22: "pages", 0x81: "contrast",
    0x8D: "charge pump", 0xA4: "show memory", 0xA6: "not inverted", 0xA8: "multiplex ratio",
    0xAE: "display off", 0xAF: "display on", 0xD3: "offset", 0xD5: "clock", 0xD9: "precharge",
    0xDA: "COM pins", 0xDB: "VCOMH level", 0xE3: "NOP: still there?",
}  # fmt: skip


def message(data: bytes) -> Seen:
    """One message, without its address."""
    if not data:
        text = "empty message"
    elif data[0] == 0x40:
        text = f"picture, {len(data) - 1} bytes"
    elif data[0] == 0x00 and len(data) > 1:
        text = f"command {_COMMANDS.get(data[1], f'{data[1]:02X}')}"
        text += f" and {len(data) - 2} bytes more" if len(data) > 2 else ""
    else:
        text = f"message of {len(data)} bytes"
    return Seen("out", data, f"SSD1306 {text}")
