"""OpenCUA: tasks on a computer, as raw events, reduced actions and a trajectory.

Names and forms are those that OpenCUA's converters read and write (Wang et al. 2025,
github.com/xlang-ai/OpenCUA, `data/data-process`). `trajectory.json` is what its second converter
(`raw_to_standardized`) makes of an episode, without observations: its first (`extract_raw`) passes
over folders without a video, and we have none. One folder a session:

| file | |
|---|---|
| `events.jsonl` | each event, as DuckTrack's recorder has it, numbered (`event_idx`) |
| `reduced_events_complete.jsonl`, `…_vis.jsonl` | what it comes to, in words, from when to when |
| `trajectory.json` | PyAutoGUI actions, positions as shares of the window |
| `task_name.json`, `metadata.json` | number of the task in the study, size of the window |

Typed characters that are not known, or were not asked for, are `•`; the name of a key that is not
said is that of its class. There are no screenshots, no thoughts and no window titles, and nothing
says whether a task was done, so no trajectory ends with `terminate`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from overt.datasets.exports.actions import Act, acts
from overt.datasets.exports.leaving import (
    About,
    Columns,
    Counted,
    Leaving,
    character,
    in_time,
    notches,
    size_of,
)
from overt.schema.event import KeyClass, Kind

NOTCH_PX = 100
_BUTTONS = {1: "left", 2: "middle", 3: "right", 4: "x1", 5: "x2"}


def write(folder: Path, about: About, people: Iterable[Leaving]) -> Counted:
    """Write one folder a session, in one folder a person."""
    found = [0, 0, 0]
    for person in people:
        for number, session in enumerate(person.sessions, 1):
            place = folder / person.split / person.name / f"session-{number:03d}"
            place.mkdir(parents=True)
            _write_session(place, about, person, f"{person.name}-{number:03d}", session)
            found = [found[0], found[1] + 1, found[2] + session.num_rows]
        found[0] += 1
    return Counted(found[0], found[1], found[2], 6 * found[1])


def _write_session(place: Path, about: About, person: Leaving, example: str, session: Any) -> None:
    column = in_time(session)
    width, height = size_of(column)
    task = task_of(column)
    done = list(acts(column))
    _lines(place / "events.jsonl", events(column))
    reduced = [act.reduced(number) for number, act in enumerate(done)]
    for name in ("complete", "vis"):
        _lines(place / f"reduced_events_{name}.jsonl", reduced)
    trajectory = {
        "task_id": task,
        "example_id": example,
        "type": "end2end",
        "content": [content(act, width, height) for act in done],
    }
    _json(place / "trajectory.json", trajectory)
    _json(place / "task_name.json", {"task_name": task})
    _json(
        place / "metadata.json",
        {
            "screen_width": width,
            "screen_height": height,
            "scroll_direction": 1,
            "video_start_timestamp": 0.0,
            "overt": {
                "study": about.study,
                "purpose": about.purpose,
                "transform": about.transform,
                "origin": person.origin,
                "with_keys": about.with_keys,
                "source": about.source,
                "licence": about.licence,
            },
        },
    )


def _lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")


def _json(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def task_of(column: Columns) -> str:
    """Return the first task of a session by the number the page gave it."""
    marked = column["value"][column["kind"] == int(Kind.TASK)]
    return f"task-{int(marked[0])}" if marked.size else "unspecified"


def name_of(key_class: int, symbol: int) -> str:
    """Return what a key is called: its character if that is known, else its class.

    >>> name_of(KeyClass.LETTER, ord("a")), name_of(KeyClass.LETTER, 0), name_of(KeyClass.META, 0)
    ('a', 'letter', 'meta')
    """
    known = character(symbol)
    return known if known.strip() else KeyClass(key_class).name.lower()


def events(column: Columns) -> Iterator[dict[str, Any]]:
    """Yield the lines of `events.jsonl` of one session."""
    right, up = notches(column, NOTCH_PX)
    wanted = (Kind.KEY_DOWN, Kind.KEY_UP, Kind.POINTER_MOVE, Kind.POINTER_DOWN, Kind.POINTER_UP)
    rows = np.flatnonzero(np.isin(column["kind"], wanted) | (right != 0) | (up != 0))
    names = ("kind", "t_us", "key_class", "key_symbol", "button", "x_8th_css_px", "y_8th_css_px")
    values = [column[name][rows].tolist() for name in names]
    turns = (right[rows].tolist(), up[rows].tolist())
    for number, (kind, t_us, key_class, symbol, button, x, y, dx, dy) in enumerate(
        zip(*values, *turns, strict=True)
    ):
        line: dict[str, Any] = {"time_stamp": t_us / 1e6}
        at = {"x": round(x / 8), "y": round(y / 8)}
        if kind in (Kind.KEY_DOWN, Kind.KEY_UP):
            action = "press" if kind == Kind.KEY_DOWN else "release"
            line |= {"action": action, "name": name_of(key_class, symbol)}
        elif kind == Kind.POINTER_MOVE:
            line |= {"action": "move", **at}
        elif kind == Kind.WHEEL:
            line |= {"action": "scroll", **at, "dx": dx, "dy": dy}
        else:
            which = _BUTTONS.get(button, "unknown")
            line |= {"action": "click", **at, "button": which}
            line["pressed"] = kind == Kind.POINTER_DOWN
        yield {**line, "event_idx": number}


def content(act: Act, width: int, height: int) -> dict[str, Any]:
    """Return an action as a step of a trajectory; positions are shares of the window.

    As OpenCUA's own converter, a drag and a turn of the wheel begin with a move to their place.
    """

    def share(at_px: tuple[int, int]) -> dict[str, float]:
        both = zip("xy", at_px, (width, height), strict=True)
        return {name: round(min(max(at / max(size, 1), 0.0), 1.0), 4) for name, at, size in both}

    def done(kind: str, args: dict[str, Any]) -> dict[str, Any]:
        return {"action_type": kind, "target": None, "args": args}

    start = act.at_px if act.turns else act.from_px
    moved = [done("moveTo", share(start))] if start is not None else []
    place = share(act.at_px) if act.at_px is not None and not act.turns else {}
    return {
        "instruction": act.action,
        "guiactions": [*moved, done(act.kind, {**act.args, **place})],
    }
