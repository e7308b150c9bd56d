"""A Hugging Face data set: a row an event, a Parquet file a split, card and Croissant beside it.

`datasets.load_dataset(FOLDER)` reads it; `croissant.json` (mlcommons.org/croissant, 1.0) says of
each column what it means, and the SHA-256 of each file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet

from overt.datasets.exports import card
from overt.datasets.exports.leaving import About, Counted, Leaving
from overt.datasets.split import SPLITS
from overt.schema.event import EVENT_SETS, EVENTS

NAMED = tuple(name for name in EVENT_SETS if name in EVENTS.names)
"""Columns of closed sets; they leave as words."""

_COLUMNS: list[tuple[str, Any]] = [
    ("person", pa.string()),
    ("origin", pa.string()),
    ("session", pa.int32()),
    *((f.name, pa.string() if f.name in NAMED else f.type) for f in EVENTS),
]
SCHEMA = pa.schema(_COLUMNS)


def _words(name: str) -> Any:
    """Return the words of a closed set, by number; a number that is none of it as it is."""
    called = {int(one): str(one.name).lower() for one in EVENT_SETS[name]}
    return np.array([called.get(value, str(value)) for value in range(max(called) + 1)])


_WORDS: dict[str, Any] = {name: _words(name) for name in NAMED}


def write(folder: Path, about: About, people: Iterable[Leaving]) -> Counted:
    """Write data, `README.md` and `croissant.json`."""
    data = folder / "data"
    data.mkdir()
    writers: dict[str, parquet.ParquetWriter] = {}
    rows: dict[str, int] = {}
    found = [0, 0]
    try:
        for person in people:
            if person.split not in writers:
                path = data / f"{person.split}.parquet"
                writers[person.split] = parquet.ParquetWriter(path, SCHEMA, compression="zstd")
            for number, session in enumerate(person.sessions, 1):
                writers[person.split].write_table(table(person, number, session))
                rows[person.split] = rows.get(person.split, 0) + session.num_rows
                found[1] += 1
            found[0] += 1
    finally:
        for writer in writers.values():
            writer.close()
    splits: list[str] = [split for split in SPLITS if split in rows]
    files = {split: _described(data / f"{split}.parquet", rows[split]) for split in splits}
    (folder / "README.md").write_text(card.readme(about, SCHEMA, files), encoding="utf-8")
    described = json.dumps(card.croissant(about, SCHEMA, files), indent=1, ensure_ascii=False)
    (folder / "croissant.json").write_text(described + "\n", encoding="utf-8")
    return Counted(found[0], found[1], sum(rows.values()), len(files) + 2)


def _described(path: Path, rows: int) -> card.File:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return card.File(f"data/{path.name}", digest.hexdigest(), path.stat().st_size, rows)


def table(person: Leaving, number: int, session: pa.Table) -> pa.Table:
    """Return a session as rows of `SCHEMA`; closed sets as words."""
    n = session.num_rows
    columns: dict[str, Any] = {
        "person": pa.array([person.name] * n),
        "origin": pa.array([person.origin] * n),
        "session": pa.array(np.full(n, number, np.int32)),
    }
    for name in EVENTS.names:
        column = session.column(name)
        if name in NAMED:
            columns[name] = pa.array(_WORDS[name][column.to_numpy()], pa.string())
        else:
            columns[name] = column
    return pa.table(columns, schema=SCHEMA)
