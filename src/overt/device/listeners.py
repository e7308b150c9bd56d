"""pynput's listeners on Windows and macOS: what it calls back with, as codes of `stream.EVENT`.

A callback looks at a key's number and never at its character: what it means is looked up later in
the keymap, as on every platform. On Windows pynput would ask the system what each key writes, which
can swallow a dead key of the program in front; it shows its `event_filter` the message first, and
goes on only if that says so. Here it never does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from overt.device.stream import BUTTON_PRESS, BUTTON_RELEASE, KEY_PRESS, KEY_RELEASE, MOTION

Put = Callable[[int, int, float, float], None]
"""Takes code, detail and place of what happened (`stream.EVENT`)."""

BUTTONS = {"left": 1, "middle": 2, "right": 3, "x1": 8, "x2": 9, "button8": 8, "button9": 9}
"""pynput's names of buttons → numbers as X has them; of others nothing is kept. (On macOS it calls
every further button the middle one.)"""

_UP, _DOWN, _LEFT, _RIGHT = 4, 5, 6, 7
TURNS_MAX = 200
"""Notches or lines in one message, as far as anybody turns a wheel."""


class Listener(Protocol):
    """What is used of pynput's listeners."""

    def start(self) -> None:
        """Begin to listen, on a thread of its own."""

    def is_alive(self) -> bool:
        """Return whether it listens still: it ends without a word where the system lets it not."""

    def stop(self) -> None:
        """Stop listening."""


class Both:
    """Two listeners as one: it lives while both do."""

    def __init__(self, *all_of: Listener) -> None:
        self._all = all_of

    def start(self) -> None:
        """Begin to listen."""
        for one in self._all:
            one.start()

    def is_alive(self) -> bool:
        """Return whether all of them listen still."""
        return all(one.is_alive() for one in self._all)

    def stop(self) -> None:
        """Stop listening."""
        for one in self._all:
            one.stop()


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


class WindowsKeys:
    """Keys of Windows, from the KBDLLHOOKSTRUCT itself: the virtual key."""

    PRESSES, RELEASES = (0x0100, 0x0104), (0x0101, 0x0105)
    """WM_KEYDOWN and WM_SYSKEYDOWN; WM_KEYUP and WM_SYSKEYUP."""

    ALTGR_CONTROL = 0x21D
    """Scan code of the Control that Windows makes up beside AltGr."""

    def __init__(self, put: Put) -> None:
        self._put = put

    def heard(self, message: int, about: Any) -> bool:
        """Take a message; returns that pynput shall not translate it. All others have it still."""
        if about.scanCode != self.ALTGR_CONTROL and 0 < about.vkCode <= 0xFF:
            if message in self.PRESSES:
                self._put(KEY_PRESS, about.vkCode, 0, 0)
            elif message in self.RELEASES:
                self._put(KEY_RELEASE, about.vkCode, 0, 0)
        return False


class MacKeys:
    """Keys of macOS, from the CGEvent itself: the number of the key, whichever the layout."""

    DOWN, UP, FLAGS = 10, 11, 12
    """kCGEventKeyDown, kCGEventKeyUp and kCGEventFlagsChanged, which tells of modifiers."""

    KEYCODE = 9
    """kCGKeyboardEventKeycode."""

    CAPS_LOCK = 0x39
    FLAG_OF: ClassVar[dict[int, int]] = {
        0x36: 0x100000, 0x37: 0x100000, 0x38: 0x20000, 0x3C: 0x20000, 0x3A: 0x80000,
        0x3D: 0x80000, 0x3B: 0x40000, 0x3E: 0x40000,
    }  # fmt: skip
    """Number of a modifier key → its bit in the flags: Command, Shift, Option, Control."""

    def __init__(self, put: Put, quartz: Any) -> None:
        self._put, self._quartz = put, quartz

    def heard(self, kind: int, event: Any) -> Any:
        """Take an event, and hand it on as it is."""
        if kind in (self.DOWN, self.UP, self.FLAGS):
            code = int(self._quartz.CGEventGetIntegerValueField(event, self.KEYCODE))
            if 0 <= code < 0x80:
                self._key(kind, code, event)
        return event

    def _key(self, kind: int, code: int, event: Any) -> None:
        if kind != self.FLAGS:
            self._put(KEY_PRESS if kind == self.DOWN else KEY_RELEASE, code + MAC_FIRST, 0, 0)
        elif code == self.CAPS_LOCK:  # told when it locks and when it does not any more
            self._put(KEY_PRESS, code + MAC_FIRST, 0, 0)
            self._put(KEY_RELEASE, code + MAC_FIRST, 0, 0)
        elif code in self.FLAG_OF:
            is_down = int(self._quartz.CGEventGetFlags(event)) & self.FLAG_OF[code]
            self._put(KEY_PRESS if is_down else KEY_RELEASE, code + MAC_FIRST, 0, 0)


MAC_FIRST = 8
"""Added to the numbers of keys, as the A of macOS has the number 0."""


def windows_listener(put: Put) -> Listener:
    """Return pynput's listeners to pointer and keys of Windows."""
    from pynput import keyboard, mouse

    wheel, keys = WindowsWheel(put), WindowsKeys(put)
    return Both(
        mouse.Listener(**callbacks(put), win32_event_filter=wheel.heard),
        keyboard.Listener(win32_event_filter=keys.heard),
    )


def mac_listener(put: Put) -> Listener:
    """Return pynput's listeners to pointer and keys of macOS."""
    from importlib import import_module

    from pynput import keyboard, mouse

    keys = MacKeys(put, import_module("Quartz"))
    return Both(
        mouse.Listener(**callbacks(put), on_scroll=on_scroll(put)),
        keyboard.Listener(darwin_intercept=keys.heard),
    )
