"""From people's sessions to a curve: levels their data has, cells, laws, and the sentence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from overt.models.enough import chosen, listed, pointed, slipped, spelled
from overt.models.enough.advice import SHARE, Advice, advise
from overt.models.enough.chosen import Chosen, Pressed
from overt.models.enough.grid import PEOPLE_MIN, Additive, Grid, grid, minutes_of
from overt.models.enough.pointed import Pointed, Strokes, strokes_of
from overt.models.enough.slipped import Slipped, Slips, slips_of
from overt.models.enough.spelled import Spelled, spelled_of
from overt.models.enough.tables import TASKS, Summed, Task, tables_of
from overt.models.enough.typed import KEYS, RHYTHM, SECONDS, Acts, acts_of
from overt.models.scores import Progress
from overt.schema.errors import InvalidInput

PUBLISHED = (listed.NAME, chosen.NAME)
"""Tasks that are learned from published data alone: no study records what they need."""

NAMES = (*TASKS, spelled.NAME, slipped.NAME, pointed.NAME, *PUBLISHED)
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
    who: str = "people"
    """What stands for people."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON: every cell, laws, and the sentence."""
        found = self.grid
        low, high = found.low, found.high
        cells = [
            {
                "level": found.levels[at[0]],
                "minutes": _plain(found.minutes[at[1]]),
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
            "who": self.who,
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


Part = Acts | Slips | Strokes | Spelled | Chosen
"""What of one person a task is learned from."""


def part_of(task: str, sessions: Sequence[pa.Table], seed: int) -> Part | None:
    """Return what a task needs of a person's sessions; None where they have too little of it.

    `seed` is for what is random about one person: the programs in their place.
    """
    if task not in NAMES:
        raise InvalidInput(
            "is not known", where=f"task {task}", do=f"Known: {', '.join(sorted(NAMES))}."
        )
    if task in PUBLISHED:
        raise InvalidInput(
            "is learned from published data alone",
            where=f"task {task}",
            do="Say where it lies with --data.",
        )
    if task == pointed.NAME:
        return strokes_of(sessions, seed)
    if task == slipped.NAME:
        return slips_of(sessions)
    if task == spelled.NAME:
        return spelled_of(sessions)
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
    about = _ABOUT.get(task, _acts(task))([one for one in people if one is not None])
    found = grid(
        about.levels,
        len(about.minutes),
        minutes_of(about.minutes, about.least) if about.minutes else (1.0,),
        resamplings=resamplings,
        seed=seed,
        progress=lambda done: progress("learning, again and again", done),
        who=about.who,
    )
    notes = (*about.notes, LIGHT)
    advice = advise(found, share, about.who)
    return Curve(task, about.title, about.unit, found, advice, notes, about.who)


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
    who: str = "people"


def _pointed(people: list[Any]) -> _About:
    minutes = [one.minutes for one in people]
    levels: dict[str, Additive] = {"pointer": Pointed(people)}
    least = pointed.WINDOW_S / 60
    return _About(pointed.TITLE, pointed.UNIT, levels, minutes, [pointed.NOTE], least)


def _slipped(people: list[Any]) -> _About:
    minutes = [one.minutes for one in people]
    levels: dict[str, Additive] = {KEYS: Slipped(people)}
    return _About(slipped.TITLE, slipped.UNIT, levels, minutes, [slipped.NOTE])


def _listed(words: list[Any]) -> _About:
    levels: dict[str, Additive] = {"lists": Slipped(words)}
    minutes = [one.minutes for one in words]
    return _About(listed.TITLE, listed.UNIT, levels, minutes, [listed.NOTE], who=listed.WHO)


def _spelled(people: list[Any]) -> _About:
    task = spelled.TASK
    levels: dict[str, Additive] = {KEYS: Summed(spelled.tables_of(people))} if people else {}
    minutes = [one.minutes for one in people]
    few = f"Who wrote fewer than {spelled.CHARACTERS_MIN} characters is left out."
    return _About(task.title, task.unit, levels, minutes, [few, task.note])


def _chosen(people: list[Any]) -> _About:
    levels: dict[str, Additive] = {chosen.LEVEL: Pressed(people)}
    minutes = [float("inf")] * len(people)
    return _About(chosen.TITLE, chosen.UNIT, levels, minutes, [chosen.NOTE])


def _acts(task: str) -> Callable[[list[Any]], _About]:
    return lambda people: _typed(TASKS[task], people)


_ABOUT: dict[str, Callable[[list[Any]], _About]] = {
    pointed.NAME: _pointed,
    slipped.NAME: _slipped,
    listed.NAME: _listed,
    spelled.NAME: _spelled,
    chosen.NAME: _chosen,
}


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
