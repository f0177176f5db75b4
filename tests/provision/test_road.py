"""Three bare boards in a row become units: real esptool, real mpremote, the whole way, watched."""

import json
import os
import stat
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from host_bridge.provision import partitions
from sim.serial_board.board import SerialBoard
from tests.provision.workshop import (
    ROOT,
    SITE_KEY,
    WIFI_PASSWORD,
    Workshop,
    files_on,
    image,
    mac,
    make,
)  # fmt: skip


@dataclass
class Seen:
    """What anybody on this machine could have seen while it ran."""

    arguments: set[str] = field(default_factory=set)
    open_files: dict[str, str] = field(default_factory=dict)


@dataclass
class Made:
    workshop: Workshop
    boards: list[SerialBoard]
    said: str
    code: int
    seen: Seen
    configs: list[dict[str, object]]

    def secrets(self) -> list[str]:
        own = [str(config["broker"]["password"]) for config in self.configs]  # type: ignore[index]
        return [SITE_KEY, WIFI_PASSWORD, *own]


def watch(pid: int, folder: Path, seen: Seen, over: threading.Event) -> None:
    """Look at the arguments and environment of the process and its children, and at its files."""
    while not over.wait(0.02):
        try:
            root = psutil.Process(pid)
            for process in (root, *root.children(recursive=True)):
                seen.arguments.add(" ".join(process.cmdline()))
                seen.arguments.add(repr(process.environ()))
        except psutil.Error:
            pass
        for path in folder.iterdir():
            try:
                mode = path.stat().st_mode
                seen.open_files[path.name] = stat.filemode(mode) + path.read_bytes().hex()
            except OSError:
                continue


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("road")
    workshop = make(folder, 3)
    temporary = folder / "tmp"
    temporary.mkdir()
    boards = [workshop.board(1), workshop.board(2), workshop.board(3)]
    seen, over = Seen(), threading.Event()
    with workshop.bench(*boards):
        process = subprocess.Popen(
            workshop.command("--patience", "10"),
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "TMPDIR": str(temporary)},
        )  # fmt: skip
        watcher = threading.Thread(target=watch, args=(process.pid, temporary, seen, over))
        watcher.start()
        said, _ = process.communicate(timeout=90)
        over.set()
        watcher.join()
    configs = [json.loads(files_on(board)["config.json"]) for board in boards]
    return Made(workshop, boards, said, process.returncode, seen, configs)


def test_three_bare_boards_become_three_units_in_the_order_of_the_list(made: Made):
    assert made.code == 0, made.said
    assert [(r["unit"], r["mac"]) for r in made.workshop.events("done")] == [
        ("u1", mac(1)), ("u2", mac(2)), ("u3", mac(3)),
    ]  # fmt: skip
    assert [config["unit"] for config in made.configs] == ["u1", "u2", "u3"]


def test_a_made_board_has_the_image_with_our_partition_table(made: Made):
    flash, plain = made.boards[0].flash.path.read_bytes(), image()
    assert partitions.decode(flash[0x8000:0x8C00]) == partitions.load(
        ROOT / "hardware/partitions.csv"
    )
    assert flash[0x1000:0x8000] == plain[:0x7000]
    assert flash[0x10000 : 0x10000 + 20_000] == plain[0xF000 : 0xF000 + 20_000]


def test_a_made_board_has_the_firmware_byte_for_byte(made: Made):
    files = files_on(made.boards[1])
    for name in ("main.py", "port.py", "board/pins.py"):
        assert files[name] == (made.workshop.folder / "firmware" / name).read_text()


def test_a_made_board_has_the_configuration_that_the_firmware_reads(made: Made):
    config = json.loads(json.dumps(made.configs[0]))
    assert len(config["broker"].pop("password")) == 32
    assert config == {
        "site": "demo",
        "unit": "u1",
        "site_key": SITE_KEY,
        "broker": {"host": "broker.example", "port": 1883, "username": "u1"},
        "wifi": {"ssid": "cc", "password": WIFI_PASSWORD},
        "boot_base": made.workshop.events("assigned")[0]["boot_base"],
        "reader": "mfrc522",
        "presence": ["ld2410"],
    }


def test_every_unit_has_a_broker_password_of_its_own(made: Made):
    assert len(set(made.secrets())) == 2 + 3


def test_every_unit_has_a_label(made: Made):
    for number in (1, 2, 3):
        label = (made.workshop.out / "labels" / f"u{number}.svg").read_text()
        assert f"u{number}<" in label
        assert mac(number) in label
        assert f"u{number} (site demo, desk Desk {number}) {mac(number)}" in made.said


def test_no_secret_is_said_logged_labelled_or_passed_as_an_argument(made: Made):
    files = [p for p in made.workshop.out.rglob("*") if p.is_file()]
    assert {"log.jsonl", "passwords", "u1.svg"} <= {p.name for p in files}
    places = {"terminal": made.said, "arguments and environment": repr(made.seen.arguments)}
    places |= {p.name: p.read_text() for p in files}
    for secret in made.secrets():
        for place, text in places.items():
            assert secret not in text, place
    assert any("esptool" in arguments for arguments in made.seen.arguments)


def test_no_secret_is_ever_in_a_temporary_file(made: Made):
    assert made.seen.open_files  # the image was there, and is all that ever was
    for name, content in made.seen.open_files.items():
        assert content.startswith("-rw-------"), name
        for secret in made.secrets():
            assert secret.encode().hex() not in content, name


def test_only_the_owner_can_read_the_password_file(made: Made):
    assert (made.workshop.out / "passwords").stat().st_mode & 0o777 == 0o600
