"""Batches: up to some hundreds of de-identified events of one session, as bytes.

```
"OVB1" | header length, u32 LE | header, JSON, space-padded to 8 | Arrow record-batch message
```

The header is a `BatchHeader` as JSON. The message is one encapsulated Arrow IPC record batch of
schema `WIRE`; the schema message itself is not sent, `header.schema` names it. On the wire and at
rest the whole may be folded or gzipped; the bytes inside are the ones the person saw in the outbox.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from zlib_ng import zlib_ng as zlib

from overt.schema import coarse, limits
from overt.schema import header as headers
from overt.schema.coarse import COARSE
from overt.schema.errors import InvalidInput
from overt.schema.event import DIFFERENCES, EVENT_SETS, MARKS, VALUE_MAX, WIRE_BITS
from overt.schema.fold import BEFORE, unfold
from overt.schema.fold import MAGIC as FOLDED
from overt.schema.header import BatchHeader as BatchHeader
from overt.schema.purpose import PURPOSES

if TYPE_CHECKING:
    import pyarrow as pa

MAGIC = b"OVB1"
_ALLOWED = {
    name: np.array(
        [
            value in {int(member) for member in members} or (name != "kind" and value == 0)
            for value in range(128)
        ]
    )
    for name, members in EVENT_SETS.items()
}
_VALUE_MAX = np.array([VALUE_MAX.get(kind, 0) for kind in range(128)])
_MARK_KINDS = np.array([value in {int(kind) for kind in MARKS} for value in range(256)])
_KINDS_OF = {
    purpose.id: np.array([value in {int(k) for k in purpose.kinds} for value in range(256)])
    | _MARK_KINDS
    for purpose in PURPOSES.values()
}


_LAYOUTS_KEPT_MAX = 1024
_LAYOUT_BYTES_MAX = 4096
"""Usual metadata have about a thousand bytes; a device could stretch them to the whole batch."""
_layouts: dict[bytes, tuple[int, int, Any]] = {}
"""Arrow metadata that pyarrow has read → rows, bytes of the body, where each column begins in it.

Whether pyarrow reads a message of fixed-width columns without nulls depends on nothing else.
"""


def _bad(what: str, where: str, do: str = "") -> InvalidInput:
    return InvalidInput(what, where=where, do=do)


def encode(header: BatchHeader, rows: pa.RecordBatch) -> bytes:
    """Return the batch as uncompressed bytes. `rows` has schema `WIRE` and `header.rows` rows."""
    from overt.schema.event import WIRE

    if rows.schema != WIRE:
        raise _bad("columns differ from the schema event/1", "rows", "Build rows with WIRE.")
    if rows.num_rows != header.rows:
        raise _bad("header and rows disagree on how many there are", "header.rows")
    return headed(header) + bytes(rows.serialize().to_pybytes())


def headed(header: BatchHeader) -> bytes:
    """Return all of an uncompressed batch that comes before its Arrow message."""
    head = header.to_json()
    head += b" " * (-(len(head) + 8) % 8)
    return MAGIC + len(head).to_bytes(4, "little") + head


def inflate(body: bytes) -> bytes:
    """Return `body` uncompressed and unfolded; both are told by magic bytes, and are bounded."""
    plain = _gunzipped(body)
    return unfold(plain) if plain[:4] in (FOLDED, BEFORE) else plain


def _gunzipped(body: bytes) -> bytes:
    if body[:2] != b"\x1f\x8b":
        return body
    stream = zlib.decompressobj(wbits=31)
    try:
        plain = stream.decompress(body, limits.INFLATED_BYTES_MAX)
    except zlib.error as error:  # type: ignore[misc]  # its stub says so
        raise _bad("gzip stream is damaged", "body") from error
    if stream.unconsumed_tail:
        raise _bad("inflates beyond the limit", "body", "Send smaller batches.")
    if not stream.eof or stream.unused_data:
        raise _bad("gzip stream is cut short or has bytes after its end", "body")
    return plain


def read_header(plain: bytes) -> tuple[BatchHeader, int]:
    """Return the header of an uncompressed batch and the offset of its Arrow message.

    Raises `InvalidInput` naming the field; the field's value is not repeated.
    """
    if plain[:4] != MAGIC:
        raise _bad("does not begin with OVB1", "body", "Send an Overt batch, gzipped or plain.")
    length = int.from_bytes(plain[4:8], "little")
    if not 2 <= length <= limits.BATCH_HEADER_BYTES_MAX or len(plain) < 8 + length:
        raise _bad("length of the header is out of bounds", "header")
    return headers.read(plain[8 : 8 + length]), 8 + length


def decode(plain: bytes) -> tuple[BatchHeader, pa.RecordBatch]:
    """Return header and rows of an uncompressed batch after checking every value.

    Raises `InvalidInput` with the field or column that is wrong; nothing of the data is repeated.
    """
    header, offset = read_header(plain)
    rows = _read(memoryview(plain)[offset:], header)
    found = _compiled().layout(plain, offset, header.rows)
    if found is None or not _in_order(header, plain, *found):
        import pyarrow as pa

        # Says what is wrong and where, or that it is only laid out in an unusual way.
        try:
            rows.validate(full=True)
        except pa.ArrowException as error:
            raise _bad("is not an Arrow record batch of schema event/1", "rows") from error
        check(header, rows)
    if header.transform == COARSE:
        coarse.check(rows, header.t0_us)
    return header, rows


def check_body(plain: bytes) -> BatchHeader:
    """Return the header of an uncompressed batch that `decode` would take; raises as it does.

    Makes no Arrow objects of a message that is laid out as one that pyarrow has read before.
    """
    header, offset = read_header(plain)
    end = offset + 8 + int.from_bytes(plain[offset + 4 : offset + 8], "little")
    metadata = plain[offset:end]
    known = _layouts.get(metadata)
    if header.transform == COARSE:
        decode(plain)
        return header
    if known is not None and known[:2] == (header.rows, len(plain) - end):
        if not _in_order(header, plain, end, known[2]):
            decode(plain)
        return header
    decode(plain)
    found = _compiled().layout(plain, offset, header.rows)
    if found is not None and len(metadata) <= _LAYOUT_BYTES_MAX:
        if len(_layouts) >= _LAYOUTS_KEPT_MAX:
            _layouts.clear()
        _layouts[metadata] = (header.rows, len(plain) - end, found[1])
    return header


@cache
def _compiled() -> Any:
    # Slow to import: only those who check rows pay for it.
    from overt.schema import rows

    return rows


def _in_order(header: BatchHeader, plain: bytes, body: int, places: Any) -> Any:
    return _compiled().in_order(
        plain,
        body,
        places,
        rows=header.rows,
        kinds=_kinds_of(header.purposes),
        rhythm=header.level == "rhythm",
        first_seq=header.first_seq,
        produced=header.produced,
    )


@cache
def _kinds_of(purposes: tuple[str, ...]) -> Any:
    return np.logical_and.reduce([_KINDS_OF[purpose] for purpose in purposes])


def _read(message: memoryview, header: BatchHeader) -> pa.RecordBatch:
    """Return the rows of an Arrow message that fills all the bytes and has the header's count."""
    import pyarrow as pa

    from overt.schema.event import WIRE

    try:
        parts = pa.ipc.read_message(pa.py_buffer(message))
        rows = pa.ipc.read_record_batch(parts, WIRE)
    except (pa.ArrowException, OSError, EOFError, ValueError, TypeError) as error:
        raise _bad("is not an Arrow record batch of schema event/1", "rows") from error
    body = 0 if parts.body is None else parts.body.size
    if body + parts.metadata.size + 8 != len(message):
        raise _bad("is followed by bytes that do not belong to it", "rows")
    if rows.num_rows != header.rows:
        raise _bad("differs from the rows in the message", "header.rows")
    return rows


def check(header: BatchHeader, rows: pa.RecordBatch) -> None:
    """Check ranges, closed sets, order, level and purposes of the rows against the header."""
    column: dict[str, Any] = {}
    for name, values in zip(WIRE_BITS, rows.columns, strict=True):
        if values.null_count:
            raise _bad("has nulls", f"rows.{name}")
        column[name] = values.to_numpy(zero_copy_only=True)
    for name, allowed in _ALLOWED.items():
        values = column[name]
        if values.min() < 0 or not allowed[values].all():
            raise _bad("holds a value outside its closed set", f"rows.{name}")
    dseq, dt_us = column["dseq"], column["dt_us"]
    if dseq[0] != 0 or (dseq[1:] < 1).any():
        raise _bad("is not 0 first and then at least 1", "rows.dseq")
    last_seq = header.first_seq + int(dseq.sum(dtype=np.int64))
    if last_seq >= header.produced:
        raise _bad("goes beyond the events produced", "rows.dseq")
    if dt_us[0] != 0 or dt_us.min() < limits.DT_US_MIN:
        raise _bad("is not 0 first, or goes back too far", "rows.dt_us")
    if column["dx_8th_css_px"][0] != 0 or column["dy_8th_css_px"][0] != 0:
        raise _bad("is not 0 in the first row", "rows.dx_8th_css_px")
    for name in ("slot", "modifiers", "edit_chars", "element", "button"):
        if column[name].min() < 0:
            raise _bad("is negative", f"rows.{name}")
    values = column["value"]
    if values.min() < 0 or (values > _VALUE_MAX[column["kind"]]).any():
        raise _bad("is not one of those of its kind", "rows.value")
    if header.level == "rhythm" and column["key_symbol"].any():
        raise _bad("must be 0 at level rhythm", "rows.key_symbol")
    kinds = column["kind"]
    for purpose in header.purposes:
        if not _KINDS_OF[purpose][kinds].all():
            raise _bad(f"holds a kind that {purpose} does not need", "rows.kind")


def to_events(header: BatchHeader, rows: pa.RecordBatch) -> pa.Table:
    """Return the rows with absolute `seq`, `t_us` and positions: schema `EVENTS`."""
    import pyarrow as pa

    from overt.schema.event import EVENTS

    def running(name: str, start: int) -> Any:
        return np.cumsum(rows.column(name).to_numpy(), dtype=np.int64) + start

    made = {
        "seq": running("dseq", header.first_seq),
        "t_us": running("dt_us", header.t0_us),
        "x_8th_css_px": running("dx_8th_css_px", header.x0_8th_css_px),
        "y_8th_css_px": running("dy_8th_css_px", header.y0_8th_css_px),
    }
    return pa.table(
        [pa.array(made[f.name], f.type) if f.name in made else rows.column(f.name) for f in EVENTS],
        schema=EVENTS,
    )


def from_events(events: pa.Table) -> tuple[dict[str, int], pa.RecordBatch]:
    """Return the inverse of `to_events`: the header fields that anchor deltas, and the rows.

    `events` has schema `EVENTS` and at least one row, in the order of `seq`.
    """
    import pyarrow as pa

    from overt.schema.event import EVENTS, WIRE

    columns = {name: events.column(name).to_numpy() for name in EVENTS.names}
    anchor = {
        "rows": events.num_rows,
        "first_seq": int(columns["seq"][0]),
        "t0_us": int(columns["t_us"][0]),
        "x0_8th_css_px": int(columns["x_8th_css_px"][0]),
        "y0_8th_css_px": int(columns["y_8th_css_px"][0]),
    }
    made = []
    for field in WIRE:
        if field.name in DIFFERENCES:
            values = columns[DIFFERENCES[field.name]]
            made.append(pa.array(np.diff(values, prepend=values[:1]), field.type))
        else:
            made.append(pa.array(columns[field.name], field.type))
    return anchor, pa.record_batch(made, schema=WIRE)
