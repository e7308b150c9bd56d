"""What the gate knows of the screen: who has the keyboard, and whose window is under the pointer.

Every answer is of a moment, and input is judged by the moments before and after it: it counts only
where both say the same, and nothing in between says that something changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from overt.device.applications import Applications
from overt.device.seam import Shown, Window


@dataclass(frozen=True)
class Moment:
    """What one can see, and who has the keyboard, at one moment."""

    focus: int = 0
    """The window that has the keyboard; 0: none, or not an allowed one."""
    focus_pid: int = 0
    application: int = 0
    """The application of that window; 0 suppresses."""
    prompt: bool = True
    """A window that asks for a password, or a locked screen, can be seen."""
    rectangles: Any = field(default_factory=lambda: np.empty((0, 4), np.int32))
    """int32[n, 4]: left, top, right, bottom of the windows, the topmost first."""
    numbers: Any = field(default_factory=lambda: np.empty(0, np.int16))
    """int16[n]: their applications; 0 suppresses."""
    pids: tuple[int, ...] = ()
    """Their processes."""

    def window_at(self, x: int, y: int) -> tuple[tuple[int, int, int, int], int] | None:
        """Return place and size (pixels) and process of the allowed window at a point, or None."""
        for (left, top, right, bottom), number, pid in zip(
            self.rectangles.tolist(), self.numbers.tolist(), self.pids, strict=False
        ):
            if left <= x < right and top <= y < bottom:
                return ((left, top, right - left, bottom - top), pid) if number else None
        return None

    def under(self, x: Any, y: Any) -> Any:
        """Return int16[m]: the application at each point (pixels); 0 where it is not allowed."""
        if not len(self.rectangles):
            return np.zeros(len(x), np.int16)
        left, top, right, bottom = self.rectangles.T[:, :, None]
        inside = (left <= x) & (x < right) & (top <= y) & (y < bottom)
        found = self.numbers[np.argmax(inside, axis=0)]
        return np.where(inside.any(axis=0), found, 0).astype(np.int16)


class Screen:
    """Looks at the display, and asks anew only where something changed."""

    def __init__(self, display: Shown, applications: Applications, own: Callable[[], int]) -> None:
        """`own`: tells the process of the sign, whose window covers nothing that matters."""
        self._display, self._applications, self._own = display, applications, own
        self._windows: list[Window] = []
        self._changed = True
        self._seen = Moment()
        self._known: dict[int, int] = {}
        self._shown: dict[int, bool] = {}
        self.keymap = display.keymap()

    def poll(self) -> bool:
        """Return whether windows or keymap changed since the last `moment`; asks nothing."""
        changed, keys = self._display.changed()
        if keys:
            self.keymap = self._display.keymap()
        self._changed = self._changed or changed
        return self._changed

    def moment(self) -> tuple[Moment, bool]:
        """Return what is there now, and whether windows changed since the last call."""
        focus = self._display.focused()  # what the server said before its answer lies here now
        changed, self._changed = self.poll(), False
        if changed:
            self._windows = self._display.windows()
            self._known.clear()
            self._shown.clear()
            self._seen = self._glance()
        pid = self._display.pid(focus) if focus else 0
        focus = self._display.outermost(focus) if focus else 0
        moment = replace(self._seen, focus=focus, focus_pid=pid, application=self._number(pid))
        return moment, changed

    def _glance(self) -> Moment:
        """Return what can be seen, whoever has the keyboard."""
        top_first = [window for window in self._windows[::-1] if window.drawn]
        own = self._own()
        numbers = [0 if one.pid == own else self._number(one.pid) for one in top_first]
        places = [(w.x, w.y, w.x + w.width, w.y + w.height) for w in top_first]
        return Moment(
            prompt=any(
                self._applications.asks_for_passwords(window.pid) for window in self._windows
            ),
            rectangles=np.array(places, np.int32).reshape(-1, 4),
            numbers=np.array(numbers, np.int16),
            pids=tuple(window.pid for window in top_first),
        )

    def _number(self, pid: int) -> int:
        if pid not in self._known:
            self._known[pid] = self._applications.of(pid)
        return self._known[pid]

    def shows(self, pid: int) -> bool:
        """Return whether a window of a process lies uncovered: its corners and its centre."""
        if pid not in self._shown:
            self._shown[pid] = _uncovered([one for one in self._windows if one.drawn], pid)
        return self._shown[pid]


def _uncovered(windows: list[Window], pid: int) -> bool:
    mine = next((k for k, window in enumerate(windows) if window.pid == pid), None)
    if mine is None:
        return False
    own = windows[mine]
    xs = (own.x + 1, own.x + own.width // 2, own.x + own.width - 2)
    ys = (own.y + 1, own.y + own.height // 2, own.y + own.height - 2)
    return not any(
        over.x <= x < over.x + over.width and over.y <= y < over.y + over.height
        for over in windows[mine + 1 :]
        for x in xs
        for y in ys
    )
