"""Cutting the events of a session into batches, as the gate on a device does it.

Used for people who do not come through the collector: imported and synthetic ones. Each event goes
to the stream of the purposes that need its kind; events that no purpose needs are not kept.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from overt.schema import limits
from overt.schema.batch import BatchHeader, encode, from_events
from overt.schema.event import SCHEMA_ID, Kind
from overt.schema.purpose import purposes_for

_DSEQ_MAX = 2**15 - 1


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What every batch of one person says of where it comes from."""

    source: str
    study: str
    receipt: str
    """Id that stands in the header's `receipt`; random where there is no receipt."""
    purposes: tuple[str, ...]
    level: str
    transform: str
    time_origin_ms: int
    clock_resolution_us: int


@dataclass(frozen=True)
class Batch:
    """One batch ready to be sealed: its header and its uncompressed bytes."""

    header: BatchHeader
    plain: bytes


def _cuts(events: pa.Table) -> list[int]:
    """Return the rows at which a new batch must begin, 0 first and the count of rows last."""
    step = {
        name: np.abs(np.diff(events.column(name).to_numpy().astype(np.int64)))
        for name in ("seq", "t_us", "x_8th_css_px", "y_8th_css_px")
    }
    back = np.diff(events.column("t_us").to_numpy()) < limits.DT_US_MIN
    breaks = (
        (step["seq"] > _DSEQ_MAX)
        | (step["t_us"] > limits.DT_US_MAX)
        | back
        | (step["x_8th_css_px"] > limits.POSITION_8TH_MAX)
        | (step["y_8th_css_px"] > limits.POSITION_8TH_MAX)
    )
    edges = [0, *(np.flatnonzero(breaks) + 1).tolist(), events.num_rows]
    cuts = [0]
    for start, stop in itertools.pairwise(edges):
        cuts += [*range(start + limits.BATCH_ROWS_MAX, stop, limits.BATCH_ROWS_MAX), stop]
    return cuts


def streams_of(events: pa.Table, purposes: Sequence[str]) -> dict[tuple[str, ...], pa.Table]:
    """Return the events of each set of purposes that need them; shape and order stay."""
    kinds = events.column("kind").to_numpy()
    needed: dict[tuple[str, ...], list[int]] = {}
    for kind in np.unique(kinds).tolist():
        stream = purposes_for(Kind(kind), purposes)
        if stream:
            needed.setdefault(stream, []).append(kind)
    return {
        stream: events.filter(pa.array(np.isin(kinds, members)))
        for stream, members in sorted(needed.items())
    }


def batches_of(session: pa.Table, origin: Origin) -> Iterator[Batch]:
    """Yield the batches of one session (schema `EVENTS`, in order of `seq`), the last marked so."""
    session_id = secrets.token_hex(16)
    parts = []
    for stream, events in streams_of(session, origin.purposes).items():
        whole = events.combine_chunks()
        cuts = _cuts(whole)
        parts += [
            (stream, whole.slice(start, stop - start))
            for start, stop in itertools.pairwise(cuts)
            if stop > start
        ]
    produced = int(session.column("seq").to_numpy().max()) + 1 if session.num_rows else 0
    for number, (stream, events) in enumerate(parts):
        anchor, rows = from_events(events)
        header = BatchHeader(
            schema=SCHEMA_ID,
            source=origin.source,
            study=origin.study,
            receipt=origin.receipt,
            session=session_id,
            batch=number,
            purposes=stream,
            level=origin.level,
            transform=origin.transform,
            time_origin_ms=origin.time_origin_ms,
            clock_resolution_us=origin.clock_resolution_us,
            produced=produced,
            removed=0,
            lost=0,
            end=number == len(parts) - 1,
            **anchor,
        )
        yield Batch(header, encode(header, rows))
