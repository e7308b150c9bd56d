"""Small published data sets of every format, made up here; nothing is copied from real ones."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from overt.datasets.importers import Importer, importer
from overt.datasets.reading.imported import ImportedPerson, Skipped

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
        text = io.StringIO()
        writer = csv.writer(text, delimiter=separator, lineterminator=end)
        writer.writerows([self.header, *self.rows])
        return text.getvalue().encode()

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


def mobikey_table() -> Table:
    names = ["UserId", "DeviceId", "SessionId", "Key", "DownTime", "UpTime", "Pressure"]
    header = [*names, "PasswordType", "Repetition"]
    rows: list[Row] = [
        [user, device, 0, key, start + 300 * n, start + 300 * n + 80 + user, 0.1, kind, rep]
        for user, device, start in ((900, "B", 700), (900, "A", 90_000), (901, "A", 5000))
        for kind, rep in ((1, 0), (1, 1))
        for n, key in enumerate([".", "123?", "5", "abc", "Shift", "R", "Del"])
    ]
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


def monaco_table() -> Table:
    header = ["user", "session", "keyname", "timepress", "timerelease"]
    keys = ["shift", "h", "space", "numpad_3", "backspace", "enter"]
    rows: list[Row] = [
        [user, sample, key, 100 * n, 100 * n + 70 + user + (130 if key == "shift" else 0)]
        for user in (5, 3)
        for sample in (2, 1)
        for n, key in enumerate(keys)
    ]
    return Table(header, rows)


def miniwob_tables() -> dict[str, Table]:
    """Two assignments: a click on a button, a word and a deletion in a field, then a password."""
    episodes = Table(
        ["episode", "assignment", "demo"], [[10, 7, 2], [11, 7, 1], [12, 9, 1], [13, 9, 2]]
    )
    events = Table(["episode", "t_ms", "type", "x", "y", "key_code", "target_ref"], [])
    for episode, assignment, _ in episodes.rows[:3]:
        rows: list[Row] = [
            [100, "mousedown", 50, 60, None, 4],
            [180 + assignment, "mouseup", 50, 60, None, 4],
            [181 + assignment, "click", 50, 60, None, 4],
            [300, "keydown", None, None, 72, 5],
            [301, "keypress", None, None, 104, 5],
            [370, "keyup", None, None, 72, 5],
            [400, "keydown", None, None, 8, 5],
            [470, "keyup", None, None, 8, 5],
            [500, "keydown", None, None, 83, 6],
            [501, "keypress", None, None, 115, 6],
            [570, "keyup", None, None, 83, 6],
            [600, "keydown", None, None, 9, 77],
            [700, "scroll", None, None, None, 3],
        ]
        events.rows += [[episode, *row] for row in rows]
    elements = Table(["episode", "ref", "tag", "id"], [])
    for episode, *_ in episodes.rows:
        elements.rows += [
            [episode, 4, "BUTTON", "go"],
            [episode, 5, "INPUT_text", "name"],
            [episode, 6, "INPUT_password", "p"],
        ]
    return {"episodes.parquet": episodes, "events.parquet": events, "elements.parquet": elements}


def cursory_list() -> list[dict[str, Any]]:
    return [
        {
            "start": [0, 0],
            "end": [30, 40],
            "points": [[3 * n, 4 * n + start] for n in range(5)],
            "timing": [10 * n for n in range(5)],
        }
        for start in (0, 7)
    ]


PHASES = ("elementary_reading", "elementary_question", "advanced_reading", "advanced_question")


def scroll_table() -> Table:
    header = ["p_age", "elementary_text"]
    for phase in PHASES:
        header += [f"{phase}_event_ms", f"{phase}_scroll_event"]
    rows: list[Row] = [
        ["18-24", "A"]
        + [f"['{15 + n}', '900']" if i % 2 == 0 else "['0', '250']" for i in range(8)]
        for n in (0, 3)
    ]
    rows[1][-2:] = ["[]", "[]"]
    return Table(header, rows)


def desktop_lines(*, numbered: bool = False) -> bytes:
    events: list[dict[str, Any]] = [
        {"action": "move", "x": 10.5, "y": 20.25},
        {"action": "click", "x": 10.5, "y": 20.25, "button": "left", "pressed": True},
        {"action": "click", "x": 10.5, "y": 20.25, "button": "left", "pressed": False},
        {"action": "scroll", "x": 10.5, "y": 20.25, "dx": 0, "dy": -1},
        {"action": "press", "name": "shift"},
        {"action": "press", "name": "A"},
        {"action": "release", "name": "a"},
        {"action": "release", "name": "shift"},
    ]
    made = []
    for number, event in enumerate(events):
        line = {"time_stamp": 1000.5 + 0.1 * number, **event}
        made.append(json.dumps(line | ({"event_idx": number} if numbered else {})))
    return "\n".join(made).encode() + b"\n"


T0 = 1_544_756_766_750


def rrweb_events() -> list[dict[str, Any]]:
    """A log of the present schema: a page with a field, a password field and a list."""

    def node(number: int, tag: str, *children: dict[str, Any], **attributes: str) -> dict[str, Any]:
        return {
            "type": 2,
            "id": number,
            "tagName": tag,
            "attributes": attributes,
            "childNodes": list(children),
        }

    fields = [
        node(4, "input", type="text", value="ab"),
        node(5, "input", type="password", value=SECRET),
        node(6, "ul"),
        node(7, "button"),
    ]
    page = {"type": 0, "id": 1, "childNodes": [node(2, "html", node(3, "body", *fields))]}
    increments: list[dict[str, Any]] = [
        {
            "source": 1,
            "positions": [{"x": 5, "y": 6, "id": 3, "timeOffset": -20 + n} for n in (0, 9)],
        },
        {"source": 2, "type": 1, "id": 7, "x": 50, "y": 60},
        {"source": 2, "type": 0, "id": 7, "x": 50, "y": 60},
        {"source": 2, "type": 2, "id": 7, "x": 50, "y": 60, "pointerType": 0},
        {"source": 2, "type": 5, "id": 4},
        {"source": 5, "id": 4, "text": f"{SECRET}"[:3], "isChecked": False},
        {"source": 5, "id": 4, "text": "", "isChecked": False},
        {"source": 5, "id": 5, "text": SECRET, "isChecked": False},
        {"source": 5, "id": 99, "text": SECRET, "isChecked": False},
        {"source": 2, "type": 6, "id": 4},
        {"source": 3, "id": 1, "x": 0, "y": 120},
        {"source": 3, "id": 1, "x": 0, "y": 100},
        {"source": 6, "positions": [{"x": 7, "y": 8, "id": 3, "timeOffset": 0}]},
        {"source": 2, "type": 7, "id": 3, "x": 7, "y": 8, "pointerType": 2},
        {"source": 12, "positions": [{"x": 9, "y": 9, "id": 3, "timeOffset": 0}]},
        {"source": 4, "width": 800, "height": 600},
    ]
    snapshot = {"node": page, "initialOffset": {"top": 40, "left": 0}}
    return [
        {"type": 4, "data": {"href": "x", "width": 800, "height": 600}, "timestamp": T0},
        {"type": 2, "data": snapshot, "timestamp": T0 + 1},
        *(
            {"type": 3, "data": data, "timestamp": T0 + 100 * n}
            for n, data in enumerate(increments, start=1)
        ),
    ]


GENERIC = """
title = "Log of a lab"
publication = "made up"
licence = "none"
files = ["*.csv"]
person = "who"
session = ["day", "block"]
[time]
column = "t"
unit = "ms"
[kind]
column = "what"
[kind.values]
move = "pointer_move"
press = "pointer_down"
lift = "pointer_up"
key = "key_down"
note = ""
[position]
x = "px"
y = "py"
px_per_unit = 0.5
[button]
column = "button"
[button.values]
L = "left"
R = "right"
[key]
column = "key"
released = "until"
[secret]
column = "field"
values = ["password"]
"""


def generic_table() -> Table:
    header = ["who", "day", "block", "t", "what", "px", "py", "button", "key", "until", "field"]
    rows: list[Row] = []
    for who in ("p2", "p1"):
        for block in (1, 2):
            rows += [
                [who, "mon", block, 10, "move", 100, 200, "", "", "", "free"],
                [who, "mon", block, 20 + block, "press", 100, 200, "L", "", "", "free"],
                [who, "mon", block, 90, "lift", 102, 200, "L", "", "", "free"],
                [who, "mon", block, 200, "key", "", "", "", "a", 270 + len(rows), "free"],
                [who, "mon", block, 300, "key", "", "", "", "s", 370, "password"],
                [who, "mon", block, 400, "note", "", "", "", "", "", "free"],
            ]
    return Table(header, rows)


def _csv(path: str, table: Callable[[], Table], people: int, sessions: int) -> Sample:
    return Sample(lambda: {path: table().csv()}, people, sessions, {path: table()})


SAMPLES: dict[str, Sample] = {
    "aalto": Sample(lambda: {"files/7_keystrokes.txt": aalto_table().csv("\t")}, 1, 1),
    "balabit": Sample(
        lambda: {
            "training_files/user1/session_11": balabit_table().csv(),
            "training_files/user1/session_12": balabit_table().csv(),
            "training_files/user2/session_21": balabit_table().csv(),
            "test_files/user1/session_31": balabit_table().csv(),
        },
        2,
        3,
        {"training_files/user2/session_21": balabit_table()},
    ),
    "cmu": _csv("DSL-StrongPasswordData.csv", cmu_table, 2, 6),
    "cursory": Sample(
        lambda: {"trajectories.json.gz": gzip.compress(json.dumps(cursory_list()).encode())}, 1, 2
    ),
    "ducktrack": Sample(lambda: {"a/events.jsonl": desktop_lines()}, 1, 1),
    "generic": _csv("log.csv", generic_table, 2, 4),
    "miniwob": Sample(lambda: {n: t.parquet() for n, t in miniwob_tables().items()}, 2, 3),
    "mobikey": _csv("dataset2/here/Keystrokes.csv", mobikey_table, 2, 6),
    "monaco": _csv("fixed_text.csv", monaco_table, 2, 4),
    "mousetrap": Sample(lambda: {"trajectories.parquet": mousetrap_table().parquet()}, 2, 4),
    "opencua": Sample(lambda: {"a/events.jsonl": desktop_lines(numbered=True)}, 1, 1),
    "rrweb": Sample(lambda: {"log.json": json.dumps(rrweb_events()).encode()}, 1, 1),
    "scroll-readability": _csv("scroll_readability_dataset.csv", scroll_table, 2, 7),
}
_MAPPINGS = tempfile.TemporaryDirectory()


def mapping_file(text: str = GENERIC) -> Path:
    """Return a file with the text of a mapping."""
    path = Path(_MAPPINGS.name) / "mapping.toml"
    path.write_text(text)
    return path


def chosen(name: str) -> Importer:
    """Return the importer of a format; `generic` with the mapping of its sample."""
    return importer(name, mapping_file() if name == "generic" else None)


def written(folder: Path, files: Files) -> Path:
    """Write the files below the folder and return it."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def people(name: str, path: Path, skipped: Skipped | None = None) -> list[ImportedPerson]:
    """Return everyone a format finds at a path."""
    return list(chosen(name).read(path, skipped=skipped))
