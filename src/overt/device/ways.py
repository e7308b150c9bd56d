"""What the coach keeps of the pointer's ways to where one presses: sums, and no place.

A way begins where the pointer lay still and ends at a press. How wide what it was aimed at is,
nobody here knows: all figures are of the way itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

EIGHTHS = 8
STILL_MS = 150
"""A pointer that rests so long before it has come near its end was lifted, or its way is over."""

LIFT_MS_MAX = 700
"""Who takes the hand away, or a longer pause, begins another way."""

POINTS_MAX = 4000
"""Places of one way that are held in memory; a longer one says nothing."""

LONG_PX = 200
NEAR_PX = 16
TARGET_PX = 32
"""So wide every target counts, for throughput: it is a measure to compare days, not devices."""

PAST_PX, PAST_SHARE = 16, 0.05
"""A way went past its end where it did so by both."""


class Sums(Protocol):
    """What of a day this adds to."""

    ways: int
    way_ms: int
    way_millibits: int
    near_end_ms: int
    nearest_end_ms: int
    past_end: int
    past_end_ms: int
    lifts: list[int]


class Ways:
    """Follows the pointer. `day` gets sums; the places are forgotten at each press."""

    def __init__(self, day: Sums, bin_of: Callable[[float], int]) -> None:
        self._day, self._bin_of = day, bin_of
        self._points: list[tuple[int, int, int]] = []

    def rest(self) -> None:
        """Forget where the pointer was."""
        self._points.clear()

    def move(self, event: Any) -> None:
        """Take a row of a movement."""
        x, y, t_us = (int(event[name]) for name in _PLACE)
        if self._points and t_us - self._points[-1][2] > LIFT_MS_MAX * 1000:
            self._points.clear()
        if len(self._points) < POINTS_MAX:
            self._points.append((x, y, t_us))

    def press(self, event: Any) -> None:
        """End the way at a press, and add what it was like."""
        points, self._points = self._points, []
        if len(points) < 3 or len(points) == POINTS_MAX:
            return
        end = tuple(int(event[name]) for name in _PLACE)
        rows = np.array([*points, end], float)
        places, at_ms = rows[:, :2] / EIGHTHS, rows[:, 2] / 1000
        way = places[-1] - places[0]
        far_px = float(math.hypot(*way))
        if far_px < LONG_PX:
            return
        day = self._day
        took_ms = at_ms[-1] - at_ms[0]
        day.ways += 1
        day.way_ms += round(took_ms)
        day.way_millibits += round(1000 * math.log2(far_px / TARGET_PX + 1))
        left_px = np.hypot(*(places - places[-1]).T)
        day.near_end_ms += _since(left_px < NEAR_PX, at_ms)
        day.nearest_end_ms += _since(left_px < NEAR_PX / 2, at_ms)
        done = (places - places[0]) @ way / far_px**2
        peak = int(np.argmax(done))
        if (done[peak] - 1) * far_px > PAST_PX and done[peak] - 1 > PAST_SHARE:
            day.past_end += 1
            day.past_end_ms += round(at_ms[-1] - at_ms[int(np.argmax(done >= 1))])
        self._lifted(done, at_ms)

    def _lifted(self, done: Any, at_ms: Any) -> None:
        """Add at which speed of the pointer, in hundredths of now, one lift fewer would have done.

        The hand's strokes are what they were; a faster pointer goes farther with each.
        """
        breaks = np.flatnonzero((np.diff(at_ms) > STILL_MS) & (done[:-1] > 0.1) & (done[:-1] < 0.9))
        if len(breaks):
            self._day.lifts[self._bin_of(100 / float(done[breaks[-1]]))] += 1


_PLACE = ("x_8th_css_px", "y_8th_css_px", "t_us")


def _since(near: Any, at_ms: Any) -> int:
    """Return ms from when it came near the end, to stay there, until the press."""
    away = np.flatnonzero(~near)
    first = int(away[-1]) + 1 if len(away) else 0
    return round(float(at_ms[-1] - at_ms[min(first, len(at_ms) - 1)]))
