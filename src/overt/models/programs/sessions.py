"""A program in a person's place: the same errands, sampled as that person's device samples.

A program is given the way, and the pauses, of a person's own strokes, and its path is seen through
the same clock: event intervals as they come when that person's pointer is moving fast, the same
clock resolution, whole pixels. What is left to tell them apart is how they move.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from overt.models.programs.generators import Mover
from overt.models.programs.trace import GAP_MS, PAUSE_MAX_MS, Trace, runs, trace_of
from overt.models.tensors import Array

ERRAND_PX_MIN = 8.0
FAST_PX = 4.0
"""A sample this far from the one before comes because the clock ticked, not because the hand
began to move: only such intervals are the device's."""

STROKE_SAMPLES_MIN = 6
STROKE_PX_MIN = 40.0


@dataclass(frozen=True)
class Channel:
    """How a device and its software show movement."""

    interval_ms: float
    """Their median."""
    intervals_ms: Array
    """Intervals between events while the pointer moves, in the order in which they came."""
    resolution_ms: float
    """Step of the time stamps: a position may be this much older than its stamp says."""


@dataclass(frozen=True)
class Errands:
    """Where a person went, one stroke after the other, and the pause before each."""

    dx_px: Array
    dy_px: Array
    pause_ms: Array


def channel_of(trace: Trace) -> Channel | None:
    """Return the channel a person's movement came through; None if it hardly moves."""
    dt = np.diff(trace.t_ms)
    step = np.hypot(np.diff(trace.x_px), np.diff(trace.y_px))
    fast = (step >= FAST_PX) & (dt > 0) & (dt <= GAP_MS)
    both = np.flatnonzero(fast[1:] & fast[:-1]) + 1
    if both.size < 10:
        return None
    taken = dt[both]
    middle = float(np.median(taken))
    return Channel(middle, taken[taken <= 4 * middle], resolution_ms(taken))


def resolution_ms(dt: Array, steps: tuple[float, ...] = (15.6, 10.0)) -> float:
    """Return the step of a clock: the first of which next to all intervals are multiples, or 1."""
    for step in steps:
        off = np.abs(dt - step * np.round(dt / step))
        if (off <= 1.0).mean() > 0.9:
            return step
    return 1.0


def errands_of(trace: Trace) -> Errands:
    """Return the ways of a person's strokes; those that come back to their start are left out."""
    ways, pauses, before = [], [], None
    for one in errand_strokes(trace):
        pauses.append(PAUSE_MAX_MS if before is None else one.t_ms[0] - before)
        ways.append((one.x_px[-1] - one.x_px[0], one.y_px[-1] - one.y_px[0]))
        before = one.t_ms[-1]
    made = np.array(ways).reshape(-1, 2)
    return Errands(made[:, 0], made[:, 1], np.array(pauses))


def errand_strokes(trace: Trace) -> list[Trace]:
    """Return the strokes that got somewhere, one for each of `errands_of`, in the same order."""
    found = []
    for run in runs(trace):
        x, y = trace.x_px[run], trace.y_px[run]
        if np.hypot(x[-1] - x[0], y[-1] - y[0]) >= ERRAND_PX_MIN:
            found.append(Trace(trace.t_ms[run], x, y))
    return found


def strokes_of(trace: Trace) -> list[Trace]:
    """Return the strokes that are worth replaying or learning from, each on its own."""
    found = []
    for run in runs(trace):
        x, y = trace.x_px[run], trace.y_px[run]
        long = np.hypot(x[-1] - x[0], y[-1] - y[0]) >= STROKE_PX_MIN
        if x.size >= STROKE_SAMPLES_MIN and long:
            found.append(Trace(trace.t_ms[run], x, y))
    return found


def performed(
    mover: Mover, errands: Errands, channel: Channel, rng: np.random.Generator, *, until_ms: float
) -> Trace:
    """Return what a program is seen to do: the errands over and over, until `until_ms` of input."""
    t_parts, x_parts, y_parts = [], [], []
    now = x = y = passed = 0.0
    count = errands.dx_px.size
    for turn in range(100_000):
        if passed >= until_ms or not count:
            break
        dx, dy = float(errands.dx_px[turn % count]), float(errands.dy_px[turn % count])
        path_t, path_x, path_y = mover(dx, dy)
        stamps, seen = _stamps(channel, float(path_t[-1]), rng)
        t_parts.append(now + stamps)
        x_parts.append(x + np.interp(seen, path_t, path_x))
        y_parts.append(y + np.interp(seen, path_t, path_y))
        x, y = x + dx, y + dy
        took = float(stamps[-1])
        pause = max(float(errands.pause_ms[turn % count]), 1.0)
        now += took + pause
        passed += took + min(pause, PAUSE_MAX_MS)
    if not t_parts:
        return trace_of(np.zeros(0), np.zeros(0), np.zeros(0))
    return trace_of(np.concatenate(t_parts), np.concatenate(x_parts), np.concatenate(y_parts))


def _stamps(channel: Channel, took_ms: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return the stamps of samples during a movement, and the moments they really show."""
    known = channel.intervals_ms
    need = int(took_ms / max(channel.interval_ms, 0.5)) + 3
    first = int(rng.integers(known.size))
    taken = known[(first + np.arange(need)) % known.size]
    while taken.sum() < took_ms:
        taken = np.concatenate([taken, taken])
    stamps = np.append(0.0, np.cumsum(taken))
    stamps = stamps[: int(np.searchsorted(stamps, took_ms)) + 1]
    seen = stamps - rng.uniform(0, channel.resolution_ms, stamps.size)
    seen = np.maximum.accumulate(np.maximum(seen, 0.0))
    seen[-1] = took_ms
    return stamps, seen
