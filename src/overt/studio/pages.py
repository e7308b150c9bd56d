"""The pages people open: the five-minute study, the page of a study, leaving, and errors."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from overt.consent.notice import notice_bytes, notice_sha256
from overt.gateway.studies import study_of
from overt.models.text.own import COMMON
from overt.store.store import Store
from overt.studio import told

BUILT_IN = "five-minutes"
LANGUAGE = "en"
"""The page around the notice is in English, so its notice is too."""

STEPS = (
    ("choose", "Choice"),
    ("do", "Something to do"),
    ("mirror", "Mirror"),
    ("learn", "Learning"),
    ("risk", "Risk"),
    ("proof", "Proof"),
)
COUNTS = (
    ("produced", "produced"),
    ("waiting", "waiting"),
    ("sent", "sent"),
    ("acknowledged", "acknowledged"),
    ("stored", "stored"),
    ("removed", "removed"),
    ("lost", "lost"),
    ("bytes", "waiting bytes"),
)
SENTENCE = "The quick brown fox jumps over the lazy dog, and nobody asks the dog."
NOTE = "Please read this this note twice, then take the the extra words out."


@cache
def _templates() -> Environment:
    loader = PackageLoader("overt.studio")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    made.filters["capitalize_first"] = lambda text: text[:1].upper() + text[1:]
    made.filters["thousands"] = lambda text: re.sub(r"\B(?=(\d{3})+(?!\d))", ",", text)
    made.filters["lower_first"] = lambda text: text[:1].lower() + text[1:]
    return made


def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a rendered template."""
    return HTMLResponse(_templates().get_template(template).render(values), status)


_TITLES = {404: "There is no such page", 403: "That is not allowed", 500: "Something broke here"}


def error_page(status: int, what: str, where: str = "", do: str = "") -> HTMLResponse:
    """Return a page that says what happened and what to do, and nothing that was sent."""
    title = _TITLES.get(status, "That did not work")
    return page("error.html", status, code=status, title=title, what=what, where=where, do=do)


def routes(store: Store) -> list[Route]:
    """Return the routes of all pages over one store."""

    async def five_minutes(_: Request) -> Response:
        return await run_in_threadpool(_five_minutes, store)

    async def study(request: Request) -> Response:
        return await run_in_threadpool(_study, store, request.path_params["study"])

    async def leave(_: Request) -> Response:
        return page("leave.html")

    return [
        Route("/", five_minutes),
        Route("/study/{study}", study),
        Route("/leave", leave),
    ]


def _five_minutes(store: Store) -> Response:
    study = study_of(store, BUILT_IN)
    return page(
        "five_minutes.html",
        study=study,
        notice=json.loads(notice_bytes(study, LANGUAGE)),
        notice_sha256=notice_sha256(study, LANGUAGE),
        lang=LANGUAGE,
        steps=STEPS,
        counts=COUNTS,
        delay_s=study.outbox_delay_s,
        sentence=SENTENCE,
        note=NOTE,
        common=COMMON,
    )


def _study(store: Store, study_id: str) -> Response:
    return page("study.html", **told.values(store, study_of(store, study_id)))
