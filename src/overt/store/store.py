"""The store: keyring, control database, segments and artefacts of one data directory.

Order makes it safe. An upload is checked against its receipt, sealed, appended, made durable and
indexed while it holds the control database's write lock; an erasure first takes the same lock to
put up its tombstone, and only then destroys keys and bytes. So nothing can be stored behind an
erasure's back, in whichever processes the two happen.
"""

from __future__ import annotations

import datetime as dt
import hmac
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from overt.schema.errors import Damaged, Missing, Refused
from overt.store import backup as backups
from overt.store import recovery
from overt.store.append import Appending, Begun, Incoming, Outcome
from overt.store.artefacts import Artefacts
from overt.store.control import BackupRow, BatchPlace, Control
from overt.store.files import make_folder
from overt.store.keyring import Keyring
from overt.store.layout import Layout
from overt.store.rows import open_row
from overt.store.seal import seal, unseal
from overt.store.segments import SealedRow, Segments


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure step removed."""

    batches: int
    events: int
    keys: int


class Store:
    """An open data directory."""

    def __init__(self, root: Path, *, create: bool) -> None:
        self.layout = Layout(root)
        if not self.layout.keyring.exists() and not create:
            raise Missing("there is no Overt data directory", where=str(root), do="Run `overt up`.")
        make_folder(root)
        self.keyring = Keyring(self.layout, create=create)
        self.control = Control(self.layout.control, create=create)
        self.segments = Segments(self.layout)
        self.artefacts = Artefacts(self.layout, self.keyring, self.control)
        self._appending = Appending(self.keyring, self.control, self.segments)
        recovery.recover(self)

    @classmethod
    def open(cls, root: Path | str, *, create: bool = False) -> Store:
        """Open a data directory and finish what a crash interrupted.

        Raises `Missing` without a directory (unless `create`), `Refused` with a wrong master key.
        """
        return cls(Path(root), create=create)

    def close(self) -> None:
        """Close files and connections."""
        self.segments.close()
        self.control.close()
        self.keyring.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- people ------------------------------------------------------------------------------

    def add_subject(
        self,
        study: str,
        origin: str,
        *,
        recovery_hash: bytes = bytes(32),
        device_hash: bytes = bytes(32),
    ) -> str:
        """Add a subject to keyring and control database; return the row."""
        row = self.keyring.add_subject(study, recovery_hash=recovery_hash, device_hash=device_hash)
        self.control.put_subjects([row], study, origin)
        return row

    def add_subjects(self, study: str, origin: str, count: int) -> list[str]:
        """Add many subjects at once (imports); return their rows."""
        rows = self.keyring.add_subjects(study, count)
        self.control.put_subjects(rows, study, origin)
        return rows

    def subjects(self, study: str) -> list[str]:
        """Return the rows of a study's subjects that can be read, in random order of row."""
        known = set(self.keyring.subjects())
        return [row for row in self.control.subjects(study) if row in known]

    def put_receipt(
        self, receipt: str, subject: str, purposes: Iterable[str], level: str, document: bytes
    ) -> None:
        """File a receipt; its document is sealed under the subject's key."""
        self.put_receipts([(receipt, subject, tuple(purposes), level, document)])

    def put_receipts(
        self, receipts: Iterable[tuple[str, str, tuple[str, ...], str, bytes]]
    ) -> None:
        """File many: (receipt, subject, purposes, level, document)."""
        self.control.put_receipts(
            {
                "row": receipt,
                "subject": subject,
                "purposes": purposes,
                "level": level,
                "sealed": seal(self._key(subject), document, f"receipt {receipt}".encode()),
            }
            for receipt, subject, purposes, level, document in receipts
        )

    def replace_receipt(self, receipt: str, document: bytes) -> None:
        """File the next state of a receipt: what is left after some purposes were withdrawn."""
        found = self.control.sealed_receipt(receipt)
        if found is None:
            raise Missing("there is no such receipt", where="receipt")
        sealed = seal(self._key(found[0]), document, f"receipt {receipt}".encode())
        self.control.replace_sealed_receipt(receipt, sealed)

    def receipt(self, receipt: str) -> bytes:
        """Return the document of a receipt. Raises `Missing` when there is none any more."""
        found = self.control.sealed_receipt(receipt)
        if found is None:
            raise Missing("there is no such receipt", where="receipt")
        bound = f"receipt {receipt}"
        return unseal(self._key(found[0]), found[1], bound.encode(), where=bound)

    def is_gone(self, receipt: str) -> bool:
        """Return whether the person of this receipt was erased: uploads are refused for good."""
        return self.control.has_tombstone(self._mark(receipt))

    def put_opening(self, index: int, subject: str | None, opening: bytes) -> None:
        """File the opening of a log entry: under the subject's key, or the system's for nobody."""
        key = self.keyring.secret("openings") if subject is None else self._key(subject)
        self.control.put_opening(index, subject, seal(key, opening, b"opening %d" % index))

    def openings(self, subject: str | None) -> list[tuple[int, bytes]]:
        """Return (entry, opening) about a subject, or about nobody in particular."""
        key = self.keyring.secret("openings") if subject is None else self._key(subject)
        return [
            (index, unseal(key, sealed, b"opening %d" % index, where=f"opening {index}"))
            for index, sealed in self.control.openings(subject)
        ]

    def token_secret(self) -> bytes:
        """Return the secret that access tokens are made and checked with."""
        return self.keyring.secret("tokens")

    # -- batches -----------------------------------------------------------------------------

    def append_batches(self, items: Sequence[Incoming]) -> list[Outcome]:
        """Store checked batches; when this returns, what is STORED is durable.

        Each is held against its receipt as it is at this moment: WITHDRAWN when the receipt is
        gone, or no purpose of the batch is active any more. HAVE when (session, number) came
        before, in this call or ever. Raises `OSError` when the disk refuses: nothing is stored.
        """
        begun = self.begin_append(items)
        return [] if begun is None else begun.finish()

    def begin_append(self, items: Sequence[Incoming], *, wait: bool = True) -> Begun | None:
        """Begin what `append_batches` does whole (`overt.store.append`): `finish` it, or give up.

        None, and nothing done, without items, or if it would have to wait and `wait` is false.
        """
        return self._appending.begin(items, wait=wait)

    def session_of(self, subject: str, session: str) -> bytes:
        """Return the keyed hash under which a session of a subject is indexed (16 bytes)."""
        return self._appending.session_of(subject, session)

    def batches_of(self, subject: str) -> list[BatchPlace]:
        """Return where a subject's batches lie, by session and number."""
        return self.control.batches(subject_row=subject)

    def read(self, places: Iterable[BatchPlace]) -> Iterator[tuple[BatchPlace, bytes]]:
        """Yield each place with its batch, opened and inflated.

        Skips batches that were erased since the places were listed. Raises `Damaged` when a row
        does not open although its key is there.
        """
        for place in places:
            key = self.keyring.data_key_by_row(place.data_key)
            found = None if key is None else self._sealed_row(place)
            if key is not None and found is not None:
                yield place, open_row(found, key)

    def stored_counts(self, subject: str) -> dict[str, int]:
        """Return sessions, batches, events, produced, removed, lost, unclean of a subject."""
        return self.control.stored(subject)

    def _sealed_row(self, place: BatchPlace) -> SealedRow | None:
        try:
            return self.segments.read(place.segment, place.offset, place.length)
        except (Damaged, Missing):
            again = self.control.batches(rows=[place.row])
            if not again:
                return None
            if (again[0].segment, again[0].offset) == (place.segment, place.offset):
                raise
            return self.segments.read(again[0].segment, again[0].offset, again[0].length)

    # -- erasure: each step may be repeated and may be interrupted ---------------------------

    def bury(self, subject: str) -> int:
        """Put up tombstones for the subject's receipts: from now on their uploads are refused."""
        receipts = [grant.receipt for grant in self.control.receipts_of(subject)]
        self.control.put_tombstones(self._mark(receipt) for receipt in receipts)
        for receipt in receipts:
            self.control.withdraw(receipt)
        return len(receipts)

    def destroy_keys(self, subject: str) -> int:
        """Destroy the subject's key, pseudonym and data keys; return how many slots."""
        rows = [key.row for key in self.keyring.data_keys(subject)]
        return self.keyring.destroy(subject, *rows)

    def overwrite_rows(self, subject: str) -> Erased:
        """Overwrite the sealed bytes of all the subject's batches, in place."""
        with self.control.write() as connection:
            return self._overwrite(self.control.batches_in(connection, subject_row=subject))

    def delete_control_rows(self, subject: str) -> None:
        """Forget batches, receipts, openings and the subject."""
        self.control.drop_subject(subject)

    def purge(self) -> None:
        """Leave no deleted byte in the control database's files. Raises `Refused` when busy."""
        self.control.purge()

    def delete_batches(self, rows: Iterable[str]) -> Erased:
        """Overwrite single batches in place; that they came is kept, so that none comes twice."""
        wanted = list(rows)
        with self.control.write() as connection:
            places = self.control.batches_in(connection, rows=wanted)
            erased = self._overwrite(places)
        self.control.empty_batches(place.row for place in places)
        return erased

    def _overwrite(self, places: Sequence[BatchPlace]) -> Erased:
        """Overwrite rows; the caller holds the write lock, so nothing moves meanwhile."""
        by_segment: dict[str, list[tuple[int, int]]] = {}
        for place in places:
            by_segment.setdefault(place.segment, []).append((place.offset, place.length))
        for name, spots in by_segment.items():
            self.segments.overwrite(name, spots)
        return Erased(len(places), sum(place.events for place in places), 0)

    def compact(self) -> int:
        """Rewrite segments that are mostly dead and that nobody appends to; return bytes freed."""
        return recovery.compact(self)

    def backup(self, dest: Path, *, days: int = backups.BACKUP_DAYS) -> backups.Backup:
        """Copy everything but the master key under `dest`; registered with the day it expires."""
        self._mark("")  # the secret of tombstones is in the copy, so that later ones can be told
        return backups.make(self.layout, self.control, dest, days)

    def backups_last_until(self) -> dt.date | None:
        """Return the day after which no backup made so far exists, or None without any."""
        return backups.last_expiry(self.control)

    def expire_backups(self, *, day: int | None = None) -> list[BackupRow]:
        """Destroy backups past their day; return those whose folder could not be reached."""
        return backups.expire(self.control, day=day)

    # -- sealed words between steps ----------------------------------------------------------

    def put_erasure(self, job: str, step: str, detail: dict[str, Any]) -> None:
        """File an erasure's step; its detail is sealed under a system secret."""
        plain = json.dumps(detail).encode()
        sealed = seal(self.keyring.secret("erasures"), plain, f"erasure {job}".encode())
        self.control.put_erasure(job, step, sealed)

    def erasures(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Return (job, step, detail) of all erasures, finished ones too."""
        key = self.keyring.secret("erasures")
        return [
            (job, step, json.loads(unseal(key, sealed, f"erasure {job}".encode(), where="erasure")))
            for job, step, sealed in self.control.erasures()
        ]

    def _key(self, subject: str) -> bytes:
        found = self.keyring.subject(subject)
        if found is None:
            raise Refused("there is no such subject", where="keyring")
        return found.key

    def _mark(self, receipt: str) -> bytes:
        return hmac.digest(self.keyring.secret("tombstones"), receipt.encode(), "sha256")
