"""Whether the terminal within the terminal shows what is typed into it.

Who asks for a secret does not show it, whatever the modes of the terminal say: `read -s` of fish
looks like its prompt from outside, and so does bash after one's own `stty -echo`. A screen of our
own can tell: a character that a hand typed has to stand right before the cursor soon after.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from overt.device.terminal_screen import Screen

SHOWN_S = 1.0
"""So long a character may take to be shown; a busy shell shows late, not never."""

AT_ONCE_MAX = 32
"""More that are shown in one go no hand has typed."""

PENDING_MAX = 256
"""More that are not shown yet are taken for hidden at once."""


class Shown:
    """Characters that were typed and are not shown yet. Fed in one thread, asked in another."""

    def __init__(self, screen: Screen, now_s: Callable[[], float] = time.monotonic) -> None:
        self._screen, self._now_s = screen, now_s
        self._pending: deque[tuple[str, float]] = deque()
        """Each with the time at which it will have been hidden; whole for no longer than that."""
        self._place = (0, 0, False)
        """Of the cursor when the first of them was typed, or the one before it was shown."""
        self._lock = threading.Lock()
        self._is_hidden = False
        """The last that was typed was not shown."""
        self._hid = 0

    def typed(self, character: str) -> None:
        """Take in that a hand typed a character which shells show."""
        with self._lock:
            if not self._pending:
                self._place = self._at()
            late_s = SHOWN_S if len(self._pending) < PENDING_MAX else 0.0
            self._pending.append((character, self._now_s() + late_s))

    def look(self) -> None:
        """Look at what stands before the cursor; called whenever something was drawn."""
        if not self._pending or self._at() == self._place:
            return
        with self._lock:
            typed = "".join(one for one, _ in self._pending)[:AT_ONCE_MAX]
            before = self._before(len(typed))
            for count in range(len(typed), 0, -1):
                if any(one.endswith(typed[:count]) for one in before):
                    for _ in range(count):
                        self._pending.popleft()
                    self._place, self._is_hidden = self._at(), False
                    return

    def _at(self) -> tuple[int, int, bool]:
        return self._screen.y, self._screen.x, self._screen.wraps

    def _before(self, count: int) -> set[str]:
        """Return at least so many characters before the cursor, if its rows have as many.

        What is two places wide and has no room leaves the last place of the row above empty, so
        there are two ways to read on: with a space at the end of the rows above, and without.
        """
        screen, row = self._screen, self._screen.y
        text = "".join(cell for cell, _ in screen.rows[row][: screen.x + screen.wraps])
        found = {text}
        while min(map(len, found)) < count and row > 0:
            row -= 1
            above = "".join(cell for cell, _ in screen.rows[row])
            found = {end + one for one in found for end in (above, above.removesuffix(" "))}
        return found

    def hid(self) -> int:
        """Return how often, so far, characters were typed and not shown."""
        with self._lock:
            while self._pending and self._pending[0][1] <= self._now_s():
                self._pending.popleft()
                self._is_hidden = True
                self._hid += 1
            return self._hid

    @property
    def waits(self) -> bool:
        """Whether something that was typed is not shown yet."""
        return bool(self._pending)

    @property
    def is_hidden(self) -> bool:
        """Whether what was typed last was not shown: nothing counts until something is."""
        return self._is_hidden
