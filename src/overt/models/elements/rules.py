"""The rules a learned model has to beat: simple, fitted by counting, each one guess a step.

Every rule answers with a score for each row; the best row of a step is its guess, and of equal rows
the first; −inf is no guess. The Markov chain also gives a distribution.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable

import numpy as np

from overt.models.elements import course
from overt.models.elements.pages import Pages
from overt.models.elements.rates import CELL_PX, STEPS_MAX, Kinds
from overt.models.tensors import Array

LETTERS_MIN = 3
"""A shorter text is named by chance."""
BACKOFF = 5.0
"""Presses after two kinds that weigh as much as what is known after one."""


def last_pressed(pages: Pages) -> Array:
    """Score the element that was pressed last."""
    last = np.repeat(course.last_rows(pages)[:, 0], pages.candidates)
    same = (last >= 0) & (pages.ref == pages.ref[last])
    score: Array = np.where(same, 1, -np.inf).astype(np.float32)
    return score


def majority_cell(pages: Pages, teachers: Array, *, by_step: bool) -> Array:
    """Score what lies nearest to the commonest `CELL_PX` square of the task, or of task and step.

    Steps from the tenth on are one.
    """
    middle = pages.box[:, :2] + pages.box[:, 2:] / 2
    cell = _cell(pages)
    task = pages.task[pages.episode]
    step = pages.number.clip(0, STEPS_MAX)
    by_task = _commonest(pages, teachers, lambda s: task[s], cell)
    by_both = _commonest(pages, teachers, lambda s: (task[s], step[s]), cell) if by_step else {}
    goal = np.full((pages.steps, 2), np.nan, np.float32)
    for place in range(pages.steps):
        found = by_both.get((task[place], step[place]), by_task.get(task[place]))
        if found is not None:
            goal[place] = np.asarray(found) * CELL_PX + CELL_PX / 2
    away = ((middle - np.repeat(goal, pages.candidates, axis=0)) ** 2).sum(axis=1)
    near: Array = np.nan_to_num(-away, nan=0.0).astype(np.float32)
    return near


def _cell(pages: Pages) -> Array:
    """Return int64[rows, 2]: square of the middle, in whole px."""
    whole = pages.box.astype(np.int64)
    square: Array = (whole[:, :2] + whole[:, 2:] // 2) // CELL_PX
    return square


def _commonest(
    pages: Pages, teachers: Array, key: Callable[[int], Hashable], cell: Array
) -> dict[Hashable, tuple[int, int]]:
    counts: dict[Hashable, Counter[tuple[int, int]]] = defaultdict(Counter)
    for step in np.flatnonzero(teachers & (pages.target >= 0)).tolist():
        x, y = cell[pages.target[step]].tolist()
        counts[key(step)][x, y] += 1
    return {name: found.most_common(1)[0][0] for name, found in counts.items()}


def next_kind(pages: Pages, alike: Kinds, teachers: Array) -> Array:
    """Score the first of the kind that most often follows the kind pressed last."""
    one = _kind_before(pages, alike.exact, 0)
    counts: dict[int, Counter[int]] = defaultdict(Counter)
    for step in np.flatnonzero(teachers & (pages.target >= 0)).tolist():
        counts[int(one[step])][int(alike.exact[pages.target[step]])] += 1
    best = {kind: found.most_common(1)[0][0] for kind, found in counts.items()}
    wanted = np.array([best.get(int(kind), -1) for kind in one], np.int64)
    score: Array = (alike.exact == np.repeat(wanted, pages.candidates)).astype(np.float32)
    return score


def longest_named(pages: Pages, otherwise: Array) -> Array:
    """Score the longest text that the instruction has and whose widget was not pressed.

    Where there is none, `otherwise`, float32[rows], decides.
    """
    asked = np.repeat(pages.utterance[pages.episode], pages.candidates).astype(np.int64)
    lower = [text.lower() for text in pages.texts]
    long = np.array([len(text.strip()) >= LETTERS_MIN for text in lower])
    rows = np.flatnonzero(long[pages.text] & long[asked] & ~_pressed_before(pages))
    pairs, place = np.unique(asked[rows] * len(lower) + pages.text[rows], return_inverse=True)
    letters = np.array(
        [
            _named_letters(lower[pair // len(lower)], lower[pair % len(lower)].strip())
            for pair in pairs.tolist()
        ],
        np.float32,
    )
    named = np.zeros(len(pages.text), np.float32)
    named[rows] = letters[place]
    none = np.maximum.reduceat(named, pages.first[:-1]) == 0
    return np.where(np.repeat(none, pages.candidates), otherwise, named).astype(np.float32)


def _pressed_before(pages: Pages) -> Array:
    """Return bool[rows]: the row's widget was pressed earlier in the episode."""
    step = np.repeat(np.arange(pages.steps), pages.candidates)
    wide = int(pages.group.max(initial=0)) + 1
    widget = pages.episode[step] * wide + pages.group
    rows = pages.target[pages.target >= 0]
    if not len(rows):
        return np.zeros(len(step), bool)
    pressed, earliest = np.unique(widget[rows], return_index=True)
    at = np.minimum(np.searchsorted(pressed, widget), len(pressed) - 1)
    before: Array = (pressed[at] == widget) & (step > step[rows][earliest][at])
    return before


def _named_letters(asked: str, text: str) -> int:
    """Return how long the text is if it stands in the instruction as whole words, else 0."""
    at = asked.find(text)
    while at >= 0:
        before, after = asked[at - 1 : at], asked[at + len(text) : at + len(text) + 1]
        if not (before.isalnum() or after.isalnum()):
            return len(text)
        at = asked.find(text, at + 1)
    return 0


def markov_two(pages: Pages, alike: Kinds, teachers: Array) -> Array:
    """Return the log probability of each row: second-order chain over kinds, even within a kind.

    Backs off from two kinds to one and to none by `BACKOFF` presses each; a kind that is not on the
    page has no part, so the probabilities of a step add up to one.
    """
    kind = alike.loose
    one, two = _kind_before(pages, kind, 0), _kind_before(pages, kind, 1)
    pairs: Counter[tuple[int, int, int]] = Counter()
    singles: Counter[tuple[int, int]] = Counter()
    alone: Counter[int] = Counter()
    shown: Counter[int] = Counter()
    for step in np.flatnonzero(teachers & (pages.target >= 0)).tolist():
        came, before, earlier = int(kind[pages.target[step]]), int(one[step]), int(two[step])
        pairs[earlier, before, came] += 1
        singles[before, came] += 1
        alone[came] += 1
        shown.update(np.unique(kind[pages.first[step] : pages.first[step + 1]]).tolist())
    after: Counter[int] = Counter()
    for (before, _), count in singles.items():
        after[before] += count
    out = np.zeros(len(kind), np.float32)
    for step in range(pages.steps):
        low, high = pages.first[step], pages.first[step + 1]
        names, place, alikes = np.unique(kind[low:high], return_inverse=True, return_counts=True)
        before, earlier = int(one[step]), int(two[step])
        base = np.array([(alone[k] + 0.1) / (shown[k] + 1.0) for k in names.tolist()])
        base /= base.sum()
        once = np.array([singles[before, k] for k in names.tolist()]) + BACKOFF * base
        once = once / (after[before] + BACKOFF)
        twice = np.array([pairs[earlier, before, k] for k in names.tolist()]) + BACKOFF * once
        share = twice / twice.sum() / alikes
        out[low:high] = np.log(share[place])
    return out


def _kind_before(pages: Pages, kind: Array, back: int) -> Array:
    """Return int64[steps]: kind pressed last (0) or before that (1) in the episode; -1 if none."""
    rows = course.last_rows(pages)[:, back]
    before: Array = np.where(rows >= 0, kind[rows], -1)
    return before
