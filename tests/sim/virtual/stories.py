"""Stories told in virtual time: `python -m tests.sim.virtual.stories FILE [--runs N] [--seeds N]`.

Tells one story over and over with one seed, or once with each of many seeds, and says whether the
digests are what they have to be: all the same, and the same with and without what is left out.
"""

import sys
from pathlib import Path

from sim.scenario.read import read
from sim.scenario.record import Result
from sim.virtual.tell import tell_virtually

STORIES = Path(__file__).parents[3] / "sim" / "scenarios"


def told(file: Path, seed: int | None = None, *, leave_out: bool = True) -> Result:
    """What came of a story."""
    return tell_virtually(read(file, seed), None, leave_out=leave_out)


def digest(file: Path, seed: int | None = None, *, leave_out: bool = True) -> str:
    """The digest of a story that has to pass."""
    result = told(file, seed, leave_out=leave_out)
    assert result.outcome == "passed", (result.replay, result.failures)
    assert result.facts is not None
    return result.facts.digest


def main(words: list[str]) -> int:
    """Tell, say, and count what went wrong."""
    file, wrong = Path(words[0]), 0
    options = dict(zip(words[1::2], map(int, words[2::2]), strict=True))
    first = digest(file)
    for run in range(1, options.get("--runs", 1)):
        same = digest(file) == first
        wrong += not same
        print(f"run {run + 1}: {'the same' if same else 'DIFFERENT'} {first[:16]}", flush=True)
    for seed in range(1, options.get("--seeds", 0) + 1):
        result = told(file, seed)
        passed = result.outcome == "passed" and result.facts is not None
        same = passed and result.facts == told(file, seed, leave_out=False).facts
        wrong += not same
        print(f"seed {seed}: {result.outcome}, {'equal' if same else 'DIFFERENT'}", flush=True)
        if not same:
            print(f"  {result.replay}")
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
