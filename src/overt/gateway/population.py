"""People who do not come through the collector: imported ones, and synthetic ones.

They go through the same gate rules, keys, rows and door as live people. Imported people stand on
the lawful basis their importer declares, in a study of their own; synthetic ones may fill a live
study as a group to compare with, and are labelled wherever they appear.
"""

from __future__ import annotations

import datetime as dt
import hmac
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from overt.datasets import synthetic
from overt.datasets.importers import Importer, importer
from overt.datasets.reading.imported import ImportedPerson, Skipped
from overt.datasets.transform import to_rhythm0
from overt.gateway.ledger import record
from overt.gateway.streams import Origin, batches_of
from overt.gateway.studies import study_of
from overt.schema.canonical import canonical
from overt.schema.errors import InvalidInput, Refused
from overt.schema.purpose import purposes_for
from overt.schema.study import Study, study_sha256
from overt.store.append import Incoming, Outcome, gzipped
from overt.store.store import Store

Progress = Callable[[str, float], None]

GROUP_PEOPLE = 32
"""People stored together, with one fsync each of keyring, database and segment."""

GROUP_EVENTS = 500_000
"""A group is full before that if its people have this many events: bounds the memory it takes."""

SESSION_GAP_MS = 86_400_000
FIRST_SESSION_MS = int(dt.datetime(2026, 1, 1, tzinfo=dt.UTC).timestamp()) * 1000
"""Synthetic sessions are a day apart, from a day that means nothing."""


@dataclass
class Imported:
    """What an import stored, and what it left out by reason."""

    people: int = 0
    sessions: int = 0
    events: int = 0
    already_here: int = 0
    """People whose events are in the study from an earlier import, or were erased from it."""
    skipped_files: dict[str, int] = field(default_factory=dict)
    skipped_rows: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    """Rows that the format's own rules leave out, by reason."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return dict(vars(self))


@dataclass(frozen=True)
class _Newcomer:
    sessions: tuple[pa.Table, ...]
    clock_resolution_us: int

    @property
    def events(self) -> int:
        return sum(session.num_rows for session in self.sessions)


def import_people(
    store: Store,
    study_id: str,
    format_name: str,
    path: Path,
    *,
    mapping: Path | None = None,
    skip_bad: bool = False,
    people_max: int | None = None,
    progress: Progress | None = None,
) -> Imported:
    """Import the people in `path` into a registered study of origin `imported`.

    `mapping` is the file that describes the columns of format `generic`.
    Whoever is there already stays there once, so an import that ended early can be repeated.
    The import is in the log, with what was declared, before the first row is stored. Raises
    `InvalidInput` with file, line and column at the first thing that is wrong, unless `skip_bad`.
    """
    study = study_of(store, study_id)
    if study.origin != "imported":
        raise Refused(
            "imported people never join a live study", where="study", do="Import into another."
        )
    chosen = importer(format_name, mapping)
    if not path.exists():
        raise InvalidInput("there is no such file or directory", where=str(path))
    _check_purposes(study, chosen)
    _log_arrival(
        store,
        study,
        {
            "event": "import",
            "format": chosen.name,
            "source": study.source,
            "licence": study.licence,
            "lawful_basis": study.lawful_basis,
        },
    )
    skipped = Skipped() if skip_bad else None
    done = Imported()

    def report(state: Any) -> None:
        if progress is not None:
            share = state.bytes / state.bytes_total if state.bytes_total else 0.0
            progress("reading and sealing", share)

    people = chosen.read(path, progress=report, skipped=skipped)
    newcomers = (_newcomer(person, done) for person in people if person.sessions)
    basis = {"basis": study.lawful_basis, "source": study.source, "licence": study.licence}
    for group in _groups(islice(newcomers, people_max)):
        by_receipt = {_receipt_of(store, study, person): person for person in group}
        fresh = {r: person for r, person in by_receipt.items() if not _is_here(store, r)}
        done.already_here += len(group) - len(fresh)
        if fresh:
            _admit(store, study, "imported", f"import/{chosen.name}", basis, fresh, done)
    if skipped is not None:
        done.skipped_files, done.skipped_rows = skipped.files, skipped.rows
    return done


def fill(
    store: Store,
    study_id: str,
    people: int,
    seed: int = 1,
    *,
    minutes: float = 5.0,
    progress: Progress | None = None,
) -> int:
    """Add synthetic people, with two sessions each, to a live study; return how many events.

    They are labelled `synthetic` in the store and in whatever is made of them.
    """
    study = study_of(store, study_id)
    if study.origin != "live":
        raise Refused("synthetic people never join imported ones", where="study")
    detail = {"event": "import", "format": "synthetic", "source": synthetic.SOURCE}
    _log_arrival(store, study, detail)
    moves = "person-or-program" in study.purposes
    made = synthetic.people(people, seed, minutes=minutes, pointer_moves=moves)
    done = Imported()
    basis = {"source": synthetic.SOURCE}
    for group in _groups(_Newcomer(p.sessions, 100) for p in made):
        by_receipt = {secrets.token_hex(16): person for person in group}
        _admit(store, study, "synthetic", "synthetic/1", basis, by_receipt, done)
        if progress is not None:
            progress("making up people", done.people / people)
    return done.events


def _log_arrival(store: Store, study: Study, detail: dict[str, Any]) -> None:
    record(store, "import", study.id, {**detail, "study_sha256": study_sha256(study)})


def _check_purposes(study: Study, chosen: Importer) -> None:
    needed = {kind for kind in chosen.kinds if purposes_for(kind, study.purposes)}
    if not needed:
        raise InvalidInput(
            f"names no purpose that needs anything {chosen.name} holds",
            where="study.purposes",
            do=f"It serves {' and '.join(chosen.purposes)}. Import into another study.",
        )


def _newcomer(person: ImportedPerson, done: Imported) -> _Newcomer:
    for reason, count in person.left_out.items():
        done.left_out[reason] = done.left_out.get(reason, 0) + count
    return _Newcomer(person.sessions, person.clock_resolution_us)


def _groups(people: Iterable[_Newcomer]) -> Iterator[list[_Newcomer]]:
    group: list[_Newcomer] = []
    events = 0
    for person in people:
        group.append(person)
        events += person.events
        if len(group) == GROUP_PEOPLE or events >= GROUP_EVENTS:
            yield group
            group, events = [], 0
    if group:
        yield group


def _receipt_of(store: Store, study: Study, person: _Newcomer) -> str:
    """Return the id that stands in place of an imported person's receipt.

    A keyed hash of study and events: the same person gets the same one, and nobody without the key
    can tell which.
    """
    mac = hmac.new(store.keyring.secret("imports"), study.id.encode(), "sha256")
    for session in person.sessions:
        mac.update(b"session %d" % session.num_rows)
        for column in session.columns:
            mac.update(column.to_numpy().tobytes())
    return mac.hexdigest()[:32]


def _is_here(store: Store, receipt: str) -> bool:
    """Tell whether an imported person has rows, or had them and was erased."""
    grant = store.control.grant(receipt)
    if grant is None:
        return store.is_gone(receipt)
    return bool(store.batches_of(grant.subject))


def _admit(
    store: Store,
    study: Study,
    origin: str,
    source: str,
    basis: dict[str, Any],
    group: dict[str, _Newcomer],
    done: Imported,
) -> None:
    """Store people by the ids that stand in place of their receipts."""
    new = [receipt for receipt in group if store.control.grant(receipt) is None]
    if new:
        document = canonical({"origin": origin, "study": study.id, **basis})
        store.put_receipts(
            (receipt, subject, study.purposes, study.level, document)
            for receipt, subject in zip(
                new, store.add_subjects(study.id, origin, len(new)), strict=True
            )
        )
    items = []
    for receipt, person in group.items():
        for number, session in enumerate(person.sessions):
            made = Origin(
                source=source,
                study=study.id,
                receipt=receipt,
                purposes=study.purposes,
                level=study.level,
                transform="raw/0" if origin == "imported" else f"{study.level}/0",
                time_origin_ms=_started_ms(origin, number),
                clock_resolution_us=person.clock_resolution_us,
            )
            kept = session if study.level == "keys" else to_rhythm0(session)
            items += [Incoming(b.header, gzipped(b.plain)) for b in batches_of(kept, made)]
            done.sessions += 1
    outcomes = store.append_batches(items)
    stored = [i for i, o in zip(items, outcomes, strict=True) if o is Outcome.STORED]
    done.people += len(group)
    done.events += sum(item.header.rows for item in stored)


def _started_ms(origin: str, number: int) -> int:
    """Return the wall clock at a session's time origin: imported times count from 0."""
    return 0 if origin == "imported" else FIRST_SESSION_MS + number * SESSION_GAP_MS
