"""The short way through uvicorn answers, byte for byte, as the ordinary way does."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from overt.collector.app import Collector
from overt.collector.connection import BatchConnection, connection_to
from overt.consent.token import issue_token
from overt.schema import limits
from overt.store.store import Store
from store_fixtures import Person, join, new_store

SESSION = "cd" * 16


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with new_store(tmp_path / "d") as opened:
        yield opened


class Site:
    """A real server on a real socket, in this event loop."""

    def __init__(self, store: Store, *, short: bool) -> None:
        collector = Collector(store)
        self.taken = 0
        connection = connection_to(collector)
        take = collector.take

        def counted(*arguments: Any) -> None:
            self.taken += 1
            take(*arguments)

        collector.take = counted  # type: ignore[method-assign]
        self.config = uvicorn.Config(
            collector, http=connection if short else "httptools", log_level="critical",
            access_log=False, server_header=False, date_header=False,
        )  # fmt: skip
        self.server = uvicorn.Server(self.config)
        self.sock = socket.create_server(("127.0.0.1", 0))

    async def __aenter__(self) -> Site:
        self.running = asyncio.create_task(self.server.serve(sockets=[self.sock]))
        while not self.server.started:
            await asyncio.sleep(0.005)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.should_exit = True
        await self.running

    async def answers(self, *parts: bytes, count: int) -> bytes:
        """Return what comes back, in full, for what is written part by part on one connection."""
        reader, writer = await asyncio.open_connection(*self.sock.getsockname())
        got = []
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0)
            for _ in range(count):
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
                got += [head, await reader.readexactly(length)]
        finally:
            writer.close()
        return b"".join(got)


def request(body: bytes, bearer: str, *more: str, method: str = "POST") -> bytes:
    head = [f"{method} /v1/batches HTTP/1.1", "Host: x", f"Authorization: Bearer {bearer}"]
    lines = [*head, f"Content-Length: {len(body)}", *more]
    return "\r\n".join([*lines, "", ""]).encode() + body


def bearer(store: Store, person: Person, *, late_s: int = 0) -> str:
    return issue_token(store.token_secret(), person.receipt, int(time.time()) - late_s)


def asked(store: Store, person: Person, first: int) -> list[bytes]:
    """Return requests of all sorts; the first one makes the device known."""
    good = bearer(store, person)
    wires = [person.incoming(SESSION, first + n).wire for n in range(3)]
    return [
        request(wires[0], good),
        request(wires[1], good),
        request(wires[1], good),
        request(wires[2][:-1], good),
        request(b"", good),
        request(bytes(limits.WIRE_BYTES_MAX + 1), good),
        request(wires[2], good + "x"),
        request(wires[2], bearer(store, person, late_s=2000)),
        request(b"", good, method="GET"),
        request(wires[2], good, "X-Other: 1"),
    ]


def test_both_ways_answer_the_same_bytes(store: Store) -> None:
    person = join(store)

    async def run(*, short: bool, first: int) -> list[bytes]:
        async with Site(store, short=short) as site:
            return [await site.answers(each, count=1) for each in asked(store, person, first)]

    ordinary = asyncio.run(run(short=False, first=0))
    assert asyncio.run(run(short=True, first=10)) == ordinary
    statuses = [int(answer[9:12]) for answer in ordinary]
    assert statuses == [200, 200, 409, 400, 400, 413, 401, 401, 405, 200]
    stored = [place.batch for place in store.batches_of(person.subject)]
    assert stored == [0, 1, 2, 10, 11, 12]


def test_a_known_device_goes_the_short_way_and_a_new_one_does_not(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = join(store)
    long_way = 0
    ordinary = uvicorn.protocols.http.httptools_impl.HttpToolsProtocol.on_headers_complete

    def counted(self: Any) -> None:
        nonlocal long_way
        long_way += 1
        ordinary(self)

    monkeypatch.setattr(BatchConnection.__mro__[1], "on_headers_complete", counted)
    good = bearer(store, person)
    own, elsewhere = ["Origin: http://x"], ["Origin: https://x.example"]
    sent = [([], 1), ([], 1), (own, 1), (elsewhere, 2), ([], 2), (elsewhere, 3)]

    async def run() -> list[int]:
        async with Site(store, short=True) as site:
            seen = []
            for number, (more, _) in enumerate(sent):
                wire = person.incoming(SESSION, number).wire
                await site.answers(request(wire, good, *more), count=1)
                seen.append(long_way)
            return seen

    # A page of another site goes where its origin is held against the list.
    assert asyncio.run(run()) == [by_then for _, by_then in sent]
    assert len(store.batches_of(person.subject)) == len(sent)


def test_a_head_that_comes_again_is_not_parsed_again_unless_anything_else_differs(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, other = join(store), join(store)
    good, theirs = bearer(store, person), bearer(store, other)
    wires = [person.incoming(SESSION, n).wire for n in range(9)]
    parsed = 0
    ordinary = BatchConnection.on_message_begin

    def counted(self: Any) -> None:
        nonlocal parsed
        parsed += 1
        ordinary(self)

    monkeypatch.setattr(BatchConnection, "on_message_begin", counted)
    usual = [request(wire, good) for wire in wires]
    cut = len(usual[5]) - 30
    # What is written at once, how many answers it has, and how often the parser has begun by then.
    steps = [
        ([usual[0]], [200], 1),
        ([usual[1]], [200], 2),
        ([usual[2]], [200], 2),
        ([usual[2]], [409], 2),
        ([request(wires[3][:-1], good)], [400], 2),
        ([request(wires[3], theirs)], [422], 3),
        ([request(wires[3], good[:-1] + "!")], [401], 4),
        ([request(wires[3], good, method="GET")], [405], 5),
        ([usual[3]], [200], 6),
        ([usual[4] + usual[4]], [200, 409], 8),
        ([usual[5][:cut], usual[5][cut:]], [200], 9),
        ([usual[6].replace(b"Content-Length: ", b"Content-Length: 0")], [200], 9),
        ([usual[7]], [200], 9),
    ]

    async def run() -> list[tuple[list[int], int]]:
        async with Site(store, short=True) as site:
            await site.answers(request(other.incoming(SESSION, 8).wire, theirs), count=1)
            reader, writer = await asyncio.open_connection(*site.sock.getsockname())
            seen = []
            nonlocal parsed
            parsed = 0
            for pieces, expected, _ in steps:
                for piece in pieces:
                    writer.write(piece)
                    await asyncio.sleep(0.01 if len(pieces) > 1 else 0)
                found = []
                for _ in expected:
                    head = await reader.readuntil(b"\r\n\r\n")
                    length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
                    await reader.readexactly(int(length))
                    found.append(int(head[9:12]))
                seen.append((found, parsed))
            writer.close()
            return seen

    seen = asyncio.run(run())
    assert seen == [(expected, times) for _, expected, times in steps]
    assert [p.batch for p in store.batches_of(person.subject)] == list(range(8))


@pytest.mark.parametrize("step", [1, 40, 100_000])
def test_pipelined_requests_in_any_pieces_are_answered_in_order(store: Store, step: int) -> None:
    person = join(store)
    good = bearer(store, person)
    sent = [person.incoming(SESSION, n).wire for n in (0, 1, 0, 2, 1)]
    stream = b"".join(request(wire, good) for wire in sent[:2])
    mixed = request(sent[2], good) + request(b"", good, method="GET") + request(sent[3], good)
    stream += mixed + request(sent[4], good)
    pieces = [stream[at : at + step] for at in range(0, len(stream), step)]

    async def run() -> bytes:
        async with Site(store, short=True) as site:
            await site.answers(request(person.incoming(SESSION, 9).wire, good), count=1)
            return await site.answers(*pieces, count=6)

    answer = asyncio.run(run())
    found = [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert found == [200, 200, 409, 405, 200, 409]
    assert len(store.batches_of(person.subject)) == 4


def test_a_shutdown_lets_what_was_taken_be_answered(store: Store) -> None:
    person = join(store)
    good = bearer(store, person)

    async def run() -> bytes:
        async with Site(store, short=True) as site:
            await site.answers(request(person.incoming(SESSION, 0).wire, good), count=1)
            other = sqlite3.connect(store.layout.control, isolation_level=None)
            other.execute("BEGIN IMMEDIATE").close()
            wire = person.incoming(SESSION, 1).wire
            waiting = asyncio.create_task(site.answers(request(wire, good), count=1))
            while site.taken < 2:
                await asyncio.sleep(0)
            site.server.should_exit = True
            while any(server.is_serving() for server in site.server.servers):
                await asyncio.sleep(0.005)
            await asyncio.sleep(0)
            other.close()
        return await waiting

    answer = asyncio.run(run())
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"connection: close" in answer
    assert len(store.batches_of(person.subject)) == 2


def test_a_client_that_goes_away_keeps_nobody_waiting(store: Store) -> None:
    person = join(store)
    good = bearer(store, person)

    async def run() -> list[bytes]:
        async with Site(store, short=True) as site:
            await site.answers(request(person.incoming(SESSION, 0).wire, good), count=1)
            whole, torn = (request(person.incoming(SESSION, n).wire, good) for n in (1, 2))
            await site.answers(whole, count=0)
            await site.answers(torn[:-20], count=0)
            again = [whole, torn, request(person.incoming(SESSION, 3).wire, good)]
            return [await site.answers(each, count=1) for each in again]

    first, *others = asyncio.run(run())
    assert first[9:12] in (b"200", b"409")
    assert [answer[9:12] for answer in others] == [b"200", b"200"]
    assert len(store.batches_of(person.subject)) == 4
