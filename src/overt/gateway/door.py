"""The one door to sealed rows.

Each read names who reads, in which role, for which purpose and action. It is held against the table
of `overt.consent.policy` and against each person's receipt of that moment, it is in the log before
the first row is opened, and any error in a check means no. People whose receipt does not cover the
purpose are left out; a reader learns nothing of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from overt.consent.policy import GIVEN, IMPORTED, ReceiptState, decide
from overt.gateway.enrol import Person
from overt.gateway.ledger import record
from overt.gateway.studies import study_of
from overt.schema.batch import BatchHeader, decode, read_header, to_events
from overt.schema.errors import NotConsented, OvertError, Refused, Withdrawn
from overt.schema.event import EVENTS
from overt.schema.manifest import bucket
from overt.schema.people import SubjectEvents
from overt.store.control import BatchPlace
from overt.store.store import Store

ORIGINS_OF: Mapping[str, frozenset[str]] = {
    "live": frozenset({"live", "synthetic"}),
    "imported": frozenset({"imported"}),
}
"""Origin of a study → origins its people may have. Live and imported people are never together;
synthetic ones may stand beside live ones as a group to compare with, and say what they are."""


@dataclass(frozen=True)
class Selected:
    """A person the reader may read, and which batches: rows only, nothing is open yet."""

    subject: str
    origin: str
    places: tuple[BatchPlace, ...]


class Door:
    """Reads of one reader in one role. `reader` says in words who it is, for the log."""

    def __init__(self, store: Store, reader: str, role: str) -> None:
        self._store, self._reader, self._role = store, reader, role

    def people(self, study_id: str, purpose: str, action: str) -> Iterator[SubjectEvents]:
        """Yield everyone's readable events, each checked again at the moment it is opened.

        Raises `Refused` when the role may not do this at all, or a check cannot be carried out.
        """
        for selected in self.select(study_id, purpose, action):
            events = self.open(selected, purpose, action)
            if events is not None:
                yield events

    def select(
        self,
        study_id: str,
        purpose: str,
        action: str,
        among: Mapping[str, Collection[str]] | None = None,
    ) -> list[Selected]:
        """Return whom the reader may read, and log the read; in order of the random rows.

        `among` narrows it to these subjects, and of each to these batches.
        """
        try:
            best = IMPORTED if action == "release" else GIVEN
            decide(self._role, action, purpose, ReceiptState(best, frozenset({purpose})))
            study = study_of(self._store, study_id)
            selected = [
                found
                for subject in self._store.subjects(study.id)
                if among is None or subject in among
                if (found := self._selected(subject, study.origin, purpose, action, among))
            ]
        except Exception as error:
            self._refuse(study_id, purpose, action, error)
            raise self._as_refused(error) from error
        self._log_read(study_id, purpose, action, selected)
        return selected

    def open(self, selected: Selected, purpose: str, action: str) -> SubjectEvents | None:
        """Return a person's events, or None if they have left since they were selected."""
        try:
            self._decide(selected.subject, selected.origin, purpose, action)
            tag = self._store.keyring.tag(selected.subject)
            sessions, origins_ms = read_sessions(self._store, selected.places)
        except (Withdrawn, NotConsented):
            return None
        except OvertError:
            if self._store.keyring.subject(selected.subject) is None:
                return None
            raise
        return SubjectEvents(tag, selected.origin, sessions, origins_ms)

    def headers(
        self, selected: Selected, purpose: str, action: str
    ) -> tuple[BatchHeader, ...] | None:
        """Return what the first batch of each session says of itself: no event is decoded.

        None if the person has left since they were selected.
        """
        firsts = {place.session: place for place in reversed(selected.places)}
        try:
            self._decide(selected.subject, selected.origin, purpose, action)
            return tuple(read_header(plain)[0] for _, plain in self._store.read(firsts.values()))
        except (Withdrawn, NotConsented):
            return None
        except OvertError:
            if self._store.keyring.subject(selected.subject) is None:
                return None
            raise

    def own(self, person: Person, action: str) -> SubjectEvents:
        """Return a person's own sessions, for `read-own` or `export-own`; each event once.

        The caller has proven to be the person (`overt.gateway.enrol`).
        """
        try:
            active = self._state(person.subject, "live").purposes
            for purpose in active:
                self._decide(person.subject, "live", purpose, action)
            places = self._store.batches_of(person.subject)
            places = [place for place in places if active & set(place.purposes)]
            tag = self._store.keyring.tag(person.subject)
            sessions, origins_ms = read_sessions(self._store, places)
        except Exception as error:
            self._refuse(person.study, "", action, error)
            raise self._as_refused(error) from error
        record(
            self._store, "read", person.study, self._detail("read", "", action), [person.subject]
        )
        return SubjectEvents(tag, "live", sessions, origins_ms)

    def _selected(
        self,
        subject: str,
        study_origin: str,
        purpose: str,
        action: str,
        among: Mapping[str, Collection[str]] | None,
    ) -> Selected | None:
        known = self._store.control.subject_study(subject)
        if known is None:
            return None
        origin = known[1]
        if origin not in ORIGINS_OF[study_origin]:
            raise Refused("live and imported people are never read together", where="study")
        try:
            self._decide(subject, origin, purpose, action)
        except (Withdrawn, NotConsented):
            return None
        wanted = None if among is None else set(among[subject])
        places = tuple(
            place
            for place in self._store.batches_of(subject)
            if purpose in place.purposes and (wanted is None or place.row in wanted)
        )
        return Selected(subject, origin, places) if places else None

    def _decide(self, subject: str, origin: str, purpose: str, action: str) -> None:
        decide(self._role, action, purpose, self._state(subject, origin))

    def _state(self, subject: str, origin: str) -> ReceiptState:
        """Return what the receipts of this moment allow.

        Imported people stand on the basis the importer declared, synthetic ones on nothing: there
        is nobody behind them. Both lose it with their row.
        """
        grants = self._store.control.receipts_of(subject)
        active = frozenset(purpose for grant in grants for purpose in grant.active)
        if origin != "live":
            return ReceiptState(IMPORTED, active)
        if not grants:
            raise NotConsented("there is no receipt", where="receipt")
        return ReceiptState(GIVEN if active else "withdrawn", active)

    def _detail(self, event: str, purpose: str, action: str) -> dict[str, Any]:
        return {
            "event": event,
            "reader": self._reader,
            "role": self._role,
            "action": action,
            "purpose": purpose,
        }

    def _log_read(
        self, study_id: str, purpose: str, action: str, selected: Sequence[Selected]
    ) -> None:
        """Log one entry about the whole read, which anyone may be shown, and one a live person."""
        detail = self._detail("read", purpose, action)
        origins = Counter(chosen.origin for chosen in selected)
        counted = {origin: bucket(count) for origin, count in sorted(origins.items())}
        record(self._store, "read", study_id, {**detail, "people": counted})
        live: list[str | None] = [s.subject for s in selected if s.origin == "live"]
        if live:
            record(self._store, "read", study_id, detail, live)

    def _refuse(self, study_id: str, purpose: str, action: str, error: Exception) -> None:
        """Log a refusal; the reason is the kind of error, never its words."""
        known = self._store.control.study(study_id) is not None
        detail = {**self._detail("refusal", purpose, action), "reason": type(error).__name__}
        record(self._store, "refusal", study_id if known else "unknown", detail)

    def _as_refused(self, error: Exception) -> OvertError:
        if isinstance(error, OvertError):
            return error
        return Refused("the check could not be carried out", where="door")


def read_sessions(
    store: Store, places: Sequence[BatchPlace]
) -> tuple[tuple[pa.Table, ...], tuple[int, ...]]:
    """Return the sessions in these batches as tables of schema `EVENTS`, in order of time.

    Beside them their time origins, ms since 1970.
    """
    parts: dict[str, list[pa.Table]] = {}
    origin_us: dict[str, int] = {}
    origin_ms: dict[str, int] = {}
    for place, plain in store.read(places):
        header, rows = decode(plain)
        parts.setdefault(place.session, []).append(to_events(header, rows))
        started = header.time_origin_ms * 1000 + header.t0_us
        origin_ms[place.session] = header.time_origin_ms
        origin_us[place.session] = min(started, origin_us.get(place.session, started))
    order = sorted(parts, key=lambda session: (origin_us[session], session))
    sessions = tuple(_ordered(parts[session]) for session in order)
    return sessions, tuple(origin_ms[session] for session in order)


def _ordered(parts: list[pa.Table]) -> pa.Table:
    whole = pa.concat_tables(parts) if len(parts) > 1 else parts[0]
    if len(parts) > 1:
        whole = whole.sort_by("seq")
    return whole.combine_chunks().cast(EVENTS)
