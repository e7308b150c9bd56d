"""What is shown of windows of typing by what no judged program taught: habits, how presses come.

Nobody is shown by what they taught themselves. Habits are learned anew in each round, from people
it learns from, in folds; how presses come, which takes many people and minutes, from others, who
are neither judged nor teach anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from overt.models.programs import habits
from overt.models.programs.habits import Habits
from overt.models.programs.strip import Strip
from overt.models.programs.typed import Typed
from overt.models.programs.windows import Windows
from overt.models.programs.writers import Writer
from overt.models.tensors import Array

if TYPE_CHECKING:
    from overt.models.programs.order import Order

NAMES = (*habits.NAMES, "unlike_people")
"""Order of the numbers in a row."""

OTHERS = len(habits.LACKING) + 1
"""How many of these, the last ones, are evidence for other programs."""

_LACKING = np.isin(habits.NAMES, tuple(habits.LACKING))

TEACHERS_MIN = 200
"""Fewer people do not teach how presses come well enough to be asked about others'."""

FOLDS = 2
_WINDOWS_MIN = 4


@dataclass(frozen=True)
class Taught:
    """What some people's typing has taught."""

    habits: Habits
    order: Order | None

    def rows(self, pieces: Sequence[Typed]) -> Array:
        """Return float64[windows, `NAMES`] of windows of anyone else."""
        strip = Strip(pieces)
        rows = self.habits.rows(strip, habits.effects_of(strip))
        return _beside(rows, _evidence(self.order, pieces))


class Shown:
    """What is shown of the windows of a data set, by what others have taught."""

    def __init__(
        self,
        pieces: Sequence[Typed],
        windows: Windows,
        teachers: Sequence[Writer] = (),
        progress: Callable[[float], None] = lambda _done: None,
    ) -> None:
        """Take windows as typed, and as `keyboard.windows_of` describes the same ones.

        `teachers` are people of whom there is no window; who judges a source that has not been
        learned from does not know its teachers either.
        """
        self._pieces, self._windows = pieces, windows
        self._strip = Strip(pieces)
        self._effects = habits.effects_of(self._strip)
        self._fold = np.array([crc32(name.encode()) % FOLDS for name in windows.person.tolist()])
        self._known: dict[bytes, Array] = {}
        self._teachers, self._progress = teachers, progress
        self._orders: dict[frozenset[str], tuple[Order | None, Array]] = {}

    def __call__(self, train: Array) -> Array:
        """Return float64[windows, `NAMES`] for a round that learns from the windows at `train`.

        Those are in folds by person, each shown by the others' habits; the rest by those of all.
        """
        people = train & ~self._windows.program
        found = self._known.get(people.tobytes())
        if found is None:
            found = self._by(people)
            met = np.isin(self._windows.person, np.unique(self._windows.person[people]))
            for fold in range(FOLDS):
                inside = self._fold == fold
                others, own = people & ~inside, np.flatnonzero(met & inside)
                if others.sum() >= _WINDOWS_MIN:
                    found[own] = self._by(others)[own]
            found = _beside(found, self._order(people)[1])
            self._known[people.tobytes()] = found
        return found

    def taught(self, people: Array) -> Taught:
        """Return what is known to who learns from the windows of people at `people`."""
        return Taught(self._habits(people), self._order(people)[0])

    def _habits(self, people: Array) -> Habits:
        return Habits().fit(self._strip, self._effects, people)

    def _by(self, people: Array) -> Array:
        return self._habits(people).rows(self._strip, self._effects)

    def _order(self, people: Array) -> tuple[Order | None, Array]:
        sources = frozenset(self._windows.source[people].tolist())
        mine = frozenset(one.source for one in self._teachers) & sources
        if mine not in self._orders:
            several = [one.typed for one in self._teachers if one.source in mine]
            order = self._learned(several) if len(several) >= TEACHERS_MIN else None
            self._orders[mine] = order, _evidence(order, self._pieces)
        return self._orders[mine]

    def _learned(self, several: list[Typed]) -> Order:
        from overt.models.programs.order import learned  # loads torch

        return learned(several, self._progress)


def _beside(rows: Array, order: Array) -> Array:
    """Return rows of habits with what order says; where it says something, habits are no evidence.

    They lack the same, and one lack is not to count twice.
    """
    rows = rows.copy()
    rows[np.isfinite(order)[:, None] & _LACKING] = np.nan
    return np.append(rows, order[:, None], 1)


def _evidence(order: Order | None, pieces: Sequence[Typed]) -> Array:
    return np.full(len(pieces), np.nan) if order is None else order.evidence(pieces)
