"""A terminal within the person's terminal: their own shell, and under it the sign.

What the shell and its programs write goes to a screen in memory, never to the person's terminal;
that is drawn from it, with the sign in its last row. What the person types goes on to the shell.
The class of a key waits here for the gate, which asks what is in front (`terminal_front`).
"""

from __future__ import annotations

import select
import textwrap
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from overt.device.displays import Setting
from overt.device.seam import NOTCH_CSS_PX
from overt.device.stream import EVENT, KEY_PRESS, Heap
from overt.device.terminal_drawing import Drawing
from overt.device.terminal_keys import (
    ESCAPE_S,
    PAGE_DOWN,
    PAGE_UP,
    PASTE_BEGINS,
    PASTE_ENDS,
    Hotkey,
    Input,
    Key,
    Keyboard,
    Mouse,
    Paste,
    Told,
    encoded,
)
from overt.device.terminal_line import ANSWER_S, Line, is_utf8
from overt.device.terminal_owned import Owned, read, silent
from overt.device.terminal_screen import CURSOR_KEYS, Screen
from overt.device.terminal_shell import Shell
from overt.device.terminal_shown import Shown
from overt.device.terminal_stream import FOCUS, MOUSE, MOUSE_SGR, PASTE, Stream
from overt.schema.event import KeyClass

FRAME_S = 1 / 60
LINE_S = 0.1
"""Between two looks whether the sign has to say something else, while a question waits."""

QUEUE_MAX = 20_000
PENDING_MAX = 1 << 20
"""Bytes for the shell that wait; more is not read until it has taken some."""

ANSWERS_MAX = 1 << 12
"""With so many of them answers to questions of programs are left out."""

BEGIN_S = 10.0
"""So long a terminal has to answer before anything begins."""


class TerminalWithin:
    """The person's terminal, and a `seam.Source` of the keys that come through it."""

    notch_css_px = NOTCH_CSS_PX

    def __init__(self, line: Line, ended: Callable[[], None]) -> None:
        """`ended`: called when the shell ends, or the person's terminal is gone."""
        self.line, self._ended = line, ended
        self._toggle: Callable[[], None] = lambda: None
        self._queue: deque[tuple[int, int, int]] = deque()
        """Of keys: when they came (ns of the monotonic clock), their class, modifiers."""
        self._is_over = self._entered = False
        """Keys did not fit; one was Enter since the gate last looked."""
        self._something, self._stop = threading.Event(), threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._follow, name="terminal", daemon=True)
        self._drawing, self._keyboard = Drawing(is_utf8=is_utf8()), Keyboard()
        self._held_s = self._drawn_s = 0.0
        self._back = 0
        """So many rows of what went out at the top are looked at."""
        self._is_stale, self._keys = True, False
        """What is shown is not what it should be; keys came since the last question."""
        self._brackets = False
        """The program wanted to know where what is being pasted begins and ends."""
        self._owned: Owned | None = None
        self.shell: Shell | None = None
        self.shown: Shown | None = None

    def begin(self, greeting: Sequence[str] = ()) -> None:
        """Take the person's terminal over, start their shell, and wait for the first answer.

        `greeting` stands on the shell's screen before it writes. Raises `Missing` where the
        terminal does not answer: then it is as it was before.
        """
        self._outer = self._owned = Owned()
        self._size = self._outer.size()
        self._screen = Screen(max(1, self._size[0] - 1), self._size[1])
        self.line.changed = self._outer.stir
        try:
            self._inner = self.shell = Shell(
                *(self._screen.lines, self._screen.columns), self._outer.before
            )
            self.shown = Shown(self._screen)
            self._stream = Stream(self._screen, self._answers, self.shown.look)
            for one in greeting:
                for line in textwrap.wrap(one, self._screen.columns, break_on_hyphens=False):
                    self._stream.feed(f"{line}\r\n".encode())
            self._outer.listen()
            self._outer.take_over(self._drawing.begin())
            self._thread.start()
            end_s = time.monotonic() + BEGIN_S
            while not self.line.has_answered and not self._stop.is_set():
                if time.monotonic() > end_s:
                    raise silent()
                self._something.wait(FRAME_S)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the terminal back as it was, and hang up on the shell."""
        self._stop.set()
        if self._owned is None:
            return
        owned, self._owned = self._owned, None
        owned.stir()
        if self._thread.ident is not None:
            self._thread.join()
        owned.give_back(self._drawing.end(), self._hears_last)
        if self.shell is not None:
            self.shell.close()

    def _hears_last(self, data: bytes) -> bool:
        for one in self._keyboard.feed(data):
            if isinstance(one, Told) and one.place:
                self.line.answered(*one.place)
        return self.line.waits and self.line.is_alive()

    # --- the thread ---

    def _follow(self) -> None:
        try:
            while not self._stop.is_set() and self._turn():
                pass
        except BaseException as error:  # noqa: BLE001 - told by the next `heap`
            self._failed = error
        self._stop.set()
        self._something.set()
        self._ended()

    def _turn(self) -> bool:
        """Wait for what comes, and take it; returns whether it goes on."""
        outer, inner = self._outer, self._inner
        reads = [inner.number, outer.woken, inner.ends]
        reads += [outer.number] * (len(inner.pending.data) < PENDING_MAX)
        writes = [one.number for one in (outer.pending, inner.pending) if one.data]
        ready, room, _ = select.select(reads, writes, [], self._patience_s())
        if outer.woken in ready:
            outer.slept()
            self._is_stale = True
        if inner.number in ready and (data := read(inner.number)):
            self._stream.feed(data)
            self._is_stale = True
        if inner.ends in ready:
            return False
        if outer.number in ready and not self._hear(read(outer.number)):
            return False
        is_late = self._keyboard.may_answer and self.line.waits
        held_s = ANSWER_S if is_late else ESCAPE_S
        if self._keyboard.waits and time.monotonic() - self._held_s >= held_s:
            self._take(self._keyboard.feed(b"", is_all=True))
        if inner.number in room:
            inner.pending.write()
        if outer.number in room and not outer.pending.write():
            return False
        self._look_at_size()
        if outer.pending.data and self._keys:
            self.line.blocked()
        if not outer.pending.data and time.monotonic() - self._drawn_s >= FRAME_S:
            self._draw()
        return True

    def _patience_s(self) -> float | None:
        """Return for how long there is nothing to do but wait; None: until something comes."""
        if self._is_stale and not self._outer.pending.data:
            return max(0.0, FRAME_S - (time.monotonic() - self._drawn_s))
        if self._keyboard.waits:
            return ESCAPE_S
        return LINE_S if self.line.waits or self._keys else None

    def _hear(self, data: bytes | None) -> bool:
        """Take what came from the person; returns whether their terminal is there."""
        if data:
            self._held_s = time.monotonic()
            self._take(self._keyboard.feed(data))
        return data != b""

    def _answers(self, data: bytes) -> None:
        """Answer a program; not one that asks on and on and never reads, before what is typed."""
        if len(self._inner.pending.data) < ANSWERS_MAX:
            self._inner.pending.data.extend(data)

    def _take(self, inputs: Iterable[Input]) -> None:
        modes, to_shell = self._screen.modes, self._inner.pending.data
        for one in inputs:
            if isinstance(one, Hotkey):
                self._toggle()
            elif isinstance(one, Key):
                self._key(one)
            elif isinstance(one, Paste):
                to_shell += self._pasted(one)
            elif isinstance(one, Mouse):
                if not modes.isdisjoint(MOUSE) and one.row <= self._screen.lines:
                    to_shell += encoded(one, is_sgr=MOUSE_SGR in modes)
            elif one.place is not None:
                self.line.answered(*one.place)
            elif one.focus is not None:
                self.line.has_focus = one.focus
                to_shell += (b"\x1b[I" if one.focus else b"\x1b[O") * (FOCUS in modes)
            self._is_stale = self._is_stale or isinstance(one, Told)
        self._something.set()

    def _pasted(self, part: Paste) -> bytes:
        """Return a part of a paste as the program gets it: in brackets as a whole, or in none."""
        if part.begins:
            self._brackets = PASTE in self._screen.modes
            return PASTE_BEGINS * self._brackets
        return part.data + PASTE_ENDS * (part.ends and self._brackets)

    def _key(self, key: Key) -> None:
        if key.data in PAGE_UP + PAGE_DOWN and not self._screen.is_other:
            half = max(1, self._screen.lines // 2) * (1 if key.data in PAGE_UP else -1)
            self._back = min(max(0, self._back + half), len(self._screen.history))
            self._is_stale = True
            return
        self._is_stale = self._is_stale or bool(self._back)
        self._back, self._keys = 0, True
        data = key.data
        if CURSOR_KEYS in self._screen.modes and len(data) == 3 and data[:2] == b"\x1b[":
            data = b"\x1bO" + data[2:] if data[2:] in b"ABCDFH" else data
        if self.shown is not None and (character := key.character):
            self.shown.typed(character)
        self._inner.pending.data.extend(data)
        if self._entered:
            return  # in one go with a command, so perhaps for what that asks
        self._entered = key.key_class == KeyClass.ENTER
        if len(self._queue) < QUEUE_MAX:
            self._queue.append((time.monotonic_ns(), int(key.key_class), key.state))
        else:
            self._is_over = True

    def _look_at_size(self) -> None:
        if self._outer.continues:
            self._outer.continues = False
            self._outer.take_over(self._drawing.begin())
            self._is_stale = True
        size = self._outer.size()
        if size != self._size:
            self._size = size
            self._screen.resize(max(1, size[0] - 1), size[1])
            self._drawing.forget()
            self._inner.tell_size(self._screen.lines, self._screen.columns)
            self._is_stale = True

    def _draw(self) -> None:
        sign = self.line.cells(*self._size)
        asks = self.line.question(sign, keys=self._keys)
        self._keys = self._keys and not asks
        if self._is_stale or asks:
            frame = self._drawing.frame(self._screen, sign, back=self._back, asks=asks)
            self._outer.pending.data.extend(frame)
            self._is_stale, self._drawn_s = False, time.monotonic()

    # --- the seam ---

    def on_hotkey(self, pressed: Callable[[], None]) -> None:
        """Call `pressed` for Ctrl+Alt+P, which no program inside gets."""
        self._toggle = pressed

    def wait(self, seconds: float) -> None:
        """Return when something happened, or after so many seconds."""
        self._something.wait(seconds)
        self._something.clear()

    def heap(self) -> Heap:
        """Return the keys since the last call, as presses."""
        if self._failed is not None:
            raise self._failed
        rows = [self._queue.popleft() for _ in range(len(self._queue))]
        lost, self._is_over, self._entered = self._is_over, False, False
        events = np.zeros(len(rows), EVENT)
        events["code"] = KEY_PRESS
        for name, column in (("detail", 1), ("state", 2)):
            events[name] = [row[column] for row in rows]
        events["time_ms"] = [row[0] // 1_000_000 & 0xFFFFFFFF for row in rows]
        return Heap(events, focus=lost, lost=int(lost), has_releases=False)

    def now_ms(self) -> int:
        """Return the time now, ms of the monotonic clock."""
        return (time.monotonic_ns() // 1_000_000) & 0xFFFFFFFF

    def outermost(self, window: int) -> int:
        """Return a window itself: there is one."""
        return window

    def setting(self) -> Setting:
        """Return nothing: there is no display."""
        return Setting()
