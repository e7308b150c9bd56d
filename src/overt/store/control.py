"""The control database: states, counts and places under random row ids, nothing else.

SQLite in WAL mode with `secure_delete`, so that deleted cells are zeroed and, after `purge()`,
are in no page of either file. It holds no pseudonym, no key and no time finer than a day; what
says more (receipts, openings, steps of an erasure) is sealed by its owner before it comes here.

Writers take the database's one write lock at the start (`BEGIN IMMEDIATE`), in every process.
That order decides between an upload and a withdrawal: whichever transaction is first is first.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from overt.store.batches import BatchIndex, BatchPlace
from overt.store.database import today
from overt.store.receipts import Grant, Receipts, StudyRow
from overt.store.tables import (
    artefact,
    backup,
    batch,
    counter,
    erasure,
    opening,
    receipt,
    subject,
)

__all__ = ["BackupRow", "BatchPlace", "Control", "Grant", "StudyRow", "today"]


@dataclass(frozen=True, slots=True)
class BackupRow:
    """A backup that was made, the day after which it is expired, and whether it still exists."""

    row: str
    place: str
    made_day: int
    expires_day: int
    state: str


class Control(Receipts, BatchIndex):
    """An open control database: receipts, batches, and here what else is filed."""

    def drop_subject(self, row: str) -> None:
        """Remove everything filed under a subject, and the subject."""
        with self.write() as connection:
            for table in (batch, opening, receipt):
                connection.execute(table.delete().where(table.c.subject == row))
            connection.execute(subject.delete().where(subject.c.row == row))

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
