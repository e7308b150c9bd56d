"""One pass over the bytes of a record batch that says whether every row is in order.

`in_order` says yes only to what `overt.schema.batch.check` would let pass, in about a
twentieth of its time: the collector asks it first. `layout` reads an Arrow message by itself (flat
buffers, after Arrow's `Message.fbs`) and never trusts a length. When one of them says no, the slow
and obvious check says what is wrong and where; that one also has the last word on messages that
are laid out in an unusual way.

The closed sets are compiled in, so that a change of them must come with one of this file, or what
was compiled before goes on refusing: sets as of `Kind.PICTURE`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from overt.schema import limits, rice
from overt.schema.event import EVENT_SETS, VALUE_MAX, WIRE

_NAMES = tuple(WIRE.names)
_WIDTHS = np.array([field.type.bit_width // 8 for field in WIRE], np.int64)
_CLOSED = np.array([_NAMES.index(name) for name in EVENT_SETS if name != "kind"], np.int64)
_ALLOWED = np.array(
    [
        [value == 0 or value in {int(member) for member in members} for value in range(256)]
        for name, members in EVENT_SETS.items()
        if name != "kind"
    ]
)
_NOT_NEGATIVE = np.array(
    [_NAMES.index(name) for name in ("slot", "modifiers", "edit_chars", "element", "button")]
)
_KIND, _DSEQ, _DT = (_NAMES.index(name) for name in ("kind", "dseq", "dt_us"))
_VALUE = _NAMES.index("value")
_VALUE_MAX = np.zeros(256, np.int16)
_VALUE_MAX[[int(kind) for kind in VALUE_MAX]] = list(VALUE_MAX.values())
_SYMBOL = _NAMES.index("key_symbol")
_DX, _DY = _NAMES.index("dx_8th_css_px"), _NAMES.index("dy_8th_css_px")
_COLUMNS = len(_NAMES)
_DT_US_MIN = limits.DT_US_MIN
_VERSION_5, _RECORD_BATCH = 4, 3


@njit(cache=True)
def _number(data: Any, at: int, width: int) -> Any:
    """Return a little-endian signed integer of `width` bytes."""
    value: Any = np.int64(0)
    for byte in range(width):
        value |= np.int64(data[at + byte]) << np.int64(8 * byte)
    if width < 8 and value >> np.int64(8 * width - 1):
        value -= np.int64(1) << np.int64(8 * width)
    return value


@njit(cache=True)
def _field(data: Any, table: int, number: int, width: int, end: int) -> Any:
    """Return where a table's field lies, or -1 when it is absent, -2 when out of bounds."""
    if table < 0 or table + 4 > end:
        return -2
    fields = table - _number(data, table, 4)
    if fields < 0 or fields + 4 > end:
        return -2
    size = _number(data, fields, 2)
    entry = 4 + 2 * number
    if size < 4 or fields + size > end:
        return -2
    if entry + 2 > size:
        return -1
    offset = _number(data, fields + entry, 2)
    if offset == 0:
        return -1
    if offset < 4 or table + offset + width > end:
        return -2
    return table + offset


@njit(cache=True)
def _layout(data: Any, start: int, rows: int, places: Any) -> Any:
    """Fill `places` with where each column begins in the body; return where the body begins.

    Returns -1 when in doubt.
    """
    size = len(data)
    if size < start + 16 or _number(data, start, 4) != -1:
        return -1
    meta = start + 8
    end = meta + _number(data, start + 4, 4)
    if end <= meta + 8 or end > size:
        return -1
    message = meta + _number(data, meta, 4)
    version = _field(data, message, 0, 2, end)
    kind = _field(data, message, 1, 1, end)
    header = _field(data, message, 2, 4, end)
    length = _field(data, message, 3, 8, end)
    if version < 0 or kind < 0 or header < 0 or length < 0:
        return -1
    if _number(data, version, 2) != _VERSION_5 or data[kind] != _RECORD_BATCH:
        return -1
    body = _number(data, length, 8)
    if body != size - end or _field(data, message, 4, 4, end) != -1:
        return -1
    batch = header + _number(data, header, 4)
    count = _field(data, batch, 0, 8, end)
    nodes = _field(data, batch, 1, 4, end)
    buffers = _field(data, batch, 2, 4, end)
    if count < 0 or nodes < 0 or buffers < 0 or _number(data, count, 8) != rows:
        return -1
    for absent in (3, 4):
        if _field(data, batch, absent, 4, end) != -1:
            return -1
    nodes += _number(data, nodes, 4)
    buffers += _number(data, buffers, 4)
    if nodes < meta or nodes + 4 + 16 * _COLUMNS > end or _number(data, nodes, 4) != _COLUMNS:
        return -1
    if buffers < meta or buffers + 4 + 32 * _COLUMNS > end:
        return -1
    if _number(data, buffers, 4) != 2 * _COLUMNS:
        return -1
    for column in range(_COLUMNS):
        node = nodes + 4 + 16 * column
        if _number(data, node, 8) != rows or _number(data, node + 8, 8) != 0:
            return -1
        buffer = buffers + 4 + 32 * column
        if _number(data, buffer + 8, 8) != 0:
            return -1
        offset, held = _number(data, buffer + 16, 8), _number(data, buffer + 24, 8)
        if offset < 0 or offset % 8 or held < rows * _WIDTHS[column] or offset > body - held:
            return -1
        places[column] = offset
    return end


@njit(cache=True)
def _in_order(
    data: Any,
    body: int,
    places: Any,
    rows: int,
    kinds: Any,
    rhythm: bool,  # noqa: FBT001 - numba takes no keywords
    first_seq: int,
    produced: int,
) -> Any:
    unknown = False
    at, first = body + places[_KIND], body + places[_VALUE]
    values = data[first : first + 2 * rows].view(np.int16)
    for row, kind in enumerate(data[at : at + rows]):
        unknown |= not kinds[kind] or values[row] < 0 or values[row] > _VALUE_MAX[kind]
    for which in range(len(_CLOSED)):
        at = body + places[_CLOSED[which]]
        for value in data[at : at + rows]:
            unknown |= not _ALLOWED[which, value]
    signs = np.uint8(0)
    for column in _NOT_NEGATIVE:
        at, width = body + places[column], _WIDTHS[column]
        for row in range(rows):
            signs |= data[at + width * row + width - 1]
    if unknown or signs > 127:
        return False
    if rhythm:
        at = body + places[_SYMBOL]
        if data[at : at + 4 * rows].any():
            return False
    at = body + places[_DSEQ]
    steps = data[at : at + 2 * rows].view(np.int16)
    seq, least = np.int64(first_seq), np.int16(1)
    for step in steps[1:]:
        least = min(least, step)
        seq += step
    if steps[0] != 0 or least < 1 or seq >= produced:
        return False
    at = body + places[_DT]
    waits = data[at : at + 4 * rows].view(np.int32)
    if waits[0] != 0 or waits.min() < _DT_US_MIN:
        return False
    first_x, first_y = body + places[_DX], body + places[_DY]
    return _number(data, first_x, 2) == 0 and _number(data, first_y, 2) == 0


def layout(plain: bytes, offset: int, rows: int) -> tuple[int, Any] | None:
    """Return where the body of the Arrow message at `offset` begins, and each column in it.

    None when this is not a message of `rows` rows of `WIRE` that fills the bytes, plainly laid out.
    """
    places = np.empty(_COLUMNS, np.int64)
    body = _layout(np.frombuffer(plain, np.uint8), offset, rows, places) if rows > 0 else -1
    return None if body < 0 else (body, places)


def in_order(
    plain: bytes,
    body: int,
    places: Any,
    *,
    rows: int,
    kinds: Any,
    rhythm: bool,
    first_seq: int,
    produced: int,
) -> bool:
    """Return True only if rows laid out so (see `layout`) would pass `batch.check`.

    `kinds` is a boolean array of 256: the kinds that every purpose of the batch needs.
    """
    data = np.frombuffer(plain, np.uint8)
    return bool(_in_order(data, body, places, rows, kinds, rhythm, first_seq, produced))


def warm() -> None:
    """Compile, or load what was compiled, so that the first batch does not wait for it."""
    places, kinds = np.zeros(_COLUMNS, np.int64), np.zeros(256, bool)
    rice.unfold(b"", 0, 1)
    layout(b"", 0, 1)
    in_order(bytes(8), 0, places, rows=1, kinds=kinds, rhythm=True, first_seq=0, produced=0)
