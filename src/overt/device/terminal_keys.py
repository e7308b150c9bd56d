"""What comes from the person's terminal, taken apart: keys, pastes, the mouse, answers.

A terminal sends no keys but what they write: an Alt is an Escape before it, an arrow three
characters, a release nothing. A key's bytes go on to the program; kept for recording is its class
alone, as everywhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from overt.device.keyboard import (
    ALT,
    CHARACTERS,
    CONTROL,
    SHIFT,
    SUPER,
    Keymap,
    class_of,
    keysym_of,
)
from overt.schema.event import KeyClass

ESCAPE_S = 0.05
"""An Escape that nothing follows for so long is the key."""

PASTE_BEGINS, PASTE_ENDS = b"\x1b[200~", b"\x1b[201~"
HOTKEYS = (b"\x1b\x10", b"\xc2\x90", b"\x90", b"\x1b[112;7u", b"\x1b[27;7;112~")
"""Ctrl+Alt+P as terminals send it: Alt as an Escape before it or as the eighth bit, or by name."""

PAGE_UP, PAGE_DOWN = (b"\x1b[5;2~", b"\x1b[5;3~"), (b"\x1b[6;2~", b"\x1b[6;3~")
"""With Shift, or Alt where terminals keep that to themselves: looks at what went out at the top."""

_CSI = re.compile(rb"\x1b\[([<-?]?)([0-9;:]*)[ -/]*([@-~])")
_CONSOLE = re.compile(rb"\x1b\[\[[A-E]")
_BEGUN = re.compile(rb"\x1b(?:\[(?:\[|M.{0,2}|[<-?]?[0-9;:]*[ -/]*)?|O)?", re.DOTALL)
_ANSWERS = re.compile(rb"\x1b\[[0-9]")
_LETTERS = {
    **dict.fromkeys(b"ABCD", KeyClass.ARROW),
    **dict.fromkeys(b"HF", KeyClass.NAVIGATION),
    **dict.fromkeys(b"PQRS", KeyClass.FUNCTION),
    ord("Z"): KeyClass.TAB,
    ord("M"): KeyClass.ENTER,
    **dict.fromkeys(b"pqrstuvwxy", KeyClass.DIGIT),
    **dict.fromkeys(b"jklmno", KeyClass.PUNCTUATION),
}
"""Last letters of sequences; the small ones are the keypad's."""

_NUMBERS = {3: KeyClass.DELETE, **dict.fromkeys((1, 4, 5, 6, 7, 8), KeyClass.NAVIGATION)}
_NUMBERS |= dict.fromkeys(range(11, 35), KeyClass.FUNCTION)
_CONTROLS = {
    0: KeyClass.SPACE,
    8: KeyClass.BACKSPACE,
    9: KeyClass.TAB,
    10: KeyClass.ENTER,
    13: KeyClass.ENTER,
    27: KeyClass.ESCAPE,
    127: KeyClass.BACKSPACE,
}
_AS_XTERM = {
    **{b"\x1b[%d~" % n: b"\x1b[H" for n in (1, 7)},
    **{b"\x1b[%d~" % n: b"\x1b[F" for n in (4, 8)},
    **{b"\x1b[%d~" % (11 + k): b"\x1bO%c" % name for k, name in enumerate(b"PQRS")},
    **{b"\x1b[[%c" % (65 + k): b"\x1bO%c" % name for k, name in enumerate(b"PQRS")},
    b"\x1b[[E": b"\x1b[15~",
}
"""Keys of consoles and of rxvt → the same as xterm has them, which programs inside expect."""

_SYMBOLS = {
    KeyClass.LETTER: 0x01000436,  # none that a shortcut has
    KeyClass.DIGIT: ord("1"),
    KeyClass.PUNCTUATION: ord("."),
    KeyClass.SPACE: ord(" "),
    KeyClass.ENTER: 0xFF0D,
    KeyClass.TAB: 0xFF09,
    KeyClass.BACKSPACE: 0xFF08,
    KeyClass.DELETE: 0xFFFF,
    KeyClass.ESCAPE: 0xFF1B,
    KeyClass.ARROW: 0xFF51,
    KeyClass.NAVIGATION: 0xFF50,
    KeyClass.FUNCTION: 0xFFBE,
}


def keymap() -> Keymap:
    """Return a layout in which the code of a key is its class: a terminal tells no more of it."""
    return Keymap(0, [[_SYMBOLS.get(KeyClass(code), 0)] for code in range(max(KeyClass) + 1)])


@dataclass(frozen=True)
class Key:
    """A key: its class, the modifiers that the terminal tells (bits of X), what programs get."""

    key_class: KeyClass
    state: int
    data: bytes

    @property
    def character(self) -> str:
        """What shells show of it: the character that it wrote, if it wrote one and no control."""
        if self.state & ~SHIFT or self.key_class not in CHARACTERS:
            return ""
        text = self.data.decode("utf-8", "replace")
        return text if len(text) == 1 and text.isprintable() else ""


@dataclass(frozen=True)
class Paste:
    """A part of what was pasted; it is no key."""

    data: bytes
    begins: bool = False
    ends: bool = False


@dataclass(frozen=True)
class Mouse:
    """A report of the mouse, rows and columns from 1."""

    button: int
    column: int
    row: int
    is_release: bool


@dataclass(frozen=True)
class Told:
    """What the terminal says of itself: `focus` in or out, or `place` of the cursor."""

    focus: bool | None = None
    place: tuple[int, int] | None = None


@dataclass(frozen=True)
class Hotkey:
    """The person's own act: pause, or go on."""


Input = Key | Paste | Mouse | Told | Hotkey


class Keyboard:
    """Takes bytes as they come; what is not whole waits for the rest."""

    def __init__(self) -> None:
        self._held = b""
        self._pastes = False

    @property
    def waits(self) -> bool:
        """Whether something has begun that may be a whole key by itself."""
        return bool(self._held) and not self._pastes

    @property
    def may_answer(self) -> bool:
        """Whether what has begun may be an answer, which no hand writes so fast."""
        return _ANSWERS.match(self._held) is not None

    def feed(self, data: bytes, *, is_all: bool = False) -> Iterator[Input]:
        """Yield what came. `is_all`: nothing has followed for `ESCAPE_S`."""
        self._held += data
        while self._held:
            if self._pastes:
                part, ended, rest = self._held.partition(PASTE_ENDS)
                keep = 0 if ended else _overlap(part, PASTE_ENDS)
                self._held = rest if ended else part[len(part) - keep :]
                self._pastes = not ended
                pasted = part[: len(part) - keep]
                if pasted or ended:
                    yield Paste(pasted, ends=bool(ended))
                if not ended:
                    return
                continue
            size = self._size(is_all=is_all)
            if not size:
                return
            part, self._held = self._held[:size], self._held[size:]
            if part == PASTE_BEGINS:
                self._pastes = True
                yield Paste(b"", begins=True)
            elif (found := _input(part)) is not None:
                yield found

    def _size(self, *, is_all: bool) -> int:
        """Return how many bytes the first thing has; 0 where it is not whole."""
        held = self._held
        if held[0] != 0x1B:
            return _character_size(held, is_all=is_all)
        begun = _BEGUN.match(held)
        if begun is not None and begun.end() == len(held):
            return min(len(held), 2) * is_all
        if found := _CONSOLE.match(held):
            return found.end()
        if held.startswith(b"\x1b[M"):
            return 6
        if found := _CSI.match(held):
            return found.end()
        if held[1:2] == b"O":
            return 2 if held[2] == 0x1B else 3
        if held[1:2] in (b"\x1b", b"["):
            return 1 if held[1:2] == b"\x1b" else 2
        size = _character_size(held[1:], is_all=is_all)
        return 1 + size if size else 0


def _overlap(part: bytes, ends: bytes) -> int:
    """Return how many last bytes may be the beginning of the end."""
    return next((n for n in range(len(ends) - 1, 0, -1) if part.endswith(ends[:n])), 0)


def _character_size(held: bytes, *, is_all: bool) -> int:
    """Return how many bytes the first character has; 0 where it may go on.

    What does not go on with it is not of it: in eight bits a letter stands alone.
    """
    first = held[0]
    size = 4 if first >= 0xF0 else 3 if first >= 0xE0 else 2 if first >= 0xC0 else 1
    more = next((k for k in range(1, min(size, len(held))) if held[k] & 0xC0 != 0x80), size)
    return more if len(held) >= more else len(held) * is_all


def _input(part: bytes) -> Input | None:
    if part in HOTKEYS:
        return Hotkey()
    if part.startswith(b"\x1b[M") and len(part) == 6:
        button, column, row = (one - 32 for one in part[3:])
        return Mouse(button & ~3 if button & 3 == 3 else button, column, row, button & 3 == 3)
    if part in (b"\x1b[I", b"\x1b[O"):
        return Told(focus=part == b"\x1b[I")
    if (found := _CSI.fullmatch(part)) is not None:
        return _sequence(part, *found.groups())
    if _CONSOLE.fullmatch(part):
        return Key(KeyClass.FUNCTION, 0, _AS_XTERM[part])
    if len(part) == 3 and part.startswith(b"\x1bO"):
        return Key(_LETTERS.get(part[2], KeyClass.OTHER), 0, part)
    if part[0] == 0x1B and len(part) > 1:
        key_class, state = _written(part[1:])
        return Key(key_class, state | ALT, part)
    return Key(*_written(part), part)


def _sequence(part: bytes, head: bytes, told: bytes, final: bytes) -> Input | None:
    numbers = [int(one[:9]) if one.isdigit() else 0 for one in re.split(rb"[;:]", told)]
    if head == b"<" and final in b"Mm" and len(numbers) == 3:
        button, column, row = numbers
        return Mouse(button, column, row, is_release=final == b"m")
    if head:
        return None  # an answer that nobody asked for
    if final == b"R" and len(numbers) == 2 and numbers[0] > 1:
        return Told(place=(numbers[0], numbers[1]))
    if final in b"cnt":
        return None
    state = _modifiers(numbers[1]) if len(numbers) > 1 else 0
    if final == b"~":
        key_class = _NUMBERS.get(numbers[0], KeyClass.OTHER)
    elif final == b"u" and numbers[0] < 0x110000:
        key_class, more = _written(chr(numbers[0]).encode("utf-8", "replace"))
        state |= more
    else:
        key_class = _LETTERS.get(final[0], KeyClass.OTHER)
        state |= SHIFT * (final == b"Z")
    return Key(key_class, state, _AS_XTERM.get(part, part))


def _modifiers(number: int) -> int:
    bits = max(0, number - 1)
    named = (SHIFT, ALT, CONTROL, SUPER)
    return sum(one for k, one in enumerate(named) if bits >> k & 1)


def _written(data: bytes) -> tuple[KeyClass, int]:
    """Return class and modifiers of what a key wrote: one character, or a control."""
    if data[0] in _CONTROLS and len(data) == 1:
        return _CONTROLS[data[0]], CONTROL * (data[0] == 0)
    if data[0] < 0x20:
        return (KeyClass.LETTER if data[0] <= 26 else KeyClass.PUNCTUATION), CONTROL
    text = data.decode("utf-8", "replace")
    return class_of(keysym_of(text)) if len(text) == 1 and text != "�" else KeyClass.OTHER, 0


def encoded(mouse: Mouse, *, is_sgr: bool) -> bytes:
    """Return a report of the mouse as a program asked for it; nothing where it cannot be told."""
    if is_sgr:
        end = "m" if mouse.is_release else "M"
        return f"\x1b[<{mouse.button};{mouse.column};{mouse.row}{end}".encode()
    if max(mouse.column, mouse.row) > 223 or mouse.button > 223:
        return b""
    button = mouse.button | 3 if mouse.is_release else mouse.button
    return b"\x1b[M" + bytes((32 + button, 32 + mouse.column, 32 + mouse.row))
