"""What a slot of the keyring holds: the four kinds of entry, and how they are laid out in bytes."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from overt.store.seal import SEAL_BYTES

SLOT_BYTES = 256
PAYLOAD_BYTES = SLOT_BYTES - SEAL_BYTES
SECRET, SUBJECT, DATA, ARTEFACT = 1, 2, 3, 4
ENTRY = struct.Struct("<B16s")
"""Kind and row; what follows is the key of a secret or an artefact, or one of these."""
SUBJECT_BODY = struct.Struct("<16s32s32s32s64p")
"""Pseudonym, key, hashes of recovery code and device secret, study."""
DATA_BODY = struct.Struct("<16sI60s128p")
"""Row of the subject, day, wrapped key, purposes with commas between."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A person of one study as the keyring knows them."""

    row: str
    study: str
    pseudonym: bytes = field(repr=False)
    key: bytes = field(repr=False)
    recovery_hash: bytes = field(repr=False)
    device_hash: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DataKey:
    """Key of one subject's rows of one day (days since 1970, UTC) and one set of purposes."""

    row: str
    subject: str
    day: int
    purposes: tuple[str, ...]
    key: bytes = field(repr=False)
    wrapped: bytes = field(repr=False)
    cipher: AESGCM = field(repr=False, compare=False)


def secret_row(name: str) -> str:
    """Return the row of a system secret."""
    return hashlib.sha256(b"overt secret " + name.encode()).hexdigest()[:32]


def place_of(place: int) -> bytes:
    """Return what binds a sealed slot to its position in the file."""
    return b"overt slot 1" + place.to_bytes(4, "little")
