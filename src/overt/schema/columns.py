"""Batches that this program made itself, as plain columns: written, read and given another header.

Arrow's conversions of numpy arrays load pandas where it is installed, and the check of a stranger's
batch (`overt.schema.batch.decode`) loads a compiler. On a person's computer both together would be
more memory than all the rest, for batches that lie sealed as they were written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from overt.schema import batch
from overt.schema.event import EVENTS, WIRE
from overt.schema.header import BatchHeader

_RUNNING = {
    "dseq": ("seq", "first_seq"),
    "dt_us": ("t_us", "t0_us"),
    "dx_8th_css_px": ("x_8th_css_px", "x0_8th_css_px"),
    "dy_8th_css_px": ("y_8th_css_px", "y0_8th_css_px"),
}
"""Column of differences → the column that it runs up to, and where the header says it begins."""


def from_columns(columns: Mapping[str, Any]) -> tuple[dict[str, int], pa.RecordBatch]:
    """Return what `batch.from_events` does of the columns of `EVENTS`, at least one row."""
    anchors = {"rows": len(columns["seq"])}
    made = []
    for field in WIRE:
        if field.name in _RUNNING:
            name, anchor = _RUNNING[field.name]
            anchors[anchor] = int(columns[name][0])
            values = np.diff(columns[name], prepend=columns[name][:1])
        else:
            values = columns[field.name]
        width = np.dtype(f"<i{field.type.bit_width // 8}")
        data = np.ascontiguousarray(values).astype(width)
        if not np.array_equal(data, values):
            raise ValueError(f"{field.name} does not fit its column")
        buffers = [None, pa.py_buffer(data.tobytes())]
        made.append(pa.Array.from_buffers(field.type, len(data), buffers))
    return anchors, pa.record_batch(made, schema=WIRE)


def to_columns(plain: bytes) -> tuple[BatchHeader, dict[str, Any]]:
    """Return the header and the columns of `EVENTS` of an uncompressed batch of one's own."""
    header, at = batch.read_header(plain)
    message = pa.ipc.read_message(pa.py_buffer(memoryview(plain)[at:]))
    rows = pa.ipc.read_record_batch(message, WIRE)
    body: list[Any] = [column.buffers()[1] for column in rows.columns]
    wire = {
        field.name: np.frombuffer(body[k], f"<i{field.type.bit_width // 8}", header.rows)
        for k, field in enumerate(WIRE)
    }
    running = {
        name: np.cumsum(wire[step], dtype=np.int64) + getattr(header, anchor)
        for step, (name, anchor) in _RUNNING.items()
    }
    return header, {name: running.get(name, wire.get(name)) for name in EVENTS.names}


def reheaded(plain: bytes, **fields: Any) -> bytes:
    """Return a batch of one's own with some fields of its header changed; rows stay as they are."""
    header, at = batch.read_header(plain)
    return batch.headed(header._replace(**fields)) + plain[at:]
