"""The files an import reads: a directory, one file, or an archive, streamed one at a time.

A directory that holds no such file but one or more archives (`ARCHIVES`) is read through these.
A file packed by itself (`.gz`, `.zst`) is one without that ending. Names are matched in any case.
"""

from __future__ import annotations

import fnmatch
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from io import BufferedReader
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import pyarrow as pa

from overt.schema.errors import InvalidInput, Missing

ARCHIVES = (".tar.zst", ".tzst", ".tar.gz", ".tgz", ".tar", ".zip")
_PACKED: dict[str, Literal["gzip", "zstd"]] = {".gz": "gzip", ".zst": "zstd"}

FILE_BYTES_MAX = 256 * 1024 * 1024
"""One participant's file is about 100 kB; this bounds the memory one file can take."""


class NoSuchFile(InvalidInput):
    """No file with the names asked for; what there is may be of another kind."""


@dataclass(frozen=True)
class Found:
    """One file's bytes, and how far the reading is after it (bytes as they lie on disk)."""

    name: str
    """Its own name, without folders."""
    path: str
    """Its path below the directory or inside the archive, with `/` between folders."""
    data: bytes = field(repr=False)
    files_total: int | None
    bytes_done: int
    bytes_total: int


Only = Callable[[str], bool]


def named(path: Path, *pattern: str, only: Only | None = None) -> Iterator[Found]:
    """Yield the files in `path` whose names match `pattern`, in order of name (archive: as stored).

    The pattern is one for the file's own name, or several of them; `only` further chooses by
    `Found.path`. A single file is taken whatever its name. Raises `Missing` if there is nothing at
    `path`, `NoSuchFile` if no file matches, and `InvalidInput` if one is too large, or the archive
    is damaged.
    """
    if not path.exists():
        raise Missing("there is no such file or directory", where=str(path))
    if path.is_dir():
        yield from _in_directory(path, pattern, only)
    elif _is_archive(path.name):
        yield from _in_archives([path], pattern, only)
    else:
        size = path.stat().st_size
        name = _plain(path.name, pattern)
        yield Found(name, name, _read(path, name), 1, size, size)


def paths(path: Path, *pattern: str, only: Only | None = None) -> list[str]:
    """Return `Found.path` of the files that `named` would yield, in that order, unread."""
    if not path.exists():
        raise Missing("there is no such file or directory", where=str(path))
    if path.is_dir():
        below = [name for name, _file in _matching(path, pattern, only)]
        archives = [] if below else _archives(path)
    elif _is_archive(path.name):
        below, archives = [], [path]
    else:
        return [_plain(path.name, pattern)]
    for archive in archives:
        with _opened(archive) as members:
            inside = (member.inside for member in members)
            below += [_plain(one, pattern) for one in inside if _is_wanted(one, pattern, only)]
    if not below:
        raise _none(path, pattern)
    return below


def _is_archive(name: str) -> bool:
    return name.lower().endswith(ARCHIVES)


def _plain(name: str, pattern: tuple[str, ...]) -> str:
    """Return the name without the ending of a packed file, unless the pattern asks for that."""
    end = PurePosixPath(name).suffix
    asked = any(one.lower().endswith(end.lower()) for one in pattern)
    return name if end.lower() not in _PACKED or asked else name.removesuffix(end)


def _wanted(name: str, pattern: tuple[str, ...]) -> bool:
    plain = _plain(name, pattern).lower()
    named = any(fnmatch.fnmatchcase(plain, one.lower()) for one in pattern)
    return named and not name.startswith(".")


def _check_size(size: int, name: str) -> None:
    if size > FILE_BYTES_MAX:
        raise InvalidInput(f"is larger than {FILE_BYTES_MAX} bytes", where=name)


def _read(path: Path, name: str) -> bytes:
    """Return the bytes of one file, unpacked if its plain `name` is another than its own."""
    _check_size(path.stat().st_size, path.name)
    return _unpacked(path.read_bytes(), path.name, name)


def _unpacked(data: bytes, name: str, plain: str) -> bytes:
    kind = _PACKED.get(PurePosixPath(name).suffix.lower())
    if kind is None or PurePosixPath(name).name == PurePosixPath(plain).name:
        return data
    try:
        with pa.CompressedInputStream(pa.BufferReader(data), kind) as stream:
            whole: bytes = stream.read(FILE_BYTES_MAX + 1)
    except (pa.ArrowException, OSError) as error:
        raise InvalidInput("is not a whole packed file", where=name) from error
    _check_size(len(whole), name)
    return whole


def _none(path: Path, pattern: tuple[str, ...]) -> NoSuchFile:
    wanted = " or ".join(pattern)
    return NoSuchFile(
        f"holds no file named {wanted}",
        where=str(path),
        do="Check the path; files are known by their names.",
    )


def _matching(path: Path, pattern: tuple[str, ...], only: Only | None) -> list[tuple[str, Path]]:
    """Return plain names below `path`, each with its file; a plain file before a packed one."""
    found: dict[str, Path] = {}
    for file in sorted(path.rglob("*")):
        if _wanted(file.name, pattern) and file.is_file():
            name = _plain(file.relative_to(path).as_posix(), pattern)
            if only is None or only(name):
                found.setdefault(name, file)
    return sorted(found.items(), key=lambda one: PurePosixPath(one[0]))


def _archives(path: Path) -> list[Path]:
    return sorted(f for f in path.iterdir() if _is_archive(f.name))


def _in_directory(path: Path, pattern: tuple[str, ...], only: Only | None) -> Iterator[Found]:
    found = _matching(path, pattern, only)
    if not found:
        archives = _archives(path)
        if not archives:
            raise _none(path, pattern)
        yield from _in_archives(archives, pattern, only)
        return
    sizes = [file.stat().st_size for _name, file in found]
    done = 0
    for (below, file), size in zip(found, sizes, strict=True):
        done += size
        name = PurePosixPath(below).name
        yield Found(name, below, _read(file, below), len(found), done, sum(sizes))


def _in_archives(
    archives: list[Path], pattern: tuple[str, ...], only: Only | None
) -> Iterator[Found]:
    sizes = [archive.stat().st_size for archive in archives]
    any_found = False
    for number, archive in enumerate(archives):
        with _opened(archive) as members:
            for member in members:
                inside = member.inside
                if not _is_wanted(inside, pattern, only):
                    continue
                _check_size(member.size, inside)
                any_found = True
                below = _plain(inside, pattern)
                data = _unpacked(member.read(), inside, below)
                name = PurePosixPath(below).name
                done = sum(sizes[:number]) + member.bytes_done()
                yield Found(name, below, data, None, done, sum(sizes))
    if not any_found:
        raise _none(archives[0], pattern)


@dataclass(frozen=True)
class _Member:
    """One file in an archive."""

    inside: str
    """Its path there, with `/` between folders."""
    size: int
    """Bytes unpacked, as the archive says."""
    read: Callable[[], bytes]
    bytes_done: Callable[[], int]
    """How far the archive has been read, in bytes as it lies on disk."""


def _is_wanted(inside: str, pattern: tuple[str, ...], only: Only | None) -> bool:
    named = _wanted(PurePosixPath(inside).name, pattern)
    return named and (only is None or only(_plain(inside, pattern)))


@contextmanager
def _opened(path: Path) -> Iterator[Iterator[_Member]]:
    """Open an archive for one pass over its files; damage found meanwhile is `InvalidInput`."""
    try:
        with path.open("rb") as packed:
            yield _in_zip(packed) if path.name.lower().endswith(".zip") else _in_tar(path, packed)
    except _DAMAGE as error:
        raise InvalidInput("is not a whole archive", where=str(path)) from error


_DAMAGE = (tarfile.TarError, zipfile.BadZipFile, OSError, EOFError, zlib.error)


def _in_tar(path: Path, packed: BufferedReader) -> Iterator[_Member]:
    by_zstd = path.name.lower().endswith((".tar.zst", ".tzst"))
    stream: Any = packed
    if by_zstd:
        stream = pa.CompressedInputStream(pa.PythonFile(packed, mode="r"), "zstd")
    with tarfile.open(fileobj=stream, mode="r|" if by_zstd else "r|*") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None:
                inside = PurePosixPath(member.name).as_posix()
                yield _Member(inside, member.size, content.read, packed.tell)


def _in_zip(packed: BufferedReader) -> Iterator[_Member]:
    with zipfile.ZipFile(packed) as archive:
        for member in archive.infolist():
            if not member.is_dir():
                inside = PurePosixPath(member.filename).as_posix()
                read = partial(_from_zip, archive, member)
                yield _Member(inside, member.file_size, read, packed.tell)


def _from_zip(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    try:
        return archive.read(member)
    except (RuntimeError, NotImplementedError) as error:  # a password, another way of packing
        raise InvalidInput(
            "is packed in a way that cannot be opened here",
            where=member.filename,
            do="Unpack the archive first.",
        ) from error
