"""Windows of typing laid end to end, so that all are computed at once; nothing crosses a window.

What a press is compared with (the one before, the last few) never crosses the beginning of a text.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from overt.models.programs.typed import Typed
from overt.models.tensors import Array
from overt.schema.event import KeyClass

FEWEST = 8
"""Fewer presses than this say nothing of a window."""

_FLOOR_MS = 5.0
"""Of shorter times the logarithm says more of the clock than of the hand."""
_SCALE_SHARE = 0.7
_SCALE_LEAST = 0.02
_FAR = 4.0
_BELIEVED = 8.0
"""A group so large has half the say in what is usual for it, the whole window the other half."""
EDGE = 7
"""Places in a word, and keys to its end, are told apart up to here."""
_CLASSES = 32


class Strip:
    """Presses of many windows; arrays have one entry a press unless said otherwise."""

    def __init__(self, windows: Sequence[Typed]) -> None:
        """Lay windows end to end; some may be empty."""
        size = np.array([one.size for one in windows], np.int64)
        self.count = size.size
        """How many windows there are."""
        self.window = np.repeat(np.arange(self.count), size)
        """Which window each press is of."""
        interval = _end_to_end([one.interval_ms() for one in windows])
        hold = _end_to_end([one.hold_ms for one in windows])
        self.key_class = _end_to_end([one.key_class for one in windows]).astype(np.int64)
        begins = _end_to_end([one.begins for one in windows]).astype(bool)
        begins |= np.diff(self.window, prepend=-1) > 0
        at = np.arange(begins.size)
        self._since = at - np.maximum.accumulate(np.where(begins, at, 0))
        self._ends = np.append(begins[1:], True)[: begins.size]
        waited, held = (np.log(np.maximum(one, _FLOOR_MS)) for one in (interval, hold))
        self.interval = self._scaled(waited)
        """ln of the time since the press before, from the window's median in its own spread."""
        self.hold = self._scaled(held)
        """The same of how long the key was held."""
        self.after = np.clip(waited - self.earlier(held, 1), -_FAR, _FAR)
        """ln of the time since the press before over how long that key was held."""
        self.before = np.nan_to_num(self.earlier(self.key_class.astype(float), 1)).astype(np.int64)
        """Class of the key before; 0 where a text begins."""
        self.pair = self.before * _CLASSES + self.key_class
        letter = self.key_class == KeyClass.LETTER
        other = np.maximum.accumulate(np.where(~letter | (self._since == 0), at, 0))
        self.place = np.where(letter, np.minimum(at - other, EDGE), 0)
        """Where in its word a letter is, from 1 (0: first key of a text, or no letter)."""
        stop = np.where(~letter | self._ends, at, begins.size)
        left = np.minimum.accumulate(stop[::-1])[::-1] - at
        self.left = np.where(letter, np.minimum(left, EDGE), 0)
        """How many keys it is to the end of the word."""

    def earlier(self, values: Array, by: int) -> Array:
        """Return the value `by` presses before in the same text (after, if negative), or NaN."""
        moved = np.full(values.size, np.nan)
        if by > 0:
            moved[by:] = values[:-by]
            moved[self._since < by] = np.nan
        elif by < 0:
            moved[:by] = values[-by:]
            until = np.full(values.size, -1)
            until[:by] = self._since[-by:]
            moved[until < -by] = np.nan
        else:
            moved[:] = values
        return moved

    def recently(self, values: Array, presses: int) -> Array:
        """Return the mean of what is known of the last few presses in the window, 0 of none."""
        known = np.isfinite(values)
        total = np.append(0.0, np.cumsum(np.where(known, values, 0.0)))
        count = np.append(0, np.cumsum(known))
        at = np.arange(values.size)
        first = np.searchsorted(self.window, self.window) if values.size else at
        start = np.maximum(at - presses, first)
        return np.asarray((total[at] - total[start]) / np.maximum(count[at] - count[start], 1))

    def mean(self, values: Array) -> Array:
        """Return float64[windows], the mean of what is known; NaN of too few."""
        known = np.isfinite(values)
        count = np.bincount(self.window[known], minlength=self.count)
        total = np.bincount(self.window[known], values[known], minlength=self.count)
        return np.where(count >= FEWEST, total / np.maximum(count, 1), np.nan)

    def centred(self, values: Array) -> Array:
        """Return values less their window's mean."""
        return np.asarray(values - self.mean(values)[self.window])

    def correlation(self, a: Array, b: Array) -> Array:
        """Return float64[windows], the correlation where both are known; 0 where one is still."""
        both = np.isfinite(a) & np.isfinite(b)
        a, b = (self.centred(np.where(both, one, np.nan)) for one in (a, b))
        spread = np.sqrt(self.mean(a * a) * self.mean(b * b))
        return np.asarray(self.mean(a * b) / np.maximum(spread, 1e-6))

    def rest(self, values: Array, group: Array) -> Array:
        """Return values less what is usual for their group in their window, centred."""
        values = self.centred(values)
        known = np.isfinite(values)
        apart = self.window[known] * (group.max(initial=0) + 1) + group[known]
        _names, number, count = np.unique(apart, return_inverse=True, return_counts=True)
        usual = np.bincount(number, values[known]) / (count + _BELIEVED)
        rest = np.full(values.size, np.nan)
        rest[known] = values[known] - usual[number]
        return rest

    def _scaled(self, values: Array) -> Array:
        off = values - self._at(values, 0.5)[self.window]
        spread = self._at(np.abs(off), _SCALE_SHARE) + _SCALE_LEAST
        return np.clip(off / spread[self.window], -_FAR, _FAR)

    def _at(self, values: Array, share: float) -> Array:
        """Return float64[windows], the value that `share` of what is known is not above."""
        known = np.isfinite(values)
        window, fine = self.window[known], values[known]
        count = np.bincount(window, minlength=self.count)
        ordered = fine[np.lexsort((fine, window))]
        at = np.cumsum(count) - count + ((np.maximum(count, 1) - 1) * share).astype(np.int64)
        found = np.full(self.count, np.nan)
        found[count > 0] = ordered[at[count > 0]]
        return found


def _end_to_end(parts: list[Array]) -> Array:
    return np.concatenate([np.zeros(0), *parts])
