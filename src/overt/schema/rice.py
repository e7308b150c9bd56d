"""Columns of numbers as few bits, and back: the form in which a folded batch holds its rows.

A number is the difference to what is expected after what came before of the same kind of event.
Small ones take few bits and runs of 0 nearly none: an adaptive run-length and Rice code, whose two
parameters follow the numbers and which needs no table (after Malvar, *Adaptive run-length /
Golomb-Rice encoding of quantized generalized Gaussian sources*, 2006). `spec/batch.md` says the
rule; all arithmetic is that of signed 32-bit numbers.

Collectors read as many batches as they can: reading is compiled. Writing is for tests and tools.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit

from overt.schema import limits
from overt.schema.event import WIRE

_WIDTHS = np.array([field.type.bit_width // 8 for field in WIRE], np.int64)
_LAST, _SLOW, _SMOOTH, _NOTHING = 0, 1, 2, 3
"""What is expected: the last value of the kind, a slow mean, the mean of the last two, or 0."""
_WAY_OF = {"dt_us": _SLOW, "dx_8th_css_px": _SMOOTH, "dy_8th_css_px": _SMOOTH}
_WAYS = np.array([_WAY_OF.get(name, _LAST) for name in WIRE.names], np.int64)

_KINDS = 64
_UNARY_MAX = 20
_SCALE_FIRST, _SCALE_MAX = 16, 124
_RUN_FIRST, _RUN_MAX = 8, 48


@njit(cache=True)
def _signed(value: Any) -> Any:
    """Return a value as signed 32-bit numbers have it."""
    return ((value + 0x80000000) & 0xFFFFFFFF) - 0x80000000


@njit(cache=True)
def _unfold(windows: Any, at: Any, rows: int, out: Any) -> Any:
    """Fill `out`; return the bit at which the columns end, or -1 minus the column that is wrong.

    `windows` has the eight bytes from each byte on, the first one lowest. `out` is zeros, as long
    as all columns of `rows` rows, each padded to 8 bytes.
    """
    numbers = np.zeros(rows, np.int64)
    kinds = np.zeros(rows + 1, np.int64)
    last, before = np.zeros(_KINDS, np.int64), np.zeros(_KINDS, np.int64)
    end: Any = np.int64(8 * len(windows))
    begin: Any = np.int64(0)
    for column in range(len(_WIDTHS)):
        width: Any = _WIDTHS[column]
        way: Any = _WAYS[column]
        step: Any = np.int64(-1)
        scale: Any = np.int64(_SCALE_FIRST)
        run: Any = np.int64(_RUN_FIRST)
        row: Any = np.int64(-1)
        numbers[:] = 0
        while row < rows:
            if at >= end:
                return -1 - column
            window: Any = windows[at >> 3] >> (at & 7)
            # The first number is the step, and is in no run.
            more: Any = np.int64(0)
            ahead: Any = run >> 2
            if row >= 0 and ahead > 0:
                if window & 1 == 0:
                    at += 1
                    row += 1 << ahead
                    run = min(_RUN_MAX, run + 2)
                    continue
                row += (window >> 1) & ((1 << ahead) - 1)
                at += 1 + ahead
                more = 1
                if row >= rows or at >= end:
                    return -1 - column
                window = windows[at >> 3] >> (at & 7)
            high: Any = np.int64(0)
            while high < _UNARY_MAX and (window >> high) & 1 == 1:
                high += 1
            low: Any = scale >> 2
            if high == _UNARY_MAX:
                number: Any = (window >> high) & 0xFFFFFFFF
                at += high + 32
            else:
                number = (high << low) | ((window >> (high + 1)) & ((1 << low) - 1))
                at += high + 1 + low
            if high == 0:
                scale = max(0, scale - 2)
            elif high > 1:
                scale = min(_SCALE_MAX, scale + high)
            if row >= 0:
                number += more
                run = max(0, run - 1) if number > 0 else min(_RUN_MAX, run + 3)
                numbers[row] = number
                row += 1
                continue
            step = number
            if step == 0:
                break
            row = 0
            if way == _SMOOTH:
                if at >= end:
                    return -1 - column
                if (windows[at >> 3] >> (at & 7)) & 1 == 0:
                    way = _NOTHING
                at += 1
        if at > end:
            return -1 - column
        if step > 0:
            last[:] = 0
            before[:] = 0
            most = np.int64(1) << (8 * width - 1)
            for index in range(rows):
                kind = kinds[index + (column > 0)]
                expected = last[kind]
                if way == _SMOOTH:
                    both = expected + before[kind]
                    expected = (both + (both < 0)) >> 1
                    before[kind] = last[kind]
                elif way == _NOTHING:
                    expected = 0
                by = (numbers[index] >> 1) ^ -(numbers[index] & 1)
                value: Any = _signed(expected + by)
                if way == _SLOW:
                    last[kind] = _signed(expected + (_signed(value - expected) >> 2))
                else:
                    last[kind] = value
                if column == 0:
                    kinds[index + 1] = value & (_KINDS - 1)
                whole = value * step
                if not -most <= whole < most:
                    return -1 - column
                for byte in range(width):
                    out[begin + index * width + byte] = (whole >> (8 * byte)) & 255
        begin += rows * width + -(rows * width) % 8
    return at


@lru_cache(maxsize=limits.BATCH_ROWS_MAX)
def _length(rows: int) -> int:
    lengths = rows * _WIDTHS
    return int((lengths + -lengths % 8).sum())


def unfold(folded: bytes, at: int, rows: int) -> tuple[int, bytes]:
    """Return where the columns that begin at `at` end, and the body they make.

    The first is -1 minus the number of a column that cannot have been folded.
    """
    out = np.zeros(_length(rows), np.uint8)
    windows: Any = np.ndarray(len(folded), "<i8", folded + bytes(8), 0, (1,))
    end = int(_unfold(windows, 8 * at, rows, out))
    return (end + 7) >> 3 if end >= 0 else end, out.tobytes()


class _Writer:
    """The bits of columns, and the two parameters that follow the numbers, in quarters."""

    def __init__(self) -> None:
        self.bits: list[str] = []
        self.begin()

    def begin(self) -> None:
        """Begin a column."""
        self._scale, self._run = _SCALE_FIRST, _RUN_FIRST

    def put(self, value: int, count: int) -> None:
        """Write the lowest `count` bits of a value, the lowest first."""
        if count:
            self.bits.append(format(value & ((1 << count) - 1), f"0{count}b")[::-1])

    def number(self, number: int) -> None:
        """Write a number from 0 below 2**32."""
        low = self._scale >> 2
        high = min(_UNARY_MAX, number >> low)
        self.bits.append("1" * high)
        if high < _UNARY_MAX:
            self.bits.append("0")
        self.put(number, low if high < _UNARY_MAX else 32)
        if high == 0:
            self._scale = max(0, self._scale - 2)
        elif high > 1:
            self._scale = min(_SCALE_MAX, self._scale + high)

    def numbers(self, numbers: list[int]) -> None:
        """Write the numbers of a column; runs of 0 are told by how long they are."""
        row = 0
        while row < len(numbers):
            ahead = self._run >> 2
            if ahead == 0:
                self.number(numbers[row])
                self._run = self._run + 3 if numbers[row] == 0 else max(0, self._run - 1)
                row += 1
                continue
            end = min(len(numbers), row + (1 << ahead))
            zeros = next((at for at in range(row, end) if numbers[at]), end) - row
            row += zeros
            if row == end:
                self.put(0, 1)
                self._run = min(_RUN_MAX, self._run + 2)
            else:
                self.put(1, 1)
                self.put(zeros, ahead)
                self.number(numbers[row] - 1)
                self._run = max(0, self._run - 1)
                row += 1


def _wrapped(value: int) -> int:
    return (value + 2**31) % 2**32 - 2**31


def _differences(values: list[int], kinds: list[int], way: int) -> list[int]:
    """Return differences to what was to be expected, as numbers: 0, -1, 1, -2 as 0, 1, 2, 3."""
    last, before = [0] * _KINDS, [0] * _KINDS
    made = []
    for value, kind in zip(values, kinds, strict=True):
        expected = last[kind]
        if way == _SMOOTH:
            expected = int((expected + before[kind]) / 2)
        elif way == _NOTHING:
            expected = 0
        by = _wrapped(value - expected)
        made.append(2 * by if by >= 0 else -2 * by - 1)
        before[kind] = last[kind]
        last[kind] = _wrapped(expected + (by >> 2)) if way == _SLOW else value
    return made


@lru_cache(maxsize=64)
def fold(body: bytes, rows: int) -> bytes:
    """Return the body of an Arrow message of so many rows of `WIRE`, folded."""
    writer = _Writer()
    at, kinds = 0, [0] * rows
    for column, (width, way) in enumerate(zip(_WIDTHS.tolist(), _WAYS.tolist(), strict=True)):
        values = np.frombuffer(body, f"<i{width}", rows, at).tolist()
        at += rows * width + -(rows * width) % 8
        writer.begin()
        step = math.gcd(*values)
        writer.number(step)
        if step == 0:
            continue
        values = [value // step for value in values]
        if column == 0:
            # A kind is expected to be what followed its predecessor the last time.
            kinds = [value % _KINDS for value in values]
            numbers = _differences(values, [0, *kinds[:-1]], way)
        else:
            numbers = _differences(values, kinds, way)
        if way == _SMOOTH:
            plain = _differences(values, kinds, _NOTHING)
            is_rough = sum(n.bit_length() for n in plain) <= sum(n.bit_length() for n in numbers)
            writer.put(not is_rough, 1)
            numbers = plain if is_rough else numbers
        writer.numbers(numbers)
    bits = "".join(writer.bits)[::-1]
    return int(bits, 2).to_bytes(-(-len(bits) // 8), "little")
