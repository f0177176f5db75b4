"""Starting the workbench and ending it in order."""

import asyncio
import contextlib
import secrets
import signal
import socket
import sys
from pathlib import Path
from types import FrameType

import uvicorn

from sim.port import ControlPort
from sim.ports import free_port
from sim.vm import VmError
from sim.workbench.app import create_app
from sim.workbench.bench import Bench
from sim.workbench.cards import deck, people
from sim.workbench.host import SITE, UNIT, Host, HostError

FOLDER = Path("var/workbench")

PORT = 8090
"""Where the page usually is."""


class _Server(uvicorn.Server):
    """Ends the streams first: they would keep the server from ending."""

    def __init__(self, bench: Bench, port: int) -> None:
        super().__init__(
            uvicorn.Config(
                create_app(bench),
                host="127.0.0.1",
                port=port,
                log_level="warning",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=2,
            )
        )
        self._bench = bench
        self._port = port

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say where."""
        await super().startup(sockets)
        if self.started:
            print(f"The workbench is at http://127.0.0.1:{self._port}", flush=True)
            where = f"127.0.0.1:{self._bench.control_port}"
            print(f"control port {where}; Ctrl-C ends everything", flush=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 (uvicorn's)
        """End in order at the first signal, at once at a second SIGINT.

        Unlike uvicorn's own: it raises the signal again in the end, before anything is tidied up.
        """
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True
        self._bench.stream.close()


async def serve(
    *, folder: Path, broker: tuple[str, int] | None, host: bool, port: int, control: int
) -> int:
    """Run the workbench until it is told to end; the exit code.

    Args:
        folder: where everything is kept, an absolute path; made when absent.
        broker: a broker that runs already; None starts one.
        host: whether relay and director are started (and the broker, when none is named).
        port: of the page.
        control: port of the unit's control port, 0 for any.
    """
    key, known = _site_key(folder), people()
    behind = Host(folder, broker, known, key) if host or broker is None else None
    bench = Bench(
        folder=folder / "unit",
        broker=behind.broker if behind else broker or ("127.0.0.1", 1883),
        site=SITE,
        name=UNIT,
        site_key=key,
        cards=deck(known),
        host=behind,
    )
    door = ControlPort(bench.unit)
    following = asyncio.create_task(bench.run())
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        if behind:
            print("starting the host ...", flush=True)
            await behind.start()
        await door.start(control)
        bench.control_port = door.port
        await bench.unit.start()
        await _Server(bench, free_port(port)).serve()
    except (HostError, VmError, OSError) as error:
        print(f"the workbench did not start: {error}", file=sys.stderr)
        return 1
    except asyncio.CancelledError:  # told to end while still starting
        return 1
    finally:
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following
        await door.stop()
        await bench.unit.stop()
        if behind:
            await behind.stop()
    return 0


def _site_key(folder: Path) -> bytes:
    """The key of this workbench, made once: the unit's flash and the register know it too."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "site.key"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(32))
    return bytes.fromhex(file.read_text())
