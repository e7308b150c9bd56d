r"""How good a ranking of candidates is, with intervals over assignments.

| metric | unit | meaning |
|---|---|---|
| `top1`, `top3` | share of steps | the pressed candidate is the best, or among the best three |
| `widget1` | share of steps | the best is of the same widget: a label and its box are one |
| `nll` | nats a step | −ln of the share given to the pressed candidate |
| `ece` | share | \|confidence − accuracy\| of the best candidate, 15 equal bins |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from overt.features.kernel import kernel
from overt.models.elements.pages import Pages
from overt.models.scores import Score, expected_error, shares
from overt.models.tensors import Array

BINS = 15


@dataclass(frozen=True)
class Ranked:
    """What a method did at each scored step, float64[steps] each."""

    top1: Array
    top3: Array
    widget1: Array
    nll: Array | None = None
    confidence: Array | None = None

    def of(self, steps: Array) -> Ranked:
        """Return the same for some of the steps: bool[steps], or their places."""
        return Ranked(
            self.top1[steps],
            self.top3[steps],
            self.widget1[steps],
            None if self.nll is None else self.nll[steps],
            None if self.confidence is None else self.confidence[steps],
        )


def joined(parts: Sequence[Ranked], order: Array) -> Ranked:
    """Return the parts' steps end to end, in the order of the places `order`."""
    shared = all(part.nll is not None and part.confidence is not None for part in parts)

    def whole(name: str) -> Array:
        column: Array = np.concatenate([getattr(part, name) for part in parts])[order]
        return column

    sure = whole("top1"), whole("top3"), whole("widget1")
    return Ranked(*sure, whole("nll"), whole("confidence")) if shared else Ranked(*sure)


def judged(pages: Pages, score: Array, steps: Array, *, shared: bool) -> Ranked:
    """Judge the scores of rows at the steps named, int64[…].

    A row at −inf is no guess. Of equal rows the first is better. Where `shared`, scores are logs of
    shares.
    """
    out = np.zeros((len(steps), 5))
    _judge(np.asarray(score, np.float64), steps, pages.first, pages.target, pages.group, out)
    top1, top3, widget1, nll, confidence = out.T
    return Ranked(top1, top3, widget1, *((nll, np.exp(confidence)) if shared else (None, None)))


@kernel
def _judge(score: Any, steps: Any, first: Any, target: Any, group: Any, out: Any) -> Any:
    for at in range(len(steps)):
        step = steps[at]
        goal = target[step]
        best, better = first[step], 0
        for row in range(first[step], first[step + 1]):
            if score[row] > score[best]:
                best = row
            if score[row] > score[goal] or (score[row] == score[goal] and row < goal):
                better += 1
        guessed = score[best] > -np.inf
        out[at, 0] = guessed and best == goal
        out[at, 1] = score[goal] > -np.inf and better < 3
        out[at, 2] = guessed and group[best] == group[goal]
        out[at, 3] = -score[goal]
        out[at, 4] = score[best]


def by_chance(pages: Pages, steps: Array) -> Ranked:
    """Return what a random candidate is expected to do."""
    count = pages.candidates[steps].astype(np.float64)
    rows = np.repeat(np.arange(pages.steps), pages.candidates)
    goal = pages.group[np.maximum(pages.target, 0)]
    same = np.bincount(rows, pages.group == goal[rows], minlength=pages.steps)[steps]
    return Ranked(1 / count, np.minimum(3 / count, 1), same / count, np.log(count), 1 / count)


def scored(name: str, ranked: Ranked, unit: Array, *, ranks: bool = True) -> list[Score]:
    """Return the rows of one method; `unit` is int64[steps], whom the steps are of."""
    _, place = np.unique(unit, return_inverse=True)
    count = np.bincount(place)

    def row(metric: str, values: Array) -> Score:
        return shares(name, metric, np.bincount(place, values), count)

    rows = [row("top1", ranked.top1)]
    if ranks:
        rows.append(row("top3", ranked.top3))
    rows.append(row("widget1", ranked.widget1))
    if ranked.nll is not None and ranked.confidence is not None:
        rows.append(row("nll", ranked.nll))
        rows.append(expected_error(name, "ece", ranked.top1, ranked.confidence, place, BINS))
    return rows


def gain(name: str, one: Ranked, other: Ranked, unit: Array) -> Score:
    """Return by how much more often `one` is right than `other`, paired step by step."""
    _, place = np.unique(unit, return_inverse=True)
    return shares(name, "top1_gain", np.bincount(place, one.top1 - other.top1), np.bincount(place))


def gains(name: str, one: Ranked, other: Ranked, unit: Array) -> list[Score]:
    """Return `gain`, and the nats that `one` saves a step, where both give shares."""
    rows = [gain(name, one, other, unit)]
    if one.nll is not None and other.nll is not None:
        _, place = np.unique(unit, return_inverse=True)
        saved = np.bincount(place, other.nll - one.nll)
        rows.append(shares(name, "nll_gain", saved, np.bincount(place)))
    return rows
