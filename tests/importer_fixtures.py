"""Small published data sets of every format, made up here; nothing is copied from real ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from overt.datasets.imported import ImportedPerson, Skipped
from overt.datasets.importers import IMPORTERS

Row = list[Any]
Files = dict[str, bytes]
"""Path below the data set's folder → bytes."""

SECRET = "pa55phrase"


@dataclass
class Table:
    """Rows under a header, to be written as CSV in many ways, or as Parquet."""

    header: list[str]
    rows: list[Row]

    def csv(self, separator: str = ",", end: str = "\n") -> bytes:
        lines = [self.header, *self.rows]
        return "".join(separator.join(map(str, line)) + end for line in lines).encode()

    def parquet(self, types: dict[str, pa.DataType] | None = None) -> bytes:
        columns = dict(zip(self.header, zip(*self.rows, strict=True), strict=True))
        made = {n: pa.array(v, (types or {}).get(n)) for n, v in columns.items()}
        sink = pa.BufferOutputStream()
        pq.write_table(pa.table(made), sink)
        return sink.getvalue().to_pybytes()


@dataclass
class Sample:
    """A data set of one format."""

    files: Callable[[], Files]
    people: int
    sessions: int
    tables: dict[str, Table] = field(default_factory=dict)
    """The CSV tables among its files, by path."""


def aalto_table() -> Table:
    header = ["PARTICIPANT_ID", "TEST_SECTION_ID", "PRESS_TIME", "RELEASE_TIME", "LETTER"]
    rows: list[Row] = [[7, 1, 1000 + 100 * n, 1070 + 100 * n, "a"] for n in range(5)]
    return Table(header, rows)


def balabit_table() -> Table:
    header = ["record timestamp", "client timestamp", "button", "state", "x", "y"]
    rows: list[Row] = [
        [0.0, 0.0, "NoButton", "Move", 100, 200],
        [0.11, 0.125, "NoButton", "Move", 104, 203],
        [0.33, 0.328, "Left", "Pressed", 104, 203],
        [0.44, 0.422, "Left", "Released", 104, 203],
        [0.55, 0.531, "NoButton", "Move", 65535, 65535],
        [0.66, 0.640, "Scroll", "Down", 104, 203],
        [0.77, 0.750, "Scroll", "Up", 0, 0],
        [0.88, 0.859, "Right", "Pressed", 104, 203],
        [0.99, 0.969, "NoButton", "Drag", 160, 260],
        [1.10, 1.078, "Right", "Released", 160, 260],
    ]
    return Table(header, rows)


def cmu_table() -> Table:
    keys = ["period", "t", "five", "Shift.r", "Return"]
    header = ["subject", "sessionIndex", "rep"]
    for here, following in zip(keys, [*keys[1:], ""], strict=True):
        header += [f"H.{here}"]
        header += [f"DD.{here}.{following}", f"UD.{here}.{following}"] if following else []
    rows: list[Row] = []
    for subject in ("s101", "s102"):
        for rep in (1, 2, 3):
            row: Row = [subject, 1, rep]
            for n in range(len(keys)):
                hold = round(0.08 + 0.01 * n + 0.001 * rep + 0.002 * (subject == "s102"), 4)
                down_down = 0.05 if n == 1 else 0.2
                row += [hold] + ([down_down, round(down_down - hold, 4)] if n < 4 else [])
            rows.append(row)
    return Table(header, rows)


def mousetrap_table() -> Table:
    header = ["subject", "trial", "condition", "exemplar", "response", "correct", "t_ms", "x", "y"]
    rows: list[Row] = [
        [
            subject,
            trial,
            "Typical",
            "Yeti",
            "Mammal",
            1,
            5000 + 10 * n,
            3 * n - subject,
            400 - 50 * n,
        ]
        for subject in (4, 2)
        for trial in (1, 2)
        for n in range(6)
    ]
    return Table(header, rows)


def _csv(path: str, table: Callable[[], Table], **more: Any) -> Sample:
    made = table()
    return Sample(lambda: {path: table().csv()}, tables={path: made}, **more)


SAMPLES: dict[str, Sample] = {
    "aalto": Sample(lambda: {"files/7_keystrokes.txt": aalto_table().csv("\t")}, 1, 1),
    "balabit": Sample(
        lambda: {
            "training_files/user1/session_11": balabit_table().csv(),
            "training_files/user1/session_12": balabit_table().csv(),
            "training_files/user2/session_21": balabit_table().csv(),
            "test_files/user1/session_31": balabit_table().csv(),
            "public_labels.csv": b"filename,is_illegal\nsession_31,1\n",
        },
        people=2,
        sessions=3,
        tables={"training_files/user2/session_21": balabit_table()},
    ),
    "cmu": _csv("DSL-StrongPasswordData.csv", cmu_table, people=2, sessions=6),
    "mousetrap": Sample(
        lambda: {"trajectories.parquet": mousetrap_table().parquet()}, people=2, sessions=4
    ),
}


def written(folder: Path, files: Files) -> Path:
    """Write the files below the folder and return it."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def people(name: str, path: Path, skipped: Skipped | None = None) -> list[ImportedPerson]:
    """Return everyone a format finds at a path."""
    return list(IMPORTERS[name].read(path, skipped=skipped))
