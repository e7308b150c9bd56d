"""What surrounds every answer: security headers, same-origin posts, bounded bodies, plain errors.

A thin ASGI layer, so that it also covers answers the framework makes by itself. Nothing here
writes a log: there is no access log to read who took part from.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from overt.schema.errors import (
    Damaged,
    InvalidInput,
    Missing,
    NotConsented,
    OvertError,
    Refused,
    TooFew,
    Withdrawn,
)

BODY_BYTES_MAX = 16 * 1024
"""Bodies here are small JSON objects; batches go past this layer, to the collector."""

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
LISTED = "overt.listed_origin"
"""Where a scope says that a page of another site asks, one that a study lists (`elsewhere`)."""

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), usb=()",
}

_STATUS: tuple[tuple[type[OvertError], int], ...] = (
    (Withdrawn, 410),
    (NotConsented, 403),
    (TooFew, 409),
    (Refused, 403),
    (InvalidInput, 400),
    (Missing, 404),
    (Damaged, 500),
)


def status_of(error: OvertError) -> int:
    """Return the HTTP status that says the same as the error."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def error_body(error: OvertError) -> dict[str, dict[str, str]]:
    """Return `{"error": {what, where, do}}`; errors never carry captured data."""
    return {"error": error.as_dict()}


def is_api(path: str) -> bool:
    """Tell whether a path answers in JSON."""
    return path.startswith("/v1/")


class Shell:
    """ASGI layer around the pages and the interface; see the module."""

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        api = is_api(scope["path"])
        has_forms = scope["path"].startswith("/research")

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers["Cache-Control"] = "no-store" if api or has_forms else "no-cache"
                if has_forms:
                    # Under `no-referrer` a browser sends its own forms with `Origin: null`.
                    headers["Referrer-Policy"] = "same-origin"
            await send(message)

        headers = Headers(scope=scope)
        trusted = LISTED in scope or same_origin(scope)
        if scope["method"] not in ("GET", "HEAD") and not trusted:
            await refuse(guarded, 403, "comes from another site", "header Origin")
            return
        body = await _body(receive, headers)
        if body is None:
            await refuse(guarded, 413, f"is longer than {BODY_BYTES_MAX} bytes", "body")
            return
        await self._inner(scope, _once(body, receive), guarded)


def is_own(scope: Scope, origin: str) -> bool:
    """Tell whether an origin, scheme and all, is that of this server's pages.

    Who was reached by `http` may still have pages under `https`: a proxy before it ends the
    encryption. Who was reached by `https` has no page under `http`.
    """
    host = Headers(scope=scope).get("host")
    return origin in (f"https://{host}", f"{scope.get('scheme', 'http')}://{host}")


def same_origin(scope: Scope) -> bool:
    """Tell whether a request that changes something comes from a page of this server.

    Programs send no `Origin` and hold no ambient credentials here, so they pass. Browsers send one
    with every form, and the pass of the researcher's page goes only to requests from its own site.
    """
    headers = Headers(scope=scope)
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or is_own(scope, origin)


async def _body(receive: Receive, headers: Headers) -> bytes | None:
    """Return the whole body, or None if it is too long."""
    declared = headers.get("content-length", "0")
    if not declared.isdigit() or int(declared) > BODY_BYTES_MAX:
        return None
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            break
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > BODY_BYTES_MAX:
            return None
    return body


def _once(body: bytes, receive: Receive) -> Receive:
    waiting: Iterable[Message] = iter(({"type": "http.request", "body": body, "more_body": False},))
    messages = iter(waiting)

    async def again() -> Message:
        return next(messages, None) or await receive()

    return again


async def refuse(send: Send, status: int, what: str, where: str) -> None:
    """Answer with an error in JSON."""
    body = json.dumps({"error": {"what": what, "where": where}}).encode()
    headers: list[Any] = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
