"""Importer of the Balabit mouse challenge: recordings of mouse input over a remote desktop.

Fülöp, Kovács, Kurics, Windhager-Pokol: Balabit Mouse Dynamics Challenge data set, 2016. One file a
recording, `training_files/<account>/session_*`, CSV: record timestamp, client timestamp (both s
since the recording began), button, state, x, y (px of the remote screen).

A person is an account, a session is a file. Only training recordings are imported: a test recording
may be of another account than its folder says. Times are the client's, brought to µs; where the
client's 32-bit counter of ms wrapped, the network's time says by how much. A position of 65535 is a
lost reading, and its row is left out. Wheel steps are of unknown height: 100 px each, as browsers
report a notch. Clicks are worked out from press and release.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa

from overt.datasets.reading import delimited, files, sessions
from overt.datasets.reading.imported import ImportedPerson, Progress, Skipped, taken
from overt.schema.errors import InvalidInput
from overt.schema.event import Kind, Pointer

PATTERN = "session_*"
LOST_PX = 65_535
WRAP_US = 2.0**32 * 1000
NOTCH_PX = 100
"""Pixels that a browser commonly reports for one notch of a wheel."""
CLOCK_RESOLUTION_US = 1000
LOST = "lost reading (x or y is 65535)"
BUTTONS = {"nobutton": 0, "left": 1, "middle": 2, "right": 3, "xbutton": 4, "scroll": 0}
STATES = {"move": 1, "drag": 2, "pressed": 3, "released": 4, "down": 5, "up": 6}
_KIND = np.array(
    [0, Kind.POINTER_MOVE, Kind.POINTER_MOVE, Kind.POINTER_DOWN, Kind.POINTER_UP, *[Kind.WHEEL] * 2]
)
_TIMES = ("client timestamp", "record timestamp")


@dataclass(frozen=True)
class Recording:
    """The readings of one file in the order of the file, lost ones left out. All of length n."""

    time_us: Any = field(repr=False)
    """float64[n], client time in µs, unwrapped."""
    record_us: Any = field(repr=False)
    """float64[n], time at the recording device in µs; NaN where the file does not say."""
    button: Any = field(repr=False)
    """int64[n], 0 none, 1 left, 2 middle, 3 right, 4 extra."""
    state: Any = field(repr=False)
    """int64[n], value of `STATES`."""
    x_px: Any = field(repr=False)
    """float64[n]"""
    y_px: Any = field(repr=False)
    """float64[n]"""
    lost: int
    """Rows left out because their position was lost."""


def read(
    path: Path,
    *,
    progress: Callable[[Progress], None] | None = None,
    skipped: Skipped | None = None,
) -> Iterator[ImportedPerson]:
    """Yield the accounts in `path`, one at a time, each after its last training recording."""
    here = [part.lower() for part in path.resolve().parts[-3:]]
    if any(part.startswith("test_files") for part in here):
        raise InvalidInput(
            "test recordings may be of another account than their folder says",
            where=str(path),
            do="Import training_files, or the folder above both.",
        )
    names = files.paths(path, PATTERN, only=is_training)
    last = {account_of(name): number for number, name in enumerate(names)}
    open_accounts: dict[str, list[Recording]] = {}
    people = 0
    for number, found in enumerate(files.named(path, PATTERN, only=is_training)):
        account = account_of(found.path)
        made = open_accounts.setdefault(account, [])
        made += taken(lambda f: iter([read_recording(f.data, f.path, skipped)]), found, skipped)
        if last.get(account) == number:
            person = _person(open_accounts.pop(account))
            if person.sessions:
                people += 1
                yield person
        if progress is not None:
            progress(Progress(people, len(last), found.bytes_done, found.bytes_total))


def is_training(path: str) -> bool:
    """Tell whether a recording is not below a folder of test recordings.

    >>> is_training("balabit/test_files/user7/session_1")
    False
    """
    return not any(part.lower().startswith("test") for part in PurePosixPath(path).parts[:-1])


def account_of(path: str) -> str:
    """Return the account a recording belongs to: the folder it lies in."""
    return PurePosixPath(path).parent.as_posix()


def read_recording(data: bytes, file: str, skipped: Skipped | None = None) -> Recording:
    """Return the readings in the bytes of a recording.

    Raises `InvalidInput` with line and column at the first value that is wrong, unless `skipped`
    counts such rows.
    """
    sheet = delimited.read(data, file, ("button", "state", "x", "y"), skipped)
    if not any(name in sheet for name in _TIMES):
        sheet.need(*_TIMES)
    times = [
        sheet.times(name, "s") if name in sheet else np.full(sheet.rows, np.nan) for name in _TIMES
    ]
    state = sheet.codes("state", STATES)
    button = sheet.codes("button", BUTTONS)
    x_px, y_px = sheet.positions("x"), sheet.positions("y")
    lost = (x_px == LOST_PX) | (y_px == LOST_PX)
    kept = sheet.good & ~lost
    client, record = times[0][kept], times[1][kept]
    if _TIMES[0] not in sheet:
        client = record
    elif _TIMES[1] in sheet:
        client = client - WRAP_US * np.rint((client - record) / WRAP_US)
    else:
        client = np.unwrap(client, period=WRAP_US)
    return Recording(
        client,
        record,
        button[kept],
        state[kept],
        x_px[kept],
        y_px[kept],
        int((lost & sheet.good).sum()),
    )


def _person(recordings: list[Recording]) -> ImportedPerson:
    lost = sum(recording.lost for recording in recordings)
    return ImportedPerson(
        sessions=tuple(table for recording in recordings for table in events_of(recording)),
        clock_resolution_us=CLOCK_RESOLUTION_US,
        left_out={LOST: lost} if lost else {},
    )


def events_of(recording: Recording) -> tuple[pa.Table, ...]:
    """Return the recording as one session of events (none if it is empty)."""
    state = recording.state
    wheel = np.where(
        state == STATES["down"], NOTCH_PX, np.where(state == STATES["up"], -NOTCH_PX, 0)
    )
    pressed = (state == STATES["pressed"]) | (state == STATES["released"])
    columns = {
        "kind": _KIND[state],
        "button": np.where(pressed, recording.button, 0),
        "pointer": np.full(state.size, int(Pointer.MOUSE)),
        "x_8th_css_px": sessions.position_8th(recording.x_px),
        "y_8th_css_px": sessions.position_8th(recording.y_px),
        "scroll_y_css_px": wheel,
    }
    session = np.zeros(state.size, np.int64)
    return sessions.tables(session, recording.time_us, columns, clicks=True)
