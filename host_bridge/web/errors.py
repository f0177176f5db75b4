"""The one place where errors turn into what a person reads.

What happened, what was kept, what to do.
"""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from host_bridge.store import StoreUnavailableError
from host_bridge.web.headers import HEADERS
from host_bridge.web.models import Problem

_log = logging.getLogger(__name__)

NOTHING_CHANGED = "Everything: nothing was changed."


class ProblemError(Exception):
    """An answer that is not what was asked for.

    Attributes:
        status: the HTTP status.
        problem: what is answered.
    """

    def __init__(self, status: int, *, what: str, kept: str, do: str) -> None:
        super().__init__(what)
        self.status = status
        self.problem = Problem(what=what, kept=kept, do=do)


def install(app: FastAPI) -> None:
    """Answer every error of the application as a `Problem`."""

    @app.exception_handler(ProblemError)
    async def problem(_request: Request, error: ProblemError) -> JSONResponse:
        return _answer(error)

    @app.exception_handler(HTTPException)
    async def http(_request: Request, error: HTTPException) -> JSONResponse:
        answer = _answer(_explain(error.status_code))
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, _error: RequestValidationError) -> JSONResponse:
        return _answer(_explain(422))

    @app.exception_handler(StoreUnavailableError)
    async def store(_request: Request, _error: StoreUnavailableError) -> JSONResponse:
        return _answer(
            ProblemError(
                503,
                what="The database can't be read now.",
                kept="What is committed stays committed; units keep the rest.",
                do="See /readyz for the reason, then try again.",
            )
        )

    @app.exception_handler(Exception)
    async def defect(_request: Request, error: Exception) -> JSONResponse:
        # The type only: the text of an error may quote a fact.
        _log.error("a request ended in a defect: %s", type(error).__name__)
        answer = _answer(_explain(500))
        # This answer is made outside of all middleware.
        answer.headers.update(HEADERS)
        return answer


def _explain(status: int) -> ProblemError:
    what, do = {
        404: ("There is nothing at this address.", "See /openapi.json for what there is."),
        405: ("This can only be read.", "Use GET."),
        422: ("A part of the request can't be understood.", "See /openapi.json for its form."),
    }.get(status, ("The host made a mistake.", "Try again; if it stays, look at the host's log."))
    return ProblemError(status, what=what, kept=NOTHING_CHANGED, do=do)


def _answer(error: ProblemError) -> JSONResponse:
    return JSONResponse(error.problem.model_dump(), error.status)
