from __future__ import annotations

import asyncio
import gzip
import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from overt.collector.app import Collector
from overt.consent.token import issue_token
from overt.schema import batch as batches
from overt.schema import limits
from overt.store.store import Store
from store_fixtures import Person, body, join, new_store, wire_rows

SESSION = "cd" * 16
NOW_S = 1_800_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with new_store(tmp_path / "d") as opened:
        yield opened


def app_of(store: Store) -> Collector:
    return Collector(store, now_s=lambda: NOW_S)


def token(store: Store, person: Person, at_s: int = NOW_S) -> str:
    return issue_token(store.token_secret(), person.receipt, at_s)


Answer = tuple[int, dict[str, Any], dict[bytes, bytes]]


async def post(
    app: Collector, data: bytes, bearer: str | None, *, parts: int = 1, **scope: Any
) -> Answer:
    headers = [(b"content-length", b"%d" % len(data))]
    if bearer is not None:
        headers.append((b"authorization", f"Bearer {bearer}".encode()))
    step = max(1, -(-len(data) // parts))
    chunks = [data[at : at + step] for at in range(0, len(data), step)] or [b""]
    incoming = [
        {"type": "http.request", "body": chunk, "more_body": n < len(chunks)}
        for n, chunk in enumerate(chunks, 1)
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return incoming.pop(0) if incoming else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    base = {"type": "http", "path": "/v1/batches", "method": "POST", "headers": headers}
    await app({**base, **scope}, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"]), dict(sent[0]["headers"])


def one(store: Store, data: bytes, bearer: str | None, **scope: Any) -> Answer:
    """Post once to a fresh collector and close it."""

    async def run() -> Answer:
        app = app_of(store)
        try:
            return await post(app, data, bearer, **scope)
        finally:
            await app.close()

    return asyncio.run(run())


def test_an_acknowledged_batch_is_in_the_store_as_it_was_sent(store: Store) -> None:
    person = join(store)
    item = person.incoming(SESSION, 0)
    status, answer, _ = one(store, item.wire, token(store, person), parts=3)
    assert (status, answer) == (200, {"stored": 60})
    ((_, plain),) = store.read(store.batches_of(person.subject))
    assert plain == gzip.decompress(item.wire)
    status, answer, _ = one(store, item.wire, token(store, person))
    assert status == 409
    assert store.stored_counts(person.subject)["events"] == 60


def test_a_plain_body_is_taken_as_well(store: Store) -> None:
    person = join(store)
    plain = gzip.decompress(person.incoming(SESSION, 0).wire)
    assert one(store, plain, token(store, person))[0] == 200
    assert [p for _, p in store.read(store.batches_of(person.subject))] == [plain]


def test_without_a_good_token_nothing_is_read_or_kept(store: Store) -> None:
    person = join(store)
    data = person.incoming(SESSION, 0).wire
    good = token(store, person)
    flipped = good[:-1] + ("A" if good[-1] != "A" else "B")
    stranger = issue_token(store.token_secret(), os.urandom(16).hex(), NOW_S)
    late = token(store, person, NOW_S - limits.TOKEN_TTL_S - 1)
    for bearer in (None, "", "x", flipped, stranger, late, "é" * 30):
        status, answer, _ = one(store, data, bearer)
        assert status == 401, bearer
        assert bearer is None or len(bearer) < 3 or bearer not in json.dumps(answer)
    assert store.batches_of(person.subject) == []
    assert store.control.counts() == {"401 authorization": 2, "401 token": 5}


@pytest.mark.parametrize(
    ("changed", "status", "where"),
    [
        ({"receipt": "ab" * 16}, 422, "header.receipt"),
        ({"study": "another"}, 422, "header.study"),
        ({"level": "keys", "transform": "keys/0"}, 422, "header.level"),
        ({"transform": "raw/0"}, 422, "header.transform"),
        ({"purposes": ("next-action", "person-or-program")}, 422, "header.purposes"),
        ({"produced": 3}, 422, "rows.dseq"),
        ({"session": "XY" * 16}, 422, "header.session"),
        ({"schema": "event/9"}, 422, "header.schema"),
    ],
)
def test_what_the_receipt_is_not_for_is_refused_with_the_place(
    store: Store, changed: dict[str, Any], status: int, where: str
) -> None:
    person = join(store, ("next-action", "typing-assist"))
    head = person.header(SESSION, 0)._replace(**changed)
    got, answer, _ = one(store, body(head, 1), token(store, person))
    assert (got, answer["error"]["where"]) == (status, where)
    assert store.batches_of(person.subject) == []
    assert store.control.counts() == {f"{status} {where}": 1}


def test_what_is_no_batch_is_400_and_what_is_too_long_413(store: Store) -> None:
    person = join(store)
    bearer = token(store, person)
    for data in (b"", b"{}", b"\x1f\x8bno", gzip.compress(b"0" * 600_000), b"OVB1" + bytes(60)):
        assert one(store, data, bearer)[0] == 400, data[:8]
    long = bytes(limits.WIRE_BYTES_MAX + 1)
    assert one(store, long, bearer)[0] == 413
    assert (
        one(store, long, bearer, headers=[(b"authorization", b"Bearer " + bearer.encode())])[0]
        == 413
    )
    assert one(store, b"", bearer, method="GET")[0] == 405
    assert one(store, b"", bearer, path="/v1/batches/")[0] == 404


def test_a_withdrawal_by_another_process_is_seen_by_the_next_batch(
    store: Store, tmp_path: Path
) -> None:
    person = join(store, ("next-action", "typing-assist"))
    bearer = token(store, person)
    only = {"purposes": ("next-action",)}

    async def run() -> list[Answer]:
        app = app_of(store)
        answers = [await post(app, person.incoming(SESSION, 0, **only).wire, bearer)]
        with sqlite3.connect(store.layout.control) as other:
            other.execute("UPDATE receipt SET withdrawn = 'next-action'")
        other.close()
        answers.append(await post(app, person.incoming(SESSION, 1, **only).wire, bearer))
        answers.append(await post(app, person.incoming(SESSION, 2).wire, bearer))
        with Store.open(store.layout.root) as second:
            second.bury(person.subject)
            answers.append(await post(app, person.incoming(SESSION, 3).wire, bearer))
            second.destroy_keys(person.subject)
            second.overwrite_rows(person.subject)
            second.delete_control_rows(person.subject)
        answers.append(await post(app, person.incoming(SESSION, 4).wire, bearer))
        await app.close()
        return answers

    answers = asyncio.run(run())
    assert [status for status, _, _ in answers] == [200, 410, 200, 410, 410]
    assert answers[1][1]["withdrawn"] == ["next-action"]
    assert answers[3][1]["withdrawn"] == ["next-action", "typing-assist"]
    assert store.stored_counts(person.subject)["events"] == 0


def test_many_devices_at_once_share_commits_and_none_is_lost_or_doubled(store: Store) -> None:
    people = [join(store) for _ in range(8)]
    sent = [(p, p.incoming(SESSION, n)) for n in range(12) for p in people for _ in range(2)]

    async def run() -> list[int]:
        app = app_of(store)
        answers = await asyncio.gather(*[post(app, item.wire, token(store, p)) for p, item in sent])
        await app.close()
        return [status for status, _, _ in answers]

    statuses = asyncio.run(run())
    # 8 people × 24 requests at once: 16 of each wait, the others are told to.
    assert statuses.count(200) + statuses.count(409) == 8 * limits.RECEIPT_PENDING_MAX
    assert statuses.count(429) == len(sent) - 8 * limits.RECEIPT_PENDING_MAX
    stored = {(place.subject, place.batch) for p in people for place in store.batches_of(p.subject)}
    acknowledged = {
        (person.subject, item.header.batch)
        for (person, item), status in zip(sent, statuses, strict=True)
        if status in (200, 409)
    }
    assert stored == acknowledged
    assert len(stored) == statuses.count(200)


def test_a_disk_that_refuses_is_503_and_the_batch_can_come_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = join(store)
    item = person.incoming(SESSION, 0)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", full)
        status, _, headers = one(store, item.wire, token(store, person))
    assert status == 503
    assert int(headers[b"retry-after"]) >= 1
    assert store.batches_of(person.subject) == []
    assert one(store, item.wire, token(store, person))[0] == 200


def test_a_closed_collector_has_stored_what_it_took_and_takes_no_more(store: Store) -> None:
    person = join(store)

    async def run() -> tuple[list[int], int]:
        app = app_of(store)
        posts = [
            asyncio.ensure_future(post(app, person.incoming(SESSION, n).wire, token(store, person)))
            for n in range(5)
        ]
        await asyncio.sleep(0)
        await app.close()
        late = await post(app, person.incoming(SESSION, 9).wire, token(store, person))
        return [(await p)[0] for p in posts], late[0]

    assert asyncio.run(run()) == ([200] * 5, 503)
    assert len(store.batches_of(person.subject)) == 5


def test_no_cleartext_of_a_batch_reaches_the_disk(store: Store) -> None:
    person = join(store)
    head = person.header(SESSION, 0)
    rows = wire_rows(5)
    plain = batches.encode(head, rows)
    deltas = rows.column("dt_us").to_numpy()[1:9].tobytes()
    assert deltas in plain
    assert one(store, plain, token(store, person))[0] == 200
    needles = [SESSION.encode(), bytes.fromhex(SESSION), deltas, b"rhythm/0"]
    found = [
        (path.name, needle[:8])
        for path in store.layout.root.rglob("*")
        if path.is_file()
        for needle in needles
        if needle in path.read_bytes()
    ]
    assert found == []
    modes = {path.stat().st_mode & 0o777 for path in store.layout.root.rglob("*")}
    assert modes <= {0o600, 0o700}
