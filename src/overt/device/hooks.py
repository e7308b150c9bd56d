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
from math import floor
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from overt.device.fields import Field
from overt.device.keyboard import Keymap
from overt.device.screen import Moment
from overt.device.seam import NOTCH_CSS_PX, Window
from overt.device.stream import BUTTON_PRESS, BUTTON_RELEASE, EVENT, MOTION, Heap
from overt.schema.errors import Missing

Put = Callable[[int, int, float, float], None]
"""Takes code, detail and place of what happened (`stream.EVENT`)."""

QUEUE_MAX = 20_000
"""Events, some twenty seconds of a mouse at 1 kHz. What does not fit makes its heap void, and the
session count a loss."""

BUTTONS = {"left": 1, "middle": 2, "right": 3, "x1": 8, "x2": 9, "button8": 8, "button9": 9}
"""pynput's names of buttons → numbers as X has them; of others nothing is kept. (On macOS it calls
every further button the middle one.)"""

_UP, _DOWN, _LEFT, _RIGHT = 4, 5, 6, 7
TURNS_MAX = 200
"""Notches or lines in one message, as far as anybody turns a wheel."""


class System(Protocol):
    """What an operating system must say; a guess is never an answer."""

    def windows(self) -> Sequence[Window]:
        """Return the windows one can see, from the lowest to the topmost, in the pointer's unit."""

    def foreground(self) -> int:
        """Return the window that has the keyboard, or 0 where that is not known."""

    def program(self, pid: int) -> Path | None:
        """Return by what a process is known: its program file, or its bundle's identifier."""

    def may_listen(self) -> bool:
        """Return whether the person lets this program listen still."""

    def is_secure(self) -> bool:
        """Return whether the system protects what is typed now: nothing is recorded then."""

    def is_locked(self) -> bool:
        """Return whether the screen is locked, or somebody else's session in front."""


class Listener(Protocol):
    """What is used of `pynput.mouse.Listener`."""

    def start(self) -> None:
        """Begin to listen, on a thread of its own."""

    def is_alive(self) -> bool:
        """Return whether it listens still: it ends without a word where the system lets it not."""

    def stop(self) -> None:
        """Stop listening."""


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
                "the system does not let this program listen to the pointer any more",
                where="permission",
                do="Allow it in the system's settings, and start again.",
            )
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

    def program(self, pid: int) -> Path | None:
        """Return by what a process is known."""
        return self._system.program(pid)

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


def callbacks(put: Put) -> dict[str, Callable[..., None]]:
    """Return what `pynput.mouse.Listener` is given on both systems: `on_move`, `on_click`.

    Their arguments are pynput's: place, then button and whether it is down; and at last whether a
    program made the event, which changes nothing.
    """

    def on_move(x: float, y: float, *_: Any) -> None:
        put(MOTION, 0, x, y)

    def on_click(x: float, y: float, button: Any, pressed: bool, *_: Any) -> None:  # noqa: FBT001
        number = BUTTONS.get(str(getattr(button, "name", button)), 0)
        if number:
            put(BUTTON_PRESS if pressed else BUTTON_RELEASE, number, x, y)

    return {"on_move": on_move, "on_click": on_click}


def on_scroll(put: Put) -> Callable[..., None]:
    """Return the `on_scroll` of macOS: place, then lines to the left and up, as Quartz has them."""

    def scrolled(x: float, y: float, left: int, up: int, *_: Any) -> None:
        for lines, positive, negative in ((left, _LEFT, _RIGHT), (up, _UP, _DOWN)):
            for _n in range(min(abs(int(lines)), TURNS_MAX)):
                put(BUTTON_PRESS, positive if lines > 0 else negative, x, y)

    return scrolled


class WindowsWheel:
    """The wheel of Windows, from the message itself, which pynput shows its `event_filter` first.

    A touchpad turns it by parts of a notch. pynput rounds each part down: to nothing one way, to a
    whole notch the other. Here parts add up until they are one, as they do for most programs.
    """

    VERTICAL, HORIZONTAL = 0x020A, 0x020E
    """WM_MOUSEWHEEL and WM_MOUSEHWHEEL."""

    NOTCH = 120
    """WHEEL_DELTA."""

    def __init__(self, put: Put) -> None:
        self._put = put
        self._turned = {self.VERTICAL: 0, self.HORIZONTAL: 0}

    def heard(self, message: int, about: Any) -> bool:
        """Take a message and its MSLLHOOKSTRUCT; returns that it goes on to everyone else."""
        if message in self._turned:
            turn = (about.mouseData >> 16 & 0xFFFF ^ 0x8000) - 0x8000
            before = self._turned[message]
            turned = turn + (before if (before > 0) == (turn > 0) else 0)
            notches = int(turned / self.NOTCH)  # towards 0
            self._turned[message] = turned - notches * self.NOTCH
            ways = (_UP, _DOWN) if message == self.VERTICAL else (_RIGHT, _LEFT)
            for _ in range(min(abs(notches), TURNS_MAX)):
                self._put(BUTTON_PRESS, ways[notches < 0], about.pt.x, about.pt.y)
        return True


def windows_listener(put: Put) -> Listener:
    """Return pynput's listener to the pointer of Windows."""
    from pynput import mouse

    told = {"win32_event_filter": WindowsWheel(put).heard}
    made: Listener = mouse.Listener(**callbacks(put), **told)
    return made


def mac_listener(put: Put) -> Listener:
    """Return pynput's listener to the pointer of macOS."""
    from pynput import mouse

    made: Listener = mouse.Listener(**callbacks(put), on_scroll=on_scroll(put))
    return made
