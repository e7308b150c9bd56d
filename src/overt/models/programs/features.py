"""A window of pointer movement as one row of numbers: over its strokes, and between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from overt.models.programs.strokes import STROKE_NAMES, window
from overt.models.programs.trace import Trace
from overt.models.tensors import Array

NAMES = (
    *(f"{name}_median" for name in STROKE_NAMES),
    *(f"{name}_spread" for name in STROKE_NAMES),
    "jumped",
    "alike_median",
    "alike_least",
)
"""Order of the numbers in a row. `spec/programs.md` says what each is."""

ALONG_AN_AXIS = 0.98
"""Movement of which so much goes along an axis may be by keys: whose it is cannot be told."""
_AXIS = NAMES.index("axis_steps_median")


def row_of(trace: Trace) -> Array:
    """Return float64[len(NAMES)] for one window; NaN where there is not enough to say."""
    row = np.full(len(NAMES), np.nan)
    if trace.size >= 2:
        row = window(trace.t_ms, trace.x_px, trace.y_px, len(STROKE_NAMES))
    return row


def along_axes(rows: Array) -> Array:
    """Return bool[windows]: which of `rows`, whose first columns are `NAMES`, keys may have moved.

    Who has no mouse can move the pointer by keys, along one axis at a time, as straight and even
    as programs do it.
    """
    return np.asarray(np.nan_to_num(rows[:, _AXIS]) >= ALONG_AN_AXIS)


def rows_of(traces: Sequence[Trace]) -> Array:
    """Return float64[windows, len(NAMES)]."""
    if not traces:
        return np.zeros((0, len(NAMES)))
    return np.stack([row_of(trace) for trace in traces])
