"""Columns of a folded batch put back into the body of its Arrow message, in one pass."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit

from overt.schema import limits
from overt.schema.event import WIRE

_WIDTHS = np.array([field.type.bit_width // 8 for field in WIRE], np.int64)
_TIME = WIRE.get_field_index("dt_us")
_STEP_US_MAX = 2**31 - 1


# Each of these takes slices and counts from 0: then the compiler sees no bounds to look at in the
# loop, and does many rows at once.


@njit(cache=True)
def _bytes(low: Any, out: Any) -> None:
    for row in range(len(out)):
        number = np.int32(low[row])
        out[row] = (number >> np.int32(1)) ^ -(number & np.int32(1))


@njit(cache=True)
def _shorts(low: Any, high: Any, wide: bool, out: Any) -> None:  # noqa: FBT001 - numba
    mask = np.int32(255) if wide else np.int32(0)
    for row in range(len(out)):
        number = np.int32(low[row]) | ((np.int32(high[row]) & mask) << np.int32(8))
        out[row] = (number >> np.int32(1)) ^ -(number & np.int32(1))


@njit(cache=True)
def _words(lanes: Any, planes: int, step_us: int, out: Any) -> Any:
    """Fill `out`; return whether every value fits 32 bits."""
    rows = len(out)
    if planes <= 2 and step_us < 2**15:
        low, high = lanes[:rows], lanes[rows * (planes - 1) :]
        mask = np.int32(255) if planes == 2 else np.int32(0)
        step = np.int32(step_us)
        for row in range(rows):
            number = np.int32(low[row]) | ((np.int32(high[row]) & mask) << np.int32(8))
            out[row] = ((number >> np.int32(1)) ^ -(number & np.int32(1))) * step
        return True
    least: Any = np.int64(0)
    most: Any = np.int64(0)
    for row in range(rows):
        whole: Any = np.int64(lanes[row])
        for plane in range(1, planes):
            whole |= np.int64(lanes[plane * rows + row]) << (8 * plane)
        value: Any = ((whole >> 1) ^ -(whole & 1)) * step_us
        least, most = min(least, value), max(most, value)
        out[row] = value
    return least >= -(2**31) and most < 2**31


@njit(cache=True)
def _unfold(folded: Any, at: int, rows: int, step_us: int, out: Any) -> Any:
    """Fill `out`; return where the columns end in `folded`, or -1 minus the column that is wrong.

    `out` is zeros, as long as all columns of `rows` rows, each padded to 8 bytes.
    """
    begin: Any = 0
    for column in range(len(_WIDTHS)):
        width: Any = _WIDTHS[column]
        if at >= len(folded):
            return -1 - column
        planes: Any = np.int64(folded[at] & 7)
        steps = folded[at] >> 3
        at += 1
        if planes > width or steps > (column == _TIME) or at + planes * rows > len(folded):
            return -1 - column
        if planes == 0:
            pass
        elif width == 1:
            _bytes(folded[at : at + rows], out[begin : begin + rows].view(np.int8))
        elif width == 2:
            high = at + rows * (planes - 1)
            shorts = out[begin : begin + 2 * rows].view(np.int16)
            _shorts(folded[at : at + rows], folded[high : high + rows], planes == 2, shorts)
        else:
            words = out[begin : begin + 4 * rows].view(np.int32)
            if not _words(folded[at : at + planes * rows], planes, step_us if steps else 1, words):
                return -1 - column
        at += planes * rows
        begin += rows * width + -(rows * width) % 8
    return at


@lru_cache(maxsize=limits.BATCH_ROWS_MAX)
def _length(rows: int) -> int:
    lengths = rows * _WIDTHS
    return int((lengths + -lengths % 8).sum())


def unfold(folded: bytes, at: int, rows: int, step_us: int) -> tuple[int, bytes]:
    """Return where the columns that begin at `at` end, and the body they make.

    The first is -1 minus the number of a column that cannot have been folded.
    """
    out = np.zeros(_length(rows), np.uint8)
    # A longer step does not fit the column unless all is 0, and would not fit the product either.
    step_us = min(step_us, _STEP_US_MAX)
    end = _unfold(np.frombuffer(folded, np.uint8), at, rows, step_us, out)
    return int(end), out.tobytes()
