"""A store in a temporary folder, with people in it whose events are made up."""

from __future__ import annotations

import gzip
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from overt.schema import batch as batches
from overt.schema.event import SCHEMA_ID, WIRE
from overt.store.append import Incoming
from overt.store.store import Store

PURPOSES = ("next-action", "person-or-program", "typing-assist")
STUDY = "five-minutes"


def wire_rows(seed: int, rows: int = 60) -> pa.RecordBatch:
    """Return key presses with timing nobody else has (delta spread over milliseconds)."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {field.name: np.zeros(rows, int) for field in WIRE}
    columns["kind"] = 1 + np.arange(rows) % 2
    columns["dseq"] = np.r_[0, np.ones(rows - 1, int)]
    columns["dt_us"] = np.r_[0, rng.integers(20_000, 400_000, rows - 1)]
    columns["key_class"] = rng.integers(1, 5, rows)
    columns["slot"] = np.ones(rows, int)
    return pa.record_batch([pa.array(columns[f.name], f.type) for f in WIRE], schema=WIRE)


def header(**changed: Any) -> batches.BatchHeader:
    base = batches.BatchHeader(
        schema=SCHEMA_ID,
        source="sdk/0.1.0",
        study=STUDY,
        receipt="0" * 32,
        session="1" * 32,
        batch=0,
        purposes=PURPOSES,
        level="rhythm",
        transform="rhythm/0",
        rows=60,
        first_seq=0,
        time_origin_ms=1_790_000_000_000,
        t0_us=1000,
        clock_resolution_us=100,
        x0_8th_css_px=0,
        y0_8th_css_px=0,
        produced=1_000_000,
        removed=0,
        lost=0,
        end=False,
    )
    return base._replace(**changed)


def body(head: batches.BatchHeader, seed: int) -> bytes:
    """Return a batch as a device sends it."""
    return gzip.compress(batches.encode(head, wire_rows(seed, head.rows)), 6, mtime=0)


@dataclass(frozen=True)
class Person:
    subject: str
    receipt: str
    purposes: tuple[str, ...]

    def header(self, session: str, number: int, **changed: Any) -> batches.BatchHeader:
        values = {"purposes": self.purposes, "first_seq": 60 * number, **changed}
        return header(receipt=self.receipt, session=session, batch=number, **values)

    def incoming(self, session: str, number: int, seed: int = 0, **changed: Any) -> Incoming:
        head = self.header(session, number, **changed)
        return Incoming(head, body(head, seed or number + 1))


def new_store(root: Path) -> Store:
    store = Store.open(root, create=True)
    if store.control.study(STUDY) is None:
        store.control.put_study(STUDY, "live", b"[study]\n")
    return store


def join(store: Store, purposes: tuple[str, ...] = PURPOSES, level: str = "rhythm") -> Person:
    subject = store.add_subject(STUDY, "live")
    receipt = os.urandom(16).hex()
    store.put_receipt(receipt, subject, purposes, level, b'{"receipt": "document"}')
    return Person(subject, receipt, purposes)
