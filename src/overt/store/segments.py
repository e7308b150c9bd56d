"""Segments: files of sealed rows, appended together and durable before anyone is told.

```
file   "OVS1" | zeros to 64 bytes | rows, each at a multiple of 64
row    header, 64 bytes: "OVR1" | state 1 live, 0 dead | 3 zeros | sealed bytes, u32 |
                         row id (16) | data key's row id (16) | receipt (16) | CRC-32, u32
       sealed bytes: nonce (12) | AES-256-GCM of the batch as it was received, gzipped | tag (16)
       zeros to 64
```

The header is authenticated as associated data, together with purposes and schema. Everything
else (session, numbers, times) is inside the sealed part. A row is erased by overwriting its
sealed bytes with random ones, then its header with one that keeps only the length.

One process appends to one segment at a time and holds its lock while open. Overwriting touches
rows that are already indexed, so it needs no lock.
"""

from __future__ import annotations

import fcntl
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from overt.schema.errors import Damaged, Missing
from overt.schema.event import SCHEMA_ID
from overt.store.files import make_folder, open_private, sync_folder, write_all
from overt.store.layout import Layout

MAGIC = b"OVS1"
ROW_MAGIC = b"OVR1"
ALIGN_BYTES = 64
SEGMENT_BYTES_MAX = 64 << 20
"""A new segment is begun beyond this; small enough to compact in a second."""

_HEADER = struct.Struct("<4sB3xI16s16s16sI")
_BODY = struct.Struct("<4sB3xI16s16s16s")
_DEAD = bytes(16)


@dataclass(slots=True)
class SealedRow:
    """A row as it lies in a segment. Not frozen, as the collector makes one for each batch."""

    row: str
    data_key: str
    receipt: str
    sealed: bytes = field(repr=False)


def bound(row: str, data_key: str, receipt: str, purposes: Sequence[str]) -> bytes:
    """Return the associated data of a row: its ids, its purposes, the schema."""
    return f"overt row 1 {row} {data_key} {receipt} {','.join(purposes)} {SCHEMA_ID}".encode()


def _header(state: int, length: int, row: bytes, data_key: bytes, receipt: bytes) -> bytes:
    body = _BODY.pack(ROW_MAGIC, state, length, row, data_key, receipt)
    return body + zlib.crc32(body).to_bytes(4, "little")


def _span(length: int) -> int:
    return -(-(_HEADER.size + length) // ALIGN_BYTES) * ALIGN_BYTES


class Segments:
    """The folder of segments, and the one this process appends to."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        make_folder(layout.segments)
        self._own: tuple[str, int] | None = None
        self._end = 0

    def close(self) -> None:
        """Let go of the segment this process appends to; the next append begins another."""
        if self._own is not None:
            os.close(self._own[1])
            self._own = None

    def names(self) -> list[str]:
        """Return the names of all segments, sorted."""
        return sorted(path.stem for path in self._layout.segments.glob("*.seg"))

    def append(self, rows: Sequence[SealedRow]) -> tuple[str, list[int], int]:
        """Append rows and make them durable; return segment, offset of each, and its end.

        The caller holds the control database's write lock, indexes the rows and then calls
        `settle`, or `close` when it cannot know whether its commit took effect: the rows are
        then indexed or overwritten when the store is opened next.
        """
        written = self.write(rows)
        self.sync()
        return written

    def write(self, rows: Sequence[SealedRow]) -> tuple[str, list[int], int]:
        """Do what `append` does up to making them durable, which `sync` must do next."""
        name, descriptor = self._appendable()
        parts, offsets, at = [], [], self._end
        for row in rows:
            ids = (bytes.fromhex(row.row), bytes.fromhex(row.data_key), bytes.fromhex(row.receipt))
            part = _header(1, len(row.sealed), *ids) + row.sealed
            parts.append(part.ljust(_span(len(row.sealed)), b"\0"))
            offsets.append(at)
            at += len(parts[-1])
        with self._cut_off_again(descriptor):
            write_all(descriptor, b"".join(parts), self._end)
        return name, offsets, at

    def sync(self) -> None:
        """Make durable what was written."""
        _, descriptor = self._appendable()
        with self._cut_off_again(descriptor):
            os.fdatasync(descriptor)

    @contextmanager
    def _cut_off_again(self, descriptor: int) -> Iterator[None]:
        try:
            yield
        except OSError:
            os.ftruncate(descriptor, self._end)
            raise

    def is_open(self) -> bool:
        """Return whether rows can be written without beginning another segment first."""
        return self._own is not None and self._end < SEGMENT_BYTES_MAX

    def settle(self, end: int) -> None:
        """Accept what was appended up to `end`, after the index was committed."""
        self._end = end

    def read(self, name: str, offset: int, length: int) -> SealedRow:
        """Return one live row. Raises `Damaged` when it is not there as the index says."""
        try:
            with self._layout.segment(name).open("rb", buffering=0) as file:
                raw = os.pread(file.fileno(), _HEADER.size + length, offset)
        except FileNotFoundError as error:
            raise Missing("a segment is gone", where=name) from error
        found = _parse(raw)
        if found is None or not found[0] or found[1] != length or len(raw) < 64 + length:
            raise Damaged("there is no such row", where=f"segment {name} at {offset}")
        return _sealed_row(raw, length)

    def rows(
        self, name: str, start: int = ALIGN_BYTES
    ) -> Iterator[tuple[int, int, SealedRow | None]]:
        """Yield (offset, end, row) from `start` on; the row is None where it is dead.

        Ends silently at the first thing that is not a whole row: a tail being written, or torn.
        """
        with self._layout.segment(name).open("rb") as file:
            while True:
                file.seek(start)
                found = _parse(head := file.read(_HEADER.size))
                if found is None:
                    return
                live, length = found
                sealed = file.read(length)
                if len(sealed) < length:
                    return
                end = start + _span(length)
                yield start, end, (_sealed_row(head + sealed, length) if live else None)
                start = end

    def span(self, length: int) -> int:
        """Return the bytes a row of this sealed length takes in a segment."""
        return _span(length)

    def overwrite(self, name: str, places: Sequence[tuple[int, int]]) -> None:
        """Overwrite rows at (offset, length) and make that durable. Repeating is no error.

        A segment that is gone was compacted: the caller looks up the rows again.
        """
        try:
            descriptor = os.open(self._layout.segment(name), os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise Missing("a segment is gone", where=name) from error
        try:
            size = os.fstat(descriptor).st_size
            for offset, length in places:
                if offset + _HEADER.size + length <= size:
                    write_all(descriptor, os.urandom(length), offset + _HEADER.size)
            os.fsync(descriptor)
            for offset, length in places:
                if offset + _HEADER.size + length <= size:
                    write_all(descriptor, _header(0, length, _DEAD, _DEAD, _DEAD), offset)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def claim(self, name: str) -> int | None:
        """Return a locked descriptor of a segment nobody appends to, or None."""
        try:
            descriptor = os.open(self._layout.segment(name), os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def adopt(self, name: str, descriptor: int, end: int) -> None:
        """Append to a claimed segment from `end` on; what lies behind is cut off."""
        if os.fstat(descriptor).st_size != end:
            os.ftruncate(descriptor, end)
            os.fsync(descriptor)
        if self._own is None and end < SEGMENT_BYTES_MAX:
            self._own, self._end = (name, descriptor), end
        else:
            os.close(descriptor)

    def _appendable(self) -> tuple[str, int]:
        if self._own is not None and self.is_open():
            return self._own
        self.close()
        name = os.urandom(16).hex()
        path = self._layout.segment(name)
        descriptor = open_private(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        write_all(descriptor, MAGIC.ljust(ALIGN_BYTES, b"\0"), 0)
        os.fsync(descriptor)
        sync_folder(path.parent)
        self._own, self._end = (name, descriptor), ALIGN_BYTES
        return self._own


def _parse(head: bytes) -> tuple[bool, int] | None:
    """Return (live, length of the sealed part), or None when this is no row header."""
    if len(head) < _HEADER.size:
        return None
    magic, state, length, _, _, _, crc = _HEADER.unpack_from(head)
    if magic != ROW_MAGIC or crc != zlib.crc32(head[: _BODY.size]):
        return None
    return state == 1, length


def _sealed_row(raw: bytes, length: int) -> SealedRow:
    _, _, _, row, data_key, receipt, _ = _HEADER.unpack_from(raw)
    sealed = raw[_HEADER.size : _HEADER.size + length]
    return SealedRow(row.hex(), data_key.hex(), receipt.hex(), sealed)
