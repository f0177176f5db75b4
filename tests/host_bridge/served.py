"""The host's page on a free port: a real store, a real broker, a real server."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from host_bridge.director import Director
from host_bridge.settings import Settings
from host_bridge.store import Store
from host_bridge.web import create_app
from host_bridge.web.server import Server
from tests.host_bridge import site
from tests.host_bridge.listener import Listener, eventually
from tests.services import Mosquitto, free_port, wait_for_port


@dataclass
class Served:
    """A running host. `desks` publishes states and hears what desks are told."""

    settings: Settings
    store: Store
    director: Director
    server: Server
    thread: threading.Thread
    desks: Listener

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.web.port}"

    def online(self, *units: str) -> None:
        """Let units say that they are there, and wait until the director knows."""
        for unit in units:
            state = f'{{"unit":"{unit}","online":true}}'.encode()
            self.desks.publish(f"chequer/v1/{site.NAME}/{unit}/state", state)
        eventually(lambda: all(self.director.presence.online.get(unit) for unit in units))

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(15)
        assert not self.thread.is_alive()


def start(settings: Settings, store: Store, desks: Listener) -> Served:
    """Serve in a thread; every day is shift 0."""
    director = Director(settings, store, shift=lambda _: 0)
    server = Server(create_app(director, store), settings)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for_port(settings.web.port)
    eventually(lambda: director.link.connected and director.trouble is None)
    return Served(settings, store, director, server, thread, desks)


@contextlib.contextmanager
def serving(folder: Path, broker: Mosquitto) -> Iterator[Served]:
    """A host with the small site and its register; everything ends afterwards."""
    settings = site.settings_for(folder, broker.port, web_port=free_port())
    store = Store.open(settings.store.url)
    site.register(store)
    desks = Listener(broker.port, f"chequer/v1/{site.NAME}/+/down/+")
    served = start(settings, store, desks)
    try:
        yield served
    finally:
        served.stop()
        desks.close()
        store.close()
