"""The usual way to take events: FastAPI, rows of JSON checked by pydantic, SQLite. One core.

    python benchmarks/serve_fastapi.py FOLDER PORT CORE

Written to be quick, so that beating it means something. The body is parsed and checked in one go by
pydantic's own JSON reader, past FastAPI's; columns that are 0 are not sent; a group commit in a
thread writes what came meanwhile in one transaction, so that waiting for the disk is shared (one
transaction a request, or committing in the event loop, is slower); rows go in by `executemany` with
one prepared statement and no index but the key; `synchronous=FULL` syncs the log before the answer.
A batch that comes twice is told apart. Left out, in its favour: compression, encryption, receipts,
tokens, order of rows, and everything that erasing a person would need.
"""

import asyncio
import gc
import os
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from operator import attrgetter
from typing import Annotated

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from overt.schema.event import Edit, KeyClass, Kind, Pointer, Role

Small = Annotated[int, Field(ge=0, le=2**7 - 1)]
Medium = Annotated[int, Field(ge=0, le=2**15 - 1)]
Number = Annotated[int, Field(ge=0, le=2**53)]
Id = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]


class Event(BaseModel):
    model_config = ConfigDict(extra="forbid")

    seq: Number
    t_us: Number
    kind: Annotated[int, Field(ge=1, le=max(Kind))]
    key_class: Annotated[int, Field(ge=0, le=max(KeyClass))] = 0
    key_symbol: Annotated[int, Field(ge=0, le=0)] = 0
    slot: Small = 0
    modifiers: Annotated[int, Field(ge=0, le=63)] = 0
    edit: Annotated[int, Field(ge=0, le=max(Edit))] = 0
    edit_chars: Medium = 0
    role: Annotated[int, Field(ge=0, le=max(Role))] = 0
    element: Medium = 0
    button: Small = 0
    pointer: Annotated[int, Field(ge=0, le=max(Pointer))] = 0
    x_8th_css_px: int = 0
    y_8th_css_px: int = 0
    scroll_x_css_px: int = 0
    scroll_y_css_px: int = 0
    value: int = 0


class Batch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    study: str
    receipt: Id
    session: Id
    batch: Number
    events: Annotated[list[Event], Field(min_length=1, max_length=4096)]


COLUMNS = tuple(Event.model_fields)
values = attrgetter(*COLUMNS)


class Database:
    """Batches and events in SQLite; `store` says which batches are new, once they are durable."""

    def __init__(self, path: str) -> None:
        self.link = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=8192"):
            self.link.execute(f"PRAGMA {pragma}").close()
        self.link.execute(
            "CREATE TABLE batch (id INTEGER PRIMARY KEY, study, receipt, session, batch INTEGER,"
            " UNIQUE (session, batch))"
        )
        self.link.execute(f"CREATE TABLE event (of_batch INTEGER, {' INTEGER, '.join(COLUMNS)})")
        self.insert = f"INSERT INTO event VALUES ({','.join('?' * (len(COLUMNS) + 1))})"

    def store(self, batches: list[Batch]) -> list[bool]:
        new = []
        self.link.execute("BEGIN IMMEDIATE")
        try:
            for each in batches:
                made = self.link.execute(
                    "INSERT OR IGNORE INTO batch (study, receipt, session, batch)"
                    " VALUES (?, ?, ?, ?)",
                    (each.study, each.receipt, each.session, each.batch),
                )
                new.append(made.rowcount == 1)
                if new[-1]:
                    of = made.lastrowid
                    self.link.executemany(self.insert, [(of, *values(e)) for e in each.events])
            self.link.execute("COMMIT")
        except BaseException:
            self.link.execute("ROLLBACK")
            raise
        return new


class Commits:
    """Group commit: while one group is written, the next one gathers."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.thread = ThreadPoolExecutor(1)
        self.waiting: list[tuple[Batch, asyncio.Future[bool]]] = []
        self.running: asyncio.Task[None] | None = None

    async def durable(self, batch: Batch) -> bool:
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.waiting.append((batch, done))
        if self.running is None or self.running.done():
            self.running = asyncio.create_task(self.run())
        return await done

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while self.waiting:
            group, self.waiting = self.waiting, []
            batches = [batch for batch, _ in group]
            try:
                new = await loop.run_in_executor(self.thread, self.database.store, batches)
            except Exception as error:  # noqa: BLE001 - nobody may wait for ever
                for _, done in group:
                    done.set_exception(error)
            else:
                for (_, done), is_new in zip(group, new, strict=True):
                    done.set_result(is_new)


def main() -> None:
    folder, port, core = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    os.sched_setaffinity(0, {core})
    commits = Commits(Database(f"{folder}/events.db"))
    app = FastAPI()

    @app.post("/v1/batches")
    async def take(request: Request) -> Response:
        try:
            batch = Batch.model_validate_json(await request.body())
        except ValidationError as error:
            return Response(error.json(include_input=False), 422, media_type="application/json")
        new = await commits.durable(batch)
        answer = b'{"stored":%d}' % len(batch.events) if new else b'{"stored":0}'
        return Response(answer, 200 if new else 409, media_type="application/json")

    gc.freeze()
    uvicorn.run(
        app, port=port, log_level="critical", access_log=False,
        server_header=False, date_header=False,
    )  # fmt: skip


if __name__ == "__main__":
    main()
