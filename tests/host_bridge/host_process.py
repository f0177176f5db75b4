"""The host's commands as processes of their own, on a configuration of the test's."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from host_bridge.store import Store
from tests.host_bridge.unit_stream import Units, fact_of


class Host:
    """A folder with a configuration, in which commands run. Ends what it started."""

    def __init__(self, folder: Path, port: int, site: str = "s", *, url: str | None = None) -> None:
        self.url = url or f"sqlite:///{folder}/var/chequer.db"
        self.config = folder / "chequer.toml"
        self.log = folder / "host.log"
        self.config.write_text(
            f'[broker]\nport = {port}\n[store]\nurl = "{self.url}"\n[site]\nname = "{site}"\n'
        )
        self._started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Host":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.wait(10)

    def start(
        self, *command: str, fault: str = "", environment: dict[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a command of the host, perhaps one that dies at a fault point."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "host_bridge", *command, "--config", str(self.config)],
                stdout=log,
                stderr=log,
                env={**os.environ, **(environment or {}), "CHEQUER_FAULT": fault},
            )
        self._started.append(process)
        return process

    def stop(self, process: subprocess.Popen[bytes]) -> int:
        """End a command in order; its exit code."""
        process.send_signal(signal.SIGTERM)
        return process.wait(20)

    def wait_for_log(self, text: str, seconds: float = 40, times: int = 1) -> None:
        """Return once the log has the text so many times."""
        deadline = time.monotonic() + seconds
        while self.log.read_text().count(text) < times:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{text!r} is not in the log:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.05)

    def wait_for_facts(self, count: int, seconds: float = 40) -> None:
        """Return once so many facts are stored."""
        store = Store.open(self.url)
        deadline = time.monotonic() + seconds
        while (stored := len(store.facts_after(0, count))) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{stored} of {count} facts are stored after {seconds} s")
            time.sleep(0.05)
        store.close()

    def prove(self, units: Units, *, acknowledged: bool = True) -> None:
        """Each fact is stored once, as it was sent; the ledger adds up; nothing is missing."""
        store = Store.open(self.url)
        facts = store.facts_after(0, 1_000_000)
        rows = [(row.unit, row.boot, row.lane, row.seq) for row in facts]
        assert len(rows) == len(set(rows))
        assert set(rows) == units.rows()
        for row in facts:
            sent = fact_of(row.unit, row.boot, row.lane, row.seq)
            assert (type(row.fact), row.fact.up) == (type(sent), sent.up)
        ledger = store.ledger()
        assert [line.difference for line in ledger] == [0] * len(ledger)
        assert sum(line.stored for line in ledger) == len(rows)
        assert sum(line.dead_letters for line in ledger) == 0
        assert store.gaps() == []
        assert units.left() == 0 or not acknowledged
        store.close()
