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
        if planes and width == 1:
            bytes_: Any = out[begin : begin + rows].view(np.int8)
            for row in range(rows):
                number: Any = np.int32(folded[at + row])
                bytes_[row] = (number >> 1) ^ -(number & 1)
        elif planes and width == 2:
            shorts: Any = out[begin : begin + 2 * rows].view(np.int16)
            for row in range(rows):
                number = np.int32(folded[at + row])
                if planes == 2:
                    number |= np.int32(folded[at + rows + row]) << 8
                shorts[row] = (number >> 1) ^ -(number & 1)
        elif planes:
            words: Any = out[begin : begin + 4 * rows].view(np.int32)
            least: Any = np.int64(0)
            most: Any = np.int64(0)
            for row in range(rows):
                whole: Any = np.int64(folded[at + row])
                for plane in range(1, planes):
                    whole |= np.int64(folded[at + plane * rows + row]) << (8 * plane)
                value: Any = (whole >> 1) ^ -(whole & 1)
                if steps:
                    value *= step_us
                least, most = min(least, value), max(most, value)
                words[row] = value
            if least < -(2**31) or most >= 2**31:
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
