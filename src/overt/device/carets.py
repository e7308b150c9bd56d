"""Where the caret is in the field that has the keyboard, as numbers: AT-SPI tells of each move.

Told are one field's moves and no other's: the one that was confirmed last, in an application that
the person switched on. Of its text nothing is asked for, and nothing comes with it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from typing import Any, NamedTuple

from overt.device.questions import SIGNAL, Message, messages

MOVES_MAX = 4096
CAUSE_MAX_US = 1_000_000
"""So long after what a person did a move of the caret may be because of it."""

POSITION_MAX, SELECTED_MAX = 2**20, 2**14
_READ_BYTES = 1 << 16
_TEXT, _PROPERTIES = "org.a11y.atspi.Text", "org.freedesktop.DBus.Properties"
_MOVED = b"TextCaretMoved\0"
_RETRY_S = 5.0

Place = tuple[str, str]


class Moved(NamedTuple):
    """A place of the caret."""

    time_ms: int
    """On the clock of the display's events."""
    position: int
    """Characters before it."""
    is_first: bool
    """It is where the caret was when one began to listen: no move."""


class Carets:
    """Listens to one field at a time, on a thread of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: Place | None = None
        self._bus: Any = None
        self._serial = 0
        self._first = 0
        """Number of the question where the caret is now."""
        self._moves: deque[Moved] = deque(maxlen=MOVES_MAX)
        threading.Thread(target=self._follow, name="caret", daemon=True).start()

    def watch(self, place: Place | None) -> None:
        """Listen to this field and no other; only asks the bus, and waits for nothing."""
        with self._lock:
            if place == self._watched or (self._bus is None and place is not None):
                return
            was, self._watched = self._watched, place
            self._moves.clear()
            if self._bus is None:
                return
            with suppress(OSError):
                if was is not None:
                    self._tell_bus("RemoveMatch", was)
                if place is not None:
                    self._tell_bus("AddMatch", place)
                    self._first = self._tell(*place, _PROPERTIES, "Get", (_TEXT, "CaretOffset"))

    def moves(self) -> list[Moved]:
        """Return what was told since the last call."""
        with self._lock:
            found = list(self._moves)
            self._moves.clear()
            return found

    def _tell_bus(self, member: str, place: Place) -> None:
        name, path = place
        what = f"interface='org.a11y.atspi.Event.Object',member='{_MOVED[:-1].decode()}'"
        rule = f"type='signal',sender='{name}',path='{path}',{what}"
        bus = "org.freedesktop.DBus"
        self._tell(bus, "/org/freedesktop/DBus", bus, member, (rule,))

    def _tell(self, name: str, path: str, interface: str, member: str, body: Any) -> int:
        from jeepney import DBusAddress, new_method_call

        self._serial += 1
        call = new_method_call(
            DBusAddress(path, name, interface), member, "s" * len(body), tuple(body)
        )
        self._bus.sock.sendall(call.serialise(serial=self._serial))
        return self._serial

    def _follow(self) -> None:
        while True:
            with suppress(Exception):  # no service: nothing is told
                self._listen()
            with self._lock:
                self._bus, self._watched = None, None
            time.sleep(_RETRY_S)

    def _listen(self) -> None:
        from overt.device.fields import REGISTRY, accessibility_bus

        with accessibility_bus() as bus:
            with self._lock:
                self._bus, self._serial = bus, 1 << 16
                listened = ("RegisterEvent", ("object:text-caret-moved",))
                path = "/org/a11y/atspi/registry"
                self._tell(REGISTRY, path, REGISTRY, *listened)
            bus.sock.settimeout(None)
            rest = b""
            while True:
                part = bus.sock.recv(_READ_BYTES)
                if not part:
                    return
                found, rest = messages(rest + part)
                now_ms = (time.monotonic_ns() // 1_000_000) & 0xFFFFFFFF
                with self._lock:
                    for message in found:
                        self._take(message, now_ms)

    def _take(self, message: Message, now_ms: int) -> None:
        if self._watched is None:
            return
        if message.kind == SIGNAL:
            path = self._watched[1].encode() + b"\0"
            position = _position(message)
            if _MOVED in message.head and path in message.head and position is not None:
                self._moves.append(Moved(now_ms, position, is_first=False))
        elif message.answers == self._first and len(message.words) == 2:
            self._moves.append(Moved(now_ms, message.words[1], is_first=True))


def _position(message: Message) -> int | None:
    """Return the number in a signal: a text (which is empty), then two numbers, and more."""
    return message.words[2] if len(message.words) > 2 and message.words[0] == 0 else None


class Causes:
    """Tells moves of the caret by a person's keys and clicks from those that come of typing."""

    def __init__(self) -> None:
        self._causes: deque[tuple[int, bool]] = deque(maxlen=1024)
        self._moves: list[tuple[int, int, bool]] = []
        self._position: int | None = None

    def forget(self) -> None:
        """Begin anew: another field, or none."""
        self._causes.clear()
        self._moves.clear()
        self._position = None

    def did(self, t_us: int, *, moves: bool) -> None:
        """Take in what the person did; `moves`: it moves the caret and writes nothing."""
        self._causes.append((t_us, moves))

    def hear(self, t_us: int, moved: Moved) -> None:
        """Take in where the caret is."""
        self._moves.append((t_us, moved.position, moved.is_first))

    @property
    def has_moves(self) -> bool:
        """Whether the caret was heard of since."""
        return bool(self._moves)

    def moved(self, until_us: int) -> list[tuple[int, int, int]]:
        """Return (time, characters before it, how far it went) for each cause before that time."""
        done = [one for one in self._moves if one[0] < until_us]
        self._moves = self._moves[len(done) :]
        found: dict[int, tuple[int, int, int]] = {}
        for t_us, position, is_first in done:
            cause = self._cause(t_us)
            before, self._position = self._position, position
            if is_first or before is None or cause is None:
                continue
            _, _, far = found.get(cause, (0, 0, 0))
            found[cause] = (t_us, position, far + position - before)
        return list(found.values())

    def _cause(self, t_us: int) -> int | None:
        """Return when a person did what moved the caret; None where typing did, or nobody."""
        last = next((one for one in reversed(self._causes) if one[0] <= t_us), None)
        if last is None or not last[1] or t_us - last[0] > CAUSE_MAX_US:
            return None
        return last[0]


def about(chars: int, most: int) -> int:
    """Return a number of characters up to the next power of two, with its sign.

    >>> about(5, 1024), about(-3, 1024), about(0, 1024)
    (8, -4, 0)
    """
    size = min(most, 1 << (abs(chars) - 1).bit_length()) if chars else 0
    return size if chars >= 0 else -size
