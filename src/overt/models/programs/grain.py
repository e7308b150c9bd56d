"""The grain of a window's movement, at the device's own samples, and how alike strokes are timed.

A hand's unsteadiness grows with its speed (Harris & Wolpert 1998), while noise that is added to a
path does not; a program's strokes take their course over time alike, however long they are; and
noise shows where steps of a stroke are compared over 25, 50 and 100 ms: a smooth movement's second
difference grows fourfold each time, noise not at all. No number here is in pixels alone.

Not in a study's model: `features` has what a page computes.
"""

from __future__ import annotations

import numpy as np

from overt.models.programs.strokes import GRID_POINTS_MIN, PATH_PX_MIN, on_grid
from overt.models.programs.trace import Trace, runs
from overt.models.tensors import Array

NAMES = (
    "timed_alike_least",
    "timed_alike_middle",
    "timed_alike_least_of_all",
    "off_with_speed",
    "off_fast_to_slow",
    "off_aside_follows",
    "off_along_follows",
    "off_aside_wide",
    "aside_50_to_25_ms",
    "aside_100_to_50_ms",
    "along_50_to_25_ms",
    "along_100_to_50_ms",
)
"""Order of the numbers in a row."""

_OFF, _SCALES = slice(3, 8), slice(8, 12)

_NEAR_MS = 45.0
"""Samples further apart say little of the one between."""
_STEP_PX_MIN = 4.0
_FEWEST = 8
_TINY_PX = 0.1
_ROUNDED_PX2 = 0.05
"""What rounding to whole pixels alone makes of a second difference, and is no movement."""
_POINTS = 24
_STROKES_MIN, _STROKES_MAX = 3, 60
_TINY_SHARE = 1e-3


def row_of(trace: Trace) -> Array:
    """Return float64[len(NAMES)] for one window; NaN where there is not enough to say."""
    row = np.full(len(NAMES), np.nan)
    row[_OFF] = _off(trace)
    courses, differences = [], []
    for run in runs(trace):
        grid = on_grid(trace.t_ms[run], trace.x_px[run], trace.y_px[run])
        z = grid[:, 0] + 1j * grid[:, 1]
        path = np.append(0.0, np.cumsum(np.abs(np.diff(z))))
        if len(z) < GRID_POINTS_MIN or path[-1] < PATH_PX_MIN:
            continue
        at = np.linspace(0, len(z) - 1, _POINTS)
        courses.append(np.interp(at, np.arange(len(z)), path / path[-1]))
        chord = z[-1] - z[0]
        turned = z * np.conj(chord / abs(chord)) if abs(chord) > 1 else z
        differences.append([_second(turned, apart) for apart in (1, 2, 4)])
        if len(courses) == _STROKES_MAX:
            break
    if differences:
        row[_SCALES] = _scales(np.array(differences))
    if len(courses) >= _STROKES_MIN:
        row[: _OFF.start] = _timed(np.array(courses))
    return row


def _off(trace: Trace) -> Array:
    """Return how far samples are from the curve through their four neighbours, and when."""
    found = np.full(_OFF.stop - _OFF.start, np.nan)
    t, z = trace.t_ms, trace.x_px + 1j * trace.y_px
    near = np.diff(t) <= _NEAR_MS
    at = np.arange(2, max(t.size - 2, 2))
    at = at[near[at - 2] & near[at - 1] & near[at] & near[at + 1]]
    step = z[at + 1] - z[at - 1]
    at, step = at[np.abs(step) >= _STEP_PX_MIN], step[np.abs(step) >= _STEP_PX_MIN]
    if at.size < _FEWEST:
        return found
    others = at[:, None] + np.array([-2, -1, 1, 2])
    after = t[others] - t[at][:, None]
    weight = np.ones_like(after)
    for a in range(4):
        for b in {0, 1, 2, 3} - {a}:
            weight[:, a] *= after[:, b] / (after[:, b] - after[:, a])
    # Scaled so that white noise would be as large as it is.
    off = (z[at] - (weight * z[others]).sum(1)) / np.sqrt(1 + (weight**2).sum(1))
    turned = off * np.conj(step / np.abs(step))
    aside, along = turned.imag, turned.real
    size, speed = np.abs(aside), np.log(np.abs(step) / (t[at + 1] - t[at - 1]))
    fast = speed > np.median(speed)
    middle = np.median(size) + _TINY_PX
    found[0] = _correlation(np.log(size + _TINY_PX), speed)
    if fast.any():
        slow = np.median(size[~fast]) + _TINY_PX
        found[1] = np.log((np.median(size[fast]) + _TINY_PX) / slow)
    follows = np.diff(at) == 1
    found[2] = _correlation(aside[1:][follows], aside[:-1][follows])
    found[3] = _correlation(along[1:][follows], along[:-1][follows])
    found[4] = np.log((np.sort(size)[int(0.9 * (size.size - 1))] + _TINY_PX) / middle)
    return found


def _second(turned: Array, apart: int) -> tuple[float, float]:
    """Return mean squared second differences along and aside, or NaN of a short stroke."""
    if len(turned) <= 2 * apart:
        return np.nan, np.nan
    bend = turned[2 * apart :] - 2 * turned[apart:-apart] + turned[: -2 * apart]
    return float((bend.real**2).mean()), float((bend.imag**2).mean())


def _scales(differences: Array) -> Array:
    """Return ln of how second differences grow from scale to scale, aside and then along."""
    known = np.isfinite(differences)
    mean = np.where(known, differences, 0).sum(0) / np.maximum(known.sum(0), 1)
    size = np.where(known.any(0), np.log(mean + _ROUNDED_PX2) / 2, np.nan)
    return np.diff(size, axis=0).T[::-1].ravel()


def _timed(courses: Array) -> Array:
    """Return how near the courses of strokes over time are to each other."""
    apart = np.sqrt(((courses[:, None] - courses) ** 2).mean(-1))
    pairs = apart[np.triu_indices(len(courses), 1)]
    np.fill_diagonal(apart, np.inf)
    least, nearest = (np.log(one + _TINY_SHARE) for one in (pairs.min(), np.median(apart.min(1))))
    return np.array([least, nearest, least - np.log(np.median(pairs) + _TINY_SHARE)])


def _correlation(a: Array, b: Array) -> float:
    if a.size < _FEWEST or a.std() < _TINY_SHARE or b.std() < _TINY_SHARE:
        return np.nan
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).mean() / np.sqrt((a * a).mean() * (b * b).mean()))
