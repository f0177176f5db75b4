"""`chequer simulate` as a user calls it."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.processes import words, works

HEAD = "title: T\nsteps:\n"


def command(folder: Path, *words: str, program: str = "sim") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", program, "simulate", *words],
        cwd=folder,
        env={"PYTHONPATH": str(Path(__file__).parents[3]), "PATH": "/usr/bin:/usr/sbin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_failure_is_told_with_file_line_and_the_command_for_it(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(HEAD + "  - within 100ms: the display of A1 is STORED\n")
    done = command(tmp_path, "s.yaml", "--seed", "9", "--report", "r/out.html", "--keep", "kept")
    assert done.returncode == 1, done.stderr
    assert "s.yaml:3" in done.stdout
    assert "the display says FREE" in done.stdout
    assert "chequer simulate s.yaml --seed 9" in done.stdout
    assert "the display says FREE" in (tmp_path / "r" / "out.html").read_text()
    kept = {path.name for path in (tmp_path / "kept" / "s-9").iterdir()}
    assert {"broker.log", "relay-1.log", "unit-a1.console", "var"} <= kept


@pytest.mark.parametrize("program", ["sim", "host_bridge"])
def test_if_one_file_makes_no_sense_nothing_is_run(tmp_path: Path, program: str) -> None:
    (tmp_path / "good.yaml").write_text(HEAD + "  - wait 60s\n")
    (tmp_path / "bad.yaml").write_text(HEAD + "  - wait a bit\n")
    done = command(tmp_path, "good.yaml", "bad.yaml", program=program)
    assert done.returncode == 2
    assert "bad.yaml:3: 'wait a bit'" in done.stderr
    assert "Nothing was run." in done.stderr


def test_a_report_of_a_kind_that_there_is_not_is_refused_before_anything_runs(
    tmp_path: Path,
) -> None:
    (tmp_path / "s.yaml").write_text(HEAD + "  - wait 60s\n")
    done = command(tmp_path, "s.yaml", "--report", "out.pdf")
    assert done.returncode == 2
    assert "out.pdf" in done.stderr


def test_slow_ones_are_told_only_when_asked_for(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("slow: true\n" + HEAD + "  - wait 60s\n")
    done = command(tmp_path, "s.yaml")
    assert done.returncode == 0
    assert "1 skipped of 1 scenarios" in done.stdout


def test_ctrl_c_ends_everything_that_was_started(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(HEAD + "  - wait 60s\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "sim", "simulate", str(tmp_path / "s.yaml")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        parent = psutil.Process(process.pid)
        deadline = time.monotonic() + 40
        while not any("micropython" in " ".join(words(c)) for c in parent.children()):
            assert time.monotonic() < deadline, "no unit was started"
            time.sleep(0.1)
        started = parent.children(recursive=True)
        assert len(started) >= 4
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        # Whose parent has gone stays a zombie until process 1 looks after it: that is an end too.
        _, left = psutil.wait_procs(started, 5)
        assert not any(map(works, left))
    finally:
        process.kill()
        process.wait()


def test_what_needs_virtual_time_is_skipped_in_real_time_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("needs: virtual time\n" + HEAD + "  - wait 24h\n")
    done = command(tmp_path, "s.yaml", "--slow")
    assert done.returncode == 0, done.stderr
    assert "needs virtual time, not told" in done.stdout
    assert "1 skipped of 1 scenarios" in done.stdout
