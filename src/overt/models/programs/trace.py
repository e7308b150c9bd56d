"""What a pointer did: times and whole pixels. And how a recording is cut by time of input."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from overt.models.tensors import Array

GAP_MS = 120.0
"""A longer time without a sample ends a stroke. Coarse clocks (15.6 ms, skipping) stay below."""

PAUSE_MAX_MS = 500.0
"""A longer pause counts as this much input: how long someone does nothing says nothing of how they
move, and depends on the task."""

_NONE = np.zeros(0)


@dataclass(frozen=True)
class Trace:
    """One stretch of pointer samples at which the pointer moved, in order of time."""

    t_ms: Array
    x_px: Array
    y_px: Array

    @property
    def size(self) -> int:
        """How many samples there are."""
        return int(self.t_ms.size)


def trace_of(t_ms: Array, x_px: Array, y_px: Array) -> Trace:
    """Return samples as every source is read: finite, in order, whole pixels, only movement.

    A source that also samples a resting pointer (a fixed clock) and one that does not (a browser)
    become alike. Of several samples at one time the last stays.

    >>> trace_of(np.array([0.0, 10, 20]), np.array([1.2, 1.4, 3]), np.zeros(3)).x_px
    array([1., 3.])
    """
    t, x, y = (np.asarray(one, np.float64) for one in (t_ms, x_px, y_px))
    fine = np.isfinite(t) & np.isfinite(x) & np.isfinite(y)
    t, x, y = t[fine], np.round(x[fine]), np.round(y[fine])
    order = np.argsort(t, kind="stable")
    t, x, y = t[order], x[order], y[order]
    last = np.append(t[1:] != t[:-1], True) if t.size else np.zeros(0, bool)
    t, x, y = t[last], x[last], y[last]
    moved = np.append(True, (x[1:] != x[:-1]) | (y[1:] != y[:-1])) if t.size else last
    return Trace(t[moved], x[moved], y[moved])


def runs(trace: Trace) -> list[slice]:
    """Return where the pointer moved without a gap of more than `GAP_MS`."""
    if not trace.size:
        return []
    cuts = np.flatnonzero(np.diff(trace.t_ms) > GAP_MS) + 1
    edges = [0, *cuts.tolist(), trace.size]
    return [slice(a, b) for a, b in itertools.pairwise(edges)]


def joined(traces: list[Trace], pause_ms: float = PAUSE_MAX_MS) -> Trace:
    """Return single movements one after the other, with the same pause between any two."""
    parts, start = [], 0.0
    for trace in traces:
        if not trace.size:
            continue
        shift = start - trace.t_ms[0]
        parts.append((trace, shift))
        start += trace.t_ms[-1] - trace.t_ms[0] + pause_ms
    if not parts:
        return Trace(_NONE, _NONE, _NONE)
    return Trace(
        np.concatenate([trace.t_ms + shift for trace, shift in parts]),
        np.concatenate([trace.x_px for trace, _shift in parts]),
        np.concatenate([trace.y_px for trace, _shift in parts]),
    )


def input_ms(trace: Trace) -> Array:
    """Return the time of input up to each sample: pauses count `PAUSE_MAX_MS` at most."""
    if not trace.size:
        return _NONE
    return np.append(0.0, np.cumsum(np.minimum(np.diff(trace.t_ms), PAUSE_MAX_MS)))


def cut(trace: Trace, seconds: float, *, least: float = 1.0) -> list[Trace]:
    """Return pieces of `seconds` of input, one after the other.

    The last piece counts if at least the share `least` of the time is there.
    """
    return [
        Trace(trace.t_ms[at], trace.x_px[at], trace.y_px[at])
        for at in pieces(input_ms(trace), seconds, least=least)
    ]


def pieces(passed_ms: Array, seconds: float, *, least: float = 1.0) -> list[slice]:
    """Return where each piece of `seconds` lies, of samples at these times of input from 0.

    >>> pieces(np.array([0.0, 400, 900, 1000, 1600]), 1.0, least=0.5)
    [slice(0, 3, None), slice(3, 5, None)]
    """
    if not passed_ms.size:
        return []
    step = seconds * 1000
    whole = int(passed_ms[-1] // step)
    if passed_ms[-1] - whole * step >= least * step:
        whole += 1
    edges = np.searchsorted(passed_ms, np.arange(whole + 1) * step, "left").tolist()
    return [slice(a, b) for a, b in itertools.pairwise(edges)]
