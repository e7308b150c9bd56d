"""The interface of `overt predict --serve`: questions and answers of plain JSON, version 1.

```
GET  /v1/predict         which tasks are answered, taught by whom, with a question for each
POST /v1/predict/TASK    a question; the answer with its task and who taught it
```

For programs of this machine: it answers only requests that name the loopback address, and none that
a browser's page sends from elsewhere. Nothing of a question is kept or logged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from overt.models.answers import ANSWERED, Asker
from overt.schema.errors import InvalidInput, OvertError

VERSION = 1
BYTES_MAX = 1 << 20
HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})


def create(askers: Mapping[str, Asker]) -> Starlette:
    """Return the ASGI application that answers the tasks of `askers`."""

    async def tasks(request: Request) -> Response:
        _check_sender(request)
        known = {
            name: {
                "title": ANSWERED[name].title,
                "taught_by": asker.taught_by,
                "example": ANSWERED[name].example,
            }
            for name, asker in askers.items()
        }
        return _json({"version": VERSION, "tasks": known})

    async def ask(request: Request) -> Response:
        _check_sender(request)
        name = request.path_params["task"]
        if name not in askers:
            error = InvalidInput(
                "is not answered here", where="task", do=f"Known: {', '.join(sorted(askers))}."
            )
            return _refused(404, error)
        raw = bytearray()
        async for part in request.stream():
            raw += part
            if len(raw) > BYTES_MAX:
                return _refused(
                    413, InvalidInput(f"is larger than {BYTES_MAX:,} bytes", where="question")
                )
        try:
            question = json.loads(bytes(raw))
        except (ValueError, RecursionError):
            return _refused(400, InvalidInput("is not JSON", where="question"))
        try:
            answer = await run_in_threadpool(askers[name].answer, question)
        except OvertError as error:
            return _refused(422, error)
        return _json({"task": name, "taught_by": askers[name].taught_by, "answer": answer})

    return Starlette(
        routes=[
            Route("/v1/predict", tasks),
            Route("/v1/predict/{task}", ask, methods=["POST"]),
        ],
        exception_handlers={HTTPException: _no_such_path, Exception: _broken},
    )


def _check_sender(request: Request) -> None:
    """Refuse what a page of another site could send: it names its origin, or another host."""
    host = request.headers.get("host", "").rsplit(":", 1)[0]
    if host not in HOSTS or "origin" in request.headers:
        raise HTTPException(403, "only programs of this machine are answered")


def _json(body: Any, status: int = 200) -> Response:
    return JSONResponse(body, status, headers={"Cache-Control": "no-store"})


def _refused(status: int, error: OvertError) -> Response:
    return _json({"error": error.as_dict()}, status)


async def _no_such_path(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _refused(status, InvalidInput(str(getattr(error, "detail", "broke"))))


async def _broken(_request: Request, _error: Exception) -> Response:
    return _refused(500, OvertError("something broke here; nothing of the question is kept"))
