"""Which entry is wanted next: a score for each entry of each choice; the highest is first.

Rules count choices. Of others: how often an entry was taken where it was shown (`commonest`), and
that after one or two entries before it in the episode (`after one`, `after two`), each leaning on
the one before where little is known. Of the person alone: what they took last, and most, in the
task so far. LightGBM is given all of these. Nothing is counted of who is asked about but what they
did before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from overt.models.engagement.choices import Choices
from overt.models.repeatable import REPEATABLE
from overt.models.tensors import Array

PAGE, COMMONEST, ONE, TWO = "page order", "commonest", "after one", "after two"
RECENT, OWN = "own most recent", "own most frequent"
BOOSTED = "LightGBM"
RULES = (PAGE, COMMONEST, ONE, TWO, RECENT, OWN)
LEANS = 5.0
"""Showings that weigh as much as what is known with less before."""

ROWS_MAX = 250_000
"""Rows that trees grow on: whole choices, spread evenly."""

ROUNDS = 120
_TREES: dict[str, Any] = {
    "objective": "binary",
    "num_leaves": 31,
    "learning_rate": 0.1,
    "min_data_in_leaf": 50,
    "lambda_l2": 5.0,
    "feature_fraction": 0.8,
    "max_bin": 63,
    **REPEATABLE,
}


@dataclass(frozen=True, eq=False)
class Counts:
    """Keys of n rows by how much of what was before they take in, and whose rows they are."""

    keys: tuple[Array, ...]
    """int64[n] each: entry in its task; with the entry before; with the two before."""
    own: tuple[Array, ...]
    """int64[n] each: the same with the person."""
    taken: Array

    def shares(self, taught: Array, *, without_own: bool) -> list[Array]:
        """Return float64[n] each: how often the entry was taken where `taught`, bool[n], shows it.

        `without_own` leaves a row's own person out: for rows that are learned from.
        """
        made: list[Array] = []
        lean = np.full(self.taken.size, 0.1)
        for key, own in zip(self.keys, self.own, strict=True):
            shown, hits = (_sum(key, taught * of) for of in (1.0, self.taken))
            if without_own:
                shown = shown - _sum(own, taught * 1.0)
                hits = hits - _sum(own, taught * self.taken)
            lean = (hits + LEANS * lean) / (shown + LEANS)
            made.append(lean)
        return made


def _sum(key: Array, weight: Array) -> Array:
    return np.bincount(key, weight)[key]


def counts_of(choices: Choices) -> Counts:
    """Return the keys of all rows."""
    of = choices.choice
    task, person = choices.task[of], choices.person[of]
    one, two = choices.before[of].T
    plain = _number(task, choices.entry)
    once = _number(plain, one)
    keys = (plain, once, _number(once, two))
    return Counts(keys, tuple(_number(key, person) for key in keys), choices.taken)


def _number(*columns: Array) -> Array:
    """Return int64[n] that is equal where all columns are."""
    return np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)[1].reshape(-1)


def own_history(choices: Choices) -> tuple[Array, Array]:
    """Return float64[n] each, of the person's choices in the task so far.

    How many choices ago each entry was taken last, NaN: never; and how often it was taken.
    """
    ago = np.full(choices.entry.size, np.nan)
    often = np.zeros(choices.entry.size)
    past: dict[tuple[int, int], dict[int, tuple[int, int]]] = defaultdict(dict)
    made: dict[tuple[int, int], int] = defaultdict(int)
    whose = list(zip(choices.person.tolist(), choices.task.tolist(), strict=True))
    bounds = choices.first.tolist()
    entry, taken = choices.entry.tolist(), choices.taken.tolist()
    for number, who in enumerate(whose):
        known, now = past[who], made[who]
        for row in range(bounds[number], bounds[number + 1]):
            if entry[row] in known:
                last, count = known[entry[row]]
                ago[row], often[row] = now - last, count
        for row in range(bounds[number], bounds[number + 1]):
            if taken[row]:
                known[entry[row]] = (now, known.get(entry[row], (0, 0))[1] + 1)
        made[who] = now + 1
    return ago, often


def ranks(choices: Choices, score: Array) -> Array:
    """Return int64[m], place of what was taken in the order of the scores; equal ones by page.

    >>> one = Choices(*[np.zeros(1, int)] * 2, np.zeros((1, 2), int), np.zeros(1, int),
    ...     np.array([0, 3]), np.array([7, 8, 9]), np.array([False, True, False]))
    >>> ranks(one, np.array([0.5, 0.1, 0.1])).tolist()
    [1]
    """
    at = np.flatnonzero(choices.taken)
    own = np.repeat(score[at], choices.count)
    better = (score > own) | (
        (score == own) & (choices.place < np.repeat(choices.place[at], choices.count))
    )
    return np.add.reduceat(better.astype(np.int64), choices.first[:-1])


def scores(
    choices: Choices,
    part: Array,
    only: Collection[int] | None = None,
    judging: Callable[[int], None] = lambda _number: None,
) -> dict[str, Array]:
    """Return float64[n] by method; `part`, int64[m], says who is judged together by the others.

    With `only` these parts are judged, and the rest is 0 where others decide. `judging` is told
    each part's number before it is judged.
    """
    counted = counts_of(choices)
    ago, often = own_history(choices)
    of_row = part[choices.choice]
    made = {name: np.zeros(choices.entry.size) for name in (*RULES, BOOSTED)}
    made[RECENT] = np.where(np.isnan(ago), -np.inf, -ago)
    made[OWN] = often
    for this in np.unique(part).tolist() if only is None else only:
        judging(this)
        test, taught = of_row == this, of_row != this
        asked = counted.shares(taught, without_own=False)
        for name, share in zip((COMMONEST, ONE, TWO), asked, strict=True):
            made[name][test] = share[test]
        given = counted.shares(taught, without_own=True)
        learn = _some(choices, part != this)
        if not choices.taken[learn].any():
            continue
        grown = _grown(_given(choices, given, ago, often, learn), choices.taken[learn])
        rows = np.flatnonzero(test)
        x = _given(choices, asked, ago, often, rows)
        made[BOOSTED][test] = np.asarray(grown.predict(x, num_threads=1))
    return made


def _grown(x: Array, taken: Array) -> Any:
    import lightgbm

    return lightgbm.train(_TREES, lightgbm.Dataset(x, taken), ROUNDS)


def _some(choices: Choices, mask: Array) -> Array:
    """Return the rows of choices of `mask`, evenly thinned to about `ROWS_MAX`."""
    kept = np.flatnonzero(mask)
    every = max(int(np.ceil(choices.count[kept].sum() / ROWS_MAX)), 1)
    thin = np.zeros(mask.size, bool)
    thin[kept[::every]] = True
    return np.flatnonzero(thin[choices.choice])


def _given(choices: Choices, shares: list[Array], ago: Array, often: Array, rows: Array) -> Array:
    of = choices.choice[rows]
    return np.column_stack(
        [
            *(share[rows] for share in shares),
            ago[rows],
            often[rows],
            choices.place[rows],
            choices.count[of],
            choices.step[of],
            choices.entry[rows] == choices.before[of, 0],
            choices.entry[rows] == choices.before[of, 1],
        ]
    )
