"""The wall clock without its jumps: what waits is due after real minutes, whoever sets the clock.

Real time is the clock that also runs in sleep, anchored to the wall clock when the program started
and again when the agent has noticed that the wall clock was set.
"""

from __future__ import annotations

import time

JUMP_MS = 500
"""Less than that is a clock that is being slewed, or a busy machine."""


class Clock:
    """Milliseconds since 1970, running evenly between two calls of `jumped_ms`."""

    def __init__(self) -> None:
        self._anchor_ms = _wall_ms() - _running_ms()

    def now_ms(self) -> int:
        """Return the time now, ms since 1970."""
        return self._anchor_ms + _running_ms()

    def jumped_ms(self) -> int:
        """Return how far ahead the wall clock was set meanwhile (back: negative), or 0."""
        ahead_ms = _wall_ms() - self.now_ms()
        return ahead_ms if abs(ahead_ms) >= JUMP_MS else 0

    def follow(self, ahead_ms: int) -> None:
        """Go by the wall clock's new setting from now on."""
        self._anchor_ms += ahead_ms


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def _running_ms() -> int:
    if not hasattr(time, "CLOCK_BOOTTIME"):  # not Linux: sleep looks like a clock that was set
        return time.monotonic_ns() // 1_000_000
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


CLOCK = Clock()
"""Of this process."""
