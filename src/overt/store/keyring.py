"""The only place of keys and pseudonyms: fixed slots, overwritten in place.

```
header, 4096 bytes   "OVK1" | salt (16) | generation (16) | check (16) | zeros
slot, 256 bytes each nonce (12) | ciphertext (228) | tag (16)
```

A slot that holds something is sealed under the master key with its position bound in; a slot
that is free or erased holds random bytes. Without the master key the three look alike, so the
file says nothing about how many people are or were here. New entries go to a random free slot.

Kinds of entry: system secrets; subjects (pseudonym, key, hashes of recovery code and device
secret); data keys (one per subject, day and set of purposes, wrapped by the subject's key);
artefact keys. Destroying an entry overwrites its slot and is durable before the call returns,
as far as file system and device overwrite in place (SECURITY.md).

Several processes may open one keyring: changes hold a lock file and renew `generation`, which
every read compares first; so a key destroyed in one process is gone in all.
"""

from __future__ import annotations

import fcntl
import hmac
import mmap
import os
import secrets
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from overt.schema.environment import PASSPHRASE_VARIABLE
from overt.schema.errors import Damaged, InvalidInput, Missing, Refused
from overt.store.entries import (
    ARTEFACT,
    DATA,
    DATA_BODY,
    ENTRY,
    PAYLOAD_BYTES,
    SECRET,
    SLOT_BYTES,
    SUBJECT,
    SUBJECT_BODY,
    DataKey,
    Subject,
    place_of,
    secret_row,
)
from overt.store.files import locked, open_private, write_all, write_new
from overt.store.layout import Layout
from overt.store.master import check_of, make_master_key, master_key
from overt.store.seal import KEY_BYTES, NONCE_BYTES, seal, unseal

MAGIC = b"OVK1"
HEADER_BYTES = 4096
SLOTS_FIRST = 1024
"""Slots of a new keyring; it doubles when an eighth of them is left."""

_GENERATION = slice(20, 36)


class Keyring:
    """An open keyring. Rows are 32 hexadecimal digits; keys and secrets are 32 bytes."""

    def __init__(self, layout: Layout, *, create: bool = False) -> None:
        self._path = layout.keyring
        if not self._path.exists():
            if not create:
                raise Missing("there is no keyring", where=str(self._path))
            _create(layout)
        self._file = open_private(self._path, os.O_RDWR)
        self._lock_file = open_private(layout.keyring_lock)
        self._header = mmap.mmap(self._file, HEADER_BYTES, prot=mmap.PROT_READ)
        if self._header[:4] != MAGIC:
            raise Damaged("is not a keyring", where=str(self._path))
        master = master_key(layout, self._header[4:20])
        if not hmac.compare_digest(check_of(master), self._header[36:52]):
            raise Refused(
                "the master key or passphrase does not open this keyring",
                where=str(self._path),
                do=f"Give the right master.key, or the passphrase in {PASSPHRASE_VARIABLE}.",
            )
        self._master = AESGCM(master)
        self._mutex = threading.RLock()
        self._depth = 0
        self._generation = b""
        self._forget()

    def close(self) -> None:
        """Release the files; keys in memory are dropped."""
        with self._mutex:
            self._forget()
            self._header.close()
            os.close(self._file)
            os.close(self._lock_file)

    # -- reading --------------------------------------------------------------------------

    def subject(self, row: str) -> Subject | None:
        """Return the subject, or None when there is none or it was destroyed."""
        with self._fresh():
            return self._subjects.get(row)

    def subjects(self) -> list[str]:
        """Return the rows of all subjects, sorted."""
        with self._fresh():
            return sorted(self._subjects)

    def by_recovery(self, recovery_hash: bytes) -> Subject | None:
        """Return the subject whose recovery code has this SHA-256 hash."""
        with self._fresh():
            everyone = self._subjects.values()
            return next((s for s in everyone if s.recovery_hash == recovery_hash), None)

    def tag(self, row: str) -> bytes:
        """Return the subject's tag: HMAC-SHA256(study secret, pseudonym), 32 bytes.

        Raises `Refused` when the subject is gone.
        """
        subject = self.subject(row)
        if subject is None:
            raise Refused("there is no such subject", where="keyring")
        secret = self.secret(f"study/{subject.study}")
        return hmac.digest(secret, subject.pseudonym, "sha256")

    def data_keys(self, subject: str | None = None) -> list[DataKey]:
        """Return all readable data keys, or those of one subject, by day and purposes."""
        with self._fresh():
            rows = self._data if subject is None else self._data_of.get(subject, {}).values()
            keys = [key for row in rows if (key := self._unwrap(row)) is not None]
        return sorted(keys, key=lambda key: (key.day, key.purposes, key.row))

    def data_key_by_row(self, row: str) -> DataKey | None:
        """Return a data key by its row, or None when it, or its subject, is gone."""
        with self._fresh():
            return self._unwrap(row)

    def artefact_key(self, row: str, *, create: bool = False) -> bytes | None:
        """Return the key of an artefact; None when it is gone and `create` is false."""
        with self._fresh():
            if row in self._artefacts or not create:
                return self._artefacts.get(row)
        with self._changing():
            if row not in self._artefacts:
                self._add(ARTEFACT, row, os.urandom(KEY_BYTES))
            return self._artefacts[row]

    def artefact_rows(self) -> list[str]:
        """Return the rows of all artefact keys, sorted."""
        with self._fresh():
            return sorted(self._artefacts)

    def traces(self, row: str) -> dict[str, bytes]:
        """Return what must not be found anywhere once the subject is erased.

        Names such as `pseudonym`, `key`, `wrapped key 0`, `slot 0` map to the bytes.
        """
        with self._fresh():
            subject = self._subjects.get(row)
            if subject is None:
                return {}
            found = {
                "pseudonym": subject.pseudonym,
                "key": subject.key,
                "slot": self._slot(self._at[row]),
            }
            for number, key in enumerate(self.data_keys(row)):
                found[f"data key {number}"] = key.key
                found[f"wrapped key {number}"] = key.wrapped
                found[f"slot of data key {number}"] = self._slot(self._at[key.row])
            return found

    def payloads(self) -> Iterator[bytes]:
        """Yield the opened content of every slot in use: for the byte scan alone."""
        with self._fresh():
            places = sorted(self._at.values())
        for place in places:
            if (payload := self._open_slot(place, self._slot(place))) is not None:
                yield payload

    # -- changing -------------------------------------------------------------------------

    def secret(self, name: str) -> bytes:
        """Return the system secret of this name (32 bytes), made at first use."""
        row = secret_row(name)
        with self._fresh():
            if row in self._secrets:
                return self._secrets[row]
        with self._changing():
            if row not in self._secrets:
                self._add(SECRET, row, os.urandom(KEY_BYTES))
            return self._secrets[row]

    def renew_secret(self, name: str) -> bytes:
        """Destroy the system secret of this name and return a new one."""
        with self._changing():
            self.destroy(secret_row(name))
            return self.secret(name)

    def add_subject(
        self, study: str, *, recovery_hash: bytes = bytes(32), device_hash: bytes = bytes(32)
    ) -> str:
        """Add a subject with a fresh pseudonym and key; return its row.

        The hashes are SHA-256 of the recovery code and of the device's secret; zeros mean none.
        """
        return self._add_subjects(study, [(recovery_hash, device_hash)])[0]

    def add_subjects(self, study: str, count: int) -> list[str]:
        """Add `count` subjects without recovery code or device (imports); return their rows."""
        return self._add_subjects(study, [(bytes(32), bytes(32))] * count)

    def _add_subjects(self, study: str, hashes: list[tuple[bytes, bytes]]) -> list[str]:
        name = study.encode()
        if not 0 < len(name) <= 63:
            raise InvalidInput("a study's id has 1 to 63 bytes", where="study")
        rows = []
        with self._changing():
            for recovery_hash, device_hash in hashes:
                row = os.urandom(16).hex()
                body = SUBJECT_BODY.pack(
                    os.urandom(16), os.urandom(KEY_BYTES), recovery_hash, device_hash, name
                )
                self._add(SUBJECT, row, body)
                rows.append(row)
        return rows

    def data_keys_on(
        self, day: int, wanted: Iterable[tuple[str, tuple[str, ...]]]
    ) -> dict[tuple[str, tuple[str, ...]], DataKey]:
        """Return the keys of a day that there are, by subject and purposes."""
        found = {}
        with self._fresh():
            for owned in wanted:
                key = self._found.get((day, owned))
                if key is None:
                    subject, purposes = owned
                    row = self._data_of.get(subject, {}).get((day, tuple(sorted(purposes))))
                    key = None if row is None else self._unwrap(row)
                if key is not None:
                    self._found[day, owned] = found[owned] = key
        return found

    def data_key(
        self, subject: str, day: int, purposes: Iterable[str], *, create: bool = False
    ) -> DataKey | None:
        """Return the subject's key of a day (since 1970, UTC) and set of purposes.

        None when the subject is gone, or when there is none and `create` is false.
        """
        wanted = (day, tuple(sorted(purposes)))
        with self._fresh():
            row = self._data_of.get(subject, {}).get(wanted)
            if row is not None or not create:
                return None if row is None else self._unwrap(row)
        with self._changing():
            owner = self._subjects.get(subject)
            if owner is None:
                return None
            row = self._data_of.get(subject, {}).get(wanted)
            if row is None:
                row = os.urandom(16).hex()
                wrapped = seal(owner.key, os.urandom(KEY_BYTES), bytes.fromhex(row))
                names = ",".join(wanted[1]).encode()
                if len(names) > 127:
                    raise InvalidInput("names of the purposes are too long", where="purposes")
                body = DATA_BODY.pack(bytes.fromhex(subject), day, wrapped, names)
                self._add(DATA, row, body)
            return self._unwrap(row)

    @contextmanager
    def group(self) -> Iterator[None]:
        """Make several changes durable with one fsync, at the end of the block."""
        with self._changing():
            yield

    def destroy(self, *rows: str) -> int:
        """Overwrite the slots of these rows; return how many there were.

        Durable before it returns. A row that is already gone is no error.
        """
        with self._changing():
            places = [place for row in rows if (place := self._at.get(row)) is not None]
            for place in places:
                self._put(place, os.urandom(SLOT_BYTES))
            return len(places)

    # -- slots ----------------------------------------------------------------------------

    @contextmanager
    def _fresh(self) -> Iterator[None]:
        with self._mutex:
            if self._header[_GENERATION] != self._generation and not self._depth:
                with locked(self._lock_file, fcntl.LOCK_SH):
                    self._refresh()
            yield

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Hold the lock, with memory fresh; at the end everything written is durable.

        The new generation is written first: readers that see it wait for the lock, so a crash
        in the middle cannot leave another process with a destroyed key in memory.
        """
        with self._mutex:
            if self._depth:
                yield
                return
            with locked(self._lock_file, fcntl.LOCK_EX):
                self._refresh()
                self._generation = os.urandom(16)
                write_all(self._file, self._generation, _GENERATION.start)
                self._depth = 1
                try:
                    yield
                finally:
                    self._depth = 0
                    os.fsync(self._file)

    def _forget(self) -> None:
        self._marks = np.zeros((0, 16), np.uint8)
        self._held: dict[int, tuple[int, str]] = {}
        self._at: dict[str, int] = {}
        self._free: list[int] = []
        self._secrets: dict[str, bytes] = {}
        self._subjects: dict[str, Subject] = {}
        self._data: dict[str, tuple[str, int, tuple[str, ...], bytes]] = {}
        self._data_of: dict[str, dict[tuple[int, tuple[str, ...]], str]] = {}
        self._opened: dict[str, DataKey] = {}
        self._found: dict[tuple[int, tuple[str, tuple[str, ...]]], DataKey] = {}
        self._artefacts: dict[str, bytes] = {}

    def _refresh(self) -> None:
        """Bring memory in line with the file: only slots whose tag changed are opened."""
        generation = self._header[_GENERATION]
        if generation == self._generation:
            return
        count = (os.fstat(self._file).st_size - HEADER_BYTES) // SLOT_BYTES
        raw = np.frombuffer(
            os.pread(self._file, count * SLOT_BYTES, HEADER_BYTES), np.uint8
        ).reshape(count, SLOT_BYTES)
        marks = raw[:, -16:]
        known = len(self._marks)
        changed = np.ones(count, bool)
        changed[:known] = (marks[:known] != self._marks[:count]).any(axis=1)
        for place in np.flatnonzero(changed).tolist():
            self._drop(place)
            self._learn(place, self._open_slot(place, raw[place].tobytes()))
        self._marks = marks.copy()
        self._free = [place for place in range(count) if place not in self._held]
        self._generation = generation

    def _slot(self, place: int) -> bytes:
        return os.pread(self._file, SLOT_BYTES, HEADER_BYTES + place * SLOT_BYTES)

    def _open_slot(self, place: int, slot: bytes) -> bytes | None:
        try:
            return self._master.decrypt(slot[:NONCE_BYTES], slot[NONCE_BYTES:], place_of(place))
        except InvalidTag:
            return None

    def _add(self, kind: int, row: str, body: bytes) -> None:
        if len(self._free) <= len(self._marks) // 8:
            self._grow()
        index = secrets.randbelow(len(self._free))
        self._free[index], self._free[-1] = self._free[-1], self._free[index]
        place = self._free.pop()
        payload = (ENTRY.pack(kind, bytes.fromhex(row)) + body).ljust(PAYLOAD_BYTES, b"\0")
        nonce = os.urandom(NONCE_BYTES)
        self._put(place, nonce + self._master.encrypt(nonce, payload, place_of(place)), payload)

    def _put(self, place: int, slot: bytes, payload: bytes | None = None) -> None:
        write_all(self._file, slot, HEADER_BYTES + place * SLOT_BYTES)
        self._marks[place] = np.frombuffer(slot[-16:], np.uint8)
        self._drop(place)
        self._learn(place, payload)
        if payload is None:
            self._free.append(place)

    def _grow(self) -> None:
        count = len(self._marks)
        fresh = os.urandom(count * SLOT_BYTES)
        write_all(self._file, fresh, HEADER_BYTES + count * SLOT_BYTES)
        tags = np.frombuffer(fresh, np.uint8).reshape(count, SLOT_BYTES)[:, -16:]
        self._marks = np.concatenate([self._marks, tags])
        self._free.extend(range(count, 2 * count))

    def _drop(self, place: int) -> None:
        kind, row = self._held.pop(place, (0, ""))
        self._at.pop(row, None)
        if kind:
            # What was found before may be gone with it.
            self._found.clear()
        if kind == SECRET:
            del self._secrets[row]
        elif kind == SUBJECT:
            del self._subjects[row]
            for data_row in self._data_of.get(row, {}).values():
                self._opened.pop(data_row, None)
        elif kind == DATA:
            subject, day, purposes, _ = self._data.pop(row)
            del self._data_of[subject][day, purposes]
            self._opened.pop(row, None)
        elif kind == ARTEFACT:
            del self._artefacts[row]

    def _learn(self, place: int, payload: bytes | None) -> None:
        if payload is None:
            return
        kind, raw_row = ENTRY.unpack_from(payload)
        row, body = raw_row.hex(), payload[ENTRY.size :]
        self._held[place] = (kind, row)
        self._at[row] = place
        if kind == SECRET:
            self._secrets[row] = body[:KEY_BYTES]
        elif kind == SUBJECT:
            pseudonym, key, recovery, device, study = SUBJECT_BODY.unpack_from(body)
            self._subjects[row] = Subject(row, study.decode(), pseudonym, key, recovery, device)
        elif kind == DATA:
            subject, day, wrapped, names = DATA_BODY.unpack_from(body)
            purposes = tuple(names.decode().split(","))
            self._data[row] = (subject.hex(), day, purposes, wrapped)
            self._data_of.setdefault(subject.hex(), {})[day, purposes] = row
        elif kind == ARTEFACT:
            self._artefacts[row] = body[:KEY_BYTES]

    def _unwrap(self, row: str) -> DataKey | None:
        opened = self._opened.get(row)
        if opened is not None:
            return opened
        entry = self._data.get(row)
        owner = None if entry is None else self._subjects.get(entry[0])
        if entry is None or owner is None:
            return None
        subject, day, purposes, wrapped = entry
        key = unseal(owner.key, wrapped, bytes.fromhex(row), where="keyring")
        opened = DataKey(row, subject, day, purposes, key, wrapped, AESGCM(key))
        self._opened[row] = opened
        return opened


def _create(layout: Layout) -> None:
    salt = os.urandom(16)
    make_master_key(layout)
    master = master_key(layout, salt)
    header = (MAGIC + salt + os.urandom(16) + check_of(master)).ljust(HEADER_BYTES, b"\0")
    write_new(layout.keyring, header + os.urandom(SLOTS_FIRST * SLOT_BYTES))
