"""Killed at any moment, provisioning goes on, and never mixes up names and boards."""

import os
import subprocess
import threading
from random import Random

from sim.serial_board.bench import Bench
from sim.serial_board.board import SerialBoard
from tests.provision.workshop import ROOT, Workshop, unit_of

_LONGEST_SECONDS = 1.5
_POINTS = (
    b"run(pins",  # the factory test begins; nothing secret is on the board yet
    b"open('config.json'",  # the broker's password file is written, the board has nothing
    b"open('main.py'",  # the board has its credentials, the logbook does not call it done
    b"machine.reset",  # done, but not restarted
)


def bindings(workshop: Workshop) -> set[tuple[str, str]]:
    return {(str(r["unit"]), str(r["mac"])) for r in workshop.events("assigned")}


def kill_at(workshop: Workshop, bench: Bench, point: bytes | float) -> SerialBoard:
    """Start provisioning and kill it, when the board hears this code or after so many seconds.

    The board that was plugged in when it began.
    """
    reached = threading.Event()
    board = bench.plugged
    assert board is not None
    if isinstance(point, bytes):
        text = point
        board.heard = lambda code: reached.set() if text in code else None
    process = subprocess.Popen(
        workshop.command("--patience", "30"),
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    met = reached.wait(point if isinstance(point, float) else 60)
    process.kill()
    process.wait()
    assert met or isinstance(point, float), f"never came to {point!r}"
    return board


def test_killed_at_any_moment_no_name_is_given_twice(workshop: Workshop):
    boards = [workshop.board(n) for n in (1, 2, 3)]
    random = Random(os.environ.get("CHEQUER_SEED", "5"))
    points = [*_POINTS, *(random.uniform(0.3, _LONGEST_SECONDS) for _ in range(2))]
    random.shuffle(points)
    with workshop.bench(*boards) as bench:
        for point in points:
            board = kill_at(workshop, bench, point)
            done = {str(r["mac"]) for r in workshop.events("done")}
            if board.mac in done:
                bench.swap(board, keep=False)
            elif random.random() < 0.7:  # another board comes first: names must not slip
                bench.swap(board, keep=True)
            else:
                bench.press_reset()
            pairs = bindings(workshop)
            carried = {(unit, board.mac) for board in boards if (unit := unit_of(board))}
            assert carried <= pairs, "a board carries a name that the logbook does not know"
            assert len({unit for unit, _ in pairs}) == len(pairs), "a name for two boards"
            assert len({mac for _, mac in pairs}) == len(pairs), "two names for a board"
        last = workshop.provision()
    assert last.returncode == 0, last.stdout + last.stderr
    assert {(unit_of(board), board.mac) for board in boards} == bindings(workshop)
    assert {r["unit"] for r in workshop.events("done")} == {"u1", "u2", "u3"}
