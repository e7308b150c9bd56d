"""`POST /v1/batches` as one bare ASGI function.

A request is checked at once; what passes waits for the next group commit. A group is sealed and
written in the event loop, so that the disk begins at once; while it is synced in a thread, the next
group is taken and checked, so the disk's latency is shared and hidden. The answer is sent only
when the batch is durable.

| answer | meaning for the device |
|---|---|
| 200 `{"stored": rows}` | durable |
| 401 | refresh the token |
| 409 | already have it: an acknowledgement |
| 410 `{"error": …, "withdrawn": [purposes]}` | withdrawn: delete what rests on these alone |
| 413 | send smaller batches |
| 400, 422 | never send it again: drop and count |
| 429, 503 with Retry-After | wait as told |

Every answer but 200 is counted, by status and place; nothing else of the request is kept.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from overt.collector.accept import accept
from overt.consent.token import Tokens
from overt.schema import limits
from overt.schema.errors import InvalidInput, OvertError, Refused, Withdrawn
from overt.schema.rows import warm
from overt.store.append import Incoming, Outcome
from overt.store.control import Grant
from overt.store.store import Store

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Answered = Callable[[int, bytes], None]

PATH = "/v1/batches"
_JSON = (b"content-type", b"application/json")
_WHOLE = ("body", "header", "rows")
"""Places where a batch cannot be read at all: 400 rather than 422."""


class Collector:
    """The ASGI application. `close` it (or let it see the lifespan end) before the store."""

    def __init__(self, store: Store, *, now_s: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now_s = now_s
        self._tokens = Tokens(store.token_secret())
        self._grants: dict[str, Grant] = {}
        self._waiting: list[tuple[Incoming, Grant, Answered]] = []
        self._pending: Counter[str] = Counter()
        self._pending_bytes = 0
        self._thread = ThreadPoolExecutor(1, "overt-commit")
        self._counter = ThreadPoolExecutor(1, "overt-count")
        """A thread of its own, as it waits for the lock that a group holds while it is synced."""
        self._committing: asyncio.Task[None] | None = None
        self._counts: Counter[str] = Counter()
        self._counting: asyncio.Task[None] | None = None
        self._closing = False
        warm()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or follow the server's lifespan."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def close(self) -> None:
        """Refuse what comes from now on, finish what waits, write the counters."""
        self._closing = True
        if self._committing is not None:
            await self._committing
        if self._counting is not None:
            self._counting.cancel()
        self._counter.shutdown()
        self._flush()
        self._thread.shutdown()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return
            await send({"type": "lifespan.startup.complete"})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] != PATH:
            return await self._no(send, 404, InvalidInput("there is nothing here", where="path"))
        if scope["method"] != "POST":
            return await self._no(send, 405, InvalidInput("only POST", where="method"))
        length, bearer = b"0", b""
        for name, value in scope["headers"]:
            if name == b"content-length":
                length = value
            elif name == b"authorization":
                bearer = value
        if len(length) > 12 or not length.isdigit() or int(length) > limits.WIRE_BYTES_MAX:
            return await self._no(send, 413, _TOO_LONG)
        try:
            grant = self._grant(bearer)
        except Withdrawn as error:
            return await self._no(send, 410, error)
        except Refused as error:
            return await self._no(send, 401, error)
        busy = self._busy(grant.receipt)
        if busy is not None:
            return await self._no(send, *busy)
        body = await _body(receive)
        if body is None:
            return None
        if len(body) > limits.WIRE_BYTES_MAX:
            return await self._no(send, 413, _TOO_LONG)
        done: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()

        def answered(status: int, answer: bytes) -> None:
            if not done.done():
                done.set_result((status, answer))

        self.take(body, grant, answered)
        return await _send(send, *await done)

    def take(self, body: bytes, grant: Grant, answered: Answered) -> None:
        """Check a body, and call `answered` with status and answer: at once, or when it is durable.

        Call it in the event loop, with a grant of `expected`.
        """
        try:
            item = accept(body, grant)
        except Withdrawn as error:
            answered(*self._gone(grant, error))
        except InvalidInput as error:
            answered(*self._refusal(400 if error.where in _WHOLE else 422, error))
        else:
            self._pending[grant.receipt] += 1
            self._pending_bytes += len(item.wire)
            self._waiting.append((item, grant, answered))
            if self._committing is None or self._committing.done():
                self._committing = asyncio.get_running_loop().create_task(self._commit())

    # -- who may send ------------------------------------------------------------------------

    def _grant(self, bearer: bytes) -> Grant:
        """Return what the token's receipt allows. Raises `Refused` or `Withdrawn`.

        The copy kept here may be behind another process; the store looks again when it commits.
        """
        if not bearer.startswith(b"Bearer "):
            raise Refused("there is no bearer token", where="authorization")
        receipt = self._tokens.check(bearer[7:], int(self._now_s()))
        grant = self._grants.get(receipt)
        if grant is None:
            grant = self._store.control.grant(receipt)
            if grant is None and self._store.is_gone(receipt):
                raise Withdrawn("the person has left", where="receipt", do="Delete everything.")
            if grant is None:
                raise Refused("there is no such receipt", where="authorization")
            if not grant.active:
                raise Withdrawn("the receipt was withdrawn", where="receipt", do="Delete it.")
            if len(self._grants) >= limits.GRANTS_KEPT_MAX:
                self._grants.clear()
            self._grants[receipt] = grant
        return grant

    def expected(self, bearer: bytes) -> Grant | None:
        """Return what a token allows if its device was here before and may send now, else None.

        None says nothing: ask in the ordinary way, by `__call__`.
        """
        receipt = self._tokens.remembered(bearer[7:], int(self._now_s()))
        grant = None if receipt is None else self._grants.get(receipt)
        if grant is None or not bearer.startswith(b"Bearer ") or self._busy(grant.receipt):
            return None
        return grant

    def _busy(self, receipt: str) -> tuple[int, OvertError] | None:
        if self._closing or self._pending_bytes > limits.PENDING_BYTES_MAX:
            return 503, _CANNOT_STORE
        if self._pending[receipt] >= limits.RECEIPT_PENDING_MAX:
            return 429, Refused("too many batches at once", where="receipt", do="Wait.")
        return None

    # -- group commit ------------------------------------------------------------------------

    async def _commit(self) -> None:
        while self._waiting:
            group = self._waiting[: limits.GROUP_BATCHES_MAX]
            del self._waiting[: len(group)]
            items = [item for item, _, _ in group]
            outcomes: list[Outcome | None]
            try:
                outcomes = [*await self._stored(items)]
            except Exception:  # noqa: BLE001 - whatever it is, nobody may wait for ever
                outcomes = [None] * len(group)
            for (item, grant, answered), outcome in zip(group, outcomes, strict=True):
                self._pending_bytes -= len(item.wire)
                self._pending[grant.receipt] -= 1
                if not self._pending[grant.receipt]:
                    del self._pending[grant.receipt]
                answered(*self._answer_to(outcome, item, grant))

    async def _stored(self, items: list[Incoming]) -> list[Outcome]:
        """Store a group: all but its sync here, unless more than that would have to be waited for.

        That is another process which holds the lock, a key of the day, or a new segment.
        """
        loop = asyncio.get_running_loop()
        begun = self._store.begin_append(items, wait=False)
        if begun is None:
            return await loop.run_in_executor(self._thread, self._store.append_batches, items)
        try:
            finished = loop.run_in_executor(self._thread, begun.finish)
        except RuntimeError:  # closed
            begun.give_up()
            raise
        return await finished

    def _answer_to(
        self, outcome: Outcome | None, item: Incoming, grant: Grant
    ) -> tuple[int, bytes]:
        """Return status and answer; an outcome of None says that nothing could be stored."""
        if outcome is Outcome.STORED:
            return 200, b'{"stored":%d}' % item.header.rows
        if outcome is Outcome.HAVE:
            error = InvalidInput("already have it", where="header.batch", do="Drop it.")
            return self._refusal(409, error)
        if outcome is Outcome.WITHDRAWN:
            self._grants.pop(grant.receipt, None)
            try:
                left = self._store.control.grant(grant.receipt) or grant
            except (OSError, OvertError):
                left = grant
            return self._gone(left, Withdrawn("withdrawn"))
        return self._refusal(503, _CANNOT_STORE)

    # -- answers -----------------------------------------------------------------------------

    def _gone(self, grant: Grant, error: OvertError) -> tuple[int, bytes]:
        withdrawn = [name for name in grant.granted if name not in grant.active]
        return self._refusal(410, error, withdrawn=withdrawn)

    def _refusal(self, status: int, error: OvertError, **more: list[str]) -> tuple[int, bytes]:
        self._count(f"{status} {error.where}")
        return status, json.dumps({"error": error.as_dict(), **more}).encode()

    async def _no(self, send: Send, status: int, error: OvertError) -> None:
        await _send(send, *self._refusal(status, error))

    def _count(self, name: str) -> None:
        self._counts[name] += 1
        if self._counting is None or self._counting.done():
            self._counting = asyncio.get_running_loop().create_task(self._flush_soon())

    async def _flush_soon(self) -> None:
        await asyncio.sleep(limits.COUNTERS_WRITTEN_EVERY_S)
        await asyncio.get_running_loop().run_in_executor(self._counter, self._flush)

    def _flush(self) -> None:
        counts, self._counts = self._counts, Counter()
        if counts:
            self._store.control.count(counts)


_TOO_LONG = InvalidInput(
    "is longer than the limit", where="body", do=f"Send at most {limits.WIRE_BYTES_MAX} bytes."
)
_CANNOT_STORE = Refused("cannot store at the moment", where="store", do="Send it again later.")


async def _body(receive: Receive) -> bytes | None:
    """Return the body, at most one part beyond the limit; None when the client went away."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        parts.append(part)
        size += len(part)
        if not message.get("more_body") or size > limits.WIRE_BYTES_MAX:
            return parts[0] if len(parts) == 1 else b"".join(parts)


async def _send(send: Send, status: int, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers(status, body)})
    await send({"type": "http.response.body", "body": body})


def headers(status: int, body: bytes) -> list[tuple[bytes, bytes]]:
    """Return the headers of an answer."""
    made = [_JSON, (b"content-length", b"%d" % len(body))]
    if status in (429, 503):
        made.append((b"retry-after", b"%d" % limits.RETRY_AFTER_S))
    return made
