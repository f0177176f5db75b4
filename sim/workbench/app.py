"""The web application: the page, its stream, and the commands that it sends."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from starlette.exceptions import HTTPException

from sim.commands import Command, CommandError, obey, parse
from sim.vm import VmError
from sim.workbench import front
from sim.workbench.bench import Bench
from sim.workbench.guard import Guard
from sim.workbench.stream import MOST_PAGES
from sim.world import FAULTS

HERE = Path(__file__).parent

LONGEST = 4096
"""Bytes of a command, as on the control port."""

_TAP_MS = 400
_RADAR_MOST_CM = 400


def create_app(bench: Bench) -> FastAPI:
    """The application of a bench, which its owner starts and stops."""
    app = FastAPI(title="Workbench", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    templates = Jinja2Templates(HERE / "templates")

    @app.exception_handler(HTTPException)
    async def http(_request: Request, error: HTTPException) -> JSONResponse:
        return _error(error.status_code, f"{error.detail}; nothing was done")

    @app.get("/", response_class=HTMLResponse)
    async def page(request: Request) -> HTMLResponse:
        """The unit as it is now; the stream keeps it true."""
        context = {"bench": bench, "faults": FAULTS, "most_cm": _RADAR_MOST_CM, "front": front}
        return templates.TemplateResponse(request, "workbench.html", context)

    @app.get("/api/events")
    async def events() -> StreamingResponse:
        """Everything that changes, as server-sent events."""
        if bench.stream.pages >= MOST_PAGES:
            raise HTTPException(503, f"{MOST_PAGES} pages are open already")
        return StreamingResponse(_text(bench), media_type="text/event-stream")

    @app.post("/api/commands")
    async def command(request: Request) -> JSONResponse:
        """One command, as on the control port (sim/commands.py)."""
        try:
            return JSONResponse(await obey(bench.unit, _given(await _body(request))))
        except CommandError as error:
            return _error(400, str(error))

    @app.post("/api/cards/{name}/{deed}")
    async def card(name: str, deed: str) -> JSONResponse:
        """Tap, put or take a card by its name; no UID leaves this program."""
        if name not in bench.cards or deed not in {"tap", "put", "take"}:
            raise HTTPException(404, "there is no such card, or it can't do that")
        try:
            await _move(bench, name, deed)
        except (VmError, ValueError) as error:
            return _error(400, str(error))
        return JSONResponse({"ok": True})

    return app


async def _move(bench: Bench, name: str, deed: str) -> None:
    uids = bench.cards[name].uids
    if deed == "tap":
        await bench.unit.tap(*uids, ms=_TAP_MS)
        return
    for uid in uids:
        await (bench.unit.put(uid) if deed == "put" else bench.unit.take(uid))


def _given(line: bytes) -> Command:
    """A command that has one answer.

    Raises:
        CommandError: it is none, or it would be answered by a stream.
    """
    command = parse(line)
    if command.watch:
        raise CommandError("watch is for the control port; read /api/events instead")
    return command


async def _body(request: Request) -> bytes:
    """The whole body.

    Raises:
        CommandError: it is longer than a command can be.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST:
            raise CommandError(f"a command has at most {LONGEST} bytes")
    return body


async def _text(bench: Bench) -> AsyncIterator[str]:
    async for text in bench.stream.listen():
        yield text


def _error(status: int, why: str) -> JSONResponse:
    answer: dict[str, Any] = {"error": why}
    return JSONResponse(answer, status)
