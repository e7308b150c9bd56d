"""Windows and macOS: keys and pointer, through pynput, over windows that are switched on.

A callback only puts what it was told, with the time, into a queue of bounded length. Everything
that asks the system lies in a `System` (`win32.py`, `darwin.py`), small enough to be looked over
by whoever has such a computer. Which field a key goes to is asked of it too (`asked_fields`).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from math import floor
from pathlib import Path
from typing import Protocol

import numpy as np

from overt.device.asked_fields import Asked
from overt.device.displays import Setting
from overt.device.keyboard import Down, Hotkey, Keymap
from overt.device.listeners import Listener, Put
from overt.device.seam import NOTCH_CSS_PX, Window
from overt.device.stream import EVENT, Heap
from overt.schema.errors import Missing

QUEUE_MAX = 20_000
"""Events, some twenty seconds of a mouse at 1 kHz. What does not fit makes its heap void, and the
session count a loss."""


class System(Protocol):
    """What an operating system must say; a guess is never an answer."""

    def windows(self) -> Sequence[Window]:
        """Return the windows one can see, from the lowest to the topmost, in the pointer's unit."""

    def foreground(self) -> int:
        """Return the window that has the keyboard, or 0 where that is not known."""

    def program(self, pid: int) -> Path | None:
        """Return by what a process is known: its program file, or its bundle's identifier."""

    def field(self) -> Asked | None:
        """Return what has the keyboard; None where that is not known. It may take long."""

    def turns(self) -> int:
        """Return how often the system has said that another field may have the keyboard."""

    def layout(self) -> int:
        """Return a number that is another one with another layout of the keyboard."""

    def keymap(self) -> Keymap:
        """Return what the keys of the layout in use mean, by the numbers that listeners put."""

    def setting(self) -> Setting:
        """Return the displays, and how the pointer is accelerated, as far as that is known."""

    def may_listen(self) -> bool:
        """Return whether the person lets this program listen still."""

    def is_secure(self) -> bool:
        """Return whether the system protects what is typed now: nothing is recorded then."""

    def is_locked(self) -> bool:
        """Return whether the screen is locked, or somebody else's session in front."""


class Hooks:
    """A `seam.Source`, and what `Screen` asks of a display."""

    def __init__(
        self,
        system: System,
        listener: Callable[[Put], Listener],
        name: str = "",
        *,
        notch_css_px: int = NOTCH_CSS_PX,
    ) -> None:
        """`listener` returns one that calls back with what happened."""
        self.name, self.notch_css_px = name, notch_css_px
        self._system = system
        self._queue: deque[tuple[int, int, int, int, int]] = deque()
        self._is_over = False
        self._something = threading.Event()
        self._windows: Sequence[Window] = ()
        self._layout = system.layout()
        self._keymap = system.keymap()
        self._down, self._hotkey = Down(), Hotkey()
        self._locked: Callable[[], None] | None = None
        self._was_locked = False
        self._listener = listener(self._put)
        self._listener.start()

    def _put(self, code: int, detail: int, x: float, y: float) -> None:
        if len(self._queue) < QUEUE_MAX:
            self._queue.append((time.monotonic_ns(), code, detail, floor(x), floor(y)))
        else:
            self._is_over = True
        self._something.set()

    def wait(self, seconds: float) -> None:
        """Return when something happened, or after so many seconds."""
        self._something.wait(seconds)
        self._something.clear()

    def heap(self) -> Heap:
        """Return what happened since the last call; void if the queue ran over.

        Raises `Missing` where nothing is heard any more: half a recording would look whole.
        """
        if not (self._listener.is_alive() and self._system.may_listen()):
            raise Missing(
                "the system does not let this program listen any more",
                where="permission",
                do="Allow it in the system's settings, and start again.",
            )
        rows = sorted(self._queue.popleft() for _ in range(len(self._queue)))  # of two threads
        lost, self._is_over = self._is_over, False
        is_locked = self._system.is_locked()
        if is_locked and not self._was_locked and self._locked:
            self._locked()
        self._was_locked = is_locked
        if lost or is_locked or self._system.is_secure():
            self._down.set((), self._keymap)  # whatever was down may not be any more
            return Heap(np.empty(0, EVENT), focus=True, lost=int(lost))
        events = np.zeros(len(rows), EVENT)
        for name, column in zip(("code", "detail", "x", "y"), range(1, 5), strict=True):
            values = np.array([row[column] for row in rows], np.int64)
            limits = np.iinfo(EVENT[name])
            events[name] = np.clip(values, limits.min, limits.max)
        events["time_ms"] = [row[0] // 1_000_000 & 0xFFFFFFFF for row in rows]
        self._down.say(events, self._keymap)
        self._hotkey.hear(events, self._keymap)
        return Heap(events)

    def program(self, pid: int) -> Path | None:
        """Return by what a process is known."""
        return self._system.program(pid)

    def now_ms(self) -> int:
        """Return the time now, ms of the monotonic clock, as callbacks are stamped with."""
        return (time.monotonic_ns() // 1_000_000) & 0xFFFFFFFF

    def setting(self) -> Setting:
        """Return the displays, and how the pointer is accelerated."""
        return self._system.setting()

    def on_hotkey(self, pressed: Callable[[], None]) -> None:
        """Call `pressed` for Ctrl+Alt+P, which the program in front gets as well."""
        self._hotkey.pressed = pressed

    def on_lock(self, locked: Callable[[], None]) -> None:
        """Call `locked` when the screen is locked."""
        self._locked = locked

    def keymap(self) -> Keymap:
        """Return what the keys of the layout in use mean."""
        return self._keymap

    def changed(self) -> tuple[bool, bool]:
        """Return whether windows may have changed (no system tells, so always), and the keymap."""
        layout = self._system.layout()
        is_other, self._layout = layout != self._layout, layout
        if is_other:
            self._keymap = self._system.keymap()
        return True, is_other

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
