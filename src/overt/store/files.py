"""Files that are private (0600 in folders of 0700) and durable before anyone relies on them."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def make_folder(path: Path) -> None:
    """Create a folder only its owner can enter."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def sync_folder(path: Path) -> None:
    """Make creations, renames and removals in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_private(path: Path, flags: int = os.O_RDWR | os.O_CREAT) -> int:
    """Return a descriptor of a file that is created with mode 0600."""
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


def write_all(descriptor: int, data: bytes, offset: int) -> None:
    """Write all of `data` at `offset`; a short write is continued."""
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def write_new(path: Path, data: bytes) -> None:
    """Put a whole file in place at once: temporary name, fsync, rename, fsync of the folder."""
    passing = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    descriptor = open_private(passing, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        write_all(descriptor, data, 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    passing.replace(path)
    sync_folder(path.parent)


def overwrite(path: Path) -> None:
    """Overwrite a file with random bytes, make that durable, then remove it. Missing is fine."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        size, at = os.fstat(descriptor).st_size, 0
        while at < size:
            part = min(size - at, 1 << 20)
            write_all(descriptor, os.urandom(part), at)
            at += part
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


@contextmanager
def locked(descriptor: int, kind: int) -> Iterator[None]:
    """Hold `fcntl.LOCK_EX` or `LOCK_SH` on an open file against other processes."""
    fcntl.flock(descriptor, kind)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
