"""The JSON interface that devices and pages speak, below `/v1/`.

Everything is one small object in and one out; errors are `{"error": {what, where, do}}`. What is
about one person needs their token, and nothing here lists or counts people singly.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from overt.consent.notice import notice_bytes, notice_sha256
from overt.gateway import enrol, erase, export, risk, train
from overt.gateway.studies import study_of
from overt.schema.errors import InvalidInput, Missing, NotConsented, Refused, Withdrawn
from overt.store.store import Store
from overt.studio import synthetic
from overt.studio.jobs import Jobs, Progress
from overt.studio.shell import error_body

Answer = dict[str, Any]
MINUTES_MAX = 1440
PURPOSES_MAX = 16


class Asked:
    """A request as the functions below see it: its JSON object and its person."""

    def __init__(self, request: Request, body: bytes, store: Store) -> None:
        self._request = request
        self._body = body
        self._store = store

    def path(self, name: str) -> str:
        """Return a part of the path."""
        return str(self._request.path_params[name])

    def query(self, name: str, default: str) -> str:
        """Return a parameter of the query."""
        return str(self._request.query_params.get(name, default))

    def person(self) -> enrol.Person:
        """Return whose token was shown. Raises `Withdrawn`, `NotConsented` or `_Unknown`."""
        kind, _, token = self._request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise _Unknown("needs a token", where="header Authorization")
        try:
            return enrol.by_token(self._store, token)
        except (Withdrawn, NotConsented):
            raise
        except (Refused, InvalidInput) as error:
            raise _Unknown(error.what, where="header Authorization", do=error.do) from error

    def object(self) -> Answer:
        """Return the body as a JSON object."""
        try:
            data = json.loads(self._body)
        except (ValueError, RecursionError) as error:
            raise InvalidInput("is not JSON", where="body") from error
        if not isinstance(data, dict):
            raise InvalidInput("is not a JSON object", where="body")
        return data

    def text(self, name: str) -> str:
        """Return a short string of the body."""
        value = self.object().get(name)
        if not isinstance(value, str) or not 0 < len(value) <= 256:
            raise InvalidInput("must be a short text", where=name)
        return value

    def purposes(self, *, optional: bool) -> list[str] | None:
        """Return the purposes of the body, or None where they may be left out and are."""
        value = self.object().get("purposes")
        if value is None and optional:
            return None
        good = isinstance(value, list) and 0 < len(value) <= PURPOSES_MAX
        if not good or not all(isinstance(item, str) and len(item) <= 64 for item in value):
            raise InvalidInput("must be a list of purposes", where="purposes")
        return list(value)


class _Unknown(Refused):
    """A token that proves nothing: 401, so that the device asks for a fresh one."""


class Api:
    """The functions behind the paths, over one store."""

    def __init__(self, store: Store, jobs: Jobs) -> None:
        self._store = store
        self._jobs = jobs

    def join(self, asked: Asked) -> Answer:
        """Enrol somebody: receipt, token and device secret."""
        joined = enrol.join(
            self._store,
            asked.text("study"),
            asked.purposes(optional=False) or [],
            asked.text("notice_sha256"),
            asked.text("lang"),
        )
        return {
            "receipt": joined.receipt,
            "token": joined.token,
            "expires_s": joined.expires_s,
            "device_secret": joined.device_secret,
        }

    def token(self, asked: Asked) -> Answer:
        """Give the device that joined a fresh token."""
        fresh = enrol.refresh_token(
            self._store, asked.text("receipt_id"), asked.text("device_secret")
        )
        return {"token": fresh.token, "expires_s": fresh.expires_s}

    def withdraw(self, asked: Asked) -> Answer:
        """Take a withdrawal: it holds when this returns; erasing goes on as a job."""
        if "recovery_code" in asked.object():
            person = enrol.by_recovery(self._store, asked.text("recovery_code"))
        else:
            person = enrol.by_device(
                self._store, asked.text("receipt_id"), asked.text("device_secret")
            )
        job = erase.begin(self._store, person, asked.purposes(optional=True))
        self._jobs.start(f"erase {job}", lambda progress: self._erase(job, progress))
        return {"job": job}

    def _erase(self, job: str, progress: Progress) -> None:
        erase.run(self._store, job, progress=progress)

    def erasure(self, asked: Asked) -> Answer:
        """Say how far an erasure is, and what came of it."""
        return erase.state(self._store, asked.path("job"))

    def state(self, asked: Asked) -> Answer:
        """Say what a person consented to and what is stored of them."""
        return enrol.state(self._store, asked.person())

    def export(self, asked: Asked) -> Answer:
        """Return everything of a person."""
        return export.export(self._store, asked.person())

    def delete(self, asked: Asked) -> Answer:
        """Erase what was recorded in the last minutes."""
        minutes = asked.object().get("minutes")
        if type(minutes) is not int or not 1 <= minutes <= MINUTES_MAX:
            raise InvalidInput(f"must be 1 to {MINUTES_MAX}", where="minutes")
        return erase.delete_recent(self._store, asked.person(), minutes)

    def proof(self, asked: Asked) -> Answer:
        """Return the bundle to verify offline."""
        return export.proof(self._store, asked.person())

    def risk(self, asked: Asked) -> Answer:
        """Attack the person's rhythm among the others; refused where they are too few."""
        return risk.own(self._store, asked.person())


def routes(store: Store, jobs: Jobs) -> list[Route]:
    """Return the routes of the interface."""
    api = Api(store, jobs)

    def route(path: str, method: str, work: Callable[[Asked], Answer]) -> Route:
        async def endpoint(request: Request) -> Response:
            asked = Asked(request, await request.body(), store)
            try:
                return JSONResponse(await run_in_threadpool(work, asked))
            except _Unknown as error:
                challenge = {"WWW-Authenticate": "Bearer"}
                return JSONResponse(error_body(error), 401, headers=challenge)

        return Route(path, endpoint, methods=[method])

    async def notice(request: Request) -> Response:
        return await run_in_threadpool(_notice, store, Asked(request, b"", store))

    return [
        Route("/v1/studies/{study}/notice", notice),
        route("/v1/join", "POST", api.join),
        route("/v1/token", "POST", api.token),
        route("/v1/withdraw", "POST", api.withdraw),
        route("/v1/erasures/{job}", "GET", api.erasure),
        route("/v1/me/state", "GET", api.state),
        route("/v1/me/export", "GET", api.export),
        route("/v1/me/delete", "POST", api.delete),
        route("/v1/me/proof", "GET", api.proof),
        route("/v1/me/model", "GET", api.model),
        route("/v1/me/risk", "GET", api.risk),
        route("/v1/train", "POST", api.train),
        route("/v1/train/{job}", "GET", api.training),
        route("/v1/synthetic-profiles", "GET", lambda _: synthetic.profiles()),
    ]


def _notice(store: Store, asked: Asked) -> Response:
    study, lang = study_of(store, asked.path("study")), asked.query("lang", "en")
    headers = {"X-Notice-SHA256": notice_sha256(study, lang)}
    return Response(notice_bytes(study, lang), media_type="application/json", headers=headers)
