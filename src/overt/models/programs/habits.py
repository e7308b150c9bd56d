"""What goes on in people's typing, learned from people alone: tests that a person passes.

A program that nobody has seen lacks something, though not what the known ones lack. So one asks of
a window, without any program, whether what is usual among people is found in it:

- the class of a key and of the one before say how long to wait and to hold,
- beyond that, the place in the word and the length of the word do,
- beyond that, the last presses do: a hand goes on as it went,
- and how unsteady they were, in the same way.

What people do is learned as tables and ridge regressions of times in the window's own spread; a
test is the correlation, in the window, of what should come with what came. Without the habit it is
0 but for chance (variance 1/n, as of any correlation); among people it is as among those learned
from. The ratio of both likelihoods is the evidence, for each of two sets of habits to lack.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from overt.models.programs.strip import EDGE, FEWEST, Strip
from overt.models.tensors import Array
from overt.schema.event import KeyClass

TESTS = (
    "interval_as_classes",
    "hold_as_classes",
    "interval_as_place",
    "hold_as_place",
    "interval_as_before",
    "hold_as_before",
    "interval_unsteady_as_before",
    "hold_unsteady_as_before",
)
"""Order of the tests."""

LACKING = {
    "lacks_all": (0, 1, 2, 3, 4, 5, 6, 7),
    "lacks_place_and_memory": (2, 3, 4, 5),
}
"""Evidence for a program without these habits, by the tests that show them."""

NAMES = (*TESTS, *LACKING)
"""Order of the numbers in a row."""

_TOLD = (KeyClass.LETTER, KeyClass.PUNCTUATION, KeyClass.SPACE, KeyClass.BACKSPACE)
_NEAR = (-1, 2)
"""Keys before (after, if negative) whose class is told; of the one before, `pair` has told."""
_SHORT = ((1, 1), (1, 2), (1, 3), (1, 4), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2))
"""Places in short words, by letters so far and keys to the end, that are more than their sum."""
LONG = 60
"""Presses of a window that is not short: about 15 s."""

_LAGS = (1, 2, 3, 4, 5)
_RECENT = (4, 8, 20, 60)
_RIDGE = 100.0
_BELIEVED = 20.0
"""A cell of a table that so many presses fill is believed by half."""
_REST_MAX = 3.0
_SHRUNK = 0.05
_APART_LEAST = 1e-3
_EVIDENCE_MAX = 30.0
_CELLS = 1024
"""More than any number of a pair of key classes."""


@dataclass(frozen=True)
class Effects:
    """What may show a habit: of each press what came, and by what it may be foretold."""

    came: tuple[Array, ...]
    by: tuple[Array, ...]
    """int64[presses], the cell of a table; or float32[presses, columns] for a regression."""
    window: Array
    count: Array
    """int64[windows]: presses of which an interval is known."""


def effects_of(strip: Strip) -> Effects:
    """Return what came at each press, one test's after the other, each less what went before."""
    interval, hold = strip.centred(strip.interval), strip.centred(strip.hold)
    beyond = _clipped(strip.rest(interval, strip.pair)), _clipped(strip.rest(hold, strip.key_class))
    places = strip.place * (EDGE + 1) + strip.left
    left = tuple(_clipped(strip.rest(one, places)) for one in beyond)
    unsteady = tuple(strip.centred(np.abs(one)) for one in left)
    around = _around(strip)
    known = np.isfinite(strip.interval)
    return Effects(
        (interval, hold, *beyond, *left, *unsteady),
        (
            *(strip.pair, strip.key_class, around, around),
            *(_past(strip, *left), _past(strip, *left[::-1], now=True)),
            *(_past(strip, *unsteady), _past(strip, *unsteady[::-1], now=True)),
        ),
        strip.window,
        np.bincount(strip.window[known], minlength=strip.count),
    )


def _around(strip: Strip) -> Array:
    """Return where in its word a key is, and what class the key after has, and the second before.

    A word's letters come faster in its middle; the hand gets ready for the space, or to correct.
    """
    classes = strip.key_class.astype(float)
    near = [np.nan_to_num(strip.earlier(classes, by)) for by in _NEAR]
    made = [strip.place == place for place in range(1, EDGE + 1)]
    made += [strip.left == left for left in range(EDGE)]
    made += [(strip.place == place) & (strip.left == left) for place, left in _SHORT]
    made += [one == key_class for one in near for key_class in _TOLD]
    return _columns(strip, [one.astype(float) for one in made])


def _past(strip: Strip, own: Array, other: Array, *, now: bool = False) -> Array:
    """Return what came at the last presses; with `now`, of the other also at this one and next.

    A hold is known after the interval before it, and ends while the next one runs.
    """
    made = [strip.earlier(own, by) for by in _LAGS]
    made += [strip.recently(own, presses) for presses in _RECENT]
    made += [strip.earlier(other, by) for by in _LAGS[:3]]
    made += [strip.recently(other, presses) for presses in _RECENT[1:3]]
    made += [strip.earlier(other, by) for by in ((0, -1) if now else ())]
    return _columns(strip, [np.nan_to_num(one) for one in made])


def _columns(strip: Strip, made: list[Array]) -> Array:
    return np.stack([np.nan_to_num(strip.centred(one)) for one in made], 1).astype(np.float32)


def _clipped(values: Array) -> Array:
    return np.clip(values, -_REST_MAX, _REST_MAX)


@dataclass
class Habits:
    """What is usual among the people it learned from."""

    _usual: list[Array] = field(default_factory=list)
    """Of each test a table, or weights."""
    _middle: Array = field(default_factory=lambda: np.zeros((2, len(TESTS))))
    """By [1, 1/n]: what tests are among people."""
    _apart: Array = field(default_factory=lambda: np.eye(len(TESTS)))
    """How people differ in them, chance left out."""

    def fit(self, strip: Strip, effects: Effects, people: Array) -> Habits:
        """Learn from the windows of people at `people`; return itself.

        What is usual comes from windows that are not short, if there are some; how people differ
        from all.
        """
        long = people & (effects.count >= LONG)
        chosen = np.asarray(long if long.any() else people)[effects.window]
        self._usual = [_learned(*one, chosen) for one in zip(effects.came, effects.by, strict=True)]
        shown = self.tests(strip, effects)
        fine = people & np.isfinite(shown).all(1)
        if not fine.any():
            return self
        count = np.maximum(effects.count[fine], FEWEST)
        by = np.stack([np.ones(count.size), 1 / count], 1)
        # A window is as good evidence as it has presses.
        weight = count / max(float(count.sum()), 1.0)
        square = (by * weight[:, None]).T @ by + 1e-9 * np.eye(2)
        self._middle = np.linalg.solve(square, (by * weight[:, None]).T @ shown[fine])
        off = shown[fine] - by @ self._middle
        whole = (off * weight[:, None]).T @ off - np.eye(len(TESTS)) * (weight / count).sum()
        values, axes = np.linalg.eigh(whole)
        self._apart = (axes * np.maximum(values, _APART_LEAST)) @ axes.T
        self._apart += _SHRUNK * np.diag(np.diag(self._apart))
        return self

    def tests(self, strip: Strip, effects: Effects) -> Array:
        """Return float64[windows, `TESTS`]; NaN of too few presses."""
        shown = [
            strip.correlation(usual[by] if by.ndim == 1 else by @ usual, came)
            for usual, by, came in zip(self._usual, effects.by, effects.came, strict=True)
        ]
        return np.stack(shown, 1)

    def rows(self, strip: Strip, effects: Effects) -> Array:
        """Return float64[windows, `NAMES`]: tests, and evidence for programs without habits."""
        shown = self.tests(strip, effects)
        count = np.maximum(effects.count, FEWEST).astype(float)
        middle = np.stack([np.ones(count.size), 1 / count], 1) @ self._middle
        known = np.nan_to_num(shown)
        made = [
            _evidence(known[:, at], middle[:, at], self._apart[np.ix_(at, at)], count)
            for at in map(list, LACKING.values())
        ]
        fine = np.isfinite(shown).all(1, keepdims=True)
        evidence = np.where(fine, np.stack(made, 1), np.nan)
        return np.concatenate([shown, evidence], 1)


def _learned(came: Array, by: Array, chosen: Array) -> Array:
    """Return a table of `by`'s cells, or weights of its columns, from the chosen presses."""
    chosen = chosen & np.isfinite(came)
    if by.ndim == 1:
        count = np.bincount(by[chosen], minlength=_CELLS)
        total = np.bincount(by[chosen], came[chosen], minlength=_CELLS)
        return np.asarray(total / (count + _BELIEVED))
    taken = by[chosen].astype(np.float64)
    square = taken.T @ taken + _RIDGE * np.eye(taken.shape[1])
    return np.asarray(np.linalg.solve(square, taken.T @ came[chosen]))


def _evidence(shown: Array, middle: Array, apart: Array, count: Array) -> Array:
    """Return ln of the likelihood without habits over that among people, of each window."""
    values, axes = np.linalg.eigh(apart)
    person = values + 1 / count[:, None]
    far = ((shown - middle) @ axes) ** 2 / person
    as_person = -0.5 * (far + np.log(person)).sum(1)
    without = -0.5 * (shown**2 * count[:, None] - np.log(count)[:, None]).sum(1)
    return np.asarray(np.clip(without - as_person, -_EVIDENCE_MAX, _EVIDENCE_MAX))
