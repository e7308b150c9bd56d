"""Importer of DuckTrack recordings: everything a person did on one computer, as JSON lines.

TheDuckAI: DuckTrack, github.com/TheDuckAI/DuckTrack, 2023. One folder a recording with
`events.jsonl`: time_stamp (s, monotonic), action (move, click, scroll, press, release), x, y
(points), button, pressed, dx, dy (wheel steps, up is positive), name (of a key).

The files do not say who was recorded: PATH is one person, and each file named `events.jsonl` in it
a session. Where keys were typed is not known either, so nothing says that it was no password: of
keys only class and timing become events. A wheel step is taken as 100 px, up as negative, as in
browsers. Clicks are worked out from press and release.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from overt.datasets.formats.balabit import NOTCH_PX
from overt.datasets.reading import files, jsonfile, keycodes, sessions
from overt.datasets.reading.imported import ImportedPerson, Progress, Skipped, taken
from overt.datasets.reading.sheet import POSITION_PX_MAX, SCROLL_PX_MAX, TIME_US_MAX
from overt.schema.errors import InvalidInput
from overt.schema.event import Kind, Pointer

PATTERN = "events.jsonl"
CLOCK_RESOLUTION_US = 1
ACTIONS = ("move", "click", "scroll", "press", "release")
_BUTTON_NAMES = ("left", "middle", "right", "x1", "x2", "back", "forward", "button8", "button9")
BUTTONS = dict(zip(_BUTTON_NAMES, (1, 2, 3, 4, 5, 4, 5, 4, 5), strict=True))
NOTCHES_MAX = SCROLL_PX_MAX / NOTCH_PX
_NEEDS = {
    "move": ("x", "y"),
    "click": ("x", "y"),
    "scroll": ("x", "y", "dx", "dy"),
    "press": (),
    "release": (),
}


@dataclass(frozen=True)
class Recording:
    """One line a row, in the order of the file. All of length n."""

    time_us: Any = field(repr=False)
    """float64[n], monotonic."""
    kind: Any = field(repr=False)
    """int64[n], `Kind`."""
    x_px: Any = field(repr=False)
    """float64[n], NaN on key events."""
    y_px: Any = field(repr=False)
    """float64[n], NaN on key events."""
    scroll_x: Any = field(repr=False)
    """float64[n], wheel steps to the right."""
    scroll_y: Any = field(repr=False)
    """float64[n], wheel steps up."""
    button: Any = field(repr=False)
    """int64[n], 1 left, 2 middle, 3 right, 4 back, 5 forward, 6 another."""
    key: Any = field(repr=False)
    """int64[n], equal for events of one key within the file; -1 on others."""
    key_class: Any = field(repr=False)
    """int64[n], `KeyClass`."""


def read(
    path: Path,
    *,
    progress: Callable[[Progress], None] | None = None,
    skipped: Skipped | None = None,
) -> Iterator[ImportedPerson]:
    """Yield the one person at `path`, whose sessions are the recordings in it."""
    yield from one_person(path, "ducktrack", progress, skipped)


def one_person(
    path: Path,
    format_name: str,
    progress: Callable[[Progress], None] | None,
    skipped: Skipped | None,
) -> Iterator[ImportedPerson]:
    """Yield one person from the recordings in `path` that are of this format, if there are any."""
    made: list[Any] = []
    any_here = False
    for found in files.named(path, PATTERN):
        if format_of(found.data) in (format_name, ""):
            any_here = True
            made += taken(lambda f: iter([read_recording(f.data, f.path, skipped)]), found, skipped)
        if progress is not None:
            progress(Progress(0, 1, found.bytes_done, found.bytes_total))
    if not any_here:
        raise InvalidInput(
            f"holds no recording of format {format_name}",
            where=str(path),
            do="OpenCUA's lines have an event_idx, DuckTrack's have none.",
        )
    tables = tuple(table for recording in made for table in events_of(recording))
    if tables:
        yield ImportedPerson(tables, clock_resolution_us=CLOCK_RESOLUTION_US)


def format_of(data: bytes) -> str:
    """Return `opencua` or `ducktrack` by the first lines of a recording, or an empty text.

    OpenCUA's recorder grew out of DuckTrack's, and numbers its lines (`event_idx`).
    """
    start = data[:4096]
    if b'"event_idx"' in start:
        return "opencua"
    return "ducktrack" if b'"time_stamp"' in start else ""


def read_recording(data: bytes, file: str, skipped: Skipped | None = None) -> Recording:
    """Return the lines in the bytes of an `events.jsonl`.

    Raises `InvalidInput` with line and field at the first value that is wrong, unless `skipped`
    counts such lines.
    """
    lines, numbers = jsonfile.lines(data, file, skipped)
    if not lines and skipped is None:
        raise InvalidInput("is empty", where=file, do="Leave the file out.")
    keys: dict[str, tuple[int, int]] = {}
    rows = []
    for line, number in zip(lines, numbers, strict=True):
        row, wrong = _row(line, keys)
        if row is not None:
            rows.append(row)
        elif skipped is None:
            raise InvalidInput(
                wrong.partition(" ")[2],
                where=f"{file}, line {number}, field {wrong.partition(' ')[0]}",
                do="Correct the file, or leave such lines out with --skip-bad.",
            )
        else:
            skipped.row(wrong)
    table = np.array(rows, np.float64).reshape(len(rows), 9).T
    whole = [sessions.whole(table[column]) for column in (1, 6, 7, 8)]
    return Recording(table[0], whole[0], *table[2:6], *whole[1:])


def _row(line: dict[str, Any], keys: dict[str, tuple[int, int]]) -> tuple[Any, str]:
    """Return the fields of a line as numbers, or None and the field that is wrong and how."""
    action = line.get("action")
    if action not in ACTIONS:
        return None, f"action is not one of {', '.join(ACTIONS)}"
    time_s = jsonfile.number(line.get("time_stamp"), -TIME_US_MAX / 1e6, TIME_US_MAX / 1e6)
    if time_s is None:
        return None, "time_stamp is not a time in seconds"
    found = {"x": np.nan, "y": np.nan, "dx": 0.0, "dy": 0.0}
    for name in _NEEDS[str(action)]:
        high = POSITION_PX_MAX if name in ("x", "y") else NOTCHES_MAX
        value = jsonfile.number(line.get(name), -high, high)
        if value is None:
            what = "a position in points" if name in ("x", "y") else "a number of wheel steps"
            return None, f"{name} is not {what}"
        found[name] = value
    kind, button, key, key_class = Kind.POINTER_MOVE, 0, -1, 0
    if action == "click":
        pressed = line.get("pressed")
        if type(pressed) is not bool:
            return None, "pressed is not true or false"
        kind = Kind.POINTER_DOWN if pressed else Kind.POINTER_UP
        button = BUTTONS.get(str(line.get("button")).lower().removeprefix("button."), 6)
    elif action == "scroll":
        kind = Kind.WHEEL
    elif action in ("press", "release"):
        called = line.get("name")
        if not isinstance(called, str) or not called:
            return None, "name is not the name of a key"
        kind = Kind.KEY_DOWN if action == "press" else Kind.KEY_UP
        word = called.lower()
        if word not in keys:
            keys[word] = (len(keys), keycodes.key_called(called).key_class)
        key, key_class = keys[word]
    return (time_s * 1e6, kind, *found.values(), button, key, key_class), ""


def events_of(recording: Recording) -> tuple[Any, ...]:
    """Return the recording as one session of events (none if it is empty)."""
    is_key = recording.key >= 0
    columns = {
        "kind": recording.kind,
        "key_class": recording.key_class,
        "button": recording.button,
        "pointer": np.where(is_key, 0, int(Pointer.MOUSE)),
        "x_8th_css_px": sessions.position_8th(recording.x_px),
        "y_8th_css_px": sessions.position_8th(recording.y_px),
        "scroll_x_css_px": sessions.whole(recording.scroll_x * NOTCH_PX),
        "scroll_y_css_px": sessions.whole(-recording.scroll_y * NOTCH_PX),
    }
    return sessions.tables(
        np.zeros(is_key.size, np.int64),
        recording.time_us,
        columns,
        key=recording.key,
        placed=~is_key,
        clicks=True,
    )
