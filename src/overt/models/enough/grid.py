"""Who is drawn, how often, and what comes of it: utility of every cell of people, minutes, level.

A resampling puts people in a random order. The last three tenths, at most sixty, are asked, and are
never learned from in it; the first so many of the others are learned from, so that a larger number
holds the smaller ones. All cells of a resampling ask the same people, who are then drawn again with
replacement: differences between cells are of the cells, not of who was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from overt.models.tensors import Array
from overt.schema.errors import TooFew

ASKED = 0.3
ASKED_MIN, ASKED_MAX = 10, 60
"""Figures are over at least ten people; more than sixty are left to learn from."""

FEWEST = 5
LEARNED_MIN = 20
PEOPLE_MIN = 30
"""Twenty to learn from, for three numbers of people, and ten to ask."""

DRAWS = 20
"""Times the people asked are drawn again in each resampling."""


class Additive(Protocol):
    """What is learned at one level, person by person."""

    def start(self) -> Any:
        """Return what nobody has taught yet; `add` and `losses` take it."""

    def add(self, state: Any, people: Sequence[int], minutes: float) -> Any:
        """Return it with the first minutes of some people."""

    def parts(self, state: Any, whole: Any, person: int) -> tuple[float, float]:
        """Return what a person's utility is a ratio of, given what all have taught (`whole`)."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Utility of every cell; L levels, M minutes, S sizes, R resamplings × draws."""

    levels: tuple[str, ...]
    minutes: tuple[float, ...]
    """Of each person, the fewest first."""
    sizes: tuple[int, ...]
    """People learned from, the fewest first."""
    people: int
    asked: int
    """People asked in each resampling."""
    resamplings: int
    value: Array
    """float64[L, M, S], mean over resamplings."""
    drawn: Array
    """float64[L, M, S, R]"""

    @property
    def low(self) -> Array:
        """Return float64[L, M, S], lower end of 95 %."""
        return np.asarray(np.quantile(self.drawn, 0.025, axis=-1))

    @property
    def high(self) -> Array:
        """Return float64[L, M, S], upper end of 95 %."""
        return np.asarray(np.quantile(self.drawn, 0.975, axis=-1))


def sizes_of(learned: int) -> tuple[int, ...]:
    """Return numbers of people, doubling, up to how many there are in whole fives.

    >>> sizes_of(73)
    (5, 10, 20, 40, 70)
    """
    most = learned // FEWEST * FEWEST
    sizes = [FEWEST]
    while sizes[-1] * 2 <= most:
        sizes.append(sizes[-1] * 2)
    if most >= 1.25 * sizes[-1]:
        sizes.append(most)
    return tuple(sizes)


def minutes_of(input_minutes: Sequence[float], least: float = 0.0) -> tuple[float, ...]:
    """Return minutes of each person, doubling three times up to what half of them have.

    Fewer than `least` are none: with them there is nothing to learn from.

    Where no time is known (infinite), all of each is taken.

    >>> minutes_of([2.0, 4.2, 9.0]), minutes_of([2.0, 4.2, 9.0], 1.0)
    ((0.53, 1.1, 2.1, 4.2), (1.1, 2.1, 4.2))
    """
    most = float(np.median(input_minutes))
    if not np.isfinite(most):
        return (most,)
    found = tuple(float(f"{most / part:.2g}") for part in (8, 4, 2, 1))
    return tuple(one for one in found if one >= least) or found[-1:]


def grid(
    levels: dict[str, Additive],
    people: int,
    minutes: tuple[float, ...],
    *,
    resamplings: int,
    seed: int,
    progress: Callable[[float], None],
    who: str = "people",
) -> Grid:
    """Return the utility of every cell. Raises `TooFew` with the number that is needed."""
    if people < PEOPLE_MIN:
        raise TooFew(
            f"has {people} {who} with enough to learn from",
            where=who,
            do=f"{PEOPLE_MIN} are needed: {LEARNED_MIN} to learn from, {ASKED_MIN} to ask.",
        )
    asked = min(max(ASKED_MIN, round(ASKED * people)), ASKED_MAX)
    sizes = sizes_of(people - asked)
    shape = (len(levels), len(minutes), len(sizes))
    value = np.zeros(shape)
    drawn = np.zeros((*shape, resamplings * DRAWS))
    steps = resamplings * len(levels)
    for number in range(resamplings):
        rng = np.random.Generator(np.random.PCG64([seed, number]))
        order = rng.permutation(people)
        ask, learn = order[-asked:].tolist(), order[:-asked].tolist()
        weight = rng.multinomial(asked, np.full(asked, 1 / asked), DRAWS)
        for place, level in enumerate(levels.values()):
            progress((number * len(levels) + place) / steps)
            whole = level.add(level.start(), learn, np.inf)
            for minute, of_each in enumerate(minutes):
                state, before = level.start(), 0
                for size_at, size in enumerate(sizes):
                    state = level.add(state, learn[before:size], of_each)
                    before = size
                    parts = np.array([level.parts(state, whole, one) for one in ask])
                    cell = (place, minute, size_at)
                    value[cell] += parts[:, 0].sum() / parts[:, 1].sum() / resamplings
                    sums = weight @ parts
                    at = slice(number * DRAWS, (number + 1) * DRAWS)
                    drawn[cell][at] = sums[:, 0] / np.maximum(sums[:, 1], 1e-12)
    return Grid(tuple(levels), minutes, sizes, people, asked, resamplings, value, drawn)
