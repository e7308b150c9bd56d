"""Answers to pages of other sites: exactly those that a study lists, on what a device needs.

A page elsewhere may load the SDK from here, show the notice, and let its visitors join, send and
leave. A browser asks before it sends (preflight) and lets the page read an answer only if this
server names the page's origin; it never names all of them (`*`), and never allows cookies: what
proves a device is a token in a header. What a study does not list is refused as before.

The list decides where people can be asked. Notice and joining are only for sites of that study;
after that the token decides, which no other site has.

A browser extension has an origin of its own (in Firefox another one with each installation, so no
list could name it). It is a program that the person installed, not a page: it is answered, in the
same way, as soon as a study has sites for extensions, and may ask to join such studies only.
"""

from __future__ import annotations

import re

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from overt.gateway.studies import is_for_extensions, sites
from overt.store.store import Store
from overt.studio.shell import LISTED, is_own, refuse

SDK = "/static/overt.js"
_EXACT = frozenset(
    {
        SDK,
        "/static/overt-record.js",
        "/static/overt-more.js",
        "/static/overt-frame.js",
        "/static/consent.js",
        "/static/person-or-program.js",
        "/static/text-assist.js",
        "/v1/batches",
        "/v1/join",
        "/v1/token",
        "/v1/withdraw",
        "/v1/me/state",
        "/v1/me/export",
        "/v1/me/model",
        "/v1/me/delete",
        "/v1/me/proof",
        "/v1/me/pair",
        "/v1/me/pause",
        "/v1/pair",
    }
)
_UNDER = ("/v1/studies/", "/v1/erasures/")

_EXTENSION = re.compile(r"chrome-extension://[a-p]{32}|moz-extension://[0-9a-f-]{36}")

PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "authorization, content-type",
    "Access-Control-Max-Age": "600",
}
"""Ten minutes: a site that is taken off a study's list is out soon."""


def is_for_devices(path: str) -> bool:
    """Tell whether a device on another site needs this path."""
    return path in _EXACT or path.startswith(_UNDER)


def is_extension(origin: str) -> bool:
    """Tell whether an origin is that of a browser extension, which no web page can have."""
    return _EXTENSION.fullmatch(origin) is not None


def origin_elsewhere(scope: Scope) -> str | None:
    """Return the origin of a page of another site; None for pages of this one and programs."""
    origin = Headers(scope=scope).get("origin")
    return None if origin is None or is_own(scope, origin) else origin


class Elsewhere:
    """ASGI layer before collector and shell; see the module."""

    def __init__(self, inner: ASGIApp, store: Store) -> None:
        self._inner = inner
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or not is_for_devices(scope["path"]):
            await self._inner(scope, receive, send)
            return
        origin = origin_elsewhere(scope)
        if origin is None:
            await self._inner(scope, receive, _varied(send))
        elif not await run_in_threadpool(self._is_listed, origin):
            await refuse(_varied(send), 403, "comes from another site", "header Origin")
        elif scope["method"] == "OPTIONS":
            await _preflight(_varied(send, origin))
        else:
            await self._inner({**scope, LISTED: origin}, receive, _varied(send, origin))

    def _is_listed(self, origin: str) -> bool:
        if is_extension(origin):
            return is_for_extensions(self._store)
        return origin in sites(self._store)


def _varied(send: Send, origin: str | None = None) -> Send:
    """Say that the answer is another for other origins, and for this one let its page read it."""

    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.add_vary_header("Origin")
            if origin is not None:
                headers["Access-Control-Allow-Origin"] = origin
                headers["Access-Control-Expose-Headers"] = "Retry-After"
        await send(message)

    return told


async def _preflight(send: Send) -> None:
    listed = [(name.lower().encode(), value.encode()) for name, value in PREFLIGHT.items()]
    await send({"type": "http.response.start", "status": 204, "headers": listed})
    await send({"type": "http.response.body", "body": b""})
