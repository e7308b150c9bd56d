"""MCAP files, written: messages of several topics in order of time, with an index.

The container of mcap.dev/spec, version 0: chunks without compression, an index a chunk and topic,
statistics, a checksum over the summary. A library for these pages would bring two compressors that
are not needed; tests read the files with it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

MAGIC = b"\x89MCAP0\r\n"
CHUNK_BYTES = 1 << 20
_HEADER, _FOOTER, _SCHEMA, _CHANNEL, _MESSAGE, _CHUNK, _MESSAGE_INDEX = range(1, 8)
_CHUNK_INDEX, _STATISTICS, _METADATA, _METADATA_INDEX, _SUMMARY_OFFSET, _DATA_END = (
    0x08,
    0x0B,
    0x0C,
    0x0D,
    0x0E,
    0x0F,
)


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<I", len(raw)) + raw


def _map(entries: Mapping[str, str]) -> bytes:
    raw = b"".join(_text(name) + _text(value) for name, value in sorted(entries.items()))
    return struct.pack("<I", len(raw)) + raw


def _record(code: int, content: bytes) -> bytes:
    return struct.pack("<BQ", code, len(content)) + content


@dataclass
class _Chunk:
    records: bytearray = field(default_factory=bytearray)
    index: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    first_ns: int = 0
    last_ns: int = 0


class McapFile:
    """One file that is written from front to back. `close` ends it."""

    def __init__(self, file: BinaryIO, profile: str, library: str) -> None:
        self._file, self._at = file, 0
        self._declared: list[bytes] = []
        self._chunk = _Chunk()
        self._chunks: list[bytes] = []
        self._metadata: list[bytes] = []
        self._counts: dict[int, int] = {}
        self._span: tuple[int, int] | None = None
        self._write(MAGIC + _record(_HEADER, _text(profile) + _text(library)))

    def _write(self, data: bytes) -> int:
        """Write bytes and return where they begin."""
        at = self._at
        self._file.write(data)
        self._at += len(data)
        return at

    def topic(self, name: str, schema: str, json_schema: bytes) -> int:
        """Declare a topic of JSON messages of a schema; return its number, from 1."""
        number = len(self._counts) + 1
        size = struct.pack("<I", len(json_schema))
        described = struct.pack("<H", number) + _text(schema) + _text("jsonschema")
        self._declare(_record(_SCHEMA, described + size + json_schema))
        channel = struct.pack("<HH", number, number) + _text(name) + _text("json") + _map({})
        self._declare(_record(_CHANNEL, channel))
        self._counts[number] = 0
        return number

    def _declare(self, record: bytes) -> None:
        self._declared.append(record)
        self._write(record)

    def metadata(self, name: str, entries: Mapping[str, str]) -> None:
        """Write facts about the file."""
        record = _record(_METADATA, _text(name) + _map(entries))
        at = self._write(record)
        place = struct.pack("<QQ", at, len(record)) + _text(name)
        self._metadata.append(_record(_METADATA_INDEX, place))

    def message(self, topic: int, time_ns: int, data: bytes) -> None:
        """Write one message; times never go back."""
        chunk = self._chunk
        if not chunk.index:
            chunk.first_ns = time_ns
        chunk.last_ns = time_ns
        chunk.index.setdefault(topic, []).append((time_ns, len(chunk.records)))
        head = struct.pack("<HIQQ", topic, self._counts[topic], time_ns, time_ns)
        chunk.records += _record(_MESSAGE, head + data)
        self._counts[topic] += 1
        self._span = (self._span[0] if self._span else time_ns, time_ns)
        if len(chunk.records) >= CHUNK_BYTES:
            self._flush()

    def _flush(self) -> None:
        chunk, self._chunk = self._chunk, _Chunk()
        if not chunk.index:
            return
        records, times = bytes(chunk.records), struct.pack("<QQ", chunk.first_ns, chunk.last_ns)
        size = struct.pack("<QI", len(records), zlib.crc32(records))
        whole = _record(
            _CHUNK, times + size + _text("") + struct.pack("<Q", len(records)) + records
        )
        at = self._write(whole)
        places, begin = {}, self._at
        for topic, rows in sorted(chunk.index.items()):
            packed = b"".join(struct.pack("<QQ", *row) for row in rows)
            head = struct.pack("<HI", topic, len(packed))
            places[topic] = self._write(_record(_MESSAGE_INDEX, head + packed))
        offsets = b"".join(struct.pack("<HQ", *place) for place in places.items())
        self._chunks.append(
            _record(
                _CHUNK_INDEX,
                times
                + struct.pack("<QQI", at, len(whole), len(offsets))
                + offsets
                + struct.pack("<Q", self._at - begin)
                + _text("")
                + struct.pack("<QQ", len(records), len(records)),
            )
        )

    def close(self) -> None:
        """Write what is left, the summary and the end."""
        self._flush()
        self._write(_record(_DATA_END, struct.pack("<I", 0)))
        start, summary, groups = self._at, bytearray(), bytearray()
        for records in (
            [one for one in self._declared if one[0] == _SCHEMA],
            [one for one in self._declared if one[0] == _CHANNEL],
            [_record(_STATISTICS, self._statistics())],
            self._metadata,
            self._chunks,
        ):
            if records:
                group = b"".join(records)
                place = struct.pack("<BQQ", records[0][0], start + len(summary), len(group))
                groups += _record(_SUMMARY_OFFSET, place)
                summary += group
        footer = struct.pack("<QQ", start, start + len(summary))
        checked = bytes(summary + groups) + struct.pack("<BQ", _FOOTER, 20) + footer
        self._write(checked + struct.pack("<I", zlib.crc32(checked)) + MAGIC)

    def _statistics(self) -> bytes:
        counts = b"".join(struct.pack("<HQ", *one) for one in sorted(self._counts.items()))
        return (
            struct.pack(
                "<QHIIIIQQ",
                sum(self._counts.values()),
                len(self._counts),
                len(self._counts),
                0,
                len(self._metadata),
                len(self._chunks),
                *(self._span or (0, 0)),
            )
            + struct.pack("<I", len(counts))
            + counts
        )
