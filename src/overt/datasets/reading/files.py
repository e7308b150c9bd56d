"""The files an import reads: a directory, one file, or a `.tar.zst`, streamed one at a time.

A directory that holds no such file but one or more `.tar.zst` is read through these.
"""

from __future__ import annotations

import fnmatch
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import pyarrow as pa

from overt.schema.errors import InvalidInput, Missing

ARCHIVES = (".tar.zst", ".tzst")

FILE_BYTES_MAX = 256 * 1024 * 1024
"""One participant's file is about 100 kB; this bounds the memory one file can take."""


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
    """Yield the files in `path` whose names match `pattern`, in order of name (tar: as stored).

    The pattern is one for the file's own name, or several of them; `only` further chooses by
    `Found.path`. A single file is taken whatever its name. Raises `Missing` if there is nothing at
    `path` and `InvalidInput` if no file matches, one is too large, or the archive is damaged.
    """
    if not path.exists():
        raise Missing("there is no such file or directory", where=str(path))
    if path.is_dir():
        yield from _in_directory(path, pattern, only)
    elif path.name.endswith(ARCHIVES):
        yield from _in_archives([path], pattern, only)
    else:
        size = path.stat().st_size
        _check_size(size, path.name)
        yield Found(path.name, path.name, path.read_bytes(), 1, size, size)


def paths(path: Path, *pattern: str, only: Only | None = None) -> list[str]:
    """Return `Found.path` of the files that `named` would yield, in that order, unread."""
    if not path.exists():
        raise Missing("there is no such file or directory", where=str(path))
    if path.is_dir():
        below = [file.relative_to(path).as_posix() for file in _matching(path, pattern, only)]
        archives = [] if below else _archives(path)
    elif path.name.endswith(ARCHIVES):
        below, archives = [], [path]
    else:
        return [path.name]
    for archive in archives:
        with _opened(archive) as (members, _):
            below += [_inside(m) for m in members if _is_wanted(m, pattern, only)]
    if not below:
        raise _none(path, pattern)
    return below


def _wanted(name: str, pattern: tuple[str, ...]) -> bool:
    return not name.startswith(".") and any(fnmatch.fnmatchcase(name, one) for one in pattern)


def _check_size(size: int, name: str) -> None:
    if size > FILE_BYTES_MAX:
        raise InvalidInput(f"is larger than {FILE_BYTES_MAX} bytes", where=name)


def _none(path: Path, pattern: tuple[str, ...]) -> InvalidInput:
    wanted = " or ".join(pattern)
    return InvalidInput(f"holds no file named {wanted}", where=str(path), do="Check the path.")


def _matching(path: Path, pattern: tuple[str, ...], only: Only | None) -> list[Path]:
    found = (f for f in path.rglob("*") if _wanted(f.name, pattern) and f.is_file())
    return sorted(f for f in found if only is None or only(f.relative_to(path).as_posix()))


def _archives(path: Path) -> list[Path]:
    return sorted(f for f in path.iterdir() if f.name.endswith(ARCHIVES))


def _in_directory(path: Path, pattern: tuple[str, ...], only: Only | None) -> Iterator[Found]:
    found = _matching(path, pattern, only)
    if not found:
        archives = _archives(path)
        if not archives:
            raise _none(path, pattern)
        yield from _in_archives(archives, pattern, only)
        return
    sizes = [f.stat().st_size for f in found]
    done = 0
    for file, size in zip(found, sizes, strict=True):
        _check_size(size, file.name)
        done += size
        below = file.relative_to(path).as_posix()
        yield Found(file.name, below, file.read_bytes(), len(found), done, sum(sizes))


def _in_archives(
    archives: list[Path], pattern: tuple[str, ...], only: Only | None
) -> Iterator[Found]:
    sizes = [archive.stat().st_size for archive in archives]
    any_found = False
    for number, archive in enumerate(archives):
        with _opened(archive) as (members, packed):
            for member in members:
                if not _is_wanted(member, pattern, only):
                    continue
                inside = _inside(member)
                _check_size(member.size, inside)
                content = members.extractfile(member)
                if content is None:
                    continue
                any_found = True
                name = PurePosixPath(inside).name
                done = sum(sizes[:number]) + packed.tell()
                yield Found(name, inside, content.read(), None, done, sum(sizes))
    if not any_found:
        raise _none(archives[0], pattern)


def _inside(member: tarfile.TarInfo) -> str:
    return PurePosixPath(member.name).as_posix()


def _is_wanted(member: tarfile.TarInfo, pattern: tuple[str, ...], only: Only | None) -> bool:
    inside = _inside(member)
    return (
        member.isfile()
        and _wanted(PurePosixPath(inside).name, pattern)
        and (only is None or only(inside))
    )


@contextmanager
def _opened(path: Path) -> Iterator[tuple[tarfile.TarFile, BinaryIO]]:
    """Open a `.tar.zst` for one pass; damage found meanwhile is `InvalidInput`."""
    try:
        with (
            path.open("rb") as packed,
            pa.CompressedInputStream(pa.PythonFile(packed, mode="r"), "zstd") as plain,
            tarfile.open(fileobj=plain, mode="r|") as archive,
        ):
            yield archive, packed
    except (tarfile.TarError, OSError, EOFError) as error:
        raise InvalidInput("is not a whole .tar.zst", where=str(path)) from error
