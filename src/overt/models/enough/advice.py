"""The sentence: which smaller study gives next to what the largest gives, and what more would add.

A study is smaller if it records less detail; of equal detail, if it takes less of people's time,
people times minutes. Nothing is recommended where the largest study has not learned for certain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from overt.models.enough.grid import Grid
from overt.models.enough.law import Law, fit

SHARE = 0.95


@dataclass(frozen=True)
class Choice:
    """One level, number of people and minutes, beside the largest study there is."""

    level: str
    people: int
    minutes: float
    share: float
    """Of what the largest study with the most detail gives."""
    low: float
    high: float


@dataclass(frozen=True)
class Advice:
    """What can be said, and what cannot."""

    sentence: str
    chosen: Choice | None
    largest: Choice | None
    by_level: tuple[Choice, ...]
    """For each level, the smallest study that is enough, or the largest where none is."""
    within: tuple[Choice, ...]
    """For each level, the smallest that gives next to what the level itself can here."""
    laws: dict[str, Law | None]
    """By level, with all minutes."""
    silent: dict[str, str]
    """Why a level has no law."""


def advise(grid: Grid, share: float = SHARE, who: str = "people") -> Advice:
    """Return what the grid says; `who` says what its people are."""
    laws: dict[str, Law | None] = {}
    silent = {}
    for place, level in enumerate(grid.levels):
        law, why = fit(np.array(grid.sizes), grid.drawn[place, -1].T)
        laws[level] = law
        if law is None:
            silent[level] = why
    if np.quantile(grid.drawn[-1, -1, -1], 0.025) <= 0:
        sentence = (
            f"The data do not tell: with all {grid.sizes[-1]} {who} at {grid.levels[-1]}, what is "
            "learned is not above nothing for certain. Nothing is recommended."
        )
        return Advice(sentence, None, None, (), (), laws, silent)
    last = len(grid.levels) - 1
    found = [_smallest(grid, place, last, share) for place in range(last + 1)]
    by_level = tuple(choice for choice, _ in found)
    chosen = next((choice for choice, enough in found if enough), by_level[-1])
    largest = _choice(grid, _whole(grid, last), last)
    more = _more(laws[chosen.level], silent, chosen.level, grid, who)
    timed = bool(np.isfinite(grid.minutes[-1]))
    return Advice(
        f"{_said(chosen, largest, who)} {_less(by_level, chosen, who, timed=timed)}{more}",
        chosen,
        largest,
        by_level,
        tuple(_smallest(grid, place, place, share)[0] for place in range(last + 1)),
        laws,
        silent,
    )


Cell = tuple[int, int, int]
"""Places of level, minutes and number of people."""


def _whole(grid: Grid, level: int) -> Cell:
    return level, len(grid.minutes) - 1, len(grid.sizes) - 1


def _smallest(grid: Grid, level: int, beside: int, share: float) -> tuple[Choice, bool]:
    """Return the cell of least time that is enough, and True; or the largest, and False.

    Enough is a share of what the level `beside` gives with all people and minutes.
    """
    cells = [
        (size * minutes, size, (level, minute, place))
        for minute, minutes in enumerate(grid.minutes)
        for place, size in enumerate(grid.sizes)
    ]
    for _cost, _size, cell in sorted(cells):
        choice = _choice(grid, cell, beside)
        if choice.share >= share:
            return choice, True
    return _choice(grid, _whole(grid, level), beside), False


def _choice(grid: Grid, cell: Cell, beside: int) -> Choice:
    whole = _whole(grid, beside)
    ratio = grid.drawn[cell] / np.maximum(grid.drawn[whole], 1e-12)
    low, high = np.quantile(ratio, [0.025, 0.975]).tolist()
    level, minute, size = cell
    share = float(grid.value[cell] / max(float(grid.value[whole]), 1e-12))
    return Choice(grid.levels[level], grid.sizes[size], grid.minutes[minute], share, low, high)


def _said(chosen: Choice, largest: Choice, who: str) -> str:
    if chosen == largest:
        return (
            f"No smaller study here is enough: only {largest.level} from all {largest.people} "
            f"{who}{for_minutes(largest.minutes)}."
        )
    return (
        f"{chosen.level} from {chosen.people} {who}{for_minutes(chosen.minutes)} gives "
        f"{chosen.share:.0%} ({chosen.low:.0%} to {chosen.high:.0%}) of what {largest.level} from "
        f"{largest.people} {who}{for_minutes(largest.minutes)} gives."
    )


def _less(by_level: tuple[Choice, ...], chosen: Choice, who: str, *, timed: bool) -> str:
    """Return what levels of less detail give at most, each one that is not enough."""
    less = [one for one in by_level if one.level != chosen.level]
    less = less[: [one.level for one in by_level].index(chosen.level)]
    if not less:
        return ""
    said = [f"{one.level} {one.share:.0%} ({one.low:.0%} to {one.high:.0%})" for one in less]
    return f"With all the {who}{' and minutes' if timed else ''}: {', '.join(said)}. "


def for_minutes(minutes: float) -> str:
    """Return minutes of each in words; nothing where all of each is taken.

    >>> for_minutes(2.9), for_minutes(120.0), for_minutes(float("inf"))
    (' for 2.9 minutes', ' for 2 hours', '')
    """
    if not np.isfinite(minutes):
        return ""
    return f" for {minutes / 60:.2g} hours" if minutes >= 90 else f" for {minutes:.2g} minutes"


def _more(law: Law | None, silent: dict[str, str], level: str, grid: Grid, who: str) -> str:
    if law is None:
        return f"What more {who} would add, these do not tell: {silent[level]}."
    now = float(grid.value[grid.levels.index(level), -1, -1])
    return (
        f"Twice as many {who} at {level} would add {law.doubled / now:.1%} "
        f"({law.doubled_low / now:.1%} to {law.doubled_high / now:.1%})."
    )
