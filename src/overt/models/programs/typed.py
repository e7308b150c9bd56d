"""What a person or a program typed, as `rhythm/0` shows it: class of each key, press and hold.

Modifiers are left out: a person holds Shift over the letter, most programs never press it, and that
alone would tell them apart whatever their rhythm.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from overt.features.presses import UNKNOWN, presses_of
from overt.models.programs.sessions import resolution_ms
from overt.models.programs.trace import pieces
from overt.models.tensors import Array
from overt.schema.event import KeyClass

PAUSE_MAX_MS = 1000.0
"""A longer pause counts as this much typing, and texts follow each other with as much between."""

_MODIFIERS = [
    int(one)
    for one in (
        KeyClass.SHIFT,
        KeyClass.CONTROL,
        KeyClass.ALT,
        KeyClass.META,
        KeyClass.CAPS_LOCK,
    )
]
_STEPS_MS = (15.6, 10.0, 8.0)
"""Clocks that are coarser than the millisecond; 8 ms is a keyboard that is asked 125 times a
second."""

_FINER_MS = (1.0, 0.1)
_FINEST_MS = 0.001
_TEXT_KEYS_MIN = 5


@dataclass(frozen=True)
class Typed:
    """Presses in order of time. All arrays have the same length."""

    down_ms: Array
    hold_ms: Array
    """NaN where the release is not known."""
    key_class: Array
    """`overt.schema.event.KeyClass`."""
    begins: Array
    """Whether a text begins here: the interval before says nothing."""

    @property
    def size(self) -> int:
        """How many presses there are."""
        return int(self.down_ms.size)

    def at(self, where: slice) -> Typed:
        """Return a stretch of it."""
        return Typed(
            self.down_ms[where], self.hold_ms[where], self.key_class[where], self.begins[where]
        )

    def interval_ms(self) -> Array:
        """Return press minus the press before; NaN where a text begins, and for the first."""
        found = np.diff(self.down_ms, prepend=np.nan)
        found[self.begins] = np.nan
        return found

    def texts(self) -> list[Typed]:
        """Return each text on its own, the first perhaps without its beginning."""
        edges = sorted({0, *np.flatnonzero(self.begins).tolist(), self.size})
        return [self.at(slice(a, b)) for a, b in itertools.pairwise(edges)]


@dataclass(frozen=True)
class Clock:
    """How a keyboard and its software show when keys go down and up."""

    step_ms: float
    apart_ms: float
    """No two presses are nearer than this: some publishers moved those that were."""
    off_ms: Array
    """By how much a time misses the step, as it happened; not empty."""


def text_of(events: pa.Table) -> Typed:
    """Return the presses of one session (schema `EVENTS`) as one text."""
    found = presses_of(events)
    kept = ~np.isin(found.key_class, _MODIFIERS)
    hold = np.where(found.hold_us == UNKNOWN, np.nan, found.hold_us / 1000)
    begins = np.zeros(int(kept.sum()), bool)
    begins[:1] = True
    return Typed(found.t_us[kept] / 1000, hold[kept], found.key_class[kept], begins)


def in_a_row(texts: Sequence[Typed]) -> Typed:
    """Return texts one after the other; those of a few keys are left out."""
    parts, start = [], 0.0
    for text in texts:
        if text.size < _TEXT_KEYS_MIN:
            continue
        begins = text.begins.copy()
        begins[0] = True
        down = text.down_ms - text.down_ms[0] + start
        parts.append((down, text.hold_ms, text.key_class, begins))
        start = float(down[-1]) + PAUSE_MAX_MS
    if not parts:
        return Typed(np.zeros(0), np.zeros(0), np.zeros(0, np.int8), np.zeros(0, bool))
    down, hold, key_class, begins = (np.concatenate(one) for one in zip(*parts, strict=True))
    return Typed(down, hold, key_class, begins)


def typing_ms(typed: Typed) -> Array:
    """Return the time of typing up to each press: pauses count `PAUSE_MAX_MS` at most."""
    if not typed.size:
        return np.zeros(0)
    return np.append(0.0, np.cumsum(np.minimum(np.diff(typed.down_ms), PAUSE_MAX_MS)))


def cut(typed: Typed, seconds: float, *, least: float = 1.0) -> list[Typed]:
    """Return pieces of `seconds` of typing; the last from the share `least` of its length."""
    return [typed.at(at) for at in pieces(typing_ms(typed), seconds, least=least)]


def clock_of(typed: Typed) -> Clock:
    """Return the clock through which a person's typing was seen."""
    interval = typed.interval_ms()
    interval = interval[np.isfinite(interval)]
    held = typed.hold_ms[np.isfinite(typed.hold_ms)]
    both = np.concatenate([interval, held])
    step = resolution_ms(both[both < 400], _STEPS_MS)
    if step == 1.0:
        off = [np.abs(both - one * np.round(both / one)) for one in _FINER_MS]
        whole = [
            one
            for one, left in zip(_FINER_MS, off, strict=True)
            if both.size and (left < 1e-3).mean() > 0.9
        ]
        step = whole[0] if whole else _FINEST_MS
    nearest = float(interval.min()) if interval.size else 0.0
    missed = both - step * np.round(both / step)
    missed = missed[np.abs(missed) <= 1.0] if step > 1 else np.zeros(0)
    # An interval has the misses of both its ends.
    missed = np.concatenate([missed, np.zeros(max(missed.size, 1))])
    return Clock(step, min(step, 1.0) if nearest > 0 else 0.0, missed)


def seen(
    wait_ms: Array, hold_ms: Array, key_class: Array, clock: Clock, rng: np.random.Generator
) -> Typed:
    """Return what one text of a program looks like through a person's clock.

    Args:
        wait_ms: float64[n], from the press before.
        hold_ms: float64[n]
        key_class: int8[n]
        clock: the person's.
        rng: where in a step of the clock the program begins.
    """
    down = np.cumsum(np.maximum(wait_ms, 0.0)) + rng.uniform(0, clock.step_ms)
    up = _ticks(down + np.maximum(hold_ms, 0.0), clock, rng)
    down = _ticks(down, clock, rng)
    rank = np.arange(down.size) * clock.apart_ms
    down = np.maximum.accumulate(down - rank) + rank
    begins = np.arange(down.size) == 0
    return Typed(down, np.maximum(up - down, 0.0), key_class, begins)


def _ticks(t_ms: Array, clock: Clock, rng: np.random.Generator) -> Array:
    """Return the last tick of a clock before each time; a coarse one shows whole milliseconds."""
    ticks = np.floor(t_ms / clock.step_ms + 1e-9) * clock.step_ms
    if clock.step_ms < 1:
        return np.round(ticks, 3)
    return np.asarray(np.round(ticks + rng.choice(clock.off_ms, ticks.size)))
