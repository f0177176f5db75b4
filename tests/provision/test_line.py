"""What can go wrong with a board, with the real esptool and mpremote on simulated boards."""

import fcntl
import os
import subprocess

import pytest

from tests.provision.workshop import (
    ROOT,
    SITE_KEY,
    WIFI_PASSWORD,
    Workshop,
    files_on,
    mac,
    unit_of,
)  # fmt: skip


def test_an_older_micropython_without_raw_paste_and_a_noisy_line_do_no_harm(workshop: Workshop):
    with workshop.bench(workshop.board(1, raw_paste=False, noise=2)):
        done = workshop.provision("--limit", "1")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("fault", [{"pull_at_block": 1}, {"pull_on": b"pins.py"}])
def test_a_cable_pulled_midway_costs_one_more_try_and_no_name(
    workshop: Workshop, fault: dict[str, object]
):
    board = workshop.board(1, **fault)
    with workshop.bench(board):
        done = workshop.provision("--limit", "1")
    assert "cable pulled" in done.stdout
    assert "same name" in done.stdout
    assert [r["unit"] for r in workshop.events("assigned")] == ["u1", "u1"]
    assert done.returncode == 0
    assert unit_of(board) == "u1"


def test_a_chip_that_restarts_while_it_takes_its_credentials_shows_none_of_them(
    workshop: Workshop,
):
    board = workshop.board(1, crash_after=b"open('config.json'")
    with workshop.bench(board):
        done = workshop.provision("--limit", "1", patience=1)
    assert done.returncode == 3
    assert "did not take its credentials" in done.stdout
    assert WIFI_PASSWORD not in done.stdout + done.stderr
    assert SITE_KEY not in done.stdout + done.stderr


def test_another_chip_is_refused_and_uses_no_name(workshop: Workshop):
    with workshop.bench(workshop.board(1, chip="ESP32-S3")) as bench:
        process = start(workshop, "--limit", "1")
        wait_for(process, "This is an ESP32-S3, not an ESP32.")
        good = workshop.board(2)
        bench.plug(good)
        said = finish(process)
    assert process.returncode == 0, said
    assert [(r["unit"], r["mac"]) for r in workshop.events("assigned")] == [("u1", mac(2))]


def test_a_flash_that_does_not_keep_what_is_written_fails(workshop: Workshop):
    board = workshop.board(1)
    board.flash.write(0x10100, b"\x00")
    board.flash.stuck.add(0x10100)
    with workshop.bench(board):
        done = workshop.provision("--limit", "1", patience=1.5)
    assert done.returncode == 3
    assert "MD5 differs" in done.stdout
    assert workshop.events("failed")[0]["step"] == "flash"
    assert unit_of(board) is None


def test_a_board_without_its_reader_fails_the_factory_test_and_gets_no_secret(workshop: Workshop):
    broken, good = workshop.board(1, missing=frozenset({"reader"})), workshop.board(2)
    with workshop.bench(broken) as bench:
        process = start(workshop, "--limit", "1")
        wait_for(process, "The factory test failed: reader (version 0xff)")
        bench.plug(good)
        said = finish(process)
    assert process.returncode == 0, said
    assert "config.json" not in files_on(broken)
    assert [(r["unit"], r["mac"]) for r in workshop.events("done")] == [("u2", mac(2))]


def test_a_silent_board_ends_the_line_with_what_to_do(workshop: Workshop):
    with workshop.bench(workshop.board(1, silent=True)):
        done = workshop.provision(patience=1.5)
    assert done.returncode == 3
    assert "No new board answered" in done.stdout
    assert "hold BOOT" in done.stdout


def test_a_board_keeps_its_name_or_is_scrapped_and_never_gets_another(workshop: Workshop):
    old = workshop.board(1)
    with workshop.bench(old) as bench:
        assert workshop.provision("--limit", "1").returncode == 0
        bench.plug(old)
        refused = workshop.provision("--limit", "1", patience=0.5)
        assert f"The board {mac(1)} is u1 already." in refused.stdout
        bench.plug(old)
        assert workshop.provision("--limit", "1", "--again").returncode == 0
        first, second = workshop.events("assigned")
        assert second["unit"] == "u1"
        assert int(str(second["boot_base"])) > int(str(first["boot_base"]))
        assert workshop.provision("--scrap", "u1").returncode == 0
        assert "u1:" not in (workshop.out / "passwords").read_text()
        bench.plug(old)
        refused = workshop.provision("--limit", "1", patience=0.5)
        assert "was scrapped" in refused.stdout


def test_a_busy_port_is_told_before_any_board_is_touched(workshop: Workshop):
    with workshop.bench(workshop.board(1)), workshop.port.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        done = workshop.provision()
    assert done.returncode == 2
    assert "is busy" in done.stdout
    assert workshop.log() == []


def start(workshop: Workshop, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        workshop.command("--patience", "30", *options),
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip


def wait_for(process: "subprocess.Popen[str]", words: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if words in line:
            return
    raise AssertionError(f"never said: {words}")


def finish(process: "subprocess.Popen[str]") -> str:
    said, _ = process.communicate(timeout=60)
    return said
