"""A window's movement pixel by pixel: how often it turns back, and how it goes where it is slow.

A hand goes one way until it goes another: along either axis of the screen it turns a few times a
second, and hardly ever from one sample to the next. Noise that is added to a path turns it back and
forth, most visibly where the path is slow; a drawn curve turns less than a hand does. A hand that
is slow moves the sensor by single counts, often along one axis and the same way again, where a
computed path is rounded anew at each point.

Only strokes count, as far as a program's errands go: what a person does between them (a pixel here
and there) programs are not asked to do, so it must not tell them apart. Nothing is measured along
the path, where the clock's grain is. Not in a study's model: `features` has what a page computes.
"""

from __future__ import annotations

import itertools

import numpy as np

from overt.models.programs.strokes import GRID_MS, GRID_POINTS_MIN, PATH_PX_MIN
from overt.models.programs.trace import GAP_MS, Trace
from overt.models.tensors import Array

TURNS_PX = (1, 2, 3, 5)
"""Turns count from so far back; at 1 all do."""

NAMES = (
    *(f"turns_back_{px}_px_per_s" for px in TURNS_PX),
    "reversed",
    "reversed_where_slow",
    "diagonal_where_slow",
    "same_again_where_slow",
    *(f"aside_where_{pace}" for pace in ("slow", "faster", "fast")),
)
"""Order of the numbers in a row."""

CHORD_PX_MIN = 8.0
"""A stroke that gets less far is nobody's errand (`sessions.ERRAND_PX_MIN`)."""

_SLOW_PX, _UNIT_PX = 3.0, 2.0
_NEAR_MS = 45.0
_BENDS_PX = (0.1, 4.0, 16.0, np.inf)
"""Bends are told apart by how far it is from the sample before to the one after."""
_FEWEST = 6
_ROUNDED_PX = 0.05
_HALF = 0.5


def row_of(trace: Trace) -> Array:
    """Return float64[len(NAMES)] for one window; NaN where there is not enough to say."""
    row = np.full(len(NAMES), np.nan)
    t, z, stroke = _strokes(trace)
    if not t.size:
        return row
    step, inside = np.diff(z), np.diff(stroke) == 0
    seconds = float(np.diff(t)[inside].sum()) / 1000
    turns, against = np.zeros(len(TURNS_PX)), np.zeros(4)
    size = np.maximum(np.abs(step.real), np.abs(step.imag))
    for v, along in ((z.real, step.real), (z.imag, step.imag)):
        at = np.flatnonzero(inside & (along != 0))
        first, second = at[:-1], at[1:]
        same = stroke[first] == stroke[second]
        turned = same & ((along[first] > 0) != (along[second] > 0))
        slow = same & (np.maximum(size[first], size[second]) <= _SLOW_PX)
        against += turned.sum(), same.sum(), (turned & slow).sum(), slow.sum()
        turns += _turns(v, stroke, second[turned])
    row[: len(TURNS_PX)] = np.log((turns + _HALF) / (seconds + _HALF))
    row[4] = _share(against[0], against[1])
    row[5] = _share(against[2], against[3])
    small = inside & (size <= _UNIT_PX)
    row[6] = _share(float((small & (step.real != 0) & (step.imag != 0)).sum()), small.sum())
    pairs = small[1:] & small[:-1]
    row[7] = _share(float((pairs & (step[1:] == step[:-1])).sum()), pairs.sum())
    row[8:] = _aside(t, z, inside)
    return row


def _strokes(trace: Trace) -> tuple[Array, Array, Array]:
    """Return times and places (x + iy) of the samples of strokes, and which stroke each is of."""
    t, z = trace.t_ms, trace.x_px + 1j * trace.y_px
    if t.size < 2:
        return t[:0], z[:0], np.zeros(0, np.int64)
    apart = np.diff(t) > GAP_MS
    first = np.append(0, np.flatnonzero(apart) + 1)
    last = np.append(first[1:], t.size) - 1
    gone = np.append(0.0, np.cumsum(np.where(apart, 0.0, np.abs(np.diff(z)))))
    kept = (
        (t[last] - t[first] >= GRID_MS * (GRID_POINTS_MIN - 1))
        & (np.abs(z[last] - z[first]) >= CHORD_PX_MIN)
        & (gone[last] - gone[first] >= PATH_PX_MIN)
    )
    stroke = np.append(0, np.cumsum(apart))
    chosen = kept[stroke]
    return t[chosen], z[chosen], stroke[chosen]


def _turns(v: Array, stroke: Array, turn: Array) -> Array:
    """Return how often a coordinate turns back by at least each of `TURNS_PX`.

    Args:
        v: float64[n], whole px.
        stroke: int64[n], which stroke each is of.
        turn: int64[turns], where it is that the way changes at all.

    >>> v = np.array([0.0, 4, 4, 3, 9, 7, 7, 20, 14])
    >>> _turns(v, np.zeros(9, int), np.array([2, 3, 4, 6, 7])).tolist()
    [5.0, 3.0, 1.0, 1.0]
    """
    found = np.zeros(len(TURNS_PX))
    found[0] = turn.size
    if not turn.size:
        return found
    edges = np.flatnonzero(np.diff(stroke, prepend=-1, append=-1))
    edges = np.concatenate([edges[:-1], edges[1:] - 1])
    edges = edges[np.isin(stroke[edges], stroke[turn])]
    at = np.unique(np.concatenate([edges, turn]))
    ends = list(zip(v[at].tolist(), stroke[at].tolist(), strict=True))
    found[1:] = [_far_back(ends, px) for px in TURNS_PX[1:]]
    return found


def _far_back(ends: list[tuple[float, int]], px: float) -> int:
    """Return how often a course through these turning points turns back by at least `px`."""
    count, way, low, high, before = 0, 0, 0.0, 0.0, -1
    for value, stroke in ends:
        if stroke != before:
            before, way, low, high = stroke, 0, value, value
        elif way >= 0 and high - value >= px:
            count, way, low = count + way, -1, value
        elif way <= 0 and value - low >= px:
            count, way, high = count - way, 1, value
        low, high = min(low, value), max(high, value)
        if way > 0:
            low = high
        elif way < 0:
            high = low
    return count


def _share(hits: float, among: float) -> float:
    return float((hits + _HALF) / (among + 1)) if among >= _FEWEST else np.nan


def _aside(t: Array, z: Array, inside: Array) -> Array:
    """Return ln of how far samples are aside of the line through their neighbours, in px.

    Root mean square where it is slow, faster, and fast; scaled so that white noise would be as
    large as it is.
    """
    near = inside & (np.diff(t) <= _NEAR_MS)
    at = np.flatnonzero(near[1:] & near[:-1]) + 1
    chord = z[at + 1] - z[at - 1]
    share = (t[at] - t[at - 1]) / (t[at + 1] - t[at - 1])
    off = z[at] - (1 - share) * z[at - 1] - share * z[at + 1]
    far = np.abs(chord)
    aside = (off * np.conj(chord)).imag / np.maximum(far, 1.0)
    square = aside**2 / (1 + (1 - share) ** 2 + share**2)
    found = np.full(len(_BENDS_PX) - 1, np.nan)
    for place, (least, most) in enumerate(itertools.pairwise(_BENDS_PX)):
        among = square[(far >= least) & (far < most)]
        if among.size >= _FEWEST:
            found[place] = np.log(np.sqrt(among.mean()) + _ROUNDED_PX)
    return found
