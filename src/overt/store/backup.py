"""Dated copies of a data directory, sealed as it is, that expire.

A backup holds keyring, control database, segments, artefacts and log; never the master key.
Who was erased after it was made is still in it, under a key that is in it too: so each backup is
registered with the day it expires, an erasure's certificate names the last of these days, and
`expire` overwrites the keyring of a backup first and then removes it.

To restore, put the copy in place of the data directory together with `master.key`. Erasures made
after the backup have to be carried out again; `tombstones` of a surviving directory tell which.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from overt.schema.errors import InvalidInput, Missing
from overt.store.control import BackupRow, Control, today
from overt.store.files import locked, make_folder, open_private, overwrite, sync_folder, write_new
from overt.store.layout import Layout

BACKUP_DAYS = 30
"""How long a backup is kept, unless said otherwise."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made: where it lies and when it expires."""

    place: Path
    expires: dt.date

    def __str__(self) -> str:
        return f"{self.place} (expires after {self.expires.isoformat()})"


def date_of(day: int) -> dt.date:
    """Return the date of a day since 1970."""
    return dt.date(1970, 1, 1) + dt.timedelta(days=day)


def make(layout: Layout, control: Control, dest: Path, days: int) -> Backup:
    """Copy the data directory to a new folder under `dest`, and register it.

    Uploads and erasures wait while it copies, so the copy is of one moment.
    """
    dest = dest.resolve()
    if days < 1:
        raise InvalidInput("a backup lives at least a day", where="days")
    if dest.is_relative_to(layout.root.resolve()):
        raise InvalidInput(
            "lies inside the data directory", where="dest", do="Choose another disk."
        )
    row, day = os.urandom(16).hex(), today()
    place = dest / f"overt-{date_of(day).isoformat()}-{row[:8]}"
    control.put_backup(row, str(place), day + days)
    make_folder(place)
    copy = Layout(place)
    with control.write():
        _copy_database(layout.control, copy.control)
        lock = open_private(layout.keyring_lock)
        try:
            with locked(lock, fcntl.LOCK_SH):
                _copy_file(layout.keyring, copy.keyring)
        finally:
            os.close(lock)
        for folder in (layout.segments, layout.artefacts, layout.log):
            if folder.is_dir():
                make_folder(place / folder.name)
                for path in sorted(p for p in folder.rglob("*") if p.is_file()):
                    target = place / path.relative_to(layout.root)
                    make_folder(target.parent)
                    _copy_file(path, target)
    expires = date_of(day + days)
    about = {"made": date_of(day).isoformat(), "expires": expires.isoformat()}
    write_new(place / "backup.json", json.dumps(about).encode())
    return Backup(place, expires)


def last_expiry(control: Control) -> dt.date | None:
    """Return the day after which no backup made so far exists any more, or None without any."""
    days = [backup.expires_day for backup in control.backups() if backup.state == "made"]
    return date_of(max(days)) if days else None


def expire(control: Control, *, day: int | None = None) -> list[BackupRow]:
    """Destroy backups that are past their day; return those that could not be reached."""
    now, unreached = today() if day is None else day, []
    for backup in control.backups():
        if backup.state != "made" or backup.expires_day >= now:
            continue
        place = Path(backup.place)
        if not place.parent.is_dir():
            unreached.append(backup)
            continue
        if place.is_dir():
            overwrite(Layout(place).keyring)
            shutil.rmtree(place)
            sync_folder(place.parent)
        control.mark_backup(backup.row, "removed")
    return unreached


def tombstones(root: Path) -> list[bytes]:
    """Return the marks of everyone who was erased from a data directory; needs none of its keys."""
    path = Layout(root).control
    if not path.is_file():
        raise Missing("there is no control database", where=str(path))
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as read:
        return [bytes(mark) for (mark,) in read.execute("SELECT mark FROM tombstone ORDER BY mark")]


def _copy_file(source: Path, target: Path) -> None:
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise Missing("a file went away while it was copied", where=source.name) from error
    with closing(os.fdopen(descriptor, "rb")) as read:
        out = open_private(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        with closing(os.fdopen(out, "wb")) as write:
            shutil.copyfileobj(read, write, 1 << 20)
            write.flush()
            os.fsync(write.fileno())


def _copy_database(source: Path, target: Path) -> None:
    os.close(open_private(target, os.O_RDWR | os.O_CREAT | os.O_EXCL))
    with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(target)) as write:
        read.backup(write)
