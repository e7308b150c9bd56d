"""What comes next in a text: each character after those before it, at level `keys`.

The texts are rebuilt from the edit stream as far as they can be known, as in
`overt.models.text.written`, and told by tables of the characters before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from overt.models.enough.tables import Tables, Task, numbered
from overt.models.enough.typed import IDLE_US, KEYS
from overt.models.tensors import Array
from overt.models.text.alphabet import SIZE, codes, fold
from overt.models.text.written import written

NAME = "next-text"
BACK = 5
"""Characters before that are looked at."""

CHARACTERS_MIN = 200
"""Who wrote less says nothing of how many minutes are enough."""

TASK = Task(
    NAME,
    "What comes next in a text",
    "bits saved a character, against telling each by how frequent it is",
    (KEYS,),
    lambda _level: lambda _acts: [],
    told=True,
    note=(
        "Characters exist at level keys alone. People who copy the same sentences look as if fewer "
        "were enough: what one wrote tells the others'."
    ),
    symbols=SIZE,
)


@dataclass(frozen=True, eq=False)
class Spelled:
    """One person's characters; n of them."""

    came: Array
    """int64[n]"""
    before: Array
    """int64[n, BACK], the last first; 0 before a text begins."""
    minute: Array
    """float64[n], minutes of input up to each."""
    minutes: float


def spelled_of(sessions: Sequence[pa.Table]) -> Spelled | None:
    """Return what a person wrote; None where it is too little."""
    came, before, at_us = [], [], []
    passed = 0.0
    for events in sessions:
        t_us = events.column("t_us").to_numpy()
        input_us = np.cumsum(np.minimum(np.diff(t_us, prepend=t_us[:1]), IDLE_US))
        for run in written(events):
            code = codes(fold(run.text))
            pressed = np.maximum.accumulate(np.array([*run.press_us, 0], np.int64))
            place = np.minimum(np.searchsorted(t_us, pressed), input_us.size - 1)
            came.append(code[1:])
            before.append(_before(code))
            at_us.append(passed + input_us[place])
        passed += float(input_us[-1]) if input_us.size else 0.0
    if sum(map(len, came)) < CHARACTERS_MIN:
        return None
    order = np.argsort(np.concatenate(at_us), kind="stable")
    return Spelled(
        np.concatenate(came)[order],
        np.concatenate(before)[order],
        np.concatenate(at_us)[order] / 60e6,
        passed / 60e6,
    )


def _before(code: Array) -> Array:
    made = np.zeros((code.size - 1, BACK), np.int64)
    for back in range(min(BACK, code.size - 1)):
        made[back:, back] = code[: code.size - 1 - back]
    return made


def tables_of(people: Sequence[Spelled]) -> Tables:
    """Return the rows of all people, at least one."""
    columns = [[list(one.before.T[:back]) for back in range(BACK + 1)] for one in people]
    return numbered(
        TASK,
        columns,
        [one.came for one in people],
        [np.ones(one.came.size) for one in people],
        [one.minute for one in people],
    )
