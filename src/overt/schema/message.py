"""The rows of a batch as one Arrow message, written and read without Arrow.

In a message of schema `WIRE` without nulls only the number of rows, the length and the place of
each buffer and the length of the body depend on the rows. So its metadata is a template
(`overt.schema.generated`, which `generate` reads out of a message of pyarrow's) with these numbers
filled in. A desktop agent makes and shows batches all day; Arrow would be a third of its memory.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from overt.schema.errors import Damaged
from overt.schema.event import WIRE_BITS
from overt.schema.generated import BODY_LENGTH_AT, BUFFERS_AT, METADATA, NODES_AT, ROWS_AT


def _places(rows: int) -> Iterator[tuple[str, int, int]]:
    """Yield each column's name, width in bytes, and where it begins in the body."""
    offset = 0
    for name, bits in WIRE_BITS.items():
        yield name, bits // 8, offset
        length = rows * bits // 8
        offset += length + -length % 8


@lru_cache(maxsize=512)
def metadata(rows: int) -> bytes:
    """Return all of a message of so many rows that comes before its body."""
    raw = bytearray(METADATA)
    end = 0
    for k, (_, width, offset) in enumerate(_places(rows)):
        length = rows * width
        struct.pack_into("<q", raw, NODES_AT + 16 * k, rows)
        struct.pack_into("<qqqq", raw, BUFFERS_AT + 32 * k, offset, 0, offset, length)
        end = offset + length + -length % 8
    struct.pack_into("<q", raw, ROWS_AT, rows)
    struct.pack_into("<q", raw, BODY_LENGTH_AT, end)
    return bytes(raw)


def written(columns: Mapping[str, Any]) -> bytes:
    """Return the message of wire columns (`int[n]` each) that fit their widths.

    Raises `ValueError` with the name of a column that does not.
    """
    rows = len(columns["kind"])
    parts = [metadata(rows)]
    for name, width, _ in _places(rows):
        data = np.ascontiguousarray(columns[name]).astype(f"<i{width}")
        if not np.array_equal(data, columns[name]):
            raise ValueError(f"{name} does not fit its column")
        parts += [data.tobytes(), bytes(-data.nbytes % 8)]
    return b"".join(parts)


def read(plain: bytes, at: int, rows: int) -> dict[str, Any]:
    """Return the wire columns of a message that `written` made, which begins at `at`."""
    begin = at + len(METADATA)
    if plain[at:begin] != metadata(rows):
        raise Damaged("is not laid out as this program writes it", where="rows")
    return {
        name: np.frombuffer(plain, f"<i{width}", rows, begin + offset)
        for name, width, offset in _places(rows)
    }
