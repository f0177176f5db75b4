"""What keeps other pages in the same browser away from the workbench, and this page modest."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
        " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}

_NAMES = {"127.0.0.1", "localhost"}


class Guard:
    """Refuses what does not come from this machine's own page; adds `HEADERS` to every answer.

    A page elsewhere can make a browser send requests here. It can't choose `Host` (so a name that
    it points at 127.0.0.1 is refused), nor `Origin`, nor send JSON without asking first.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        refusal = _refusal(scope["method"], Headers(scope=scope))
        app = refusal or self._app
        await app(scope, receive, send_with_headers)


def _refusal(method: str, headers: Headers) -> JSONResponse | None:
    host = headers.get("host", "")
    if _name(f"//{host}") not in _NAMES:
        return _no(403, "this page is served to 127.0.0.1 only")
    if method in {"GET", "HEAD"}:
        return None
    if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return _no(415, "expected application/json")
    origin = headers.get("origin")
    if origin is not None and origin != f"http://{host}":
        return _no(403, "another page has no business here")
    return None


def _name(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _no(status: int, why: str) -> JSONResponse:
    return JSONResponse({"error": f"{why}; nothing was done"}, status)
