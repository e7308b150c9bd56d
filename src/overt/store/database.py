"""The SQLite file under the control database: one write lock, zeroed deletions, a checked purge."""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event

from overt.schema.errors import Damaged, Missing, Refused
from overt.store.files import make_folder, open_private
from overt.store.tables import METADATA, SCHEMA_VERSION

BUSY_TIMEOUT_S = 10.0
"""How long a writer waits for another process, and a purge for a reader."""

WAL_PAGES = 8192
"""Pages (of 4 KiB) in the WAL before it is moved into the database."""


def today() -> int:
    """Return the day since 1970 (UTC)."""
    return dt.datetime.now(dt.UTC).date().toordinal() - 719_163


def split_names(text: str) -> tuple[str, ...]:
    """Return the purposes of a comma-joined column."""
    return tuple(text.split(",")) if text else ()


class Database:
    """An open database file. `write` and `read` hand out connections in a transaction."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        if not path.exists() and not create:
            raise Missing("there is no control database", where=str(path))
        make_folder(path.parent)
        # SQLite gives -wal and -shm the mode of the main file. Only a new file is opened here:
        # closing a descriptor drops the locks that other connections of this process hold.
        with suppress(FileExistsError):
            os.close(open_private(path, os.O_RDWR | os.O_CREAT | os.O_EXCL))
        self._engine = _engine(path, durable=True)
        self._fast = _engine(path, durable=False)
        self._appending = threading.Lock()
        self._kept: sa.PoolProxiedConnection | None = None
        with self.write() as connection:
            METADATA.create_all(connection)
            version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            if version not in (0, SCHEMA_VERSION):
                raise Damaged(
                    "was written by another version of Overt", where=str(path), do="Use that one."
                )
            connection.exec_driver_sql(f"PRAGMA user_version={SCHEMA_VERSION}")

    def close(self) -> None:
        """Close all connections."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None
        self._engine.dispose()
        self._fast.dispose()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Yield a connection in a short read transaction."""
        with self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[sa.Connection]:
        """Yield a connection that holds the write lock; commits at the end, or rolls back.

        `durable=False` leaves the fsync to a later commit: only for what can be rebuilt from
        segments. Raises `Refused` when another process holds the lock for too long.
        """
        engine = self._engine if durable else self._fast
        with engine.connect().execution_options(overt_write=True) as connection:
            try:
                transaction = connection.begin()
                connection.exec_driver_sql("SELECT 1")
            except sa.exc.OperationalError as error:
                raise _busy() from error
            with transaction:
                yield connection

    def begin_append(self, *, wait: bool = True) -> sqlite3.Connection | None:
        """Take the write lock for a group of batches; None if `wait` is false and it is taken.

        It is always the same bare connection, as SQLAlchemy takes as long for a group as SQLite
        itself. Nobody else of this process appends until `end_append`, from whichever thread.
        Like `write(durable=False)` it is only for what can be rebuilt from segments.
        """
        if not self._appending.acquire(blocking=wait):
            return None
        try:
            if self._kept is None:
                self._kept = self._fast.raw_connection()
            connection = _bare_of(self._kept)
            if wait:
                connection.execute("BEGIN IMMEDIATE").close()
                return connection
            connection.execute("PRAGMA busy_timeout=0").close()
            try:
                connection.execute("BEGIN IMMEDIATE").close()
            finally:
                connection.execute(f"PRAGMA busy_timeout={1000 * BUSY_TIMEOUT_S:.0f}").close()
        except sqlite3.OperationalError as error:
            self._appending.release()
            if wait:
                raise _busy() from error
            return None
        except BaseException:
            self._appending.release()
            raise
        return connection

    def end_append(self, connection: sqlite3.Connection, *, keep: bool) -> None:
        """Commit what was appended, without an fsync, or roll it back; give the lock back."""
        try:
            if keep:
                connection.commit()
        finally:
            try:
                connection.rollback()
            finally:
                self._appending.release()

    def purge(self) -> None:
        """Move the WAL into the database and truncate it, so that no deleted byte is left.

        Raises `Refused` when a reader keeps it from finishing; it may be called again.
        """
        with self._engine.connect().execution_options(overt_bare=True) as connection:
            busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar_one()
        if busy:
            raise _busy()


def bare(connection: sa.Connection) -> sqlite3.Connection:
    """Return SQLite's own connection, in the same transaction."""
    return _bare_of(connection.connection)


def _bare_of(connection: sa.PoolProxiedConnection) -> sqlite3.Connection:
    found = connection.driver_connection
    assert isinstance(found, sqlite3.Connection)  # noqa: S101 - the dialect's driver
    return found


def _busy() -> Refused:
    return Refused(
        "another process holds the control database for too long",
        where="control.db",
        do="Try again; end long reads.",
    )


def _engine(path: Path, *, durable: bool) -> sa.Engine:
    engine = sa.create_engine(
        f"sqlite:///{path}",
        connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False},
    )

    def connected(raw: sqlite3.Connection, _record: object) -> None:
        raw.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "secure_delete=ON",
            "foreign_keys=ON",
            "temp_store=MEMORY",
            f"synchronous={'FULL' if durable else 'NORMAL'}",
            f"wal_autocheckpoint={WAL_PAGES}",
        ):
            raw.execute(f"PRAGMA {pragma}").close()

    def begun(connection: sa.Connection) -> None:
        options = connection.get_execution_options()
        if not options.get("overt_bare"):
            connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("overt_write") else "BEGIN")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)
    return engine
