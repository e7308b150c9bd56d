"""The researcher's page: what a study has, over at least ten people, behind the researcher's key.

Opening a page opens no rows: it shows what was filed, the cards of models, and the log. What has to
be computed runs as a job that a button starts, through the door. Without the key every path here
gives the same answer, whether or not there is such a study.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from overt.audit.linkage import KEYS_MIN
from overt.audit.profiles import LEVELS
from overt.gateway import audits, history, researcher, train
from overt.gateway.distributions import distributions
from overt.gateway.filed import PEOPLE_MIN, filed
from overt.gateway.learner import LEARNS
from overt.gateway.model import purposes_with_model
from overt.gateway.overview import overview
from overt.gateway.studies import study_of
from overt.schema.errors import InvalidInput, Missing
from overt.schema.manifest import bucket
from overt.schema.purpose import REGISTRY
from overt.schema.study import Study, load_study
from overt.store.store import Store
from overt.studio import shown
from overt.studio.jobs import Job, Jobs, Progress
from overt.studio.pages import page

PATH = "/research"
COOKIE = "overt-research"
READER = "the researcher's page"
KEYS_MAX = 1000
LENGTHS_MAX = 4

REFUSALS = {
    "400": "not in the form of a batch",
    "401": "without a good token",
    "409": "sent twice, kept once",
    "410": "from somebody who had left",
    "413": "too long",
    "422": "events that no schema or receipt allows",
    "429": "too many at once",
    "503": "could not be stored at that moment",
}
"""What the collector answered, by status, in words."""

SECTIONS = ("counts", "features", "models", "audits")


class Research:
    """The pages and jobs over one store."""

    def __init__(self, store: Store, jobs: Jobs) -> None:
        self._store, self._jobs = store, jobs
        self._latest: dict[tuple[str, str], str] = {}

    # -- who may come in -----------------------------------------------------------------------

    def lets_in(self, request: Request) -> bool:
        """Tell whether the browser holds a pass that is good now."""
        shown_pass = request.cookies.get(COOKIE, "")
        return researcher.is_pass(self._store, shown_pass, int(time.time()))

    def open(self, request: Request, form: dict[str, str]) -> Response:
        """Take the key and give a pass for it, or say no without a hint."""
        if not researcher.is_key(self._store, form.get("key", "")):
            return gate(wrong=True)
        answer = RedirectResponse(PATH, 303)
        answer.set_cookie(
            COOKIE,
            researcher.issue_pass(self._store, int(time.time())),
            max_age=researcher.PASS_S,
            path=PATH,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    def close(self) -> Response:
        """Forget the pass in this browser."""
        answer = RedirectResponse(PATH, 303)
        answer.delete_cookie(COOKIE, path=PATH, httponly=True, samesite="strict")
        return answer

    # -- pages ---------------------------------------------------------------------------------

    def index(self) -> Response:
        """Show all studies and what the collector refused."""
        studies = []
        for row in self._store.control.studies():
            study = load_study(row.document)
            counted = filed(self._store, study.id, "overview")
            origins = counted[0].figures["origins"] if counted else {}
            studies.append(
                {
                    "study": study,
                    "day": counted[0].day if counted else None,
                    "people": [
                        (origin, shown.LOOKS[origin], counts["people"])
                        for origin, counts in origins.items()
                    ],
                    "models": len(purposes_with_model(self._store, study.id)),
                    "audits": len(filed(self._store, study.id, "audit")),
                }
            )
        return page("research/index.html", studies=studies, refused=self._refused())

    def _refused(self) -> list[tuple[str, str]]:
        by_status: dict[str, int] = {}
        for name, count in self._store.control.counts().items():
            status = name.partition(" ")[0]
            if status in REFUSALS:
                by_status[status] = by_status.get(status, 0) + count
        return [(REFUSALS[status], bucket(count)) for status, count in sorted(by_status.items())]

    def study(self, study_id: str) -> Response:
        """Show one study."""
        study = study_of(self._store, study_id)
        told = history.told(self._store, study.id)
        counted = filed(self._store, study.id, "overview")
        spread = filed(self._store, study.id, "features")
        attacked = filed(self._store, study.id, audits.KIND)
        jobs = {section: self._job(study.id, section) for section in SECTIONS}
        return page(
            "research/study.html",
            study=study,
            purposes=[REGISTRY[purpose] for purpose in study.purposes],
            learns=[p for p in study.purposes if p in LEARNS],
            levels=sorted((n for n in LEVELS if n != "raw" or study.level == "keys"), reverse=True),
            counts=(counted[0], shown.quality(counted[0])) if counted else None,
            purpose_titles={purpose: REGISTRY[purpose].title for purpose in study.purposes},
            spreads=[(found, shown.spreads(found)) for found in spread],
            models=self._models(study),
            runs=[t for t in reversed(told) if t.entry.kind == "training"],
            audits=[shown.audit(found) for found in attacked],
            audit_runs=[t for t in reversed(told) if t.entry.kind == "audit"],
            gone={
                section: not standing and not self._runs(study.id, section) and did
                for section, standing, did in (
                    ("counts", counted, _gone(told, "counts", "count")),
                    ("features", spread, _gone(told, "features", "features")),
                    ("audits", attacked, any(t.entry.kind == "audit" for t in told)),
                )
            },
            jobs=jobs,
            running=any(self._runs(study.id, section) for section in SECTIONS),
        )

    def _models(self, study: Study) -> list[tuple[str, dict[str, Any]]]:
        made = []
        for purpose in purposes_with_model(self._store, study.id):
            card = train.card(self._store, study.id, purpose)
            if card is not None:
                made.append((REGISTRY[purpose].title, shown.model(card)))
        return made

    # -- jobs ----------------------------------------------------------------------------------

    def _job(self, study: str, section: str) -> tuple[str, Job] | None:
        job_id = self._latest.get((study, section))
        job = None if job_id is None else self._jobs.get(job_id)
        return None if job is None or job_id is None else (job_id, job)

    def _runs(self, study: str, section: str) -> bool:
        known = self._job(study, section)
        return known is not None and known[1].state == "running"

    def start(self, study_id: str, section: str, form: dict[str, str]) -> Response:
        """Begin what a section's button asks for; while it runs, it is not begun again."""
        study = study_of(self._store, study_id)
        work = self._work(study, section, form)

        def run(progress: Progress) -> None:
            work(progress)

        self._latest[study.id, section] = self._jobs.start(f"research {section} {study.id}", run)
        return RedirectResponse(f"{PATH}/{study.id}#{section}", 303)

    def _work(
        self, study: Study, section: str, form: dict[str, str]
    ) -> Callable[[Progress], object]:
        store, purpose = self._store, form.get("purpose", study.purposes[0])
        if section != "audits" and purpose not in study.purposes:
            raise InvalidInput("is not a purpose of this study", where="purpose")
        if section == "counts":
            return partial(overview, store, study.id, READER)
        if section == "features":
            return partial(distributions, store, study.id, purpose, READER)
        if section == "models":
            return lambda progress: train.train(
                store, study.id, purpose, reader=READER, progress=progress
            )
        if section != "audits":
            raise Missing("there is nothing here", where="path")
        level = form.get("level", "rhythm")
        if level not in LEVELS:
            raise InvalidInput("is not a level of attacks", where="level")
        return partial(audits.audit_once, store, study.id, level, lengths(form), READER)

    def progress(self, job_id: str) -> Response:
        """Say how far a job is."""
        job = self._jobs.get(job_id)
        if job is None:
            raise Missing("there is no such job", where="job")
        return JSONResponse({k: v for k, v in job.as_dict().items() if k != "result"})


def lengths(form: dict[str, str]) -> list[int]:
    """Return the lengths of probes of a form such as `50, 250`."""
    parts = form.get("keys", "50, 250").replace(",", " ").split()
    if not parts or not all(p.isascii() and p.isdigit() and len(p) < 6 for p in parts):
        raise InvalidInput("must be whole numbers", where="keys", do="Such as 50, 250.")
    found = sorted({int(part) for part in parts})
    if not KEYS_MIN <= found[0] <= found[-1] <= KEYS_MAX or len(found) > LENGTHS_MAX:
        raise InvalidInput(
            f"must be at most {LENGTHS_MAX} numbers from {KEYS_MIN} to {KEYS_MAX}", where="keys"
        )
    return found


def _gone(told: list[history.Told], section: str, action: str) -> bool:
    """Tell whether the page computed something of enough people before, by its reads in the log."""
    fewest = f"<{PEOPLE_MIN}"
    return any(
        t.entry.kind == "read"
        and (t.opening.detail.get("reader"), t.opening.detail.get("action")) == (READER, action)
        and any(
            section == "counts" or people != fewest
            for people in (t.opening.detail.get("people") or {}).values()
        )
        for t in told
    )


def gate(*, wrong: bool = False) -> Response:
    """Return the page that asks for the key; the same for every path."""
    return page("research/gate.html", 403, wrong=wrong)


def routes(store: Store, jobs: Jobs) -> list[Route]:
    """Return the routes of the researcher's page."""
    research = Research(store, jobs)

    def guarded(path: str, method: str, work: Callable[[Request, dict[str, str]], Response]) -> Any:
        async def endpoint(request: Request) -> Response:
            if not research.lets_in(request):
                return gate()
            form = _form(await request.body()) if method == "POST" else {}
            return await run_in_threadpool(work, request, form)

        return Route(path, endpoint, methods=[method])

    async def key(request: Request) -> Response:
        return await run_in_threadpool(research.open, request, _form(await request.body()))

    def nothing(_request: Request, _form: dict[str, str]) -> Response:
        raise Missing("there is nothing here", where="path")

    def named(request: Request, name: str) -> str:
        return str(request.path_params[name])

    return [
        Route(f"{PATH}/key", key, methods=["POST"]),
        guarded(PATH, "GET", lambda _r, _f: research.index()),
        guarded(f"{PATH}/close", "POST", lambda _r, _f: research.close()),
        guarded(f"{PATH}/jobs/{{job}}", "GET", lambda r, _f: research.progress(named(r, "job"))),
        guarded(f"{PATH}/{{study}}", "GET", lambda r, _f: research.study(named(r, "study"))),
        guarded(
            f"{PATH}/{{study}}/{{section}}",
            "POST",
            lambda r, f: research.start(named(r, "study"), named(r, "section"), f),
        ),
        guarded(f"{PATH}/{{rest:path}}", "GET", nothing),
        guarded(f"{PATH}/{{rest:path}}", "POST", nothing),
    ]


def _form(body: bytes) -> dict[str, str]:
    """Return the fields of a form; of one given twice the last."""
    try:
        pairs = parse_qs(body.decode("ascii"), max_num_fields=16)
    except ValueError:
        return {}
    return {name: values[-1] for name, values in pairs.items()}
