"""The same made-up events in both forms: Overt's batches, and rows of JSON."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from overt.datasets import synthetic
from overt.datasets.transform import to_rhythm0
from overt.schema import batch as batches
from overt.schema.event import SCHEMA_ID, WIRE
from overt.schema.fold import fold
from overt.schema.header import BatchHeader
from overt.store.store import Store

PURPOSES = ("next-action", "person-or-program", "typing-assist")
STUDY = "bench"


def mixed(rows: int) -> list[pa.RecordBatch]:
    """Return batches of `rows` events of made-up people: typing, pointer at 60 Hz, clicks, scrolls.

    Kinds that not every purpose needs become pointer moves, so that one stream holds all.
    """
    made = []
    for person in synthetic.people(2, seed=1, sessions=1, minutes=6.0):
        events = to_rhythm0(person.sessions[0])
        for at in range(0, events.num_rows - rows, rows):
            _, record = batches.from_events(events.slice(at, rows).combine_chunks())
            made.append(_one_stream(record))
    return made


def _one_stream(record: pa.RecordBatch) -> pa.RecordBatch:
    allowed = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14]
    kinds = record.column("kind").to_numpy()
    kinds = np.where(np.isin(kinds, allowed), kinds, 6).astype(np.int8)
    dseq = np.ones(len(kinds), np.int16)
    dseq[0] = 0
    columns = dict(zip(WIRE.names, record.columns, strict=True))
    columns["kind"], columns["dseq"] = pa.array(kinds), pa.array(dseq)
    return pa.record_batch(list(columns.values()), schema=WIRE)


def header(receipt: str, session: str, number: int, rows: int) -> BatchHeader:
    """Return the header of batch `number` of a session."""
    return BatchHeader(
        schema=SCHEMA_ID, source="sdk/0.1.0", study=STUDY, receipt=receipt, session=session,
        batch=number, purposes=("person-or-program",), level="rhythm", transform="rhythm/0",
        rows=rows, first_seq=number * rows, time_origin_ms=1_790_000_000_000, t0_us=1_000,
        clock_resolution_us=100, x0_8th_css_px=0, y0_8th_css_px=0, produced=2**40, removed=0,
        lost=0, end=False,
    )  # fmt: skip


def ids(count: int) -> list[str]:
    """Return random ids."""
    return [os.urandom(16).hex() for _ in range(count)]


def store_with(folder: Path, receipts: list[str]) -> Store:
    """Return a new store in which each receipt belongs to a person of its own."""
    store = Store.open(folder, create=True)
    store.control.put_study(STUDY, "synthetic", b"")
    subjects = store.add_subjects(STUDY, "synthetic", len(receipts))
    store.put_receipts(
        (receipt, subject, PURPOSES, "rhythm", b"{}")
        for receipt, subject in zip(receipts, subjects, strict=True)
    )
    return store


def wire(head: BatchHeader, record: pa.RecordBatch) -> bytes:
    """Return a batch as the SDK sends it."""
    return fold(batches.encode(head, record))


def rows_of_json(head: BatchHeader, record: pa.RecordBatch) -> bytes:
    """Return the same events as compact JSON, one object a row, without what is 0."""
    always = ("seq", "t_us", "kind")
    events = [
        {name: value for name, value in row.items() if value or name in always}
        for row in batches.to_events(head, record).to_pylist()
    ]
    named: dict[str, Any] = {
        name: getattr(head, name) for name in ("study", "receipt", "session", "batch")
    }
    return json.dumps({**named, "events": events}, separators=(",", ":")).encode()
