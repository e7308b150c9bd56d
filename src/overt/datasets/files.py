"""The files an import reads: a directory, one file, or a `.tar.zst`, streamed one at a time."""

from __future__ import annotations

import fnmatch
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pyarrow as pa

from overt.schema.errors import InvalidInput, Missing

FILE_BYTES_MAX = 256 * 1024 * 1024
"""One participant's file is about 100 kB; this bounds the memory one file can take."""


@dataclass(frozen=True)
class Found:
    """One file's bytes, and how far the reading is after it (bytes as they lie on disk)."""

    name: str
    data: bytes = field(repr=False)
    files_total: int | None
    bytes_done: int
    bytes_total: int


def named(path: Path, pattern: str) -> Iterator[Found]:
    """Yield the files in `path` whose names match `pattern`, in order of name (tar: as stored).

    A single file is taken whatever its name. Raises `Missing` if there is nothing at `path` and
    `InvalidInput` if no file matches, one is too large, or the archive is damaged.
    """
    if not path.exists():
        raise Missing("there is no such file or directory", where=str(path))
    if path.is_dir():
        yield from _in_directory(path, pattern)
    elif path.name.endswith((".tar.zst", ".tzst")):
        yield from _in_archive(path, pattern)
    else:
        size = path.stat().st_size
        _check_size(size, path.name)
        yield Found(path.name, path.read_bytes(), 1, size, size)


def _wanted(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name, pattern) and not name.startswith(".")


def _check_size(size: int, name: str) -> None:
    if size > FILE_BYTES_MAX:
        raise InvalidInput(f"is larger than {FILE_BYTES_MAX} bytes", where=name)


def _none(path: Path, pattern: str) -> InvalidInput:
    return InvalidInput(f"holds no file named {pattern}", where=str(path), do="Check the path.")


def _in_directory(path: Path, pattern: str) -> Iterator[Found]:
    found = sorted(f for f in path.rglob("*") if _wanted(f.name, pattern) and f.is_file())
    if not found:
        raise _none(path, pattern)
    sizes = [f.stat().st_size for f in found]
    done = 0
    for file, size in zip(found, sizes, strict=True):
        _check_size(size, file.name)
        done += size
        yield Found(file.name, file.read_bytes(), len(found), done, sum(sizes))


def _in_archive(path: Path, pattern: str) -> Iterator[Found]:
    total = path.stat().st_size
    any_found = False
    try:
        with (
            path.open("rb") as packed,
            pa.CompressedInputStream(pa.PythonFile(packed, mode="r"), "zstd") as plain,
            tarfile.open(fileobj=plain, mode="r|") as archive,
        ):
            for member in archive:
                name = PurePosixPath(member.name).name
                if not member.isfile() or not _wanted(name, pattern):
                    continue
                _check_size(member.size, name)
                content = archive.extractfile(member)
                if content is None:
                    continue
                any_found = True
                yield Found(name, content.read(), None, packed.tell(), total)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise InvalidInput("is not a whole .tar.zst", where=str(path)) from error
    if not any_found:
        raise _none(path, pattern)
