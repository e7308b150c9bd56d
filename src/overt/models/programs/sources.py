"""People: recordings of pointers as published, each cut to whom it belongs.

Read as they lie, in any layout that has the files' own names; nothing of them is kept. A folder of
one data set, or one that holds several, whichever are there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from overt.datasets.formats import balabit, mousetrap
from overt.datasets.reading.files import Found, named
from overt.datasets.reading.imported import Skipped
from overt.datasets.reading.jsonfile import document
from overt.models.programs.sessions import channel_of
from overt.models.programs.trace import Trace, cut, input_ms, joined, trace_of
from overt.schema.errors import InvalidInput, Missing

PERSON_S_MAX = 900.0
"""No one person is more than a quarter of an hour of input: the beginnings of their recordings."""

RECORDING_S_MAX = 180.0

MOVEMENTS_A_BLOCK = 60
"""Movements of a set without names of people that are kept together, in the order they lie in."""

COARSE_MS = 40.0
"""A hand's movement ends near 10 Hz: sampled less than 25 times a second it is not there any more.
Most of Balabit came over a network at 10 samples a second."""


@dataclass(frozen=True)
class Recording:
    """What one person did, in stretches that followed each other without a break."""

    source: str
    person: str
    """Told apart from others within the source."""
    traces: tuple[Trace, ...]
    named: bool = True
    """Whether the source says who is who. If not, all of it is on one side of any split."""
    coarse: bool = False
    """Sampled too seldom (`COARSE_MS`) to say anything of how a pointer is moved."""


def recordings(path: Path, progress: Callable[[str, float], None]) -> list[Recording]:
    """Return everyone's recordings in `path`. Raises `InvalidInput` where there is none."""
    if not path.exists():
        raise Missing("there is no such file or directory", where=str(path))
    found: list[Recording] = []
    for number, (source, (mark, read)) in enumerate(_SOURCES.items()):
        for place in places(path, mark):
            progress(f"reading {source}", number / len(_SOURCES))
            found += read(place)
    if not found:
        found = _by_content(path)
    if not found:
        raise InvalidInput(
            "holds no recordings of people that are known here",
            where=str(path),
            do=f"Give a folder with one or more of: {', '.join(_SOURCES)}.",
        )
    return found


def places(path: Path, mark: str) -> list[Path]:
    """Return the folders or archives of one data set: `path` itself, or what lies right below."""
    near = [path, *sorted(path.iterdir())] if path.is_dir() else [path]
    hits = [one for one in near if re.search(mark, one.resolve().name)]
    return hits[:1]


def _by_content(path: Path) -> list[Recording]:
    """Return what the first reader that finds its own files makes of `path`, whatever its name."""
    for _mark, read in _SOURCES.values():
        try:
            found = read(path)
        except InvalidInput:
            continue
        if found:
            return found
    return []


def _balabit(path: Path) -> list[Recording]:
    sessions: dict[str, list[tuple[str, Trace]]] = {}
    illegal: set[str] | None = None
    tests: list[tuple[str, str, Trace]] = []
    for file in named(path, "session_*", "*labels*.csv"):
        if file.name.endswith("labels.csv"):
            illegal = _illegal(file)
            continue
        parts = file.path.split("/")
        person = parts[-2] if len(parts) > 1 else file.name
        trace = _balabit_trace(file)
        if any("test" in part for part in parts[:-1]):
            tests.append((person, file.name, trace))
        else:
            sessions.setdefault(person, []).append((file.name, trace))
    for person, name, trace in tests:
        # Who an illegal test recording shows is not known: it could be on both sides of a split.
        if (illegal is not None and name not in illegal) or not sessions:
            sessions.setdefault(person, []).append((name, trace))
    found = []
    for person, own in sorted(sessions.items()):
        traces = [trace for _name, trace in sorted(own, key=_first)]
        for coarse in (False, True):
            kept = [one for one in traces if _coarse(one) == coarse]
            if kept:
                found.append(Recording("balabit", person, _spread(kept), coarse=coarse))
    return found


def _coarse(trace: Trace) -> bool:
    channel = channel_of(trace)
    return channel is None or channel.interval_ms > COARSE_MS


def _first(pair: tuple[str, Trace]) -> str:
    return pair[0]


def _illegal(file: Found) -> set[str]:
    lines = file.data.decode("utf-8", "replace").splitlines()[1:]
    return {line.split(",")[0].strip() for line in lines if line.strip().endswith("1")}


def _balabit_trace(file: Found) -> Trace:
    made = balabit.read_recording(file.data, file.path, Skipped())
    return trace_of(made.time_us / 1000, made.x_px, made.y_px)


def _spread(traces: list[Trace]) -> tuple[Trace, ...]:
    """Return the beginnings of a person's recordings, together `PERSON_S_MAX` of input."""
    found: list[Trace] = []
    left = PERSON_S_MAX
    for trace in traces:
        pieces = cut(trace, min(RECORDING_S_MAX, left), least=0.0)[:1] if left >= 1 else []
        found += pieces
        left -= sum(float(input_ms(piece)[-1]) / 1000 for piece in pieces if piece.size)
    return tuple(found)


def _cursory(path: Path) -> list[Recording]:
    traces = []
    for file in named(path, "*.json.gz", "*trajectories*.json"):
        for number, one in enumerate(document(file.data, file.path), start=1):
            try:
                points = np.asarray(one["points"], np.float64).reshape(-1, 2)
                t = np.asarray(one["timing"], np.float64)
            except (KeyError, TypeError, ValueError) as error:
                raise InvalidInput(
                    "has no points [n, 2] with their timing [n]",
                    where=f"{file.path}, movement {number}",
                    do="Correct it or take it out.",
                ) from error
            if t.size == points.shape[0]:
                traces.append(trace_of(t, points[:, 0], points[:, 1]))
    blocks = range(0, len(traces), MOVEMENTS_A_BLOCK)
    return [
        Recording(
            "cursory", str(start), (joined(traces[start : start + MOVEMENTS_A_BLOCK]),), named=False
        )
        for start in blocks
    ]


def _mousetrap(path: Path) -> list[Recording]:
    people: dict[tuple[str, int], list[Trace]] = {}
    for file in named(path, "*.parquet"):
        made = mousetrap.read_trajectories(file.data, file.path, Skipped())
        first = np.flatnonzero(np.diff(made.trial, prepend=-1))
        for start, end, subject in zip(
            first, [*first[1:], made.trial.size], made.subject, strict=True
        ):
            own = slice(int(start), int(end))
            trace = trace_of(made.time_us[own] / 1000, made.x_px[own], made.y_px[own])
            people.setdefault((file.path, int(subject)), []).append(trace)
    return [
        Recording("mousetrap", str(number), (joined(traces),))
        for number, traces in enumerate(people.values())
    ]


def _desktop(path: Path) -> list[Recording]:
    found = []
    for file in named(path, "events.jsonl"):
        moves = [
            (event["time_stamp"], event["x"], event["y"])
            for event in _lines(file)
            if event.get("action") == "move" and {"time_stamp", "x", "y"} <= event.keys()
        ]
        made = np.array(moves, np.float64).reshape(-1, 3)
        trace = trace_of(made[:, 0] * 1000, made[:, 1], made[:, 2])
        found.append(Recording("desktop", file.path, (trace,)))
    return found


def _lines(file: Found) -> Iterator[dict[str, Any]]:
    for line in file.data.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event


_SOURCES: dict[str, tuple[str, Callable[[Path], list[Recording]]]] = {
    "balabit-mouse": (r"balabit", _balabit),
    "cursory-human-trajectories": (r"cursory", _cursory),
    "mousetrap-kh2017": (r"mousetrap", _mousetrap),
    "desktop-recordings": (r"desktop-rec", _desktop),
}
"""Data set → how its folder is recognised, and who reads it."""
