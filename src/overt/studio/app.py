"""The one web application of Overt: batches go straight to the collector, all else is here.

`/v1/batches` is a bare function beside the framework, because it is the path of all data. There is
no access log. The background work of a server (training, erasure) is in `jobs`.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from overt.collector.app import PATH as BATCHES
from overt.collector.app import Collector
from overt.collector.connection import connection_to
from overt.gateway import studies
from overt.schema.errors import InvalidInput, Missing, OvertError
from overt.store.store import Store
from overt.studio import api, pages, research
from overt.studio.elsewhere import Elsewhere
from overt.studio.jobs import Jobs
from overt.studio.lesson import Lesson
from overt.studio.shell import Shell, error_body, is_api, status_of
from overt.studio.standing import Standing

_HERE = files("overt.studio")


class App:
    """The ASGI application: batches and the lifespan to the collector, all else to the shell.

    Give `connection` to `uvicorn.Config(http=…)`; without it batches take the long way. Tell
    `standing` by what it sees that the server stops; without it no question is kept open.
    """

    def __init__(
        self, shell: ASGIApp, collector: Collector, store: Store, standing: Standing
    ) -> None:
        self._shell = shell
        self.standing = standing
        self._collector = collector
        self._guarded = Elsewhere(self._inside, store)
        self.connection = connection_to(collector)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        await self._guarded(scope, receive, send)

    async def _inside(self, scope: Scope, receive: Receive, send: Send) -> None:
        batches = scope["type"] == "http" and scope["path"] == BATCHES
        to_collector = batches or scope["type"] == "lifespan"
        await (self._collector if to_collector else self._shell)(scope, receive, send)


def create_app(data_dir: Path, lesson: Lesson | None = None, site: Path | None = None) -> App:
    """Return the ASGI application over a data directory, which is made if it is not there.

    `lesson` says how much is trained from the page; tests take a smaller one. `site` is a folder
    of pages of one's own that are served below `/site/`, under the same strict headers. They are
    of the same origin as all other pages here, so their scripts are trusted like Overt's own.
    Raises `InvalidInput` for a site that holds the data directory, or lies in it.
    """
    _check_apart(data_dir, site)
    store = Store.open(data_dir, create=True)
    _register_built_in(store)
    collector = Collector(store)
    own = [Mount("/site", StaticFiles(directory=str(site), html=True))] if site else []
    jobs = Jobs()
    standing = Standing(store)
    inner = Starlette(
        routes=[
            *own,
            Route("/healthz", _healthy),
            *api.routes(store, jobs, lesson or Lesson(), standing),
            *research.routes(store, jobs),
            *pages.routes(store),
            Mount("/static", StaticFiles(directory=str(_HERE / "static"))),
        ],
        exception_handlers={
            OvertError: _refused,
            HTTPException: _no_such_page,
            Exception: _broken,
        },
    )
    return App(Shell(inner), collector, store, standing)


def _check_apart(data_dir: Path, site: Path | None) -> None:
    """Refuse a site that holds the data directory, or lies in it: anyone could fetch its files."""
    if site is None:
        return
    data, pages_dir = data_dir.resolve(), site.resolve()
    if data.is_relative_to(pages_dir) or pages_dir.is_relative_to(data):
        raise InvalidInput(
            "is not apart from the data directory, so its keys would be served to anyone",
            where="--site",
            do="Keep pages and data in folders of their own.",
        )


def _register_built_in(store: Store) -> None:
    """File the study that comes with Overt, unless this version of it is there already."""
    document = (_HERE / "studies" / f"{pages.BUILT_IN}.toml").read_bytes()
    known = store.control.study(pages.BUILT_IN)
    if known is None or known.document != document:
        studies.register(store, document)


async def _healthy(_: Request) -> Response:
    return JSONResponse({"ok": True})


def _answer(request: Request, status: int, error: OvertError) -> Response:
    if is_api(request.url.path):
        return JSONResponse(error_body(error), status)
    return pages.error_page(status, error.what, error.where, error.do)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, OvertError)  # noqa: S101 - registered for this type alone
    if isinstance(error, Missing) and error.where == "study":
        # At the command line it names the studies there are; that is for nobody else.
        error = Missing(error.what, where="study", do="Look at the address you were given.")
    return _answer(request, status_of(error), error)


def _no_such_page(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type alone
    what = "there is nothing here" if error.status_code == 404 else "this method is not known here"
    return _answer(request, error.status_code, OvertError(what))


def _broken(request: Request, _: Exception) -> Response:
    return _answer(request, 500, OvertError("failed in an unexpected way", do="Try again later."))
