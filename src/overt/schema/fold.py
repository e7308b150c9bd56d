"""A batch folded for the wire: the same bytes in fewer, and back, exactly.

```
"OVB3" | length of the texts | texts of the header | its numbers | columns, as `rice` has them
```

Of the header only the values are sent: how many bytes its texts take, its texts, its numbers. A
number is written as twice its size, less one where it is negative (a boolean as 0 or 2), seven bits
a byte, lowest first, 128 added to all bytes but the last. Before a text stands twice its length in
bytes; of hexadecimal digits twice the length of the bytes they stand for, and one; before several
texts, how many. Of the rows, neither what follows from their number nor a compressor's tables are
sent: `rice` needs none, and nothing compresses its bytes further.

Batches in planes of bytes (`overt.schema.planes`), which the SDK sent before, are unfolded too.
"""

from __future__ import annotations

import json
import re
from functools import cache, lru_cache
from typing import Any, get_type_hints

from overt.schema import header as headers
from overt.schema import limits
from overt.schema.errors import InvalidInput
from overt.schema.event import WIRE_BITS
from overt.schema.header import BatchHeader
from overt.schema.message import metadata

MAGIC = b"OVB3"
BEFORE = b"OVB2"
_PLAIN = b"OVB1"
_KINDS = tuple(get_type_hints(BatchHeader).values())
_HEX = re.compile("(?:[0-9a-f]{2})+", re.ASCII)
_NUMBERS = sum(kind in (int, bool) for kind in _KINDS)
_NUMBER_BYTES_MAX = 9
_NAMES_MAX = 64


def fold(plain: bytes) -> bytes:
    """Return an uncompressed batch that `batch.encode` or the SDK wrote, folded."""
    text, at = _text(plain, _PLAIN)
    header = headers.read(text)
    at += len(metadata(header.rows))
    words, numbers = bytearray(), bytearray()
    for value, kind in zip(header, _KINDS, strict=True):
        _write(numbers if kind in (int, bool) else words, value)
    folded = bytearray(MAGIC)
    _write_number(folded, len(words))
    folded += words + numbers + _compiled().fold(plain[at:], header.rows)
    return bytes(folded)


def unfold(folded: bytes, *, alone: bool = True) -> bytes:
    """Return the batch as it was before; raises `InvalidInput` if it cannot have been one.

    `alone`: nothing may follow it.
    """
    if folded[:4] == BEFORE:
        from overt.schema import planes

        values_of, at = _text(folded, BEFORE)
        header, head = _named(values_of)
        end, body = planes.unfold(folded, at, header.rows, header.clock_resolution_us)
    else:
        header, head, at = _header(folded)
        end, body = _compiled().unfold(folded, at, header.rows)
    if end < 0:
        raise InvalidInput("does not unfold", where=f"rows.{list(WIRE_BITS)[-1 - end]}")
    if alone and end != len(folded):
        raise InvalidInput("is followed by bytes that do not belong to it", where="rows")
    return b"".join((_PLAIN, len(head).to_bytes(4, "little"), head, metadata(header.rows), body))


@cache
def _compiled() -> Any:
    # Slow to import: only those who unfold pay for it.
    from overt.schema import rice

    return rice


def _text(plain: bytes, magic: bytes) -> tuple[bytes, int]:
    length = int.from_bytes(plain[4:8], "little")
    most = limits.BATCH_HEADER_BYTES_MAX
    if plain[:4] != magic or not 2 <= length <= most or len(plain) < 8 + length:
        raise InvalidInput("length of the header is out of bounds", where="header")
    return plain[8 : 8 + length], 8 + length


def _write(into: bytearray, value: object) -> None:
    """Add a field of the header."""
    if isinstance(value, tuple):
        _write_number(into, len(value))
        for each in value:
            _write(into, each)
    elif isinstance(value, str):
        is_hex = _HEX.fullmatch(value) is not None
        told = bytes.fromhex(value) if is_hex else value.encode()
        _write_number(into, 2 * len(told) + is_hex)
        into += told
    elif isinstance(value, int):
        _write_number(into, 2 * value if value >= 0 else -2 * value - 1)


def _write_number(into: bytearray, number: int) -> None:
    while number > 0x7F:
        into.append(number & 0x7F | 0x80)
        number >>= 7
    into.append(number)


def _read(folded: bytes, at: int, count: int) -> tuple[list[int], int]:
    """Return so many numbers from `at` on, as they are written, and where they end."""
    numbers: list[int] = []
    whole = shift = 0
    for end, byte in enumerate(folded[at : at + _NUMBER_BYTES_MAX * count], at + 1):
        whole |= (byte & 0x7F) << shift
        if byte & 0x80:
            shift += 7
            continue
        numbers.append(whole)
        if len(numbers) == count:
            return numbers, end
        whole = shift = 0
    raise _bad("header")


def _header(folded: bytes) -> tuple[BatchHeader, bytes, int]:
    """Return the header, its bytes as a batch has them, and where it ends."""
    (length,), at = _read(folded, 4, 1)
    if length > limits.BATCH_HEADER_BYTES_MAX or at + length > len(folded):
        raise _bad("header")
    numbers, end = _read(folded, at + length, _NUMBERS)
    sizes = [(number >> 1) ^ -(number & 1) for number in numbers]
    if not 0 <= sizes[-1] <= 1:
        raise _bad("header.end")
    head = _form(folded[at : at + length]) % (*sizes[:-1], b"true" if sizes[-1] else b"false")
    head += b" " * (-(len(head) + 8) % 8)
    return headers.read(head), head, end


@lru_cache(maxsize=1024)
def _form(words: bytes) -> bytes:
    """Return the JSON of a header with these texts, and a place for each number."""
    at = 0

    def number() -> int:
        nonlocal at
        (found,), at = _read(words, at, 1)
        return found

    def text() -> str:
        nonlocal at
        length, is_hex = divmod(number(), 2)
        told = words[at : at + length]
        at += length
        return told.hex() if is_hex else told.decode()

    parts = []
    try:
        for name, kind in zip(BatchHeader._fields, _KINDS, strict=True):
            if kind is bool or kind is int:
                value = "%d" if kind is int else "%b"
            else:
                told = text() if kind is str else [text() for _ in range(min(number(), _NAMES_MAX))]
                value = json.dumps(told, separators=(",", ":")).replace("%", "%%")
            parts.append(f'"{name}":{value}')
    except UnicodeDecodeError as error:
        raise _bad("header") from error
    if at != len(words):
        raise _bad("header")
    return "{{{}}}".format(",".join(parts)).encode()


def _bad(where: str) -> InvalidInput:
    return InvalidInput("does not unfold", where=where)


def _named(values_of: bytes) -> tuple[BatchHeader, bytes]:
    """Return the header that has these values, a JSON array, and its bytes as a batch has them."""
    try:
        values = json.loads(values_of)
        named = dict(zip(BatchHeader._fields, values, strict=True))
    except (ValueError, TypeError, RecursionError) as error:
        raise _bad("header") from error
    head = json.dumps(named, separators=(",", ":")).encode()
    head += b" " * (-(len(head) + 8) % 8)
    return headers.read(head), head
