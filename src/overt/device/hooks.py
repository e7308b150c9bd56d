"""Windows and macOS: the pointer, through pynput, over windows that are switched on. No keys.

Neither system tells, without asking more of it than Overt asks, which field a key goes to and
whether it is a password. What cannot be told is suppressed, so keys are not listened to at all:
pynput's keyboard listener is never started. What is left is the pointer over visible windows of
allowed applications, and which of them is in front.

A callback only puts what it was told, with the time, into a queue of bounded length. Everything
that asks the system lies in a `System` (`win32.py`, `darwin.py`), small enough to be looked over
by whoever has such a computer.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from overt.device.fields import Field
from overt.device.keyboard import Keymap
from overt.device.screen import Moment
from overt.device.seam import Window
from overt.device.stream import BUTTON_PRESS, BUTTON_RELEASE, EVENT, MOTION, Heap

QUEUE_MAX = 20_000
"""Events, some twenty seconds of a mouse at 1 kHz. What does not fit makes its heap void, and the
session count a loss."""

BUTTONS = {"left": 1, "middle": 2, "right": 3, "x1": 8, "x2": 9, "button8": 8, "button9": 9}
"""pynput's names of buttons → numbers as X has them; of others nothing is kept."""

_UP, _DOWN, _LEFT, _RIGHT = 4, 5, 6, 7
NOTCHES_MAX = 50
"""Of one turn of a wheel, as far as anybody turns one."""


class System(Protocol):
    """What an operating system must say; a guess is never an answer."""

    def windows(self) -> Sequence[Window]:
        """Return the windows one can see, from the lowest to the topmost, in the pointer's unit."""

    def foreground(self) -> int:
        """Return the window that has the keyboard, or 0 where that is not known."""

    def program(self, pid: int) -> Path | None:
        """Return by what a process is known: its program file, or its bundle's identifier."""

    def is_secure(self) -> bool:
        """Return whether the system protects what is typed now: nothing is recorded then."""

    def is_locked(self) -> bool:
        """Return whether the screen is locked, or somebody else's session in front."""


class Listener(Protocol):
    """What is used of `pynput.mouse.Listener`."""

    def start(self) -> None:
        """Begin to listen, on a thread of its own."""

    def stop(self) -> None:
        """Stop listening."""


class Hooks:
    """A `seam.Source`, and what `Screen` asks of a display."""

    def __init__(
        self, system: System, listener: Callable[[Callable[..., None]], Listener], name: str = ""
    ) -> None:
        """`listener` returns one that calls back with what happened (`pointer`)."""
        self.name = name
        self._system = system
        self._queue: deque[tuple[int, int, int, int, int]] = deque()
        self._is_over = False
        self._something = threading.Event()
        self._windows: Sequence[Window] = ()
        self._locked: Callable[[], None] | None = None
        self._was_locked = False
        self._listener = listener(self._put)
        self._listener.start()

    def _put(self, code: int, detail: int, x: float, y: float) -> None:
        if len(self._queue) < QUEUE_MAX:
            self._queue.append((time.monotonic_ns(), code, detail, int(x), int(y)))
        else:
            self._is_over = True
        self._something.set()

    def wait(self, seconds: float) -> None:
        """Return when something happened, or after so many seconds."""
        self._something.wait(seconds)
        self._something.clear()

    def heap(self) -> Heap:
        """Return what happened since the last call; void if the queue ran over."""
        rows = [self._queue.popleft() for _ in range(len(self._queue))]
        lost, self._is_over = self._is_over, False
        is_locked = self._system.is_locked()
        if is_locked and not self._was_locked and self._locked:
            self._locked()
        self._was_locked = is_locked
        if lost or is_locked or self._system.is_secure():
            return Heap(np.empty(0, EVENT), focus=True, lost=int(lost))
        events = np.zeros(len(rows), EVENT)
        for name, column in zip(("code", "detail", "x", "y"), range(1, 5), strict=True):
            values = np.array([row[column] for row in rows], np.int64)
            limits = np.iinfo(EVENT[name])
            events[name] = np.clip(values, limits.min, limits.max)
        events["time_ms"] = [row[0] // 1_000_000 & 0xFFFFFFFF for row in rows]
        return Heap(events)

    def now_ms(self) -> int:
        """Return the time now, ms of the monotonic clock, as callbacks are stamped with."""
        return (time.monotonic_ns() // 1_000_000) & 0xFFFFFFFF

    def on_hotkey(self, pressed: Callable[[], None]) -> None:
        """Do nothing: no keys are listened to. The chip pauses."""

    def on_lock(self, locked: Callable[[], None]) -> None:
        """Call `locked` when the screen is locked."""
        self._locked = locked

    def keymap(self) -> Keymap:
        """Return a keymap of no keys."""
        return Keymap(0, [])

    def changed(self) -> tuple[bool, bool]:
        """Return whether windows may have changed, and the keymap: no system tells, so always."""
        return True, False

    def windows(self) -> list[Window]:
        """Return the windows one can see, lowest first; none in a secure moment."""
        if self._system.is_locked() or self._system.is_secure():
            return []
        self._windows = list(self._system.windows())
        return list(self._windows)

    def focused(self) -> int:
        """Return the window that has the keyboard, or 0."""
        return 0 if self._system.is_locked() else self._system.foreground()

    def outermost(self, window: int) -> int:
        """Return a window itself: both systems speak of whole ones."""
        return window

    def pid(self, window: int) -> int:
        """Return the process of a window that one can see, or 0."""
        return next((one.pid for one in self._windows if one.id == window), 0)

    def close(self) -> None:
        """Stop listening."""
        self._listener.stop()


class NoFields:
    """No field is known, so no key would ever be kept (`capture.Verdicts`)."""

    def turn(self, _: Moment) -> int:
        """Return a number that never changes."""
        return 0

    def hurries(self, _: Moment) -> bool:
        """Return false: no key ever waits."""
        return False

    def typed(self, moment: Moment, keys: int, lines: int) -> None:
        """Take nothing in."""

    def confirmed(self, _moment: Moment, _turn: int) -> Field:
        """Return that it is suppressed."""
        return Field()


def callbacks(put: Callable[[int, int, float, float], None]) -> dict[str, Callable[..., None]]:
    """Return what `pynput.mouse.Listener` is given: `on_move`, `on_click`, `on_scroll`.

    Their arguments are pynput's: place, then button and whether it is down, or notches to the right
    and up; and at last whether a program made the event, which changes nothing.
    """

    def on_move(x: float, y: float, *_: Any) -> None:
        put(MOTION, 0, x, y)

    def on_click(x: float, y: float, button: Any, pressed: bool, *_: Any) -> None:  # noqa: FBT001
        number = BUTTONS.get(str(getattr(button, "name", button)), 0)
        if number:
            put(BUTTON_PRESS if pressed else BUTTON_RELEASE, number, x, y)

    def on_scroll(x: float, y: float, right: int, up: int, *_: Any) -> None:
        turned = ((right, _RIGHT, _LEFT), (up, _UP, _DOWN))
        for notches, positive, negative in turned:
            for _n in range(min(abs(int(notches)), NOTCHES_MAX)):
                put(BUTTON_PRESS, positive if notches > 0 else negative, x, y)

    return {"on_move": on_move, "on_click": on_click, "on_scroll": on_scroll}


def pynput_listener(put: Callable[[int, int, float, float], None]) -> Listener:
    """Return pynput's listener to the pointer."""
    from pynput import mouse

    made: Listener = mouse.Listener(**callbacks(put))
    return made
