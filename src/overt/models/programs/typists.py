"""Programs that type, from the naive to those that draw on recordings of real people.

Each maker draws the habits of one program and returns a `Typist`: given the classes of the keys of
a text, it answers with the wait before each press and the hold of each. It types at the pace of the
person in whose place it is, from half to twice as fast, so that pace alone says little. Written
from the ideas; what they imitate is said in each docstring.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from overt.models.programs.typed import Typed, clock_of
from overt.models.tensors import Array
from overt.schema.event import KeyClass

Typist = Callable[[Array], tuple[Array, Array]]
"""Takes int8[n], returns waits and holds in ms, float64[n] each."""

Library = Sequence[Typed]
"""Typing of other people that a program may have got hold of; none of them empty."""

_BREAKS = [int(KeyClass.SPACE), int(KeyClass.ENTER), int(KeyClass.TAB)]
_DRAWN_MIN = 3
"""Fewer intervals of one pair of key classes than this are not worth drawing from."""


@dataclass(frozen=True)
class Pace:
    """Medians of the person in whose place a program types."""

    interval_ms: float
    hold_ms: float


Maker = Callable[[np.random.Generator, Pace, Library], Typist]


def _near(rng: np.random.Generator, value: float) -> float:
    """Return a value from half to twice as large."""
    return float(value * np.exp2(rng.uniform(-1, 1)))


def _holds(rng: np.random.Generator, pace: Pace, wait_ms: float) -> Callable[[int], Array]:
    """Return how long a program holds keys: not at all, as long as it waits, or about as a person.

    A browser under script presses, waits the delay and releases at once before the next key;
    desktop tools release after half of it; others draw every hold from one distribution.
    """
    how = rng.integers(4)
    middle, spread = _near(rng, pace.hold_ms), rng.uniform(0.05, 0.4)

    def held(count: int) -> Array:
        if how == 0:
            return np.full(count, 0.5)
        if how == 1:
            return np.full(count, wait_ms * rng.choice([0.5, 0.98]))
        if how == 2:
            return np.asarray(rng.uniform(middle * (1 - spread), middle * (1 + spread), count))
        return np.asarray(middle * rng.lognormal(0, spread, count))

    return held


def fixed(rng: np.random.Generator, pace: Pace, _library: Library) -> Typist:
    """A scripted browser's or desktop tool's `delay`: always the same, but for the scheduler."""
    wait, late_ms = _near(rng, pace.interval_ms), rng.choice([0.3, 1.0, 3.0])
    held = _holds(rng, pace, wait)

    def write(key_class: Array) -> tuple[Array, Array]:
        size = key_class.size
        return wait + rng.exponential(late_ms, size), held(size)

    return write


def uniform(rng: np.random.Generator, pace: Pace, _library: Library) -> Typist:
    """A delay drawn evenly between two bounds, the commonest advice for not being found out."""
    wait, width = _near(rng, pace.interval_ms), rng.uniform(0.1, 0.9)
    held = _holds(rng, pace, wait)

    def write(key_class: Array) -> tuple[Array, Array]:
        size = key_class.size
        return rng.uniform(wait * (1 - width), wait * (1 + width), size), held(size)

    return write


def normal(rng: np.random.Generator, pace: Pace, _library: Library) -> Typist:
    """A delay from a normal distribution, cut off below at a tenth of its mean."""
    wait, spread = _near(rng, pace.interval_ms), rng.uniform(0.05, 0.5)
    held = _holds(rng, pace, wait)

    def write(key_class: Array) -> tuple[Array, Array]:
        size = key_class.size
        return np.maximum(rng.normal(wait, wait * spread, size), wait / 10), held(size)

    return write


def log_normal(rng: np.random.Generator, pace: Pace, _library: Library) -> Typist:
    """Intervals from a log-normal as wide as people's, holds from one distribution of their own."""
    wait, spread = _near(rng, pace.interval_ms), rng.uniform(0.2, 0.7)
    middle, wide = _near(rng, pace.hold_ms), rng.uniform(0.1, 0.4)

    def write(key_class: Array) -> tuple[Array, Array]:
        size = key_class.size
        return wait * rng.lognormal(0, spread, size), middle * rng.lognormal(0, wide, size)

    return write


def with_words(rng: np.random.Generator, pace: Pace, library: Library) -> Typist:
    """As `log_normal`, but slower at the beginning of a word and, now and then, at a thought."""
    plain = log_normal(rng, pace, library)
    slower, think = rng.uniform(1.2, 2.5), rng.uniform(0, 0.1)

    def write(key_class: Array) -> tuple[Array, Array]:
        wait, hold = plain(key_class)
        after = np.append(False, np.isin(key_class[:-1], _BREAKS))
        thought = after & (rng.random(wait.size) < think)
        return wait * np.where(after, slower, 1.0) * np.where(thought, 3.0, 1.0), hold

    return write


def shuffled(rng: np.random.Generator, _pace: Pace, library: Library) -> Typist:
    """Intervals and holds of a real person, both shuffled: every distribution right, no order."""
    other = library[int(rng.integers(len(library)))]
    wait, hold = _known(other.interval_ms()), _known(other.hold_ms)
    finely = _shaken(rng, other)

    def write(key_class: Array) -> tuple[Array, Array]:
        size = key_class.size
        return finely(rng.choice(wait, size)), finely(rng.choice(hold, size))

    return write


def by_key(rng: np.random.Generator, pace: Pace, library: Library) -> Typist:
    """Presses of a real person, each drawn anew for its key class and the one before.

    Interval and hold are drawn together, so what is lost is only how each follows from the last.
    """
    other = library[int(rng.integers(len(library)))]
    interval = other.interval_ms()
    fine = np.flatnonzero(np.isfinite(interval) & np.isfinite(other.hold_ms))
    if not fine.size:
        return shuffled(rng, pace, library)
    pair, finely = _pairs(other.key_class), _shaken(rng, other)
    own = {number: fine[pair[fine] == number] for number in np.unique(pair[fine]).tolist()}

    def write(key_class: Array) -> tuple[Array, Array]:
        picked = []
        for number in _pairs(key_class).tolist():
            some = own.get(number, fine)
            some = some if some.size >= _DRAWN_MIN else fine
            picked.append(int(some[rng.integers(some.size)]))
        return finely(interval[picked]), finely(other.hold_ms[picked])

    return write


def instant(rng: np.random.Generator, _pace: Pace, _library: Library) -> Typist:
    """A whole text at once, as an automatic form filler or a script without a delay does it."""
    each_ms = rng.choice([0.05, 0.5, 2.0, 5.0])

    def write(key_class: Array) -> tuple[Array, Array]:
        size = key_class.size
        return rng.exponential(each_ms, size), rng.exponential(each_ms / 2, size)

    return write


def _shaken(rng: np.random.Generator, other: Typed) -> Callable[[Array], Array]:
    """Return what takes the grain of another person's clock out of times drawn from them."""
    step = clock_of(other).step_ms

    def finely(values: Array) -> Array:
        return np.maximum(values + rng.uniform(-step / 2, step / 2, values.size), 0.0)

    return finely


def _known(values: Array) -> Array:
    found = values[np.isfinite(values)]
    return found if found.size else np.array([100.0])


def _pairs(key_class: Array) -> Array:
    """Return a number for each key's class with the class before it."""
    whole = key_class.astype(np.int64)
    return np.append(0, whole[:-1]) * 32 + whole


TYPISTS: dict[str, Maker] = {
    "fixed delay": fixed,
    "uniform delay": uniform,
    "normal delay": normal,
    "log-normal delay": log_normal,
    "slower at words": with_words,
    "shuffled person": shuffled,
    "person by key class": by_key,
    "instant": instant,
}
"""Kinds of program by name."""

FROM_PEOPLE = ("shuffled person", "person by key class")
"""Those that need recordings of other people."""
