"""What a bench needs, made small: site file, list of units, firmware, image, simulated boards."""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from cryptography.hazmat.primitives.asymmetric import rsa

from host_bridge.update import folder as built_folder
from host_bridge.update import signing
from sim.serial_board.bench import Bench
from sim.serial_board.board import Faults, SerialBoard

ROOT = Path(__file__).parent.parent.parent
SITE_KEY = "7f" * 31 + "0a"
WIFI_PASSWORD = "a wifi secret, 'quoted'"
SITE = f"""
name = "demo"
key = "{SITE_KEY}"
[broker]
host = "broker.example"
[wifi]
ssid = "cc"
password = "{WIFI_PASSWORD}"
"""

_READ_FILES = """
import sys
import parts
parts.begin(sys.argv[1], "00" * 6, "none")
import esp32, json, os, vfs
from binascii import hexlify
files = vfs.VfsLfs2(esp32.Partition.find(1, label="vfs")[0])
vfs.umount("/")
vfs.mount(files, "/")
def walk(folder):
    for entry in os.ilistdir(folder or "/"):
        path = folder + "/" + entry[0]
        if entry[1] == 0x4000:
            walk(path)
        else:
            print(json.dumps([path[1:], hexlify(open(path, "rb").read()).decode()]))
walk("")
"""


def mac(number: int) -> str:
    return f"24:6f:28:00:00:{number:02x}"


@dataclass
class Workshop:
    """A folder with everything that `chequer provision` is handed."""

    folder: Path

    @property
    def port(self) -> Path:
        return self.folder / "ttyBOARD"

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def board(self, number: int, **faults: object) -> SerialBoard:
        return SerialBoard(self.folder, mac(number), Faults(**faults))  # type: ignore[arg-type]

    def bench(self, *boards: SerialBoard) -> Bench:
        return Bench(self.port, boards)

    def command(self, *options: str) -> list[str]:
        given = {
            "--port": self.port,
            "--csv": self.folder / "units.csv",
            "--site": self.folder / "site.toml",
            "--firmware": self.folder / "firmware",
            "--image": self.folder / "ESP32.bin",
            "--partitions": ROOT / "hardware" / "partitions.csv",
            "--out": self.out,
        }
        pairs = [str(part) for pair in given.items() for part in pair]
        return [sys.executable, "-m", "host_bridge.provision", *pairs, "--no-lines", *options]

    def provision(self, *options: str, patience: float = 30) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command("--patience", str(patience), *options),
            cwd=ROOT, capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip

    def log(self) -> list[dict[str, object]]:
        path = self.out / "log.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("}")]

    def events(self, event: str) -> list[dict[str, object]]:
        return [record for record in self.log() if record["event"] == event]


def make(folder: Path, units: int) -> Workshop:
    """A workshop with a list of `units` units, u1 and so on."""
    site = folder / "site.toml"
    site.write_text(SITE)
    site.chmod(0o600)
    rows = "".join(f"u{n},Desk {n}\n" for n in range(1, units + 1))
    (folder / "units.csv").write_text("unit,desk\n" + rows)
    (folder / "ESP32.bin").write_bytes(image())
    for path, data in built().items():
        (folder / "firmware" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "firmware" / path).write_bytes(data)
    return Workshop(folder)


@cache
def built() -> dict[str, bytes]:
    """What `make firmware KEY=…` makes of the project's own sources."""
    with tempfile.TemporaryDirectory() as name:
        key = rsa.generate_private_key(65537, signing.BITS)
        built_folder.write(ROOT / "firmware", Path(name) / "firmware", hardware=[1], key=key)
        return built_folder.read(Path(name) / "firmware")[0]


def image(app_bytes: int = 20_000) -> bytes:
    """Laid out as MicroPython's: boot loader, some partition table, application; else noise."""
    noise = Random(1)
    boot = b"\xe9" + noise.randbytes(4_000)
    whole = boot.ljust(0x7000, b"\xff") + b"\xaa\x50".ljust(0x8000, b"\x00")
    return whole + b"\xe9" + noise.randbytes(app_bytes)


def files_on(board: SerialBoard) -> dict[str, bytes]:
    """What the board's file system holds, read by the real MicroPython; {} when there is none."""
    modules = ROOT / "sim/serial_board/on_vm"
    script = board.flash.path.with_suffix(".read.py")
    script.write_text(_READ_FILES)
    done = subprocess.run(
        [str(Path(sys.executable).parent / "micropython"), str(script), str(board.flash.path)],
        env={"MICROPYPATH": f"{modules}:.frozen"},
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    if done.returncode:
        return {}
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {path: bytes.fromhex(content) for path, content in lines}


def unit_of(board: SerialBoard) -> str | None:
    """The name that a board carries, if it has its configuration whole."""
    try:
        return str(json.loads(files_on(board)["config.json"])["unit"])
    except (KeyError, ValueError):
        return None
