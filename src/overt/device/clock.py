"""The wall clock without its jumps: what waits is due after real minutes, whoever sets the clock.

Real time is the clock that also runs in sleep, anchored to the wall clock when the program started
and again when the agent has noticed that the wall clock was set. Beside it lies the server's clock,
as far as its answers tell: with it the recordings of a person's devices can be aligned.
"""

from __future__ import annotations

import time

from overt.schema.alignment import DRIFT
from overt.schema.event import VALUE_MAX, Kind

_MS, _MOST = 1_000_000, 2**31
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


class ServerClock:
    """What time it is at the server, and how far off that may be, from the answers it gave.

    It said its time between the question and the end of the answer, so half of that is how far off
    one can be. The best answer so far is kept until its drift makes another one better, or until
    the server's clock was set.
    """

    def __init__(self) -> None:
        self._at_ns = self._said_ns = self._half_ns = 0

    def heard(self, asked_ns: int, said_us: int, answered_ns: int) -> None:
        """Take in an answer that said the server's time (µs since 1970); ours by `running_ns`."""
        half_ns, at_ns = (answered_ns - asked_ns) // 2, (asked_ns + answered_ns) // 2
        said_ns = 1000 * said_us
        known_ns = self._within_ns(at_ns)
        was_set = abs(said_ns - self._said_ns - at_ns + self._at_ns) > half_ns + known_ns
        if not self._said_ns or was_set or half_ns <= known_ns:
            self._at_ns, self._said_ns, self._half_ns = at_ns, said_ns, half_ns

    def now(self) -> tuple[int, int] | None:
        """Return the server's time, ns since 1970, and to within how many ns; None: not known."""
        if not self._said_ns:
            return None
        now_ns = running_ns()
        return self._said_ns + now_ns - self._at_ns, self._within_ns(now_ns)

    def _within_ns(self, running_ns: int) -> int:
        return self._half_ns + round(DRIFT * abs(running_ns - self._at_ns))


class SessionClock:
    """The clock of one recording: monotonic, from an origin on the wall clock of this computer.

    Where the server's answers say that this one is set wrong, the origin is on the server's clock.
    """

    def __init__(self, server: ServerClock) -> None:
        self._server = server
        known, start_ns = server.now(), time.time_ns()
        if known is not None and abs(known[0] - start_ns) > known[1]:
            start_ns = known[0]
        self.time_origin_ms = start_ns // _MS
        """Clock at the origin, ms since 1970 (`BatchHeader.time_origin_ms`)."""
        self._origin_ns = time.monotonic_ns() - start_ns % _MS
        self._wall_ahead_s = _wall_ahead_s()

    @property
    def origin_ms(self) -> int:
        """The origin on the monotonic clock, ms; it wraps at 2³²."""
        return self._origin_ns // _MS & 0xFFFFFFFF

    def told(self) -> tuple[int, int]:
        """Return what a mark says now: ms that the server got ahead, and to within how many."""
        known = self._server.now()
        if known is None:
            return 0, 0
        at_ns, within_ns = known
        mine_ns = self.time_origin_ms * _MS + time.monotonic_ns() - self._origin_ns
        ahead_ms = round((at_ns - mine_ns) / _MS)
        if max(abs(ahead_ms), within_ns // _MS) >= _MOST:
            return 0, 0  # a server whose clock is weeks off tells nothing
        return ahead_ms, within_ns // _MS + 2  # rounded up, and a step of the events' own clock

    def jumped_s(self) -> int | None:
        """Return, once, by how much the wall clock went ahead, set or in sleep; 0: back."""
        ahead_s = _wall_ahead_s()
        jump_s = ahead_s - self._wall_ahead_s
        if abs(jump_s) < JUMP_MS / 1000:
            return None
        self._wall_ahead_s = ahead_s
        return min(max(0, round(jump_s)), VALUE_MAX[Kind.CLOCK])


def _wall_ahead_s() -> float:
    return time.time() - time.monotonic()


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def running_ns() -> int:
    """Return the time of the clock that runs in sleep too, ns since some moment."""
    if not hasattr(time, "CLOCK_BOOTTIME"):  # not Linux: sleep looks like a clock that was set
        return time.monotonic_ns()
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def _running_ms() -> int:
    return running_ns() // 1_000_000


CLOCK = Clock()
"""Of this process."""
