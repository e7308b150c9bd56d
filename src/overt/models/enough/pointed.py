"""Person or program by pointer movement: windows of a person and of programs in their place.

The windows and programs of `overt.models.programs.sample`, whatever the level: pointer movement is
the same at all of them. Trees are grown anew for every cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from overt.models.programs.features import row_of
from overt.models.programs.generators import MAKERS
from overt.models.programs.sample import (
    ERRANDS_MIN,
    INPUT_S_MAX,
    KINDS,
    PROGRAM_S,
    SCREEN,
    pointer_of,
)
from overt.models.programs.sessions import channel_of, errands_of, performed
from overt.models.programs.trace import cut, joined
from overt.models.repeatable import REPEATABLE
from overt.models.tensors import Array

NAME = "person-or-program"
TITLE = "Is this a person or a program?"
UNIT = "bits saved a window of 15 s of pointer movement, of 1 bit that there is to know"
NOTE = (
    "Windows of 15 s of pointer movement, and programs that do each person's errands; pointer "
    "movement is the same at every level, so there is one. A person and their programs weigh alike."
)
WINDOW_S = 15.0
LEAST = 0.6
ROUNDS = 60
_TREES: dict[str, Any] = {
    "objective": "binary",
    "num_leaves": 8,
    "learning_rate": 0.1,
    "min_data_in_leaf": 3,
    "lambda_l2": 5.0,
    "feature_fraction": 0.4,
    **REPEATABLE,
}


@dataclass(frozen=True, eq=False)
class Strokes:
    """One person's windows and those of programs in their place; n of them."""

    x: Array
    """float64[n, features]"""
    program: Array
    """bool[n]"""
    minute: Array
    """float64[n], minutes of input up to its end; of a program's windows, in its own input."""
    minutes: float
    """Minutes of the person's input."""


def strokes_of(sessions: Sequence[pa.Table], seed: int) -> Strokes | None:
    """Return a person's windows and those of programs that do their errands; None without any."""
    trace = joined([pointer_of(events) for events in sessions])
    trace = (cut(trace, INPUT_S_MAX, least=0.0) or [trace])[0]
    own = [row_of(piece) for piece in cut(trace, WINDOW_S, least=LEAST)]
    channel, errands = channel_of(trace) or SCREEN, errands_of(trace)
    if not own or errands.dx_px.size < ERRANDS_MIN:
        return None
    made = []
    for number, kind in enumerate(KINDS, 1):
        rng = np.random.Generator(np.random.PCG64([seed, number]))
        done = performed(MAKERS[kind](rng, ()), errands, channel, rng, until_ms=PROGRAM_S * 1000)
        made += [row_of(piece) for piece in cut(done, WINDOW_S, least=LEAST)][:1]
    if not made:
        return None
    ends = (np.arange(len(own)) + 1) * WINDOW_S / 60
    return Strokes(
        np.array([*own, *made]),
        np.repeat([False, True], [len(own), len(made)]),
        # Programs come one after the other, as many as there is input of the person.
        np.append(ends, ends[np.arange(len(made)) * len(own) // len(made)]),
        float(ends[-1]),
    )


@dataclass(eq=False)
class Taught:
    """Who has taught so far, and the trees grown of them when they are asked for."""

    rows: list[Array] = field(default_factory=list)
    program: list[Array] = field(default_factory=list)
    grown: Any = None


@dataclass(frozen=True, eq=False)
class Pointed:
    """Trees as the grid wants them (`overt.models.enough.grid.Additive`)."""

    people: list[Strokes]

    def start(self) -> Taught:
        """Return what nobody has taught yet."""
        return Taught()

    def add(self, state: Taught, people: Sequence[int], minutes: float) -> Taught:
        """Return it with the first minutes of some people."""
        for one in people:
            kept = self.people[one].minute <= minutes + 1e-9
            state.rows.append(self.people[one].x[kept])
            state.program.append(self.people[one].program[kept])
        state.grown = None
        return state

    def parts(self, state: Taught, whole: Taught, person: int) -> tuple[float, float]:
        """Return bits saved, of one a window, and windows; each side counts half."""
        del whole
        one = self.people[person]
        if state.grown is None:
            state.grown = _grown(state)
        if state.grown is False:
            return 0.0, 1.0
        p = np.clip(np.asarray(state.grown.predict(one.x, num_threads=1)), 1e-3, 1 - 1e-3)
        bits = 1 + np.log2(np.where(one.program, p, 1 - p))
        return float((bits[one.program].mean() + bits[~one.program].mean()) / 2), 1.0


def _grown(state: Taught) -> Any:
    import lightgbm

    program = np.concatenate(state.program)
    if program.all() or not program.any():
        return False
    weight = np.where(program, 0.5 / program.mean(), 0.5 / (1 - program.mean()))
    data = lightgbm.Dataset(np.concatenate(state.rows), program, weight=weight)
    return lightgbm.train(_TREES, data, ROUNDS)
