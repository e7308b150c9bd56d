"""Movements on a clock of `GRID_MS`, so that what has been seen can be laid over others.

After Pasqual & Wobbrock, Mouse pointing endpoint prediction using kinematic template matching,
CHI 2014: the speeds seen so far are compared with those of other movements from their beginning,
and the most alike say how much is still to come. Theirs takes the one most alike among 1,000 of
the same person; ours the median of `NEAREST`, of other people.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from overt.models.intent.looks import Look
from overt.models.intent.movements import DURATION_MS_MAX, Movement
from overt.models.tensors import Array

GRID_MS = 25.0
STEPS_MAX = int(DURATION_MS_MAX / GRID_MS)
TEMPLATES_MAX = 1000
NEAREST = 10
_AT_ONCE = 4_000_000
"""Numbers compared at once, to bound memory."""


def steps_seen(now_ms: float) -> int:
    """Return whole steps of the clock that have passed, at least one.

    >>> steps_seen(10.0), steps_seen(50.0), steps_seen(74.0)
    (1, 2, 2)
    """
    return min(max(int(now_ms / GRID_MS + 1e-9), 1), STEPS_MAX)


def places(movement: Movement, seen: int, steps: int) -> Array:
    """Return float64[steps + 1, 2], places on the clock since it set out, from 0, 0.

    Linear between samples; after the last one seen the pointer rests where it is.
    """
    at = np.arange(steps + 1) * GRID_MS
    t = movement.t_ms[:seen]
    return np.stack(
        [np.interp(at, t, one[:seen] - one[0]) for one in (movement.x_px, movement.y_px)], axis=1
    )


def speeds(movement: Movement, seen: int, steps: int) -> Array:
    """Return float64[steps], px passed in each step."""
    at = np.arange(steps + 1) * GRID_MS
    return np.diff(np.interp(at, movement.t_ms[:seen], path(movement, seen)))


def path(movement: Movement, seen: int) -> Array:
    """Return float64[seen], length of the path up to each sample seen."""
    x, y = movement.x_px[:seen], movement.y_px[:seen]
    return np.append(0.0, np.cumsum(np.hypot(np.diff(x), np.diff(y))))


@dataclass(frozen=True, eq=False)
class Templates:
    """Movements of people learned from; n of them."""

    profile: Array
    """float32[n, STEPS_MAX · d], d numbers a step: what is compared."""
    owner: Array
    """int64[n], whose they are."""
    each: int
    """d"""

    def nearest(self, profiles: Sequence[Array], owner: Array, count: int) -> Iterator[Array]:
        """Yield, for each beginning of a movement, the places of the `count` templates most alike.

        `profiles` are float64[steps · d] each; a template of the same `owner` is never taken.
        """
        order = sorted(range(len(profiles)), key=lambda i: profiles[i].size)
        found: list[Array] = [np.zeros(0, np.int64)] * len(profiles)
        start = 0
        while start < len(order):
            size = profiles[order[start]].size
            most = max(_AT_ONCE // max(size * len(self.profile), 1), 1)
            end = start
            while end < len(order) and end - start < most and profiles[order[end]].size == size:
                end += 1
            mine = order[start:end]
            given = np.stack([profiles[i] for i in mine]).astype(np.float32)
            apart = np.abs(given[:, None, :] - self.profile[None, :, :size]).mean(-1)
            apart[owner[mine][:, None] == self.owner[None, :]] = np.inf
            kept = np.argsort(apart, axis=1, kind="stable")[:, :count]
            for i, row, near in zip(mine, kept, apart, strict=True):
                found[i] = row[np.isfinite(near[row])]
            start = end
        yield from found


def templates(movements: Sequence[Movement], owner: Array, *, by_place: bool) -> Templates:
    """Return templates of whole movements: by speed, or by place (x and y)."""
    each = 2 if by_place else 1
    made = np.zeros((len(movements), STEPS_MAX * each), np.float32)
    for row, one in enumerate(movements):
        made[row] = beginning(one, one.t_ms.size, STEPS_MAX, by_place=by_place)
    return Templates(made, owner, each)


def beginning(movement: Movement, seen: int, steps: int, *, by_place: bool) -> Array:
    """Return what is compared with templates: float64[steps], or [2 · steps] by place."""
    if by_place:
        return places(movement, seen, steps)[1:].ravel()
    return speeds(movement, seen, steps)


def beginnings(
    movements: Sequence[Movement], looks: Sequence[Look], *, by_place: bool
) -> list[Array]:
    """Return `beginning` of every look."""
    return [
        beginning(movements[one.number], one.seen, steps_seen(one.now_ms), by_place=by_place)
        for one in looks
    ]


def some(count: int, most: int = TEMPLATES_MAX) -> Array:
    """Return which of `count` movements become templates: at most `most`, spread evenly."""
    return np.unique(np.linspace(0, max(count - 1, 0), min(count, most)).astype(np.int64))
