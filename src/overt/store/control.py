"""The control database: states, counts and places under random row ids, nothing else.

SQLite in WAL mode with `secure_delete`, so that deleted cells are zeroed and, after `purge()`,
are in no page of either file. It holds no pseudonym, no key and no time finer than a day; what
says more (receipts, openings, steps of an erasure) is sealed by its owner before it comes here.

Writers take the database's one write lock at the start (`BEGIN IMMEDIATE`), in every process.
That order decides between an upload and a withdrawal: whichever transaction is first is first.
"""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from overt.schema.errors import Damaged, InvalidInput, Missing, Refused
from overt.store.files import make_folder, open_private
from overt.store.tables import (
    METADATA,
    SCHEMA_VERSION,
    artefact,
    backup,
    batch,
    counter,
    erasure,
    opening,
    receipt,
    segment,
    study,
    subject,
    tombstone,
)

BUSY_TIMEOUT_S = 10.0
"""How long a writer waits for another process, and a purge for a reader."""

WAL_PAGES = 8192
"""Pages (of 4 KiB) in the WAL before it is moved into the database."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a receipt allows at this moment. `active` is `granted` minus what was withdrawn."""

    receipt: str
    subject: str
    study: str
    origin: str
    granted: tuple[str, ...]
    active: tuple[str, ...]
    level: str


@dataclass(frozen=True, slots=True)
class BatchPlace:
    """Where a sealed batch lies and what it is filed under."""

    row: str
    subject: str
    receipt: str
    data_key: str
    segment: str
    offset: int
    length: int
    session: str
    batch: int
    purposes: tuple[str, ...]
    day: int
    first_seq: int
    events: int
    produced: int
    removed: int
    lost: int
    end: bool


@dataclass(frozen=True, slots=True)
class StudyRow:
    """A study as filed: its id, origin and the exact bytes of its `study.toml`."""

    id: str
    origin: str
    document: bytes
    created_day: int


@dataclass(frozen=True, slots=True)
class BackupRow:
    """A backup that was made, the day after which it is expired, and whether it still exists."""

    row: str
    place: str
    made_day: int
    expires_day: int
    state: str


def today() -> int:
    """Return the day since 1970 (UTC)."""
    return dt.datetime.now(dt.UTC).date().toordinal() - 719_163


def split_names(text: str) -> tuple[str, ...]:
    """Return the purposes of a comma-joined column."""
    return tuple(text.split(",")) if text else ()


class Control:
    """An open control database."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        if not path.exists() and not create:
            raise Missing("there is no control database", where=str(path))
        make_folder(path.parent)
        # SQLite gives -wal and -shm the mode of the main file.
        os.close(open_private(path))
        self._engine = _engine(path, durable=True)
        self._fast = _engine(path, durable=False)
        with self.write() as connection:
            METADATA.create_all(connection)
            version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            if version not in (0, SCHEMA_VERSION):
                raise Damaged(
                    "was written by another version of Overt", where=str(path), do="Use that one."
                )
            connection.exec_driver_sql(f"PRAGMA user_version={SCHEMA_VERSION}")

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()
        self._fast.dispose()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Yield a connection in a short read transaction."""
        with self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[sa.Connection]:
        """Yield a connection that holds the write lock; commits at the end, or rolls back.

        `durable=False` leaves the fsync to a later commit: only for what can be rebuilt from
        segments. Raises `Refused` when another process holds the lock for too long.
        """
        engine = self._engine if durable else self._fast
        with engine.connect().execution_options(overt_write=True) as connection:
            try:
                transaction = connection.begin()
                connection.exec_driver_sql("SELECT 1")
            except sa.exc.OperationalError as error:
                raise _busy() from error
            with transaction:
                yield connection

    def purge(self) -> None:
        """Move the WAL into the database and truncate it, so that no deleted byte is left.

        Raises `Refused` when a reader keeps it from finishing; it may be called again.
        """
        with self._engine.connect().execution_options(overt_bare=True) as connection:
            busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar_one()
        if busy:
            raise _busy()

    # -- studies, subjects, receipts ---------------------------------------------------------

    def put_study(self, id_: str, origin: str, document: bytes) -> None:
        """File a study or a new version of it. Its origin cannot change."""
        with self.write() as connection:
            known = connection.execute(sa.select(study.c.origin).where(study.c.id == id_)).scalar()
            if known is None:
                connection.execute(
                    study.insert().values(
                        id=id_, origin=origin, document=document, created_day=today()
                    )
                )
            elif known != origin:
                raise InvalidInput("a study keeps its origin", where="study.origin")
            else:
                connection.execute(
                    study.update().where(study.c.id == id_).values(document=document)
                )

    def study(self, id_: str) -> StudyRow | None:
        """Return a study by its id."""
        return next((row for row in self.studies() if row.id == id_), None)

    def studies(self) -> list[StudyRow]:
        """Return all studies by id."""
        with self.read() as connection:
            rows = connection.execute(sa.select(study).order_by(study.c.id))
            return [StudyRow(r.id, r.origin, r.document, r.created_day) for r in rows]

    def put_subjects(self, rows: Iterable[str], study_id: str, origin: str) -> None:
        """File subjects that the keyring knows."""
        values = [
            {"row": row, "study": study_id, "origin": origin, "joined_day": today()} for row in rows
        ]
        with self.write() as connection:
            connection.execute(subject.insert(), values)

    def subjects(self, study_id: str, origin: str | None = None) -> list[str]:
        """Return the rows of a study's subjects, sorted (they are random)."""
        query = sa.select(subject.c.row).where(subject.c.study == study_id).order_by(subject.c.row)
        if origin is not None:
            query = query.where(subject.c.origin == origin)
        with self.read() as connection:
            return list(connection.execute(query).scalars())

    def subject_study(self, row: str) -> tuple[str, str] | None:
        """Return study and origin of a subject, or None when there is none."""
        query = sa.select(subject.c.study, subject.c.origin).where(subject.c.row == row)
        with self.read() as connection:
            found = connection.execute(query).first()
        return None if found is None else (found.study, found.origin)

    def put_receipts(self, values: Iterable[dict[str, Any]]) -> None:
        """File receipts: `row, subject, purposes (tuple), level, sealed`."""
        ready = [
            {
                **value,
                "purposes": ",".join(sorted(value["purposes"])),
                "withdrawn": "",
                "issued_day": today(),
            }
            for value in values
        ]
        with self.write() as connection:
            connection.execute(receipt.insert(), ready)

    def sealed_receipt(self, row: str) -> tuple[str, bytes] | None:
        """Return the subject and the sealed document of a receipt."""
        query = sa.select(receipt.c.subject, receipt.c.sealed).where(receipt.c.row == row)
        with self.read() as connection:
            found = connection.execute(query).first()
        return None if found is None else (found.subject, found.sealed)

    def replace_sealed_receipt(self, row: str, sealed: bytes) -> None:
        """File another sealed document for a receipt."""
        with self.write() as connection:
            connection.execute(receipt.update().where(receipt.c.row == row).values(sealed=sealed))

    def receipts_of(self, subject_row: str) -> list[Grant]:
        """Return what each receipt of a subject allows now, sorted by receipt."""
        with self.read() as connection:
            return _grants(connection, receipt.c.subject == subject_row)

    def grant(self, receipt_row: str) -> Grant | None:
        """Return what a receipt allows now; None when it is not known."""
        with self.read() as connection:
            return next(iter(_grants(connection, receipt.c.row == receipt_row)), None)

    def grants_in(self, connection: sa.Connection, rows: Iterable[str]) -> dict[str, Grant]:
        """Return what receipts allow, as seen by an open transaction.

        What was read before on the same connection is kept until SQLite says that another one,
        in whichever process, has written.
        """
        version = connection.exec_driver_sql("PRAGMA data_version").scalar_one()
        if connection.info.get("version") != version:
            connection.info["version"], connection.info["grants"] = version, {}
        known: dict[str, Grant] = connection.info["grants"]
        unknown = [row for row in rows if row not in known]
        for at in range(0, len(unknown), 500):
            part = receipt.c.row.in_(unknown[at : at + 500])
            known.update({grant.receipt: grant for grant in _grants(connection, part)})
        return known

    def withdraw(self, receipt_row: str, purposes: Iterable[str] | None = None) -> Grant | None:
        """Take back purposes (all when None) from a receipt; return what is left.

        From the return on no upload that rests on them is stored, in any process.
        """
        with self.write() as connection:
            found = next(iter(_grants(connection, receipt.c.row == receipt_row)), None)
            if found is None:
                return None
            gone = set(found.granted) - set(found.active)
            gone |= set(found.granted if purposes is None else purposes)
            connection.execute(
                receipt.update()
                .where(receipt.c.row == receipt_row)
                .values(withdrawn=",".join(sorted(gone & set(found.granted))))
            )
            return next(iter(_grants(connection, receipt.c.row == receipt_row)))

    # -- tombstones: hashes of receipts, keyed, so that the file alone names none -------------

    def put_tombstones(self, marks: Iterable[bytes]) -> None:
        """Refuse uploads under these marks from now on. Repeating is no error."""
        with self.write() as connection:
            for mark in marks:
                connection.execute(
                    sa.text("INSERT OR IGNORE INTO tombstone (mark, day) VALUES (:mark, :day)"),
                    {"mark": mark, "day": today()},
                )

    def has_tombstone(self, mark: bytes) -> bool:
        """Return whether uploads under this mark are refused."""
        query = sa.select(tombstone.c.mark).where(tombstone.c.mark == mark)
        with self.read() as connection:
            return connection.execute(query).first() is not None

    # -- batches -----------------------------------------------------------------------------

    def batches(
        self,
        *,
        subject_row: str | None = None,
        rows: Iterable[str] | None = None,
        data_keys: Iterable[str] | None = None,
    ) -> list[BatchPlace]:
        """Return the live batches of a subject, with these rows, or under these data keys."""
        with self.read() as connection:
            return self.batches_in(
                connection, subject_row=subject_row, rows=rows, data_keys=data_keys
            )

    def batches_in(
        self,
        connection: sa.Connection,
        *,
        subject_row: str | None = None,
        rows: Iterable[str] | None = None,
        data_keys: Iterable[str] | None = None,
        segment_name: str | None = None,
    ) -> list[BatchPlace]:
        """Return live batches as an open transaction sees them, by session and number."""
        query = sa.select(batch).where(batch.c.segment.is_not(None))
        if subject_row is not None:
            query = query.where(batch.c.subject == subject_row)
        if segment_name is not None:
            query = query.where(batch.c.segment == segment_name)
        column, wanted = (batch.c.row, rows) if rows is not None else (batch.c.data_key, data_keys)
        if wanted is None:
            return _ordered(_place(r) for r in connection.execute(query))
        ids, found = list(wanted), []
        for at in range(0, len(ids), 500):
            part = query.where(column.in_(ids[at : at + 500]))
            found += [_place(r) for r in connection.execute(part)]
        return _ordered(found)

    def move(
        self,
        connection: sa.Connection,
        rows: list[str],
        segment_name: str,
        offsets: list[int],
        end: int,
    ) -> None:
        """Note that batches lie elsewhere now."""
        connection.execute(
            batch.update()
            .where(batch.c.row == sa.bindparam("b_row"))
            .values(segment=segment_name, offset=sa.bindparam("b_offset")),
            [{"b_row": r, "b_offset": o} for r, o in zip(rows, offsets, strict=True)],
        )
        self.set_segment_end(connection, segment_name, end)

    def drop_segment(self, connection: sa.Connection, name: str) -> None:
        """Forget a segment that holds nothing any more."""
        connection.execute(segment.delete().where(segment.c.name == name))

    def drop_batches(self, rows: Iterable[str]) -> None:
        """Remove batches from the index."""
        self._in_parts(batch.delete().where(batch.c.row == sa.bindparam("b_row")), rows)

    def empty_batches(self, rows: Iterable[str]) -> None:
        """Keep that batches came, so that they are not taken twice, and forget where they lay."""
        change = batch.update().where(batch.c.row == sa.bindparam("b_row"))
        self._in_parts(change.values(segment=None, offset=0, length=0, events=0), rows)

    def _in_parts(self, statement: Any, rows: Iterable[str]) -> None:
        values = [{"b_row": row} for row in rows]
        if values:
            with self.write() as connection:
                connection.execute(statement, values)

    def drop_subject(self, row: str) -> None:
        """Remove everything filed under a subject, and the subject."""
        with self.write() as connection:
            for table in (batch, opening, receipt):
                connection.execute(table.delete().where(table.c.subject == row))
            connection.execute(subject.delete().where(subject.c.row == row))

    def held(
        self, connection: sa.Connection, keys: list[tuple[bytes, int]]
    ) -> set[tuple[bytes, int]]:
        """Return which (session, batch number) are taken, as seen by an open transaction."""
        asked = ",".join(["(?,?)"] * len(keys))
        found = connection.exec_driver_sql(
            f"WITH asked(s, b) AS (VALUES {asked}) SELECT s, b FROM asked"  # noqa: S608
            " CROSS JOIN batch ON batch.session = s AND batch.batch = b",
            tuple(value for key in keys for value in key),
        )
        return {(bytes(s), b) for s, b in found}

    def index(self, connection: sa.Connection, places: list[BatchPlace], end: int) -> None:
        """File new batches of one segment, which is then indexed up to `end`."""
        connection.exec_driver_sql(_INSERT_BATCH, [_values(place) for place in places])
        self.set_segment_end(connection, places[0].segment, end)

    def set_segment_end(self, connection: sa.Connection, name: str, end: int) -> None:
        """Note up to where a segment is indexed."""
        connection.exec_driver_sql(
            "INSERT INTO segment (name, end) VALUES (?1, ?2)"
            " ON CONFLICT (name) DO UPDATE SET end = ?2",
            (bytes.fromhex(name), end),
        )

    def stored(self, subject_row: str) -> dict[str, int]:
        """Return counts of one subject.

        Keys: sessions, batches, events, produced, removed, lost, unclean (sessions without an
        end mark).
        """
        with self.read() as connection:
            return _counts(connection, batch.c.subject == subject_row)

    def stored_in_study(self, study_id: str) -> dict[str, int]:
        """Return the same counts over a study, and `subjects`."""
        members = sa.select(subject.c.row).where(subject.c.study == study_id)
        with self.read() as connection:
            counts = _counts(connection, batch.c.subject.in_(members))
            counts["subjects"] = connection.execute(
                sa.select(sa.func.count()).where(subject.c.study == study_id)
            ).scalar_one()
        return counts

    # -- artefacts, openings, erasures, backups, counters ------------------------------------

    def put_artefact(self, row: str, kind: str, study_id: str, purpose: str) -> None:
        """File a sealed artefact."""
        with self.write() as connection:
            connection.execute(
                artefact.insert().values(
                    row=row, kind=kind, study=study_id, purpose=purpose, day=today()
                )
            )

    def artefacts(
        self, study_id: str | None = None, kind: str | None = None, purpose: str | None = None
    ) -> list[tuple[str, str, str, str, int]]:
        """Return (row, kind, study, purpose, day) of artefacts, oldest first."""
        query = sa.select(artefact).order_by(artefact.c.number)
        for column, value in (("study", study_id), ("kind", kind), ("purpose", purpose)):
            if value is not None:
                query = query.where(artefact.c[column] == value)
        with self.read() as connection:
            return [(r.row, r.kind, r.study, r.purpose, r.day) for r in connection.execute(query)]

    def drop_artefact(self, row: str) -> None:
        """Remove an artefact from the index."""
        with self.write() as connection:
            connection.execute(artefact.delete().where(artefact.c.row == row))

    def put_opening(self, index: int, subject_row: str | None, sealed: bytes) -> None:
        """File the sealed opening (salt and detail) of a log entry."""
        with self.write() as connection:
            connection.execute(
                opening.insert().values(entry=index, subject=subject_row, sealed=sealed)
            )

    def openings(self, subject_row: str | None) -> list[tuple[int, bytes]]:
        """Return the sealed openings of a subject, or of nobody in particular, by entry."""
        query = sa.select(opening).where(opening.c.subject.is_(None))
        if subject_row is not None:
            query = sa.select(opening).where(opening.c.subject == subject_row)
        with self.read() as connection:
            rows = connection.execute(query.order_by(opening.c.entry, opening.c.number))
            return [(r.entry, r.sealed) for r in rows]

    def put_erasure(self, job: str, step: str, sealed: bytes) -> None:
        """File an erasure or its next step."""
        with self.write() as connection:
            connection.execute(
                sa.text(
                    "INSERT INTO erasure (job, step, sealed, day) VALUES (:job, :step, :sealed,"
                    " :day) ON CONFLICT (job) DO UPDATE SET step = :step, sealed = :sealed"
                ),
                {"job": bytes.fromhex(job), "step": step, "sealed": sealed, "day": today()},
            )

    def erasures(self) -> list[tuple[str, str, bytes]]:
        """Return (job, step, sealed detail) of all erasures."""
        with self.read() as connection:
            rows = connection.execute(sa.select(erasure).order_by(erasure.c.job))
            return [(r.job, r.step, r.sealed) for r in rows]

    def put_backup(self, row: str, place: str, expires_day: int) -> None:
        """File a backup that was made today."""
        with self.write() as connection:
            connection.execute(
                backup.insert().values(
                    row=row, place=place, made_day=today(), expires_day=expires_day, state="made"
                )
            )

    def backups(self) -> list[BackupRow]:
        """Return all backups, by the day they expire."""
        with self.read() as connection:
            rows = connection.execute(sa.select(backup).order_by(backup.c.expires_day))
            return [BackupRow(r.row, r.place, r.made_day, r.expires_day, r.state) for r in rows]

    def mark_backup(self, row: str, state: str) -> None:
        """Set the state of a backup: made, removed."""
        with self.write() as connection:
            connection.execute(backup.update().where(backup.c.row == row).values(state=state))

    def count(self, counts: dict[str, int]) -> None:
        """Add to today's counters."""
        with self.write(durable=False) as connection:
            for name, number in counts.items():
                connection.execute(
                    sa.text(
                        "INSERT INTO counter (name, day, n) VALUES (:name, :day, :n)"
                        " ON CONFLICT (name, day) DO UPDATE SET n = n + :n"
                    ),
                    {"name": name, "day": today(), "n": number},
                )

    def counts(self) -> dict[str, int]:
        """Return the counters over all days, by name."""
        query = sa.select(counter.c.name, sa.func.sum(counter.c.n)).group_by(counter.c.name)
        with self.read() as connection:
            return {name: int(n) for name, n in connection.execute(query.order_by(counter.c.name))}

    def segment_ends(self, connection: sa.Connection) -> dict[str, int]:
        """Return up to where each segment is indexed."""
        return {r.name: r.end for r in connection.execute(sa.select(segment))}


def _ordered(places: Iterable[BatchPlace]) -> list[BatchPlace]:
    return sorted(places, key=lambda place: (place.session, place.batch))


_INSERT_BATCH = (
    f"INSERT INTO batch ({', '.join(batch.c.keys())})"  # noqa: S608 - names of our own columns
    f" VALUES ({', '.join('?' * len(batch.c))})"
)


def _values(p: BatchPlace) -> tuple[object, ...]:
    """Return a place as SQLite stores it, in the order of the table's columns."""
    ids = bytes.fromhex(p.row + p.subject + p.receipt + p.data_key + p.segment + p.session)
    row, subject_, receipt_, data_key, segment_, session = (
        ids[at : at + 16] for at in range(0, 96, 16)
    )
    where = (row, subject_, receipt_, data_key, segment_, p.offset, p.length, session, p.batch)
    counts = (p.first_seq, p.events, p.produced, p.removed, p.lost, p.end)
    return (*where, ",".join(p.purposes), p.day, *counts)


def _busy() -> Refused:
    return Refused(
        "another process holds the control database for too long",
        where="control.db",
        do="Try again; end long reads.",
    )


def _engine(path: Path, *, durable: bool) -> sa.Engine:
    engine = sa.create_engine(
        f"sqlite:///{path}",
        connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False},
    )

    def connected(raw: sqlite3.Connection, _record: object) -> None:
        raw.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "secure_delete=ON",
            "foreign_keys=ON",
            "temp_store=MEMORY",
            f"synchronous={'FULL' if durable else 'NORMAL'}",
            f"wal_autocheckpoint={WAL_PAGES}",
        ):
            raw.execute(f"PRAGMA {pragma}").close()

    def begun(connection: sa.Connection) -> None:
        options = connection.get_execution_options()
        if not options.get("overt_bare"):
            connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("overt_write") else "BEGIN")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)
    return engine


def _grants(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> list[Grant]:
    query = (
        sa.select(
            receipt.c.row,
            receipt.c.subject,
            subject.c.study,
            subject.c.origin,
            receipt.c.purposes,
            receipt.c.withdrawn,
            receipt.c.level,
        )
        .join(subject, receipt.c.subject == subject.c.row)
        .where(condition)
        .order_by(receipt.c.row)
    )
    grants = []
    for r in connection.execute(query):
        granted, withdrawn = split_names(r.purposes), split_names(r.withdrawn)
        active = tuple(name for name in granted if name not in withdrawn)
        grants.append(Grant(r.row, r.subject, r.study, r.origin, granted, active, r.level))
    return grants


def _place(r: Any) -> BatchPlace:
    return BatchPlace(
        row=r.row,
        subject=r.subject,
        receipt=r.receipt,
        data_key=r.data_key,
        segment=r.segment,
        offset=r.offset,
        length=r.length,
        session=r.session,
        batch=r.batch,
        purposes=split_names(r.purposes),
        day=r.day,
        first_seq=r.first_seq,
        events=r.events,
        produced=r.produced,
        removed=r.removed,
        lost=r.lost,
        end=r.end,
    )


def _counts(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> dict[str, int]:
    each = (
        sa.select(
            sa.func.count(batch.c.segment).label("batches"),
            sa.func.sum(batch.c.events).label("events"),
            sa.func.max(batch.c.produced).label("produced"),
            sa.func.max(batch.c.removed).label("removed"),
            sa.func.max(batch.c.lost).label("lost"),
            sa.func.max(sa.cast(batch.c.end, sa.Integer)).label("ended"),
        )
        .where(condition)
        .group_by(batch.c.session)
        .subquery()
    )
    names = ("batches", "events", "produced", "removed", "lost", "ended")
    found = connection.execute(
        sa.select(
            sa.func.count(), *[sa.func.coalesce(sa.func.sum(each.c[n]), 0) for n in names]
        ).select_from(each)
    ).one()
    counts = dict(zip(("sessions", *names), map(int, found), strict=True))
    counts["unclean"] = counts["sessions"] - counts.pop("ended")
    return counts
