"""A real broker for one story: mosquitto, or the embedded one where it is not installed."""

import asyncio
import os
import shutil
import signal
import sys
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from sim.children import Child, start
from sim.ports import free_port
from sim.scenario.errors import EngineError, StoryError

_UP_S = 20.0
_STOPPED_S, _RUNS_S = 0.99, 0.01


async def listening(child: Child, port: int) -> None:
    """Wait until a child accepts connections.

    Raises:
        EngineError: it ended, or does not in twenty seconds.
    """
    try:
        async with asyncio.timeout(_UP_S):
            while True:
                if child.code is not None:
                    raise EngineError(f"{child.name} ended: {child.last_lines()}")
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    return
    except TimeoutError:
        raise EngineError(f"{child.name} does not listen: {child.last_lines()}") from None


class RealBroker:
    """The broker's process.

    Args:
        folder: for its settings and its log.
        config: the host's settings, for the embedded broker.
    """

    def __init__(self, folder: Path, config: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._config = config
        self._full = False
        self._child: Child | None = None
        path = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
        self._mosquitto = shutil.which("mosquitto", path=path)

    @property
    def pid(self) -> int | None:
        """Its process, None before it was started."""
        return self._child.pid if self._child else None

    async def start(self) -> None:
        """Start and wait until it listens; nothing happens when it runs."""
        if self._child and self._child.code is None:
            return
        self._child = await start("broker", self._command(), self._folder)
        await listening(self._child, self.port)

    async def kill(self) -> None:
        """End it at once."""
        if self._child:
            await self._child.kill()

    async def stall(self, seconds: float) -> None:
        """Stop its process for a while."""
        if self._child is None or self._child.code is not None:
            raise StoryError("the broker is not running")
        self._child.signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            self._child.signal(signal.SIGCONT)

    async def slow(self, seconds: float) -> None:
        """Let its process run one moment in a hundred."""
        until = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < until:
            await self.stall(_STOPPED_S)
            await asyncio.sleep(_RUNS_S)

    async def fill(self, full: bool) -> None:
        """Start it again, with no room for what nobody takes at once, or with room.

        Raises:
            StoryError: the embedded broker can't be set so.
        """
        if self._mosquitto is None:
            raise StoryError("only mosquitto can be full; install it")
        self._full = full
        await self.kill()
        await self.start()

    async def publish(self, topic: str, payload: bytes) -> None:
        """Say something, QoS 1."""
        try:
            await asyncio.to_thread(self._publish, topic, payload)
        except (OSError, ValueError, RuntimeError) as error:
            raise StoryError(f"the broker did not take it: {error}") from error

    def _publish(self, topic: str, payload: bytes) -> None:
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        try:
            client.publish(topic, payload, qos=1).wait_for_publish(5)
        finally:
            client.disconnect()
            client.loop_stop()

    async def end(self) -> None:
        """End it in order."""
        if self._child:
            await self._child.end()

    def _command(self) -> list[str]:
        if self._mosquitto is None:
            return [sys.executable, "-m", "host_bridge", "broker", "--config", str(self._config)]
        lines = [f"listener {self.port} 127.0.0.1", "allow_anonymous true"]
        lines += [f"max_queued_messages {int(self._full)}", "set_tcp_nodelay true"]
        lines += [f"max_inflight_messages {1 if self._full else 1000}"]
        lines += ["user root"] if os.geteuid() == 0 else []
        file = self._folder / "mosquitto.conf"
        file.write_text("\n".join(lines) + "\n")
        return [self._mosquitto, "-c", str(file)]
