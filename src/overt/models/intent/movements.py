"""Movements of people that were going somewhere, as published: to one of two options, to a press.

Read as they lie, in any layout that has the files' own names; nothing of them is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path, PurePosixPath

import numpy as np

from overt.datasets.formats import balabit, cursory, ducktrack, mousetrap
from overt.datasets.reading.files import NoSuchFile, named
from overt.datasets.reading.imported import Skipped
from overt.features.pointing import SAMPLES_MIN, movements
from overt.models.programs.sources import places
from overt.models.programs.trace import Trace, trace_of
from overt.models.scores import Progress
from overt.models.tensors import Array
from overt.schema.errors import InvalidInput, Missing
from overt.schema.event import Kind

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


def read(path: Path, progress: Progress, skipped: Skipped | None = None) -> list[Movement]:
    """Return everyone's movements in `path`. Raises `InvalidInput` where there are none.

    Rows that cannot be read are left out, and counted in `skipped`.
    """
    skipped = Skipped() if skipped is None else skipped
    if not path.exists():
        raise Missing("there is no such file or directory", where=str(path))
    found: list[Movement] = []
    for number, (source, (mark, reader)) in enumerate(_SOURCES.items()):
        for place in places(path, mark):
            progress(f"reading {source}", 0.2 * number / len(_SOURCES))
            found += reader(place, skipped)
    if not found:
        found = _by_content(path, skipped)
    if not found:
        raise InvalidInput(
            "holds no movements of people that are known here",
            where=str(path),
            do=f"Give a folder with one or more of: {', '.join(_SOURCES)}.",
        )
    return found


def _by_content(path: Path, skipped: Skipped) -> list[Movement]:
    """Return what readers make of `path` that find files of their own in it, whatever its name.

    Another reader's file is none of theirs; if nobody can read anything, what the one said that
    found a file by its name says more than that nothing was found.
    """
    found: list[Movement] = []
    wrong: InvalidInput | None = None
    for _mark, reader in _SOURCES.values():
        left_out = Skipped()
        try:
            made = reader(path, left_out)
        except NoSuchFile:
            continue
        except InvalidInput as error:
            wrong = wrong or error
            continue
        found += made
        if made:
            skipped.add(left_out)
        if found and not path.is_dir():
            break  # a single file is taken whatever its name
    if not found and wrong is not None and path.is_dir():
        raise wrong
    return found


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


def _mousetrap(path: Path, skipped: Skipped) -> list[Movement]:
    made = []
    for file in named(path, *mousetrap.PATTERN):
        found = mousetrap.read_trajectories(file.data, file.path, skipped)
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
                    str(subject),  # of another file too: who may be the same is kept together
                    item=found.item[trial],
                    condition=found.condition[trial].strip().lower(),
                    right=bool(trace.x_px[-1] > trace.x_px[0]),
                )
            )
    return made


def _cursory(path: Path, skipped: Skipped) -> list[Movement]:
    traces = []
    for file in named(path, *cursory.PATTERN):
        found = cursory.read_movements(file.data, file.path, skipped)
        cuts = np.flatnonzero(np.diff(found.movement)) + 1
        parts = zip(
            *(np.split(one, cuts) for one in (found.time_us, found.x_px, found.y_px)), strict=True
        )
        traces += [set_out(trace_of(t / 1000, x, y)) for t, x, y in parts]
    traces = _once(traces)
    return [
        Movement(trace.t_ms, trace.x_px, trace.y_px, "cursory", str(number // BLOCK), named=False)
        for number, trace in enumerate(traces)
        if is_a_way(trace)
    ]


def _once(traces: list[Trace]) -> list[Trace]:
    """Return each once: a copy of what was learned from would be judged as if it were new."""
    different = {
        (one.t_ms.tobytes(), one.x_px.tobytes(), one.y_px.tobytes()): one for one in traces
    }
    return list(different.values())


def _balabit(path: Path, skipped: Skipped) -> list[Movement]:
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
        made_of = balabit.read_recording(file.data, file.path, skipped)
        pressed = made_of.state == balabit.STATES["pressed"]
        for trace in _to_presses(made_of.time_us, made_of.x_px, made_of.y_px, pressed):
            own.append(Movement(trace.t_ms, trace.x_px, trace.y_px, "balabit", _account(file.path)))
    return [one for own in made.values() for one in own[:MOVEMENTS_A_PERSON]]


def _account(place: str) -> str:
    parts = place.split("/")
    return parts[-2] if len(parts) > 1 else parts[-1]


def _live(path: Path, skipped: Skipped) -> list[Movement]:
    """Read people's own work, as Overt exports it and OpenCUA and DuckTrack record it.

    A folder of sessions is a person. Where there is one person alone, or none is told apart, what
    is kept together is a recording.
    """
    made: dict[str, list[list[Movement]]] = {}
    for file in named(path, ducktrack.PATTERN):
        found = ducktrack.read_recording(file.data, file.path, skipped)
        there = np.isin(found.kind, (Kind.POINTER_MOVE, Kind.POINTER_DOWN))
        there &= np.isfinite(found.x_px) & np.isfinite(found.y_px)
        t_us, x, y, kind = (of[there] for of in (found.time_us, found.x_px, found.y_px, found.kind))
        person, _, session = PurePosixPath(file.path).parent.as_posix().rpartition("/")
        traces = _to_presses(t_us, x, y, kind == Kind.POINTER_DOWN)
        made.setdefault(person if session.startswith("session-") else "", []).append(
            [Movement(one.t_ms, one.x_px, one.y_px, "live", person) for one in traces]
        )
    if len(made) > 1 and "" not in made:
        return [one for own in made.values() for one in list(chain(*own))[:MOVEMENTS_A_PERSON]]
    recordings = chain(*made.values())
    return [
        replace(one, person=str(number), named=False)
        for number, own in enumerate(recordings)
        for one in own[:MOVEMENTS_A_PERSON]
    ]


def _to_presses(time_us: Array, x: Array, y: Array, pressed: Array) -> Iterable[Trace]:
    """Yield the movements of a recording that a press followed where they ended."""
    t_us = np.asarray(time_us, np.int64)
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


_SOURCES: dict[str, tuple[str, Callable[[Path, Skipped], list[Movement]]]] = {
    "mousetrap-kh2017": (r"mousetrap", _mousetrap),
    "cursory-human-trajectories": (r"cursory", _cursory),
    "balabit-mouse": (r"balabit", _balabit),
    "desktop-recordings": (r"desktop-rec", _live),
}
"""Data set → how its folder is recognised, and who reads it."""
