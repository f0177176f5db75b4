"""Is a seed's story the same each time? `python -m tests.explore.same SEED [--runs 20]`.

Says the digest of each run and how busy the machine was. Exit code 1 when two differ.
"""

import os
import sys

from sim.explore.explore import trial


def main(words: list[str]) -> int:
    """Tell one seed again and again."""
    seed, options = int(words[0]), dict(zip(words[1::2], map(int, words[2::2]), strict=True))
    digests = set()
    for run in range(1, options.get("--runs", 20) + 1):
        told = trial(seed)
        digests.add((told.broken, told.digest))
        busy = os.getloadavg()[0] / (os.cpu_count() or 1)
        print(f"run {run}: {told.digest[:16]} {told.broken} (load {busy:.1f} a core)", flush=True)
    print(f"{len(digests)} different")
    return 0 if len(digests) == 1 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
