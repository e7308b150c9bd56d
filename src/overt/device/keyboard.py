"""What of a key is kept: its class, and a number that pairs its release with its press.

A key code is looked at once, at the hook, and is nowhere afterwards. Its class goes by what the key
means on the person's own layout, as in the browser (`sdk/src/keys.ts`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from overt.device.stream import KEY_PRESS, KEY_RELEASE
from overt.schema.event import Command, KeyClass, Modifier

SHIFT, LOCK, CONTROL, ALT, LEVEL3, SUPER = 1, 2, 4, 8, 128, 64
"""Bits of the state in a core event: Shift, Lock, Control, Mod1, Mod5 and Mod4, as X servers and
their usual keymaps have them."""

_NAMED: dict[int, KeyClass] = {
    0xFF08: KeyClass.BACKSPACE,
    0xFF09: KeyClass.TAB,
    0xFE20: KeyClass.TAB,  # Shift+Tab
    0xFF0D: KeyClass.ENTER,
    0xFF8D: KeyClass.ENTER,
    0xFF1B: KeyClass.ESCAPE,
    0xFFFF: KeyClass.DELETE,
    0xFF9F: KeyClass.DELETE,
    0xFFE5: KeyClass.CAPS_LOCK,
    **dict.fromkeys((0xFF50, 0xFF55, 0xFF56, 0xFF57), KeyClass.NAVIGATION),
    **dict.fromkeys((0xFF95, 0xFF9A, 0xFF9B, 0xFF9C), KeyClass.NAVIGATION),
    **dict.fromkeys(range(0xFF51, 0xFF55), KeyClass.ARROW),
    **dict.fromkeys(range(0xFF96, 0xFF9A), KeyClass.ARROW),
    **dict.fromkeys((0xFFE1, 0xFFE2), KeyClass.SHIFT),
    **dict.fromkeys((0xFFE3, 0xFFE4), KeyClass.CONTROL),
    **dict.fromkeys((0xFFE9, 0xFFEA, 0xFE03, 0xFE11), KeyClass.ALT),
    **dict.fromkeys((0xFFE7, 0xFFE8, 0xFFEB, 0xFFEC), KeyClass.META),
    **dict.fromkeys(range(0xFFBE, 0xFFE1), KeyClass.FUNCTION),
    **dict.fromkeys(range(0xFFB0, 0xFFBA), KeyClass.DIGIT),  # keypad
    **dict.fromkeys(range(0xFFAA, 0xFFB0), KeyClass.PUNCTUATION),
    0xFF80: KeyClass.SPACE,
    **dict.fromkeys(range(0xFE50, 0xFE94), KeyClass.COMPOSING),  # dead keys
    0xFF20: KeyClass.COMPOSING,  # Compose
}

_HOLDS = {
    **dict.fromkeys((0xFFE1, 0xFFE2), SHIFT),
    **dict.fromkeys((0xFFE3, 0xFFE4), CONTROL),
    **dict.fromkeys((0xFFE9, 0xFFEA, 0xFFE7, 0xFFE8), ALT),
    **dict.fromkeys((0xFFEB, 0xFFEC), SUPER),
    **dict.fromkeys((0xFE03, 0xFE11), LEVEL3),
}
"""Keysym of a modifier key → the bit that it sets while it is down."""


def _point_of(keysym: int) -> int:
    """Return the Unicode code point of a keysym that is one, or 0."""
    if 0x20 <= keysym <= 0xFF:
        return keysym
    return keysym - 0x01000000 if 0x01000100 <= keysym <= 0x0110FFFF else 0


_KEYPAD = {0xFF80: 0x20, **{0xFFAA + k: ord(c) for k, c in enumerate("*+,-./0123456789")}}
"""Keysyms of the keypad → what they write."""


def _point_by_name(keysym: int) -> int:
    """Return the code point of a letter that X named before Unicode, as libxkbcommon has it."""
    if not 0x100 < keysym < 0x2100:
        return 0
    from overt.device import xkb

    return xkb.point_of(keysym)


def keysym_of(character: str) -> int:
    """Return the keysym of a character.

    >>> hex(keysym_of("a")), hex(keysym_of("ж"))
    ('0x61', '0x1000436')
    """
    point = ord(character)
    return point if 0x20 <= point <= 0xFF else 0x01000000 | point


HELD = frozenset(
    {KeyClass.SHIFT, KeyClass.CONTROL, KeyClass.ALT, KeyClass.META, KeyClass.CAPS_LOCK}
)
CHARACTERS = frozenset(
    {
        KeyClass.LETTER,
        KeyClass.DIGIT,
        KeyClass.PUNCTUATION,
        KeyClass.SPACE,
        KeyClass.COMPOSING,
        KeyClass.OTHER,
    }
)


def class_of(keysym: int) -> KeyClass:
    """Return the class of an X keysym.

    >>> class_of(0x61).name, class_of(0xFF0D).name, class_of(0x01000436).name
    ('LETTER', 'ENTER', 'LETTER')
    """
    if keysym in _NAMED:
        return _NAMED[keysym]
    if 0x100 < keysym < 0x2000:
        return KeyClass.LETTER  # Latin 2 to Korean, as X named them before Unicode
    point = _point_of(keysym)
    if not point:
        return KeyClass.OTHER
    category = unicodedata.category(chr(point))
    if category[0] in "LM":
        return KeyClass.LETTER
    if category[0] == "N":
        return KeyClass.DIGIT
    return KeyClass.SPACE if category[0] == "Z" else KeyClass.PUNCTUATION


class Keymap:
    """What the keys of the person's layout mean: code, group and level → symbol and class.

    `keysyms[code]` are the symbols the server gives a key: two of group 1, two of group 2, then the
    third level. `commands_by`: the modifier of shortcuts. `unsure`: codes of keys that write other
    characters of the same class in another layout, where nobody tells which is in use.
    """

    def __init__(
        self,
        first_code: int,
        keysyms: Sequence[Sequence[int]],
        commands_by: Modifier = Modifier.CONTROL,
        unsure: Collection[int] = (),
    ) -> None:
        self._first, self.commands_by = first_code, commands_by
        self._unsure = frozenset(unsure)
        self._keysyms = [tuple(key) for key in keysyms]

    @property
    def has_letters(self) -> bool:
        """Whether any key is a letter: a layout without is none."""
        return any(class_of(key[0]) == KeyClass.LETTER for key in self._keysyms if key)

    def of(self, code: int, state: int) -> KeyClass:
        """Return the class of the key with this code in this state of the keyboard."""
        return class_of(self._keysym(code, state))

    def modifier(self, code: int) -> int:
        """Return the bit that a key sets in the state while it is down, or 0."""
        return _HOLDS.get(self._keysym(code, 0), 0)

    def letter(self, code: int, state: int) -> int:
        """Return the code point of the small letter on a key, or 0. Only the coach asks this."""
        point = _point_of(self._keysym(code, state & ~(SHIFT | LEVEL3)))
        letter = chr(point).lower() if point else ""
        return ord(letter) if len(letter) == 1 and letter.isalpha() else 0

    def character(self, code: int, state: int) -> int:
        """Return the code point that a key writes in this state; 0 where it writes none.

        Only level `keys` asks this, of fields for which study and person say so.
        """
        if code in self._unsure or state >> 14 & 1:  # a third or fourth layout
            return 0
        keysym = self._keysym(code, state)
        point = _point_of(keysym) or _KEYPAD.get(keysym, 0) or _point_by_name(keysym)
        if state & LOCK and point and chr(point).isalpha():
            swapped = chr(point).swapcase()
            return ord(swapped) if len(swapped) == 1 else point
        return point

    def _keysym(self, code: int, state: int) -> int:
        place = code - self._first
        if not 0 <= place < len(self._keysyms):
            return 0
        key = self._keysyms[place]
        level = int(bool(state & SHIFT)) + (4 if state & LEVEL3 else 0)
        group = 2 * ((state >> 13) & 1)
        places = (level + group if level < 4 else level, group, 0)
        return next((key[at] for at in places if at < len(key) and key[at]), 0)


@lru_cache(maxsize=1024)
def modifiers(state: int, *, repeat: bool = False) -> int:
    """Return the `Modifier` bits of an X state."""
    return int(
        (Modifier.SHIFT if state & SHIFT else 0)
        | (Modifier.CONTROL if state & CONTROL else 0)
        | (Modifier.ALT if state & ALT else 0)
        | (Modifier.META if state & SUPER else 0)
        | (Modifier.REPEAT if repeat else 0)
    )


_COMMANDS = {
    "c": Command.COPY,
    "x": Command.CUT,
    "v": Command.PASTE,
    "z": Command.UNDO,
    "y": Command.REDO,
    "a": Command.SELECT_ALL,
    "f": Command.FIND,
    "s": Command.SAVE,
    "p": Command.PRINT,
    "b": Command.BOLD,
    "i": Command.ITALIC,
    "u": Command.UNDERLINE,
}


def command_of(letter: int, bits: int, by: Modifier = Modifier.CONTROL) -> int:
    """Return the `Command` that a letter of the person's layout asks for with `by`, or 0."""
    if not letter:
        return 0
    held = bits & (Modifier.CONTROL | Modifier.ALT | Modifier.META | Modifier.REPEAT)
    if held != by:
        return 0
    command = _COMMANDS.get(chr(letter), 0)
    return int(Command.REDO if command == Command.UNDO and bits & Modifier.SHIFT else command)


@dataclass(frozen=True)
class Held:
    """A key that is down: its slot and its class. Which key it is only `Slots` knows."""

    slot: int
    key_class: KeyClass


class Slots:
    """Numbers the keys that are down: the lowest free number at the press, free at the release."""

    def __init__(self) -> None:
        self._held: dict[int, Held] = {}

    def press(self, code: int, key_class: KeyClass) -> tuple[Held, bool]:
        """Return the slot of a press, and whether the key was down already: it repeats."""
        found = self._held.get(code)
        if found is not None:
            return found, True
        taken = {held.slot for held in self._held.values()}
        held = Held(next(n for n in range(1, 128) if n not in taken), key_class)
        if len(self._held) < 64:
            self._held[code] = held
        return held, False

    def release(self, code: int) -> Held | None:
        """Return the slot of a release, or None where the press was not seen."""
        return self._held.pop(code, None)

    def clear(self) -> None:
        """Forget all keys: recording paused, or another window has the keyboard."""
        self._held.clear()


class Down:
    """Which modifiers are down, where a platform tells of keys alone."""

    def __init__(self) -> None:
        self._codes: set[int] = set()

    def set(self, codes: Iterable[int], keymap: Keymap) -> None:
        """Take it from those that know: these keys are down, and no others."""
        self._codes = {code for code in codes if keymap.modifier(code)}

    def say(self, events: Any, keymap: Keymap) -> None:
        """Put into each event (`EVENT[n]`) which modifiers were down before it, as X does."""
        for event in events:
            state = 0
            for code in self._codes:
                state |= keymap.modifier(code)
            event["state"] = state
            kind, detail = int(event["code"]), int(event["detail"])
            if kind <= KEY_RELEASE and keymap.modifier(detail):
                (self._codes.add if kind == KEY_PRESS else self._codes.discard)(detail)


class Hotkey:
    """Ctrl+Alt+P, heard among all keys where no system tells of it; the program has it as well."""

    def __init__(self) -> None:
        self.pressed: Callable[[], None] | None = None
        self._held = 0
        """The key P while it is held down with the others: it repeats, and counts once."""

    def hear(self, events: Any, keymap: Keymap) -> None:
        """Call `pressed` for each time that it is among these events (`EVENT[n]`)."""
        for event in events[events["code"] <= KEY_RELEASE]:
            code, state = int(event["detail"]), int(event["state"])
            if event["code"] == KEY_RELEASE:
                self._held = 0 if code == self._held else self._held
                continue
            both = state & CONTROL and state & (ALT | LEVEL3)
            if not both or code == self._held or keymap.letter(code, 0) != ord("p"):
                continue
            self._held = code
            if self.pressed is not None:
                self.pressed()
