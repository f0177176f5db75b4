"""The interface for programs. Everything is read only, and of rooms, not of people."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from fastapi.responses import PlainTextResponse, StreamingResponse
from prometheus_client import CONTENT_TYPE_LATEST

from host_bridge.director import Director
from host_bridge.store import Store
from host_bridge.web import fleet, health, ledger
from host_bridge.web.errors import ProblemError
from host_bridge.web.metrics import Metrics
from host_bridge.web.models import Alive, Fleet, Health, Ledger, Problem, Room, Rooms
from host_bridge.web.watch import Watch, now_ms

UNAVAILABLE: dict[int | str, dict[str, Any]] = {503: {"model": Problem}}


def routes(director: Director, store: Store, watch: Watch) -> APIRouter:
    """All routes but the page."""
    router = APIRouter()
    figures = Metrics(director, store, watch.live, now_ms)

    @router.get("/api/v1/rooms")
    async def rooms() -> Rooms:
        """Every room with its desks, their states and how many are how."""
        return Rooms(site=director.site.name, rooms=[Room.of(room) for room in watch.rooms])

    @router.get("/api/v1/ledger", responses=UNAVAILABLE)
    def ledger_now() -> Ledger:
        """Where every fact is: received = stored + duplicates + dead letters, and the gaps."""
        return ledger.read(store, director.site.name, now_ms())

    @router.get("/api/v1/fleet", responses=UNAVAILABLE)
    def fleet_now() -> Fleet:
        """Every desk unit: whether it is there, its firmware, gaps, faults and dead letters."""
        return fleet.read(director, store, now_ms())

    @router.get(
        "/api/v1/events",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}}, **UNAVAILABLE},
    )
    async def events(last_event_id: Annotated[str | None, Header()] = None) -> StreamingResponse:
        """Server-sent events: `floor`, `ledger` and `health` as they change, and `beat`.

        Begins with the present state, or with what was missed after `Last-Event-ID`.
        """
        if watch.live.is_full:
            raise ProblemError(
                503,
                what="Too many pages listen already.",
                kept="Everything: this page only follows.",
                do="Close some, or read /api/v1/rooms now and then.",
            )
        return StreamingResponse(
            watch.live.stream(last_event_id),
            media_type="text/event-stream",
            # Proxies that gather answers would hold the events back.
            headers={"X-Accel-Buffering": "no"},
        )

    @router.get("/healthz")
    async def healthz() -> Alive:
        """The process answers."""
        return Alive(alive=True)

    @router.get("/readyz", responses={503: {"model": Health}})
    def readyz(response: Response) -> Health:
        """Does every part work? 503 with the part that does not."""
        seen = health.check(director, store)
        response.status_code = 200 if seen.ready else 503
        return seen

    @router.get("/metrics", response_class=PlainTextResponse)
    def metrics() -> Response:
        """Figures for Prometheus."""
        return Response(figures.text(), media_type=CONTENT_TYPE_LATEST)

    return router
