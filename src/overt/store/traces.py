"""What betrays a person in arbitrary bytes: their keys, and eight of their deltas in a row.

Deltas of whole seconds, as typing has them at `rhythm/1`, say little each: many people have the
same eight. Of these a run must be longer, and no steady beat.

Deltas are searched for at every byte, as 32- and 64-bit integers and floats, little-endian, as
they are and as differences of neighbours (absolute times), in µs and for floats in ms and s too;
and in text, as numbers in a row or in a column.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numba import njit

from overt.schema.coarse import STEP_US
from overt.schema.errors import InvalidInput

RUN = 8
"""Deltas in a row that count as a find."""

DISTINCT_MIN = 4
"""Different non-zero values a run must have: idle stretches and regular ticks are nobody's."""

WHOLE_RUN = 128
"""Deltas in a row that count where all are whole seconds: to a fast typist some twenty seconds, at
two bits or more each."""

WHOLE_PATTERNS_MIN = 20
"""Different runs of sixteen that such a run must hold. Any steady rate, rounded to seconds, has
seventeen at most, and is nobody's."""

TEXT_STRIDE_MAX = 40
"""Columns of a text table among which one is searched."""

_TABLE_BITS = 20
_PREFIX_BYTES = 8
_PATTERN = 16
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_FORMS = (
    ("int32", np.int32, 0),
    ("int64", np.int64, 0),
    ("float32", np.float32, 1.0),
    ("float64", np.float64, 1.0),
    ("float32 ms", np.float32, 1e3),
    ("float64 ms", np.float64, 1e3),
    ("float64 s", np.float64, 1e6),
)
"""Name, kind and µs a unit, which is 0 where integers are taken as they are."""


class Needles:
    """Named byte strings (at least 8 bytes each) to look for in one pass, however many."""

    def __init__(self, named: Iterable[tuple[str, bytes]]) -> None:
        self._named: dict[bytes, list[tuple[str, bytes]]] = {}
        for name, needle in named:
            if len(needle) < _PREFIX_BYTES:
                raise InvalidInput("is too short to look for", where=f"needle {name}")
            self._named.setdefault(needle[:_PREFIX_BYTES], []).append((name, needle))
        prefixes = np.frombuffer(b"".join(self._named), "<u8")
        self._prefixes = np.sort(prefixes)
        self._table = np.zeros(1 << _TABLE_BITS, bool)
        self._table[_slots(prefixes)] = True

    def find(self, blob: bytes) -> list[str]:
        """Return the names of the needles in the bytes, each once."""
        if len(blob) < _PREFIX_BYTES or not self._named:
            return []
        found: dict[str, None] = {}
        for at in _begins(np.frombuffer(blob, np.uint8), self._table, self._prefixes):
            for name, needle in self._named[blob[at : at + _PREFIX_BYTES]]:
                if blob.startswith(needle, at):
                    found[name] = None
        return list(found)


class Deltas:
    """The runs to look for: all windows of deltas of all given sequences, in µs, that say enough.

    A sequence of whole seconds with fewer than `WHOLE_RUN` deltas has none.
    """

    def __init__(self, sequences: Iterable[Any]) -> None:
        arrays = [np.asarray(sequence, np.int64) for sequence in sequences]
        self._lanes = [
            lane
            for lane in (_Lane(arrays, RUN, _is_varied), _Lane(arrays, WHOLE_RUN, _is_no_beat))
            if len(lane.hashes)
        ]

    def __len__(self) -> int:
        """Return the number of different runs that are looked for."""
        return sum(len(lane.hashes) for lane in self._lanes)

    def find(self, blob: bytes) -> str | None:
        """Return the form in which a run occurs in the bytes, or None."""
        if not len(self):
            return None
        for name, kind, scale in _FORMS:
            width = np.dtype(kind).itemsize
            for at in range(width):
                usable = (len(blob) - at) // width
                if usable < RUN:
                    continue
                values = np.frombuffer(blob, kind, usable, at)
                if self._find(values.astype(np.int64) if scale == 0 else _as_us(values, scale)):
                    return name
        return self._find_text(blob)

    def _find(self, values: Any, stride_max: int = 1) -> bool:
        """Return whether a run occurs in int64 µs, or in their differences, at any stride."""
        return any(lane.occurs(values, stride_max) for lane in self._lanes)

    def _find_text(self, blob: bytes) -> str | None:
        if not blob or sum(b < 128 for b in blob[:4096]) < 0.9 * len(blob[:4096]):
            return None
        found = _NUMBER.findall(blob)
        if len(found) < RUN:
            return None
        numbers = np.array([float(text[:18]) for text in found])
        stride_max = min(TEXT_STRIDE_MAX, len(numbers) // RUN)
        if any(self._find(_as_us(numbers, scale), stride_max) for scale in (1.0, 1e3, 1e6)):
            return "text"
        return None


class _Lane:
    """Runs of one length: those of the sequences' windows that say enough."""

    def __init__(self, sequences: list[Any], length: int, says_enough: Callable[[Any], Any]):
        chosen = [np.zeros((0, length), np.int64)]
        for sequence in sequences:
            if len(sequence) >= length:
                rows = np.lib.stride_tricks.sliding_window_view(sequence, length)
                chosen.append(rows[says_enough(rows)])
        rows = np.concatenate(chosen)
        self._length = length
        self._first = np.zeros(1 << _TABLE_BITS, bool)
        self._second = np.zeros(1 << _TABLE_BITS, bool)
        self._first[_slots(rows[:, 0])] = True
        self._second[_slots(rows[:, 1])] = True
        self.hashes = np.unique(_hashes(rows))

    def occurs(self, values: Any, stride_max: int) -> bool:
        """Return whether one of the runs occurs in int64 µs, or in their differences."""
        tables = (self._first, self._second, self.hashes)
        return bool(_occurs(values, stride_max, *tables, self._length))


def _is_varied(rows: Any) -> Any:
    ordered = np.sort(rows, axis=1)
    distinct = (np.diff(ordered, axis=1) != 0).sum(axis=1) + 1 - (rows == 0).any(axis=1)
    return (distinct >= DISTINCT_MIN) & (rows % STEP_US != 0).any(axis=1)


def _is_no_beat(rows: Any) -> Any:
    # Runs that begin with 0 are left out: empty pages would be looked at in vain.
    chosen = (rows[:, 0] != 0) & (rows % STEP_US == 0).all(axis=1)
    patterns = np.lib.stride_tricks.sliding_window_view(rows[chosen], _PATTERN, axis=1)
    ordered = np.sort(_hashes(patterns.reshape(-1, _PATTERN)).reshape(patterns.shape[:2]), axis=1)
    chosen[chosen] = (np.diff(ordered, axis=1) != 0).sum(axis=1) + 1 >= WHOLE_PATTERNS_MIN
    return chosen


def _as_us(values: Any, scale: float) -> Any:
    """Return numbers as whole µs; what is no finite number of moderate size becomes 0."""
    with np.errstate(invalid="ignore"):
        return _whole(values.astype(np.float64), scale)


def _slots(values: Any) -> Any:
    with np.errstate(over="ignore"):
        mixed = values.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed >> np.uint64(64 - _TABLE_BITS)).astype(np.int64)


def _hashes(rows: Any) -> Any:
    out = np.full(len(rows), 1469598103934665603, np.uint64)
    with np.errstate(over="ignore"):
        for column in range(rows.shape[1]):
            out = (out ^ rows[:, column].astype(np.uint64)) * np.uint64(0x100000001B3)
            out ^= out >> np.uint64(29)
    return out


@njit(cache=True)
def _begins(data: Any, table: Any, prefixes: Any) -> Any:
    """Return the places where eight bytes are one of the sorted prefixes."""
    factor = np.uint64(0x9E3779B97F4A7C15)
    shift = np.uint64(64 - _TABLE_BITS)
    found = []
    held = np.uint64(0)
    for at in range(len(data)):
        held = (held >> np.uint64(8)) | (np.uint64(data[at]) << np.uint64(56))
        if at >= _PREFIX_BYTES - 1 and table[np.int64((held * factor) >> shift)]:
            place = np.searchsorted(prefixes, held)
            if place < len(prefixes) and prefixes[place] == held:
                found.append(at - (_PREFIX_BYTES - 1))
    return found


@njit(cache=True)
def _whole(values: Any, scale: float) -> Any:
    out = np.zeros(len(values), np.int64)
    for at in range(len(values)):
        scaled = values[at] * scale
        if abs(scaled) < 2.0**53:
            out[at] = np.int64(np.rint(scaled))
    return out


@njit(cache=True)
def _strided(values: Any, stride: int, first: Any, second: Any, hashes: Any, run: int) -> Any:
    factor = np.uint64(0x9E3779B97F4A7C15)
    shift = np.uint64(64 - _TABLE_BITS)
    for at in range(len(values) - (run - 1) * stride):
        if not first[np.int64((np.uint64(values[at]) * factor) >> shift)]:
            continue
        if not second[np.int64((np.uint64(values[at + stride]) * factor) >> shift)]:
            continue
        code = np.uint64(1469598103934665603)
        for step in range(run):
            code = (code ^ np.uint64(values[at + step * stride])) * np.uint64(0x100000001B3)
            code ^= code >> np.uint64(29)
        place = np.searchsorted(hashes, code)
        if place < len(hashes) and hashes[place] == code:
            return True
    return False


@njit(cache=True)
def _occurs(values: Any, stride_max: int, first: Any, second: Any, hashes: Any, run: int) -> Any:
    """Look at every stride at all starts at once: the values there, then their differences."""
    for stride in range(1, stride_max + 1):
        if _strided(values, stride, first, second, hashes, run):
            return True
        if _strided(values[stride:] - values[:-stride], stride, first, second, hashes, run):
            return True
    return False
