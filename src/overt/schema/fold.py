"""A batch folded for the wire: the same bytes in fewer, and back, exactly.

```
"OVB2" | length, u32 LE | values of the header, a JSON array | per column: one byte, then planes
```

A value of a column is written as an unsigned number that is small where the value is near 0 (0, -1,
1, -2 … become 0, 1, 2, 3 …). Plane 0 holds the lowest byte of each row, plane 1 the next; planes in
which every byte is 0 are left out at the end. The byte before them says how many there are (low
three bits); 8 is added if `dt_us` counts steps of the header's clock instead of microseconds.

A compressor finds more in equal columns of single bytes than in Arrow's wide ones, and numbers of
the message that follow from the number of rows are not sent at all.
"""

from __future__ import annotations

import json
import re
from functools import cache, lru_cache
from typing import Any, get_type_hints

import numpy as np

from overt.schema import header as headers
from overt.schema import limits
from overt.schema.errors import InvalidInput
from overt.schema.event import WIRE
from overt.schema.header import BatchHeader

MAGIC = b"OVB2"
_PLAIN = b"OVB1"
_STEPS = 8
_TIME = WIRE.get_field_index("dt_us")
_TYPES = [np.dtype(f"<i{field.type.bit_width // 8}") for field in WIRE]


def fold(plain: bytes) -> bytes:
    """Return an uncompressed batch that `batch.encode` or the SDK wrote, folded."""
    text, at = _text(plain, _PLAIN)
    header = headers.read(text)
    values_of = json.dumps(list(json.loads(text).values()), separators=(",", ":")).encode()
    folded = [MAGIC, len(values_of).to_bytes(4, "little"), values_of]
    at += len(_metadata(header.rows))
    for column, type_ in enumerate(_TYPES):
        values = np.frombuffer(plain, type_, header.rows, at).astype(np.int64)
        at += _padded(header.rows * type_.itemsize)
        step = header.clock_resolution_us if column == _TIME else 1
        steps = step > 1 and not (values % step).any()
        if steps:
            values //= step
        numbers = ((values << 1) ^ (values >> 63)).astype(np.uint64)
        planes = (int(numbers.max()).bit_length() + 7) // 8
        lanes = numbers.astype("<u8").view(np.uint8).reshape(-1, 8)[:, :planes]
        folded += [bytes([planes | _STEPS * steps]), lanes.T.tobytes()]
    return b"".join(folded)


def unfold(folded: bytes) -> bytes:
    """Return the batch as it was before; raises `InvalidInput` if it cannot have been one."""
    values_of, at = _text(folded, MAGIC)
    header, head = _whole(values_of)
    end, body = _compiled().unfold(folded, at, header.rows, header.clock_resolution_us)
    if end < 0:
        raise InvalidInput("does not unfold", where=f"rows.{WIRE.names[-1 - end]}")
    if end != len(folded):
        raise InvalidInput("is followed by bytes that do not belong to it", where="rows")
    return b"".join((_PLAIN, len(head).to_bytes(4, "little"), head, _metadata(header.rows), body))


@cache
def _compiled() -> Any:
    # Slow to import: only those who unfold pay for it.
    from overt.schema import planes

    return planes


def _padded(length: int) -> int:
    return length + -length % 8


def _text(plain: bytes, magic: bytes) -> tuple[bytes, int]:
    length = int.from_bytes(plain[4:8], "little")
    most = limits.BATCH_HEADER_BYTES_MAX
    if plain[:4] != magic or not 2 <= length <= most or len(plain) < 8 + length:
        raise InvalidInput("length of the header is out of bounds", where="header")
    return plain[8 : 8 + length], 8 + length


def _usual_values() -> tuple[re.Pattern[bytes], bytes]:
    """Return the form of values that JSON would write in the same way, and of the whole header."""
    text, number = rb'"[ !#-\[\]-~]+"', rb"0|-?[1-9][0-9]{0,15}"
    kinds: dict[Any, bytes] = {str: text, int: number, bool: rb"true|false"}
    names = rb"\[%s(?:,%s)*\]" % (text, text)
    fields = get_type_hints(BatchHeader)
    values = b",".join(b"(%s)" % kinds.get(kind, names) for kind in fields.values())
    form = b",".join(b'"%s":%%b' % name.encode() for name in fields)
    return re.compile(rb"\[%s\]" % values), b"{%s}" % form


_VALUES, _FORM = _usual_values()


def _whole(values_of: bytes) -> tuple[BatchHeader, bytes]:
    """Return the header that has these values, and its bytes as a batch has them."""
    usual = _VALUES.fullmatch(values_of)
    if usual is not None:
        head = _FORM % usual.groups()
        head += b" " * (-(len(head) + 8) % 8)
        return headers.read(head), head
    try:
        values = json.loads(values_of)
        named = dict(zip(BatchHeader._fields, values, strict=True))
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidInput("does not unfold", where="header") from error
    head = json.dumps(named, separators=(",", ":")).encode()
    head += b" " * (-(len(head) + 8) % 8)
    return headers.read(head), head


@lru_cache(maxsize=512)
def _metadata(rows: int) -> bytes:
    from overt.schema import generate

    return generate.fill(_template(), rows)


@lru_cache(maxsize=1)
def _template() -> Any:
    from overt.schema import generate

    return generate.template()
