"""Sums of one window: what is counted in one pass and can be added up over windows.

A **family** of features (`Family`) keeps some columns a window and has one function that adds a
session to them. `Sums` are the matrices of all families side by side.

A measure is kept as count, mean and sum of squared deviations (Welford 1962; added up after Chan,
Golub & LeVeque 1983), so that a thousand equal values have the deviation 0 and not rounding noise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from overt.features.kernel import typed

_PARTS = ("count", "mean", "squares")


class Columns:
    """Columns of one family's matrix, one row a window, in this order.

    Attributes:
        measures: three columns each, `name:count`, `name:mean` and `name:squares`.
        counts: one column each, which add up.
        spans: two columns each, `name:first` and `name:last`, the least and the largest value.
        names: all of them.
    """

    def __init__(
        self,
        measures: Sequence[str] = (),
        counts: Sequence[str] = (),
        spans: Sequence[str] = (),
    ) -> None:
        self.measures, self.counts, self.spans = tuple(measures), tuple(counts), tuple(spans)
        self.names = (
            *(f"{measure}:{part}" for measure in self.measures for part in _PARTS),
            *self.counts,
            *(f"{span}:{end}" for span in self.spans for end in ("first", "last")),
        )
        self._at = {name: place for place, name in enumerate(self.names)}
        self._first_span = len(self.names) - 2 * len(self.spans)

    def __contains__(self, name: str) -> bool:
        return name in self._at

    def at(self, name: str) -> int:
        """Return the place of a column; of a measure or a span, that of its first column."""
        for ending in ("", ":count", ":first"):
            if name + ending in self._at:
                return self._at[name + ending]
        raise KeyError(name)

    def empty(self, windows: int) -> Any:
        """Return float64[windows, columns] of windows in which nothing happened."""
        made = np.zeros((windows, len(self.names)))
        made[:, self._first_span :: 2], made[:, self._first_span + 1 :: 2] = np.inf, -np.inf
        return made

    def merged(self, parts: Any) -> Any:
        """Return the sums of all windows in `parts` together: float64[1, columns]."""
        whole = parts.sum(axis=0, keepdims=True) if len(parts) else self.empty(1)
        for at in range(0, 3 * len(self.measures), 3):
            count, mean, squares = (parts[:, at + part] for part in range(3))
            if count.sum() > 0:
                average = (count * mean).sum() / count.sum()
                whole[0, at + 1] = average
                whole[0, at + 2] = (squares + count * (mean - average) ** 2).sum()
        for at in range(self._first_span, len(self.names), 2):
            whole[0, at] = parts[:, at].min(initial=np.inf)
            whole[0, at + 1] = parts[:, at + 1].max(initial=-np.inf)
        return whole


@typed("void(float64[:, ::1], int64, int64, float64)")
def add(sums: Any, window: int, at: int, value: float) -> None:
    """Add one value to the measure whose three columns begin at `at`."""
    sums[window, at] += 1.0
    off = value - sums[window, at + 1]
    sums[window, at + 1] += off / sums[window, at]
    sums[window, at + 2] += off * (value - sums[window, at + 1])


class Room:
    """Arrays to work in, kept from session to session.

    Their content is what the last kernel left. New memory for every session would cost about as
    much as all that is computed in it: the system gives it page by page.
    """

    def __init__(self) -> None:
        self._arrays: dict[str, Any] = {}

    def of(self, name: str, rows: int, dtype: Any = np.float64, *columns: int) -> Any:
        """Return an array of that many rows; of one name always with the same type and columns."""
        kept = self._arrays.get(name)
        if kept is None or len(kept) < rows:
            kept = self._arrays[name] = np.empty((rows, *columns), dtype)
        return kept[:rows]


class Events:
    """The events of one session (schema `EVENTS`), each column taken out of Arrow once."""

    def __init__(self, table: pa.Table, room: Room) -> None:
        self.room = room
        self._table = table
        self._arrays: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        """Return a column as an array."""
        found = self._arrays.get(name)
        if found is None:
            found = self._arrays[name] = self._table.column(name).to_numpy()
        return found


@dataclass(frozen=True, slots=True)
class Cut:
    """How a session is cut into windows: number of a window is (t - start) // width."""

    start_us: int
    width_us: int
    pause_us: int
    """From which interval between presses on typing counts as interrupted."""


@dataclass(frozen=True, slots=True)
class Family:
    """Features that are counted together: their columns, and what adds a session to them."""

    columns: Columns
    add: Callable[[Events, Cut, Any], None]
    """Takes the events of one session, the cut and the matrix, float64[windows, columns]."""


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Sums of some windows over all families, one row a window."""

    parts: tuple[tuple[Columns, Any], ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.parts[0][1])

    def __getitem__(self, name: str) -> Any:
        """Return one column of one family: float64[windows]. Names differ between families."""
        for columns, matrix in self.parts:
            if name in columns:
                return matrix[:, columns.at(name)]
        raise KeyError(name)

    def windows(self, which: slice) -> Sums:
        """Return some of the windows."""
        return Sums(tuple((columns, matrix[which]) for columns, matrix in self.parts))

    def merged(self) -> Sums:
        """Return all windows together, as one."""
        return Sums(tuple((columns, columns.merged(matrix)) for columns, matrix in self.parts))


def joined(several: Sequence[Sums]) -> Sums:
    """Return the windows of several sums one after the other."""
    layouts = [columns for columns, _ in several[0].parts]
    return Sums(
        tuple(
            (columns, np.concatenate([sums.parts[place][1] for sums in several]))
            for place, columns in enumerate(layouts)
        )
    )
