"""Killed at any moment, provisioning goes on, and never mixes up names and boards."""

import os
import subprocess
import time
from random import Random

from tests.provision.workshop import ROOT, Workshop, unit_of

_KILLS = 5
_LONGEST_SECONDS = 3.5


def bindings(workshop: Workshop) -> set[tuple[str, str]]:
    return {(str(r["unit"]), str(r["mac"])) for r in workshop.events("assigned")}


def test_killed_at_random_moments_no_name_is_given_twice(workshop: Workshop):
    boards = [workshop.board(n) for n in (1, 2, 3)]
    random = Random(os.environ.get("CHEQUER_SEED", "5"))
    with workshop.bench(*boards) as bench:
        for _ in range(_KILLS):
            process = subprocess.Popen(
                workshop.command("--patience", "10"),
                cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            time.sleep(random.uniform(0.3, _LONGEST_SECONDS))
            process.kill()
            process.wait()
            plugged = bench.plugged
            done = {str(r["mac"]) for r in workshop.events("done")}
            if plugged is not None and plugged.mac in done:
                bench.swap()
            else:
                bench.press_reset()
            pairs = bindings(workshop)
            assert len({unit for unit, _ in pairs}) == len(pairs), "a name for two boards"
            assert len({mac for _, mac in pairs}) == len(pairs), "two names for a board"
        last = workshop.provision()
    assert last.returncode == 0, last.stdout + last.stderr
    assert {(unit_of(board), board.mac) for board in boards} == bindings(workshop)
    assert len(bindings(workshop)) == 3
    assert {r["unit"] for r in workshop.events("done")} == {"u1", "u2", "u3"}
