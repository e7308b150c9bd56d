"""The JSON interface that devices and pages speak, below `/v1/`.

Everything is one small object in and one out; errors are `{"error": {what, where, do}}`. What is
about one person needs their token, and nothing here lists or counts people singly.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from overt.consent.notice import notice_bytes, notice_sha256
from overt.gateway import enrol, erase, export, retention, risk, train
from overt.gateway.studies import study_of
from overt.schema.errors import (
    InvalidInput,
    Missing,
    NotConsented,
    OvertError,
    Refused,
    Withdrawn,
)
from overt.store.store import Store
from overt.studio import synthetic
from overt.studio.elsewhere import is_extension
from overt.studio.handover import LASTS_S, Handover
from overt.studio.jobs import Jobs, Progress
from overt.studio.lesson import Lesson, purpose_of
from overt.studio.shell import LISTED, error_body
from overt.studio.standing import Standing

Answer = dict[str, Any]
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

    def from_a_site_of(self, study_id: str) -> None:
        """Refuse a page of another site than those the study lists; pages of this one may ask."""
        origin = self._request.scope.get(LISTED)
        if origin is None:
            return
        study = study_of(self._store, study_id)
        if not (study.sites if is_extension(origin) else origin in study.origins):
            raise Refused("is not a site of this study", where="header Origin")

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

    def found(self) -> str | None:
        """Return the receipt whose token was shown; None where it is nobody's, or not any more."""
        try:
            return self.person().receipt
        except OvertError:
            return None

    def object(self) -> Answer:
        """Return the body as a JSON object."""
        try:
            data = json.loads(self._body)
            json.dumps(data, ensure_ascii=False).encode()  # no halves of characters
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

    def purposes(self) -> list[str] | None:
        """Return the purposes of the body, or None where there are none."""
        value = self.object().get("purposes")
        if value is None:
            return None
        if not isinstance(value, list) or not 0 < len(value) <= PURPOSES_MAX:
            raise InvalidInput("must be a list of purposes", where="purposes")
        if not all(isinstance(item, str) and len(item) <= 64 for item in value):
            raise InvalidInput("must be a list of purposes", where="purposes")
        return value


class _Unknown(Refused):
    """A token that proves nothing: 401, so that the device asks for a fresh one."""


class Api:
    """The functions behind the paths, over one store."""

    def __init__(self, store: Store, jobs: Jobs, lesson: Lesson) -> None:
        self._store = store
        self._jobs = jobs
        self._lesson = lesson
        self._handover = Handover()

    def join(self, asked: Asked) -> Answer:
        """Enrol somebody: receipt, token and device secret."""
        asked.from_a_site_of(asked.text("study"))
        joined = enrol.join(
            self._store,
            asked.text("study"),
            asked.purposes() or [],
            asked.text("notice_sha256"),
            asked.text("lang"),
            asked.text("detail") if "detail" in asked.object() else None,
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
        job = erase.begin(self._store, person, asked.purposes())
        self._finish(job)
        return {"job": job}

    def _finish(self, job: str) -> None:
        def work(progress: Progress) -> None:
            erase.finish(self._store, job, progress)

        self._jobs.start(f"erase {job}", work)

    def erasure(self, asked: Asked) -> Answer:
        """Say how far an erasure is, and what came of it; the random job is all one needs."""
        job = asked.path("job")
        status = erase.status(self._store, job)
        work = self._jobs.named(f"erase {job}")
        if work is None or status["state"] == "done":
            return status
        return {**status, **work.as_dict()}

    def state(self, asked: Asked) -> Answer:
        """Say what a person consented to and what is stored of them."""
        person = asked.person()
        pauses = self._handover.pauses(person.receipt)
        told = {**enrol.state(self._store, person), "pauses": pauses}
        return {**told, "now_us": time.time_ns() // 1000}

    def pair(self, asked: Asked) -> Answer:
        """Keep a device's grant, sealed, for the next device of the same person."""
        sealed = asked.object().get("sealed")
        if not isinstance(sealed, str):
            raise InvalidInput("must be a text", where="sealed")
        self._handover.leave(asked.person().receipt, asked.text("place"), sealed)
        return {"lasts_s": int(LASTS_S)}

    def take(self, asked: Asked) -> Answer:
        """Hand over, once, what a device left under a code."""
        return {"sealed": self._handover.take(asked.text("place"))}

    def pause(self, asked: Asked) -> Answer:
        """Take note that a person paused, for their other devices."""
        return {"pauses": self._handover.pause(asked.person().receipt)}

    def export(self, asked: Asked) -> Answer:
        """Return everything of a person."""
        return export.export(self._store, asked.person())

    def delete(self, asked: Asked) -> Answer:
        """Erase what was recorded in the last minutes; models follow in a job."""
        minutes = asked.object().get("minutes")
        if type(minutes) is not int:
            raise InvalidInput("must be a whole number", where="minutes")
        done = retention.delete_last(self._store, asked.person(), minutes)
        if done["job"] is not None:
            self._finish(done["job"])
        return done

    def proof(self, asked: Asked) -> Answer:
        """Return the bundle to verify offline."""
        return export.proof(self._store, asked.person())

    def train(self, asked: Asked) -> Answer:
        """Begin training on everyone who consented; whoever joins in gets the same job."""
        person = asked.person()
        wanted = asked.text("purpose") if "purpose" in asked.object() else ""
        purpose = purpose_of(enrol.grant_of(self._store, person).active, wanted)

        def work(progress: Progress) -> Answer:
            return self._lesson.give(self._store, person.study, purpose, progress)

        return {"job": self._jobs.start(f"train {person.study} {purpose}", work)}

    def training(self, asked: Asked) -> Answer:
        """Say how far a training is; its result is the model's card, which names nobody."""
        job = self._jobs.get(asked.path("job"))
        if job is None:
            raise Missing("there is no such job", where="job", do="Train again.")
        return job.as_dict()

    def model(self, asked: Asked) -> Answer:
        """Return the model as far as no other living person taught it, and the card of it all."""
        person = asked.person()
        purpose = purpose_of(enrol.grant_of(self._store, person).active, asked.query("purpose", ""))
        return {
            "purpose": purpose,
            "card": train.card(self._store, person.study, purpose),
            "model": train.page_model(self._store, person, purpose),
        }

    def risk(self, asked: Asked) -> Answer:
        """Attack the person's rhythm among the others; refused where they are too few."""
        return risk.own(self._store, asked.person())


def routes(store: Store, jobs: Jobs, lesson: Lesson, standing: Standing) -> list[Route]:
    """Return the routes of the interface."""
    api = Api(store, jobs, lesson)

    async def answered(asked: Asked, work: Callable[[Asked], Answer]) -> Response:
        try:
            return JSONResponse(await run_in_threadpool(work, asked))
        except _Unknown as error:
            challenge = {"WWW-Authenticate": "Bearer"}
            return JSONResponse(error_body(error), 401, headers=challenge)

    def route(path: str, method: str, work: Callable[[Asked], Answer]) -> Route:
        async def endpoint(request: Request) -> Response:
            return await answered(Asked(request, await request.body(), store), work)

        return Route(path, endpoint, methods=[method])

    async def state(request: Request) -> Response:
        asked = Asked(request, await request.body(), store)
        known = asked.query("known", "")
        # Who does not prove who they are, or says nothing of what they know, waits for nothing.
        found = await run_in_threadpool(asked.found) if known else None
        if found is not None:
            await standing.news(found, frozenset(known.split(",")), request.is_disconnected)
        return await answered(asked, api.state)

    async def notice(request: Request) -> Response:
        return await run_in_threadpool(_notice, store, Asked(request, b"", store))

    return [
        Route("/v1/studies/{study}/notice", notice),
        route("/v1/join", "POST", api.join),
        route("/v1/token", "POST", api.token),
        route("/v1/withdraw", "POST", api.withdraw),
        route("/v1/erasures/{job}", "GET", api.erasure),
        Route("/v1/me/state", state),
        route("/v1/me/pair", "POST", api.pair),
        route("/v1/me/pause", "POST", api.pause),
        route("/v1/pair", "POST", api.take),
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
    asked.from_a_site_of(asked.path("study"))
    study, lang = study_of(store, asked.path("study")), asked.query("lang", "en")
    headers = {"X-Notice-SHA256": notice_sha256(study, lang)}
    return Response(notice_bytes(study, lang), media_type="application/json", headers=headers)
