"""Writes what follows from hardware/pins.toml; `--check` only says what has drifted.

- firmware/board/pins.py    constants for the firmware
- sim/board/wiring.py       the same for the simulated board, by part and terminal
- hardware/wiring.yml       the harness for WireViz
- hardware/wiring.svg, wiring.bom.tsv   drawn from it (needs Graphviz)
"""

import subprocess
import sys
from pathlib import Path

from hardware.harness import harness
from hardware.pinmap import Pin, load

ROOT = Path(__file__).parent.parent
WIRING = ROOT / "hardware" / "wiring.yml"
DRAWN = ("wiring.svg", "wiring.bom.tsv")


def firmware_pins(pins: list[Pin]) -> str:
    """The source of firmware/board/pins.py."""
    lines = [
        '"""Pin numbers of the desk unit. Generated from hardware/pins.toml by `make generate`."""',
        "",
        "from port import const",
        "",
    ]
    return "\n".join([*lines, *(f"{pin.name} = const({pin.gpio})" for pin in pins), ""])


def simulated_wiring(pins: list[Pin]) -> str:
    """The source of sim/board/wiring.py: which terminal of which part hangs on which GPIO."""
    lines = [
        '"""What hangs on which GPIO of the simulated board.',
        "",
        "Generated from hardware/pins.toml by `make generate`.",
        '"""',
        "",
    ]
    wires = [f"{pin.name} = {pin.gpio}  # {pin.part} {pin.terminal}" for pin in pins]
    return "\n".join([*lines, *wires, ""])


def sources(pins: list[Pin]) -> dict[Path, str]:
    """Every generated text file with its content."""
    return {
        ROOT / "firmware" / "board" / "pins.py": firmware_pins(pins),
        ROOT / "sim" / "board" / "wiring.py": simulated_wiring(pins),
        WIRING: harness(pins),
    }


def drifted(pins: list[Pin]) -> list[str]:
    """Generated files that are missing or differ from what the pin map gives now."""
    return [
        str(path.relative_to(ROOT))
        for path, content in sources(pins).items()
        if not path.exists() or path.read_text(encoding="utf-8") != content
    ]


def draw() -> None:
    """Draw the harness beside its source. Raises CalledProcessError when WireViz fails."""
    program = Path(sys.executable).parent / "wireviz"
    subprocess.run(  # noqa: S603 - our own tool on our own file
        [str(program), "--format", "st", str(WIRING)], check=True, cwd=WIRING.parent
    )


def main() -> int:
    """Write all, or check; the exit code is the number of files that have drifted."""
    pins = load()
    if "--check" in sys.argv[1:]:
        for path in drifted(pins):
            print(f"{path} does not match hardware/pins.toml: run `make generate`")
        return len(drifted(pins))
    changed = drifted(pins)
    for file, content in sources(pins).items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    if changed or not all((ROOT / "hardware" / name).exists() for name in DRAWN):
        draw()
    print(f"{len(changed)} files written again from hardware/pins.toml")
    return 0


if __name__ == "__main__":
    sys.exit(main())
