"""Studies, subjects, receipts and tombstones in the control database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from overt.schema.errors import InvalidInput
from overt.store.database import Database, split_names, today
from overt.store.tables import receipt, study, subject, tombstone


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
class StudyRow:
    """A study as filed: its id, origin and the exact bytes of its `study.toml`."""

    id: str
    origin: str
    document: bytes
    created_day: int


class Receipts(Database):
    """Who takes part under which receipt; every id is random."""

    _known_at: tuple[sqlite3.Connection, int] | None = None
    _known: dict[str, Grant]

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

    def grants_in(self, connection: sqlite3.Connection, rows: Iterable[str]) -> dict[str, Grant]:
        """Return what receipts allow, as seen by an open transaction.

        What was read before on the same connection is kept until SQLite says that another one,
        in whichever process, has written.
        """
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        if self._known_at != (connection, version):
            self._known_at, self._known = (connection, version), {}
        known = self._known
        unknown = [bytes.fromhex(row) for row in rows if row not in known]
        for at in range(0, len(unknown), 500):
            part = unknown[at : at + 500]
            query = f"{_GRANTS_IN} ({','.join('?' * len(part))})"
            for row, subject_row, *words in connection.execute(query, part):
                known[row.hex()] = _grant(row.hex(), subject_row.hex(), *words)
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

    # Tombstones are keyed hashes of receipts, so that the file alone names none.

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
    return [_grant(*found) for found in connection.execute(query)]


def _grant(
    row: str, subject_row: str, study_id: str, origin: str, purposes: str, taken_back: str,
    level: str,
) -> Grant:  # fmt: skip
    granted, withdrawn = split_names(purposes), split_names(taken_back)
    active = tuple(name for name in granted if name not in withdrawn)
    return Grant(row, subject_row, study_id, origin, granted, active, level)


_GRANTS_IN = (
    "SELECT receipt.row, subject, study, origin, purposes, withdrawn, level FROM receipt"
    " JOIN subject ON receipt.subject = subject.row WHERE receipt.row IN"
)
