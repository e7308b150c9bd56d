"""The index of batches in the control database: where each sealed row lies, and counts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import sqlalchemy as sa

from overt.store.database import Database, bare, split_names
from overt.store.tables import batch, segment, subject


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


class Entry(NamedTuple):
    """A new row of table `batch`, as SQLite stores it and in the order of its columns."""

    row: bytes
    subject: bytes
    receipt: bytes
    data_key: bytes
    segment: bytes
    offset: int
    length: int
    session: bytes
    batch: int
    purposes: str
    day: int
    first_seq: int
    events: int
    produced: int
    removed: int
    lost: int
    end: bool


class BatchIndex(Database):
    """Where sealed rows lie and what they are filed under."""

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
        self.set_segment_end(bare(connection), segment_name, end)

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

    def held(
        self, connection: sqlite3.Connection, keys: list[tuple[bytes, int]]
    ) -> set[tuple[bytes, int]]:
        """Return which (session, batch number) are taken, as seen by an open transaction."""
        asked = ",".join(["(?,?)"] * len(keys))
        found = connection.execute(
            f"WITH asked(s, b) AS (VALUES {asked}) SELECT s, b FROM asked"  # noqa: S608
            " CROSS JOIN batch ON batch.session = s AND batch.batch = b",
            tuple(chain.from_iterable(keys)),
        )
        return set(found.fetchall())

    def index(self, connection: sqlite3.Connection, entries: list[Entry], end: int) -> None:
        """File new batches of one segment, which is then indexed up to `end`."""
        connection.executemany(_INSERT_BATCH, entries).close()
        self.set_segment_end(connection, entries[0].segment.hex(), end)

    def set_segment_end(self, connection: sqlite3.Connection, name: str, end: int) -> None:
        """Note up to where a segment is indexed."""
        connection.execute(
            "INSERT INTO segment (name, end) VALUES (?1, ?2)"
            " ON CONFLICT (name) DO UPDATE SET end = ?2",
            (bytes.fromhex(name), end),
        ).close()

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

    def segment_ends(self, connection: sa.Connection) -> dict[str, int]:
        """Return up to where each segment is indexed."""
        return {r.name: r.end for r in connection.execute(sa.select(segment))}


def _ordered(places: Iterable[BatchPlace]) -> list[BatchPlace]:
    return sorted(places, key=lambda place: (place.session, place.batch))


_INSERT_BATCH = (
    f"INSERT INTO batch ({', '.join(Entry._fields)})"  # noqa: S608 - names of our own columns
    f" VALUES ({', '.join('?' * len(Entry._fields))})"
)


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
