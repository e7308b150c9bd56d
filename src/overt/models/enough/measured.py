"""From people's sessions to a curve: levels their data has, cells, laws, and the sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from overt.models.enough import pointed, slipped
from overt.models.enough.advice import SHARE, Advice, advise
from overt.models.enough.grid import PEOPLE_MIN, Additive, Grid, grid, minutes_of
from overt.models.enough.pointed import Pointed, Strokes, strokes_of
from overt.models.enough.slipped import Slipped, Slips, slips_of
from overt.models.enough.tables import TASKS, Summed, Task, tables_of
from overt.models.enough.typed import KEYS, RHYTHM, SECONDS, Acts, acts_of
from overt.models.scores import Progress
from overt.schema.errors import InvalidInput

NAMES = (*TASKS, slipped.NAME, pointed.NAME)
"""Tasks a curve can be drawn for."""

ACTS_MIN = 50
"""Who did less than this says nothing of how many minutes are enough."""

RESAMPLINGS = 10

LIGHT = (
    "Learned by light models that are made anew for every cell; heavier ones may need more people, "
    "and gain more from them. Intervals are over who of these people is drawn to learn from and "
    "who is asked: other people may differ more."
)


@dataclass(frozen=True)
class Curve:
    """What was measured for one task."""

    task: str
    title: str
    unit: str
    """What utility is."""
    grid: Grid
    advice: Advice
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON: every cell, laws, and the sentence."""
        found = self.grid
        low, high = found.low, found.high
        cells = [
            {
                "level": found.levels[at[0]],
                "minutes": found.minutes[at[1]],
                "people": found.sizes[at[2]],
                "utility": _plain(found.value[at]),
                "low": _plain(low[at]),
                "high": _plain(high[at]),
            }
            for at in np.ndindex(*found.value.shape)
        ]
        return {
            "task": self.task,
            "utility": self.unit,
            "people": found.people,
            "people_asked": found.asked,
            "resamplings": found.resamplings,
            "cells": cells,
            "laws": {level: _row(law) for level, law in self.advice.laws.items()},
            "no_law_because": self.advice.silent,
            "recommended": _row(self.advice.chosen),
            "largest": _row(self.advice.largest),
            "by_level": [_row(one) for one in self.advice.by_level],
            "within_level": [_row(one) for one in self.advice.within],
            "sentence": self.advice.sentence,
            "notes": list(self.notes),
        }


def _plain(value: Any) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None


def _row(found: Any) -> dict[str, Any] | None:
    if found is None:
        return None
    return {n: v if isinstance(v, str | int) else _plain(v) for n, v in vars(found).items()}


Part = Acts | Slips | Strokes
"""What of one person a task is learned from."""


def part_of(task: str, sessions: Sequence[pa.Table], seed: int) -> Part | None:
    """Return what a task needs of a person's sessions; None where they have too little of it.

    `seed` is for what is random about one person: the programs in their place.
    """
    if task not in NAMES:
        raise InvalidInput(
            "is not known", where=f"task {task}", do=f"Known: {', '.join(sorted(NAMES))}."
        )
    if task == pointed.NAME:
        return strokes_of(sessions, seed)
    if task == slipped.NAME:
        return slips_of(sessions)
    acts = acts_of(sessions)
    told = 0 if acts is None else acts.came.size
    if acts is not None and not TASKS[task].told:
        told = int((np.isfinite(acts.log_ms) & np.isfinite(acts.own_log_ms)).sum())
    return acts if told >= ACTS_MIN else None


def measure(
    task: str,
    people: Sequence[Part],
    *,
    share: float = SHARE,
    resamplings: int = RESAMPLINGS,
    seed: int = 0,
    progress: Progress,
) -> Curve:
    """Return the curve of a task over people. Raises `TooFew` with the number that is needed."""
    progress("putting side by side", 0.0)
    if task == pointed.NAME:
        about = _pointed([one for one in people if isinstance(one, Strokes)])
    elif task == slipped.NAME:
        about = _slipped([one for one in people if isinstance(one, Slips)])
    else:
        about = _typed(TASKS[task], [one for one in people if isinstance(one, Acts)])
    found = grid(
        about.levels,
        len(about.minutes),
        minutes_of(about.minutes, about.least) if about.minutes else (1.0,),
        resamplings=resamplings,
        seed=seed,
        progress=lambda done: progress("learning, again and again", done),
    )
    notes = (*about.notes, LIGHT)
    return Curve(task, about.title, about.unit, found, advise(found, share), notes)


@dataclass(frozen=True)
class _About:
    """What a task learns from, and what is said of it."""

    title: str
    unit: str
    levels: dict[str, Additive]
    minutes: list[float]
    """Of each person."""
    notes: list[str]
    least: float = 0.0
    """Minutes without which a person teaches nothing."""


def _pointed(people: list[Strokes]) -> _About:
    minutes = [one.minutes for one in people]
    levels: dict[str, Additive] = {"pointer": Pointed(people)}
    least = pointed.WINDOW_S / 60
    return _About(pointed.TITLE, pointed.UNIT, levels, minutes, [pointed.NOTE], least)


def _slipped(people: list[Slips]) -> _About:
    minutes = [one.minutes for one in people]
    levels: dict[str, Additive] = {KEYS: Slipped(people)}
    return _About(slipped.TITLE, slipped.UNIT, levels, minutes, [slipped.NOTE])


def _typed(task: Task, acts: list[Acts]) -> _About:
    timed = [one for one in acts if one.has_times]
    # Who chose `rhythm/1` beside others would be asked at a level that they do not have.
    acts = timed if len(timed) >= PEOPLE_MIN or len(timed) == len(acts) else acts
    levels = _levels(task, acts)
    notes = [f"Who did fewer than {ACTS_MIN} acts is left out."]
    notes += [task.note] if task.note else []
    if acts and KEYS not in levels:
        notes.append("Which keys they were is not in this data: there is no level keys.")
    minutes = [float(one.minute[-1]) for one in acts]
    return _About(task.title, task.unit, levels, minutes, notes)


def _levels(task: Task, acts: Sequence[Acts]) -> dict[str, Additive]:
    """Return a model for each level that the data has."""
    if not acts:
        return {}
    there = {
        SECONDS: True,
        RHYTHM: all(one.has_times for one in acts),
        KEYS: all(one.has_times and one.has_keys for one in acts),
    }
    return {name: Summed(tables_of(task, name, acts)) for name in task.levels if there[name]}
