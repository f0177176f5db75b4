"""The web application: the page, the interface, and what follows the floor for both."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates

from host_bridge.director import Director
from host_bridge.store import Store
from host_bridge.web import errors, fleet, health
from host_bridge.web.api import routes
from host_bridge.web.headers import SecurityHeaders
from host_bridge.web.models import instant
from host_bridge.web.plan import draw
from host_bridge.web.watch import Watch, now_ms
from host_bridge.web.words import WORDS

HERE = Path(__file__).parent


def create_app(director: Director, store: Store) -> FastAPI:
    """The application. It starts the director and stops it; the store stays its owner's."""
    watch = Watch(director, store)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        director.start()
        task = asyncio.create_task(watch.run())
        yield
        watch.live.close()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await asyncio.to_thread(director.stop)

    # The built-in pages of documentation load scripts from elsewhere: none of them.
    app = FastAPI(title="Chequer", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.watch = watch
    errors.install(app)
    app.add_middleware(SecurityHeaders)
    app.include_router(routes(director, store, watch))
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    templates = Jinja2Templates(HERE / "templates")
    templates.env.filters["age"] = fleet.age

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    async def page(request: Request) -> HTMLResponse:
        """The live floor plan."""
        context = {
            "site": director.site.name,
            "rooms": [(room, draw(room)) for room in watch.rooms],
            "words": WORDS,
            "delivery": watch.delivery,
        }
        return templates.TemplateResponse(request, "floor.html", context)

    @app.get("/fleet", response_class=HTMLResponse, include_in_schema=False)
    def fleet_page(request: Request) -> HTMLResponse:
        """The desk units, those with something amiss first."""
        context = {
            "fleet": fleet.read(director, store, now_ms()),
            "at": instant(now_ms()),
            "health": health.check(director, store),
        }
        return templates.TemplateResponse(request, "fleet.html", context)

    return app
