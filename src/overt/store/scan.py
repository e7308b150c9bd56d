"""The byte scan after an erasure: is anything of the person left in any file?

Every file under a folder is opened as far as it opens: gzip, zstd, tar, zip, SQLite (pages and
WAL as bytes, and every value), Arrow IPC, Parquet, segments and sealed artefacts and the keyring
with every surviving key. What is inside is opened again. In all of it the scan looks for the
needles (as bytes, in hexadecimal, in base64) and for runs of timing deltas.

The scan shares no code with what writes these files beyond the formats' own readers, except for
opening sealed rows and artefacts, which needs the store.
"""

from __future__ import annotations

import base64
import io
import sqlite3
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from overt.schema import batch as batches
from overt.schema.environment import keyless
from overt.schema.errors import Damaged, OvertError
from overt.schema.event import WIRE
from overt.schema.fold import BEFORE, unfold
from overt.schema.fold import MAGIC as FOLDED
from overt.store.layout import Layout
from overt.store.rows import open_row
from overt.store.store import Store
from overt.store.traces import Deltas, Needles

DEPTH_MAX = 6
INFLATED_BYTES_MAX = 1 << 30


@dataclass(frozen=True, slots=True)
class Finding:
    """Something of the person that was found: in which file, inside what, and what."""

    path: str
    inside: tuple[str, ...]
    what: str


@dataclass(frozen=True, slots=True)
class Traces:
    """What must not be found: named bytes (keys, pseudonym), and sequences of deltas in µs."""

    needles: Mapping[str, bytes]
    deltas: tuple[Any, ...] = ()


def traces_of(store: Store, subject: str) -> Traces:
    """Return what to look for after this subject is erased. Keep it in memory, not in a file."""
    deltas = []
    for _, plain in store.read(store.batches_of(subject)):
        _, rows = batches.decode(plain)
        deltas.append(rows.column("dt_us").to_numpy()[1:].astype(np.int64))
    return Traces(store.keyring.traces(subject), tuple(deltas))


def scan(root: Path, traces: Traces, store: Store | None = None) -> list[Finding]:
    """Return everything of `traces` found under `root`; `store` opens what is sealed there."""
    search = _Search(traces)
    found = []
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        name = str(path.relative_to(root))
        found += [Finding(name, (), what) for what in search.raw(name.encode())]
        try:
            data = _bytes_of(path)
        except FileNotFoundError:
            continue  # it went away meanwhile, as files of SQLite do when another process ends
        found += [Finding(name, *hit) for hit in search.blob(data, ())]
        if store is not None and store.layout.root in path.parents:
            for inside, plain in _unsealed(store, path):
                found += [Finding(name, *hit) for hit in search.blob(plain, (inside,))]
    return list(dict.fromkeys(found))


def _bytes_of(path: Path) -> bytes:
    """Return a file's bytes; those of a database are read by another process.

    SQLite's locks belong to the process: closing any descriptor of its files here would drop them,
    and the next process to close the database would take it for its own and delete its WAL.
    """
    if not path.name.startswith(Layout(path.parent).control.name):
        return path.read_bytes()
    read = "import shutil,sys; shutil.copyfileobj(open(sys.argv[1],'rb'), sys.stdout.buffer)"
    done = subprocess.run(
        [sys.executable, "-ISc", read, path], capture_output=True, env=keyless(), check=False
    )
    if done.returncode:
        if path.exists():
            raise Damaged("cannot be read", where=path.name)
        raise FileNotFoundError(path)
    return done.stdout


class _Search:
    """The needles in every spelling, and the deltas."""

    def __init__(self, traces: Traces) -> None:
        self._needles = Needles(
            (name, spelling)
            for name, needle in traces.needles.items()
            for spelling in _spellings(needle)
        )
        self._deltas = Deltas(traces.deltas)

    def raw(self, data: bytes) -> Iterator[str]:
        """Yield the names of what lies in the bytes as they are."""
        yield from self._needles.find(data)
        form = self._deltas.find(data)
        if form is not None:
            yield f"timing deltas ({form})"

    def blob(self, data: bytes, inside: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield (containers, what) of what lies in the bytes, and in what is packed in them."""
        for what in self.raw(data):
            yield inside, what
        if len(inside) < DEPTH_MAX:
            for kind, part in _parts(data):
                yield from self.blob(part, (*inside, kind))


def _spellings(needle: bytes) -> Iterator[bytes]:
    yield needle
    yield needle.hex().encode()
    yield needle.hex().upper().encode()
    for shift in range(3):
        # base64 of the needle inside longer bytes: three phases, without the mixed ends.
        core = base64.b64encode(bytes(shift) + needle)[4 if shift else 0 : -4]
        yield core
        yield core.replace(b"+", b"-").replace(b"/", b"_")


def _parts(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield what is packed in the bytes, by kind of container; nothing when they are none."""
    for kind, begins, opener in _CONTAINERS:
        if begins(data):
            try:
                yield from ((kind, part) for part in opener(data))
            except _UNREADABLE:
                continue
    for kind, magic, opener in _EMBEDDED:
        at = data.find(magic, 1)
        while at > 0:
            with suppress(*_UNREADABLE):
                yield from ((f"{kind} at {at}", part) for part in opener(data[at:]))
            at = data.find(magic, at + 1)


def _unsealed(store: Store, path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield what surviving keys open in one of the store's own files."""
    layout = store.layout
    if path == layout.keyring:
        yield from (("keyring slot", payload) for payload in store.keyring.payloads())
    elif path.parent == layout.segments and path.suffix == ".seg":
        yield from _rows(store, path.stem)
    elif path.parent == layout.artefacts and path.suffix == ".art":
        try:
            yield "artefact", store.artefacts.get(path.stem)
            yield "artefact", "\n".join(store.artefacts.members(path.stem)).encode()
        except OvertError:
            return
    elif path == layout.control:
        for index, opening in store.openings(None):
            yield f"opening {index}", opening


def _rows(store: Store, name: str) -> Iterator[tuple[str, bytes]]:
    """Yield each live row that opens, with its header's key or any other that survives."""
    keys = {key.row: key for key in store.keyring.data_keys()}
    for offset, _, row in store.segments.rows(name):
        if row is None:
            continue
        first = [keys[row.data_key]] if row.data_key in keys else list(keys.values())
        for key in first:
            try:
                yield f"row at {offset}", open_row(row, key)
            except OvertError:
                continue


def _gzip(data: bytes) -> Iterator[bytes]:
    # What comes before damage, or before other bytes, counts as well.
    yield zlib.decompressobj(wbits=31).decompress(data, INFLATED_BYTES_MAX)


def _zlib(data: bytes) -> Iterator[bytes]:
    yield zlib.decompressobj().decompress(data, INFLATED_BYTES_MAX)


def _zstd(data: bytes) -> Iterator[bytes]:
    parts: list[bytes] = []
    with pa.input_stream(pa.py_buffer(data), compression="zstd") as stream:
        try:
            while sum(map(len, parts)) < INFLATED_BYTES_MAX and (part := stream.read(1 << 20)):
                parts.append(part)
        except OSError:
            parts.append(b"")
    yield b"".join(parts)


def _tar(data: bytes) -> Iterator[bytes]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        for member in archive:
            yield member.name.encode()
            file = archive.extractfile(member)
            if file is not None:
                yield file.read(INFLATED_BYTES_MAX)


def _zip(data: bytes) -> Iterator[bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.namelist():
            yield archive.read(member)


def _sqlite(data: bytes) -> Iterator[bytes]:
    # A value may be spread over pages: read through SQLite too, from a copy in memory.
    with closing(sqlite3.connect(":memory:")) as database:
        database.text_factory = bytes
        database.deserialize(data[:18] + b"\x01\x01" + data[20:])  # not WAL, which needs a file
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in tables.fetchall():
            quoted = table.decode().replace('"', '""')
            rows = database.execute(f'SELECT * FROM "{quoted}"').fetchall()  # noqa: S608
            for column in zip(*rows, strict=True):
                numbers = [value for value in column if isinstance(value, int | float)]
                yield np.array(numbers, np.float64).tobytes()
                yield from (value for value in column if isinstance(value, bytes))


def _arrow(data: bytes) -> Iterator[bytes]:
    buffer = pa.py_buffer(data)
    if data[:6] == b"ARROW1":
        yield from _table(pa.ipc.open_file(buffer).read_all())
    else:
        yield from _table(pa.ipc.open_stream(buffer).read_all())


def _parquet(data: bytes) -> Iterator[bytes]:
    yield from _table(pq.read_table(io.BytesIO(data)))


def _batch(data: bytes) -> Iterator[bytes]:
    _, rows = batches.decode(data)
    yield from _table(pa.Table.from_batches([rows], WIRE))


def _folded(data: bytes) -> Iterator[bytes]:
    yield unfold(data, alone=False)


def _table(table: pa.Table) -> Iterator[bytes]:
    if table.schema.metadata:
        yield from table.schema.metadata.values()
    for column in table.columns:
        yield from _column(column.combine_chunks())


def _column(values: Any) -> Iterator[bytes]:
    if isinstance(values, pa.ChunkedArray):
        for chunk in values.chunks:
            yield from _column(chunk)
        return
    kind = values.type
    if pa.types.is_dictionary(kind):
        yield from _column(values.dictionary_decode())
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        yield from _column(values.flatten())
    elif pa.types.is_struct(kind):
        for part in values.flatten():
            yield from _column(part)
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_temporal(kind):
        wide = pa.int64() if not pa.types.is_floating(kind) else pa.float64()
        yield values.drop_null().cast(wide, safe=False).to_numpy(zero_copy_only=False).tobytes()
    elif pa.types.is_binary(kind) or pa.types.is_string(kind) or pa.types.is_large_binary(kind):
        yield from (v.as_buffer().to_pybytes() for v in values if v.is_valid)


_CONTAINERS: tuple[tuple[str, Any, Any], ...] = (
    ("gzip", lambda d: d[:2] == b"\x1f\x8b", _gzip),
    ("zlib", lambda d: d[:1] == b"\x78" and len(d) > 2 and (d[0] << 8 | d[1]) % 31 == 0, _zlib),
    ("zstd", lambda d: d[:4] == b"\x28\xb5\x2f\xfd", _zstd),
    ("tar", lambda d: d[257:262] == b"ustar", _tar),
    ("zip", lambda d: d[:4] == b"PK\x03\x04", _zip),
    ("sqlite", lambda d: d[:16] == b"SQLite format 3\0", _sqlite),
    ("arrow", lambda d: d[:6] == b"ARROW1" or d[:4] == b"\xff\xff\xff\xff", _arrow),
    ("parquet", lambda d: d[:4] == b"PAR1", _parquet),
    ("batch", lambda d: d[:4] == batches.MAGIC, _batch),
    ("folded batch", lambda d: d[:4] in (FOLDED, BEFORE), _folded),
)
_EMBEDDED: tuple[tuple[str, bytes, Any], ...] = (
    ("gzip", b"\x1f\x8b\x08", _gzip),
    ("zstd", b"\x28\xb5\x2f\xfd", _zstd),
    ("folded batch", FOLDED, _folded),
)
"""Compressed streams in the middle of other bytes."""

_UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    zlib.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    sqlite3.Error,
    pa.ArrowException,
    OvertError,
)
