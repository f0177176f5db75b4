"""The wiring harness of a unit built from bought modules, as WireViz's YAML.

Parts and supply wires are listed here; every signal wire comes from the pin map.
"""

from dataclasses import dataclass

from hardware.pinmap import Pin


@dataclass(frozen=True)
class Part:
    """A bought module: what to order, and which of its terminals carry power.

    `supply` maps a terminal to the controller's terminal (3V3, 5V or GND).
    """

    title: str
    order: str
    supply: tuple[tuple[str, str], ...]
    notes: str = ""


CONTROLLER = "ESP32"

PARTS: dict[str, Part] = {
    "rfid": Part(
        "RFID reader", "MFRC522 module (RC522), 13.56 MHz, SPI", (("3.3V", "3V3"), ("GND", "GND"))
    ),
    "display": Part(
        "Display", "SSD1306 OLED 128x64, I2C, 0.96 inch", (("VCC", "3V3"), ("GND", "GND"))
    ),
    "radar": Part(
        "Presence radar", "HLK-LD2410 or LD2410C, UART 256000", (("VCC", "5V"), ("GND", "GND"))
    ),
    "button": Part(
        "Report button",
        "Arcade button 60 mm with a 5 V lamp",
        (("COM", "GND"), ("LAMP+", "5V")),
    ),
    "ring": Part(
        "Light ring",
        "WS2812B ring, 8 pixels",
        (("5V", "5V"), ("GND", "GND")),
        "10 uF at most at the supply (inrush)",
    ),
    "buzzer": Part("Buzzer", "Passive buzzer, 3 to 5 V", (("5V", "5V"),)),
    "seat_switch": Part("Seat switch", "Seat pad switch, optional", (("COM", "GND"),)),
    "pir": Part("PIR", "HC-SR501 or AM312, optional", (("VCC", "5V"), ("GND", "GND"))),
}

COLOURS = {"3V3": "OG", "5V": "RD", "GND": "BK"}
SIGNAL_COLOURS = ("YE", "GN", "BU", "WH", "VT", "GY", "BN", "TQ")


def quoted(text: str) -> str:
    """A YAML string: quoted, for bare NO would be read as false."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def listed(values: list[str]) -> str:
    """A YAML flow sequence of strings."""
    return "[" + ", ".join(quoted(value) for value in values) + "]"


def harness(pins: list[Pin]) -> str:
    """The YAML for WireViz: one cable a part, signals first, then supply.

    Raises:
        ValueError: the pin map names a part that is not listed here.
    """
    unknown = sorted({pin.part for pin in pins} - PARTS.keys())
    if unknown:
        raise ValueError(f"hardware/harness.py lists no such part: {', '.join(unknown)}")
    controller = ["3V3", "5V", "GND", *(f"GPIO{pin.gpio}" for pin in pins)]
    connectors = [
        "# Generated from hardware/pins.toml by `make generate`.",
        "connectors:",
        f"  {CONTROLLER}:",
        '    type: "ESP32-DevKitC-32E"',
        '    notes: "WROOM only: on a WROVER GPIO 16 and 17 belong to the PSRAM"',
        f"    pinlabels: {listed(controller)}",
    ]
    cables = ["cables:"]
    connections = ["connections:"]
    for name, part in PARTS.items():
        signals = [pin for pin in pins if pin.part == name]
        terminals = [pin.terminal for pin in signals] + [own for own, _ in part.supply]
        colours = [SIGNAL_COLOURS[i % len(SIGNAL_COLOURS)] for i in range(len(signals))]
        colours += [COLOURS[far] for _, far in part.supply]
        notes = "; ".join([part.notes] * bool(part.notes) + [p.note for p in signals if p.note])
        connectors += [
            f"  {name}:",
            f"    type: {quoted(part.title)}",
            f"    subtype: {quoted(part.order)}",
            *([f"    notes: {quoted(notes)}"] if notes else []),
            f"    pinlabels: {listed(terminals)}",
        ]
        cables += [
            f"  W_{name}:",
            f"    wirecount: {len(terminals)}",
            "    length: 0.2",
            f"    colors: {listed(colours)}",
        ]
        far = [f"GPIO{pin.gpio}" for pin in signals] + [end for _, end in part.supply]
        connections += [
            f"  - - {CONTROLLER}: {listed(far)}",
            f"    - W_{name}: [1-{len(terminals)}]",
            f"    - {name}: {listed(terminals)}",
        ]
    return "\n".join([*connectors, *cables, *connections, ""])
