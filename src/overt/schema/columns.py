"""Batches that this program made itself, as plain columns: written, read and given another header.

Nothing here loads Arrow, nor the compiler of the check of a stranger's batch
(`overt.schema.batch.decode`). On a person's computer both together would be more memory than all
the rest, for batches that lie sealed as they were written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from overt.schema import batch, message
from overt.schema.event import DIFFERENCES, EVENTS_BITS, WIRE_BITS
from overt.schema.header import BatchHeader

_ANCHORS = {
    "seq": "first_seq",
    "t_us": "t0_us",
    "x_8th_css_px": "x0_8th_css_px",
    "y_8th_css_px": "y0_8th_css_px",
}
"""Column that differences run up to → where the header says that it begins."""


def from_columns(columns: Mapping[str, Any]) -> tuple[dict[str, int], bytes]:
    """Return what `batch.from_events` does of the columns of `EVENTS`, at least one row.

    The rows come as the Arrow message that they are in a batch.
    """
    anchors = {"rows": len(columns["seq"])}
    anchors |= {anchor: int(columns[name][0]) for name, anchor in _ANCHORS.items()}
    wire = {}
    for name in WIRE_BITS:
        values = columns[DIFFERENCES.get(name, name)]
        wire[name] = np.diff(values, prepend=values[:1]) if name in DIFFERENCES else values
    return anchors, message.written(wire)


def to_columns(plain: bytes) -> tuple[BatchHeader, dict[str, Any]]:
    """Return the header and the columns of `EVENTS` of an uncompressed batch of one's own."""
    header, at = batch.read_header(plain)
    wire = message.read(plain, at, header.rows)
    running = {
        name: np.cumsum(wire[step], dtype=np.int64) + getattr(header, _ANCHORS[name])
        for step, name in DIFFERENCES.items()
    }
    return header, {name: running.get(name, wire.get(name)) for name in EVENTS_BITS}


def reheaded(plain: bytes, **fields: Any) -> bytes:
    """Return a batch of one's own with some fields of its header changed; rows stay as they are."""
    header, at = batch.read_header(plain)
    return batch.headed(header._replace(**fields)) + plain[at:]
