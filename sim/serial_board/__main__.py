"""`python -m sim.serial_board`: a bench to try `chequer provision` on, without hardware."""

import argparse
import signal
from pathlib import Path

from sim.serial_board.bench import Bench
from sim.serial_board.board import SerialBoard


def main() -> None:
    """Serve boards, one after the other, until Ctrl-C."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--port", type=Path, default=Path("var/bench/ttyBOARD"))
    parser.add_argument("--boards", type=int, default=3)
    options = parser.parse_args()
    folder = options.port.parent
    folder.mkdir(parents=True, exist_ok=True)
    options.port.unlink(missing_ok=True)
    macs = [f"24:6f:28:00:{n >> 8:02x}:{n & 255:02x}" for n in range(1, options.boards + 1)]
    with Bench(options.port, [SerialBoard(folder, mac) for mac in macs]):
        print(f"{options.boards} boards, one after the other, at {options.port}; Ctrl-C ends it")
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    main()
