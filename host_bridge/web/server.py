"""Serving: one process with the page, the interface and the director."""

import signal
import socket
from types import FrameType

import uvicorn
from fastapi import FastAPI

from host_bridge.director import Director
from host_bridge.floor_plan import planned
from host_bridge.settings import Settings
from host_bridge.store import Store
from host_bridge.web.app import create_app


class Server(uvicorn.Server):
    """Ends the live streams first: they would keep the server from ending."""

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.web.host,
                port=settings.web.port,
                log_level="warning",
                log_config=None,  # its words go where ours go
                # Who looked when is nobody's business; and no need to name the software.
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=3,
            )
        )
        self._live = app.state.watch.live

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 (uvicorn's)
        """End in order at the first signal, at once at a second SIGINT.

        Unlike uvicorn's own: it raises the signal again in the end, which would keep `serve`
        from closing the store and make an ordinary end look like a failure.
        """
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End streams, then connections, then the application."""
        self._live.close()
        await super().shutdown(sockets)


def serve(settings: Settings) -> None:
    """Serve until the process is asked to end (SIGINT, SIGTERM).

    Raises:
        SchemaError: the database is none of ours, or newer.
        StoreUnavailableError: the database can't be opened.
        SystemExit: the port is taken.
    """
    store = Store.open(settings.store.url)
    try:
        store.plan.put(settings.site.name, planned(settings.site))
        Server(create_app(Director(settings, store), store), settings).run()
    finally:
        store.close()
