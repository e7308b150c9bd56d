"""Movements of people that were going somewhere, as published: to one of two options, to a press.

Read as they lie, in any layout that has the files' own names; nothing of them is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from overt.datasets.formats import balabit, cursory, mousetrap
from overt.datasets.reading.files import named
from overt.datasets.reading.imported import Skipped
from overt.features.pointing import SAMPLES_MIN, movements
from overt.models.programs.sources import places
from overt.models.programs.trace import Trace, trace_of
from overt.models.scores import Progress
from overt.models.tensors import Array
from overt.schema.errors import InvalidInput, Missing

LENGTH_PX_MIN = 50.0
"""A shorter way is over before anything could be said of its end."""

DURATION_MS_MAX = 10_000.0
PRESS_MS_MAX = 1_000.0
"""A press belongs to the movement before it if it comes so soon after, at the same place."""

BLOCK = 60
"""Movements of a source that does not say who moved that are kept together, as they lie."""

MOVEMENTS_A_PERSON = 300
RECORDINGS_A_PERSON = 2
"""The first ones of a person: no one outweighs the others, and two cores need minutes."""


@dataclass(frozen=True, eq=False)
class Movement:
    """One movement from rest to its end; n samples, at each of which the pointer had moved."""

    t_ms: Array
    """float64[n], from 0 where it set out."""
    x_px: Array
    y_px: Array
    """float64[n], y grows downwards."""
    source: str
    person: str
    """Whose it is; of a source that does not say, which block of movements it lies in."""
    named: bool = True
    """Whether the source says who is who."""
    item: str = ""
    """What was shown, where the same was shown to several people."""
    condition: str = ""
    right: bool | None = None
    """Whether the right of two options was taken; None where there were not two options."""

    @property
    def path_px(self) -> Array:
        """Return float64[n], length of the path up to each sample."""
        steps = np.hypot(np.diff(self.x_px), np.diff(self.y_px))
        return np.append(0.0, np.cumsum(steps))

    @property
    def unit(self) -> str:
        """Return the person (or block) within all sources: the unit of splits and intervals."""
        return f"{self.source}/{self.person}"


def read(path: Path, progress: Progress) -> list[Movement]:
    """Return everyone's movements in `path`. Raises `InvalidInput` where there are none."""
    if not path.exists():
        raise Missing("there is no such file or directory", where=str(path))
    found: list[Movement] = []
    for number, (source, (mark, reader)) in enumerate(_SOURCES.items()):
        for place in places(path, mark):
            progress(f"reading {source}", 0.2 * number / len(_SOURCES))
            found += reader(place)
    if not found:
        found = _by_content(path)
    if not found:
        raise InvalidInput(
            "holds no movements of people that are known here",
            where=str(path),
            do=f"Give a folder with one or more of: {', '.join(_SOURCES)}.",
        )
    return found


def _by_content(path: Path) -> list[Movement]:
    """Return what the first reader that finds its own files makes of `path`, whatever its name."""
    for _mark, reader in _SOURCES.values():
        try:
            found = reader(path)
        except InvalidInput:
            continue
        if found:
            return found
    return []


def set_out(trace: Trace) -> Trace:
    """Return a trace whose time begins where it set out: a rest at its beginning is left out.

    >>> trace = Trace(np.array([0.0, 900, 910, 920]), np.array([0.0, 1, 5, 9]), np.zeros(4))
    >>> set_out(trace).t_ms
    array([ 0., 10., 20., 30.])
    """
    if trace.size < SAMPLES_MIN:
        return trace
    usual = float(np.median(np.diff(trace.t_ms)))
    t = trace.t_ms - trace.t_ms[1] + min(usual, float(trace.t_ms[1] - trace.t_ms[0]))
    return Trace(np.append(0.0, t[1:]), trace.x_px, trace.y_px)


def is_a_way(trace: Trace) -> bool:
    """Tell whether a movement is long enough, and short enough in time, to ask where it goes."""
    if trace.size < SAMPLES_MIN or trace.t_ms[-1] - trace.t_ms[0] > DURATION_MS_MAX:
        return False
    way = np.hypot(trace.x_px[-1] - trace.x_px[0], trace.y_px[-1] - trace.y_px[0])
    return bool(way >= LENGTH_PX_MIN)


def _mousetrap(path: Path) -> list[Movement]:
    made = []
    for number, file in enumerate(named(path, *mousetrap.PATTERN)):
        found = mousetrap.read_trajectories(file.data, file.path, Skipped())
        ends = np.searchsorted(found.trial, np.arange(found.subject.size + 1))
        for trial, subject in enumerate(found.subject.tolist()):
            own = slice(ends[trial], ends[trial + 1])
            trace = set_out(trace_of(found.time_us[own] / 1000, found.x_px[own], found.y_px[own]))
            if not is_a_way(trace) or trace.x_px[-1] == trace.x_px[0]:
                continue
            made.append(
                Movement(
                    trace.t_ms,
                    trace.x_px,
                    trace.y_px,
                    "mousetrap",
                    f"{number}/{subject}",
                    item=found.item[trial],
                    condition=found.condition[trial].strip().lower(),
                    right=bool(trace.x_px[-1] > trace.x_px[0]),
                )
            )
    return made


def _cursory(path: Path) -> list[Movement]:
    traces = []
    for file in named(path, *cursory.PATTERN):
        found = cursory.read_movements(file.data, file.path, Skipped())
        cuts = np.flatnonzero(np.diff(found.movement)) + 1
        parts = zip(
            *(np.split(one, cuts) for one in (found.time_us, found.x_px, found.y_px)), strict=True
        )
        traces += [set_out(trace_of(t / 1000, x, y)) for t, x, y in parts]
    return [
        Movement(trace.t_ms, trace.x_px, trace.y_px, "cursory", str(number // BLOCK), named=False)
        for number, trace in enumerate(traces)
        if is_a_way(trace)
    ]


def _balabit(path: Path) -> list[Movement]:
    taken: dict[str, int] = {}

    def first(place: str) -> bool:
        """Take an account's first training recordings: who a test recording shows is not known."""
        parts = place.split("/")
        if any("test" in part for part in parts[:-1]):
            return False
        person = _account(place)
        taken[person] = taken.get(person, 0) + 1
        return taken[person] <= RECORDINGS_A_PERSON

    made: dict[str, list[Movement]] = {}
    for file in named(path, balabit.PATTERN, only=first):
        own = made.setdefault(_account(file.path), [])
        for trace in _to_presses(balabit.read_recording(file.data, file.path, Skipped())):
            own.append(Movement(trace.t_ms, trace.x_px, trace.y_px, "balabit", _account(file.path)))
    return [one for own in made.values() for one in own[:MOVEMENTS_A_PERSON]]


def _account(place: str) -> str:
    parts = place.split("/")
    return parts[-2] if len(parts) > 1 else parts[-1]


def _to_presses(recording: balabit.Recording) -> Iterable[Trace]:
    """Yield the movements of a recording that a press followed where they ended."""
    pressed = recording.state == balabit.STATES["pressed"]
    t_us = np.asarray(recording.time_us, np.int64)
    x, y = recording.x_px, recording.y_px
    found = movements(t_us, x, y, ends=pressed)
    at = np.flatnonzero(pressed)
    for begin, last in zip(found.first.tolist(), found.last.tolist(), strict=True):
        place = int(np.searchsorted(at, last))
        if place == at.size:
            continue
        press = int(at[place])
        soon = t_us[press] - t_us[last] <= PRESS_MS_MAX * 1000
        stays = (x[last : press + 1] == x[last]).all() and (y[last : press + 1] == y[last]).all()
        own = slice(begin, last + 1)
        trace = set_out(trace_of(t_us[own] / 1000, x[own], y[own]))
        if soon and stays and is_a_way(trace):
            yield trace


_SOURCES: dict[str, tuple[str, Callable[[Path], list[Movement]]]] = {
    "mousetrap-kh2017": (r"mousetrap", _mousetrap),
    "cursory-human-trajectories": (r"cursory", _cursory),
    "balabit-mouse": (r"balabit", _balabit),
}
"""Data set → how its folder is recognised, and who reads it."""
