"""The master key: a file of 32 bytes, or a passphrase through scrypt."""

from __future__ import annotations

import hmac
import os
from pathlib import Path

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from overt.schema import dumps
from overt.schema.environment import PASSPHRASE_VARIABLE
from overt.schema.errors import Damaged, InvalidInput, Missing
from overt.store.files import write_new
from overt.store.layout import Layout
from overt.store.seal import KEY_BYTES

PASSPHRASE_CHARS_MIN = 12
"""Of a new keyring: shorter ones are found by trying, in days, by whoever has the disk."""


def make_master_key(layout: Layout) -> None:
    """Make the key file, unless there is one or a passphrase is used.

    Raises `InvalidInput` for a passphrase that protects little, such as a variable set to nothing.
    """
    passphrase = os.environ.get(PASSPHRASE_VARIABLE)
    if passphrase is not None and len(passphrase) < PASSPHRASE_CHARS_MIN:
        raise InvalidInput(
            f"is shorter than {PASSPHRASE_CHARS_MIN} characters: found by whoever tries",
            where=PASSPHRASE_VARIABLE,
            do="Choose several words by chance, or unset it: then a random key is made.",
        )
    if passphrase is None and not layout.master_key.exists():
        write_new(layout.master_key, os.urandom(KEY_BYTES))


def master_key(layout: Layout, salt: bytes) -> bytes:
    """Return the master key. Raises `Missing` or `Damaged`."""
    dumps.leave_none()
    passphrase = os.environ.get(PASSPHRASE_VARIABLE)
    if passphrase is not None:
        return Scrypt(salt=salt, length=KEY_BYTES, n=2**15, r=8, p=1).derive(passphrase.encode())
    return _key_file(layout.master_key)


def _key_file(path: Path) -> bytes:
    if not path.exists():
        raise Missing(
            "there is no master key",
            where=str(path),
            do=f"Put the file back, or give the passphrase in {PASSPHRASE_VARIABLE}.",
        )
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise Damaged("is not a master key of 32 bytes", where=str(path))
    return key


def check_of(master: bytes) -> bytes:
    """Return what the header keeps to tell a wrong key from a damaged file (16 bytes)."""
    return hmac.digest(master, b"overt keyring check", "sha256")[:16]
