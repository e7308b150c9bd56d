"""Appending: batches held against their receipts, sealed, written, made durable and indexed.

All of it happens under the control database's write lock, the one that an erasure takes first. It
is begun and finished apart, so that waiting for the disk can go on beside other work.
"""

from __future__ import annotations

import gzip
import hmac
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from overt.schema import limits
from overt.schema.batch import BatchHeader
from overt.schema.errors import Refused
from overt.schema.fold import MAGIC as FOLDED
from overt.store.control import Control, Grant, today
from overt.store.entries import DataKey
from overt.store.keyring import Keyring
from overt.store.rows import FRESH_BYTES, entry_of, seal_row
from overt.store.segments import Segments


class Outcome(StrEnum):
    """What became of a batch."""

    STORED = "stored"
    HAVE = "have"
    WITHDRAWN = "withdrawn"


@dataclass(slots=True)
class Incoming:
    """A checked batch: its header and the bytes as received, folded or gzipped.

    Not frozen, because that would double what a batch costs here.
    """

    header: BatchHeader
    wire: bytes = field(repr=False)


@dataclass(slots=True)
class Begun:
    """Batches written and indexed, in a transaction that waits for the disk: `finish` it.

    That takes no time of the interpreter but two calls, so a thread can do it beside others.
    """

    segments: Segments = field(repr=False)
    control: Control = field(repr=False)
    connection: sqlite3.Connection = field(repr=False)
    outcomes: list[Outcome]
    end: int
    """Where the segment ends now; 0 when nothing was written."""

    def finish(self) -> list[Outcome]:
        """Make durable what is STORED, then say so in the index; return what became of each."""
        durable = False
        try:
            try:
                if self.end:
                    self.segments.sync()
                durable = True
            finally:
                self.control.end_append(self.connection, keep=durable)
        except BaseException:
            # Whether the commit took effect is not known: the next opening settles it.
            self.segments.close()
            raise
        if self.end:
            self.segments.settle(self.end)
        return self.outcomes

    def give_up(self) -> None:
        """Take everything back."""
        self.control.end_append(self.connection, keep=False)
        self.segments.close()


class Appending:
    """What appends to the segments and the index of one open store."""

    def __init__(self, keyring: Keyring, control: Control, segments: Segments) -> None:
        self.keyring, self.control, self.segments = keyring, control, segments
        self._secret = keyring.secret("sessions")
        self._sessions: dict[tuple[str, str], bytes] = {}

    def begin(self, items: Sequence[Incoming], *, wait: bool = True) -> Begun | None:
        """Do everything up to where it waits for the disk; then `finish` it.

        Until that is done, the control database's write lock is held. None, and nothing done,
        without items; or if `wait` is false and it would have to wait before: for the lock, or for
        the disk to hold a new key or segment.
        """
        connection = self.control.begin_append(wait=wait) if items else None
        if connection is None:
            return None
        try:
            made = self._append(connection, items, wait=wait)
        except BaseException:
            self.control.end_append(connection, keep=False)
            self.segments.close()
            raise
        if made is None:
            self.control.end_append(connection, keep=False)
            return None
        return Begun(self.segments, self.control, connection, *made)

    def _append(
        self, connection: sqlite3.Connection, items: Sequence[Incoming], *, wait: bool
    ) -> tuple[list[Outcome], int] | None:
        grants = self.control.grants_in(connection, {item.header.receipt for item in items})
        numbers = [
            (self._session(grants.get(item.header.receipt), item), item.header.batch)
            for item in items
        ]
        taken = self.control.held(connection, numbers)
        outcomes, chosen, wanted = [], [], []
        for item, number in zip(items, numbers, strict=True):
            grant = grants.get(item.header.receipt)
            outcome = _outcome(grant, item.header, taken=number in taken)
            outcomes.append(outcome)
            if outcome is Outcome.STORED and grant is not None:
                taken.add(number)
                chosen.append((item, number[0]))
                wanted.append((grant.subject, item.header.purposes))
        if not chosen:
            return outcomes, 0
        found = self._data_keys(today(), set(wanted), wait=wait)
        if found is None or not (wait or self.segments.is_open()):
            return None
        keys = [found[each] for each in wanted]
        fresh = os.urandom(FRESH_BYTES * len(chosen))
        rows = [
            seal_row(key, item.header.receipt, item.wire, fresh[at : at + FRESH_BYTES])
            for at, (item, _), key in zip(
                range(0, len(fresh), FRESH_BYTES), chosen, keys, strict=True
            )
        ]
        segment, offsets, end = self.segments.write(rows)
        name = bytes.fromhex(segment)
        entries = [
            entry_of(row, name, offset, session, item.header, key)
            for row, offset, (item, session), key in zip(rows, offsets, chosen, keys, strict=True)
        ]
        self.control.index(connection, entries, end)
        return outcomes, end

    def _data_keys(
        self, day: int, wanted: set[tuple[str, tuple[str, ...]]], *, wait: bool
    ) -> dict[tuple[str, tuple[str, ...]], DataKey] | None:
        """Return the keys of the day; those that are missing are made with one fsync.

        None if `wait` is false and some are missing.
        """
        keys = self.keyring.data_keys_on(day, wanted)
        if len(keys) < len(wanted):
            if not wait:
                return None
            with self.keyring.group():
                for subject, purposes in wanted - keys.keys():
                    self.keyring.data_key(subject, day, purposes, create=True)
            keys = self.keyring.data_keys_on(day, wanted)
        if len(keys) < len(wanted):
            raise Refused("a subject lost its key without a tombstone", where="keyring")
        return keys

    def session_of(self, subject: str, session: str) -> bytes:
        """Return the keyed hash under which a session of a subject is indexed (16 bytes)."""
        return hmac.digest(self._secret, f"{subject} {session}".encode(), "sha256")[:16]

    def _session(self, grant: Grant | None, item: Incoming) -> bytes:
        if grant is None:
            return b""
        key = (grant.subject, item.header.session)
        known = self._sessions.get(key)
        if known is None:
            if len(self._sessions) >= limits.GRANTS_KEPT_MAX:
                self._sessions.clear()
            known = self._sessions[key] = self.session_of(*key)
        return known


def gzipped(body: bytes) -> bytes:
    """Return a body as it is kept: as it came, or gzipped lightly if it came plain."""
    is_small = body[:2] == b"\x1f\x8b" or body[:4] == FOLDED
    return body if is_small else gzip.compress(body, 1, mtime=0)


def _outcome(grant: Grant | None, header: BatchHeader, *, taken: bool) -> Outcome:
    asked = set(header.purposes)
    if grant is None or not asked.issubset(grant.granted) or asked.isdisjoint(grant.active):
        return Outcome.WITHDRAWN
    return Outcome.HAVE if taken else Outcome.STORED
