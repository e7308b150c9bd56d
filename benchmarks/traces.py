"""What people really did, as input events for Chromium: recordings from `OVERT_DATA`, not in here.

Keys are those of one person of the Aalto typing data, the pointer that of one of Balabit's sessions
(moves, presses, wheel) and of one person's paths in mousetrap's; each as it was timed.
"""

from __future__ import annotations

import csv
import io
import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from hand import Dispatch

DATA = Path(os.environ.get("OVERT_DATA", Path(__file__).parents[2] / "shared" / "data"))
AALTO = "aalto-desktop-subset"
BALABIT = "balabit-mouse"
MOUSETRAP = "mousetrap-kh2017"
WIDTH, HEIGHT = 1200.0, 680.0
PAUSE_MS_MAX = 1000.0
"""Nobody has to wait for what a person thought about."""


def missing() -> str:
    """Return the data sets that are not there; empty if all are."""
    return ", ".join(name for name in (AALTO, BALABIT, MOUSETRAP) if not (DATA / name).exists())


def script(seconds: float) -> list[Dispatch]:
    """Return so many seconds of them in turns: a third of writing, two of pointing."""
    part_ms = seconds * 1000 / 3
    made: list[Dispatch] = _click(0.0)
    for source, begin_ms in ((_keys, 0.1), (_session, part_ms), (_paths, 2 * part_ms)):
        steps = _shortened(source())
        made += itertools.takewhile(
            lambda each, end_ms=begin_ms + part_ms: each.at_ms < end_ms,
            (Dispatch(begin_ms + each.at_ms, each.method, each.params) for each in steps),
        )
    return made


def _shortened(dispatches: Iterable[Dispatch]) -> Iterator[Dispatch]:
    """Yield them from time 0 on, without the long pauses."""
    before_ms = now_ms = None
    for each in dispatches:
        gap_ms = 0.0 if before_ms is None else each.at_ms - before_ms
        now_ms = 0.0 if now_ms is None else now_ms + min(gap_ms, PAUSE_MS_MAX)
        before_ms = each.at_ms
        yield Dispatch(now_ms, each.method, each.params)


def _click(at_ms: float) -> list[Dispatch]:
    """A press into the field that is written in."""
    return [_mouse(at_ms, type_, 200, 80, "left") for type_ in ("mousePressed", "mouseReleased")]


def _mouse(at_ms: float, type_: str, x: float, y: float, button: str = "") -> Dispatch:
    pressed = {"button": button, "clickCount": 1} if button else {}
    params = {"type": type_, "x": round(x, 1), "y": round(y, 1), **pressed}
    return Dispatch(at_ms, "Input.dispatchMouseEvent", params)


def _first(name: str, pattern: str, part: str = "") -> bytes:
    from overt.datasets.reading import files

    found = files.named(DATA / name, pattern, only=lambda path: part in path)
    return next(iter(found)).data


def _keys() -> list[Dispatch]:
    text = _first(AALTO, "*_keystrokes.txt").decode("latin-1")
    made: list[Dispatch] = []
    for row in csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE):
        letter = (row["LETTER"] or "").lower()
        if letter != " " and not (len(letter) == 1 and "a" <= letter <= "z"):
            continue
        code = "Space" if letter == " " else f"Key{letter.upper()}"
        named = {"key": letter, "code": code, "windowsVirtualKeyCode": ord(letter.upper())}
        for column, type_ in (("PRESS_TIME", "keyDown"), ("RELEASE_TIME", "keyUp")):
            text_of = {"text": letter} if type_ == "keyDown" else {}
            params = {"type": type_, **text_of, **named}
            made.append(Dispatch(float(row[column]), "Input.dispatchKeyEvent", params))
    return sorted(made, key=lambda each: each.at_ms)


def _fitted(places: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the places within the page, scaled where they go beyond it."""
    left, top = (min(place[axis] for place in places) for axis in (0, 1))
    wide, high = max(x for x, _ in places) - left, max(y for _, y in places) - top
    scale = min(1.0, WIDTH / max(wide, 1.0), HEIGHT / max(high, 1.0))
    return [(20 + (x - left) * scale, 20 + (y - top) * scale) for x, y in places]


def _session() -> list[Dispatch]:
    rows = csv.DictReader(io.StringIO(_first(BALABIT, "session_*", "training_files").decode()))
    kept = [row for row in rows if max(float(row["x"]), float(row["y"])) < 65535]
    places = _fitted([(float(row["x"]), float(row["y"])) for row in kept])
    types = {"Move": "mouseMoved", "Drag": "mouseMoved", "Pressed": "mousePressed"}
    types |= {"Released": "mouseReleased"}
    made: list[Dispatch] = []
    for row, (x, y) in zip(kept, places, strict=True):
        at_ms = float(row["client timestamp"]) * 1000
        if row["button"] == "Scroll":
            params: dict[str, Any] = {"type": "mouseWheel", "x": 150, "y": 260, "deltaX": 0}
            params["deltaY"] = 60 if row["state"] == "Down" else -60
            made.append(Dispatch(at_ms, "Input.dispatchMouseEvent", params))
        elif row["state"] in types:
            button = "" if types[row["state"]] == "mouseMoved" else row["button"].lower()
            made.append(_mouse(at_ms, types[row["state"]], x, y, button))
    return made


def _paths() -> list[Dispatch]:
    import pyarrow.parquet as pq

    table = pq.read_table(DATA / MOUSETRAP / "trajectories.parquet")
    rows = table.slice(0, 4000).to_pylist()
    places = _fitted([(row["x"], row["y"]) for row in rows])
    return [
        _mouse(float(row["t_ms"]), "mouseMoved", x, y)
        for row, (x, y) in zip(rows, places, strict=True)
    ]
