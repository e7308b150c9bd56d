"""What the agent keeps on this computer, sealed: grant, journal, outbox, counts.

One SQLite file of sealed values under plain names (random ids and numbers), and one key beside it
that is destroyed when the person leaves: what is left then is noise. Each change is one
transaction, so a killed agent leaves a state that was true at some moment.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from overt.schema import dumps
from overt.schema.errors import Damaged, Missing, Refused

_NONCE_BYTES = 12


class Vault:
    """Sealed values by name. Hold `alone` over a change that rests on what was read before."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: IO[bytes] | None = None
        self.alone = threading.RLock()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.chmod(0o700)
            self._cipher = AESGCM(self._key(folder / "key"))
            self._db = sqlite3.connect(
                folder / "vault.sqlite", isolation_level=None, check_same_thread=False
            )
            (folder / "vault.sqlite").chmod(0o600)
            for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON"):
                self._db.execute(f"PRAGMA {pragma}")
            self._db.execute("CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, sealed BLOB)")
        except (OSError, sqlite3.Error) as error:
            raise Missing(
                "cannot be read and written by you; nothing is recorded",
                where=str(folder),
                do="Look at who owns it, or name another folder with --device-dir.",
            ) from error

    @staticmethod
    def _key(path: Path) -> bytes:
        dumps.leave_none()
        if not path.exists():
            with os.fdopen(
                os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb"
            ) as file:
                file.write(os.urandom(32))
                file.flush()
                os.fsync(file.fileno())
        key = path.read_bytes()
        if len(key) != 32:
            raise Damaged("the key of this device is not whole", where=str(path))
        return key

    def change(self, put: dict[str, bytes | None]) -> None:
        """Put sealed values and take away those that are None, all or none of them."""
        self._change(put, {})

    def change_if(self, known: dict[str, bytes | None], put: dict[str, bytes | None]) -> bool:
        """Do so only if these values are still what is known of them, in whatever process.

        Returns whether it was done.
        """
        return self._change(put, known)

    def _change(self, put: dict[str, bytes | None], known: dict[str, bytes | None]) -> bool:
        with self.alone:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                holds = all(self.get(name) == value for name, value in known.items())
                for name, value in put.items() if holds else ():
                    if value is None:
                        self._db.execute("DELETE FROM kept WHERE name = ?", (name,))
                    else:
                        sealed = self._seal(name, value)
                        self._db.execute(
                            "INSERT OR REPLACE INTO kept VALUES (?, ?)", (name, sealed)
                        )
                self._db.execute("COMMIT")
                return holds
            except sqlite3.Error as error:
                raise Missing(
                    "cannot write here; recording stops",
                    where=str(self._folder),
                    do="Make room on the disk.",
                ) from error
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    def _seal(self, name: str, value: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, value, name.encode())

    def get(self, name: str) -> bytes | None:
        """Return a value, or None. Raises `Damaged` where it was changed by anything else."""
        with self.alone:
            found = self._db.execute("SELECT sealed FROM kept WHERE name = ?", (name,)).fetchone()
        return None if found is None else self._open(name, found[0])

    def _open(self, name: str, sealed: bytes) -> bytes:
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], name.encode())
        except InvalidTag as error:
            raise Damaged("does not verify", where=str(self._folder)) from error

    def get_json(self, name: str, default: Any = None) -> Any:
        """Return a value as JSON."""
        found = self.get(name)
        return default if found is None else json.loads(found)

    def names(self, prefix: str) -> list[str]:
        """Return the names that begin so, in order."""
        query = "SELECT name FROM kept WHERE substr(name, 1, ?) = ? ORDER BY name"
        with self.alone:
            return [str(name) for (name,) in self._db.execute(query, (len(prefix), prefix))]

    def items(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        """Yield names that begin so, with their values."""
        for name in self.names(prefix):
            value = self.get(name)
            if value is not None:
                yield name, value

    def purge(self) -> None:
        """Leave no byte of what was taken away in the file's log either, unless another reads."""
        with self.alone:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()

    def hold(self) -> None:
        """Let nobody else begin here until this is closed. Raises `Refused` where somebody has.

        Looking, sending and leaving are for everybody; recording is for one at a time.
        """
        if sys.platform == "win32":
            return
        import fcntl

        held = (self._folder / "key").open("rb")
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            held.close()
            raise Refused(
                "it runs on this computer already",
                where=str(self._folder),
                do="End the other one first: Ctrl+C in its terminal, or the button on its page.",
            ) from error
        self._held = held

    @property
    def is_gone(self) -> bool:
        """Whether it was destroyed, here or by another process."""
        return not (self._folder / "key").exists()

    def destroy(self) -> None:
        """Overwrite and remove the key, then everything it sealed. As far as the disk allows.

        Whoever else has it open, as the agent while `overt device leave` runs, may do the same.
        """
        key = self._folder / "key"
        with contextlib.suppress(FileNotFoundError):
            with key.open("r+b") as file:
                file.write(os.urandom(32))
                file.flush()
                os.fsync(file.fileno())
            key.unlink()
        self.close()
        for path in self._folder.glob("vault.sqlite*"):
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file."""
        self._db.close()
        if self._held is not None:
            self._held.close()


def as_json(value: Any) -> bytes:
    """Return a value as JSON, for `Vault.change`."""
    return json.dumps(value, separators=(",", ":")).encode()
