"""What pynput calls back with on Windows and macOS, and what these systems say of their windows.

Made by hand in the shape of pynput 1.8.2's `_win32.py` and `_darwin.py`, of `KBDLLHOOKSTRUCT` and
`CGEvent`, and of the properties that UI Automation and the accessibility interface of macOS name,
not recorded: no computer with either system was at hand. On Windows places are whole pixels, and a
wheel's turns are already divided by 120, rounded down, which is why the message itself is read
(`on_wheel` here); on macOS places are points with fractions, a wheel speaks of lines, and every
button after the second is the middle one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from overt.device.asked_fields import Asked
from overt.device.displays import Display, Setting
from overt.device.keyboard import Keymap
from overt.device.seam import Window


class Button(Enum):
    """Names as in `pynput.mouse.Button`; their values differ by system and are never looked at."""

    unknown = 0
    left = 1
    middle = 2
    right = 3
    x1 = 4


@dataclass(frozen=True)
class Place:
    """A POINT."""

    x: int
    y: int


class Message:
    """What is read of a MSLLHOOKSTRUCT."""

    def __init__(self, place: Place, turn: int) -> None:
        self.pt, self.mouseData = place, turn << 16  # its name there


Called = tuple[str, tuple[object, ...]]
WIN32: list[Called] = [
    ("on_move", (110, 120, False)),
    ("on_move", (111, 120, False)),
    ("on_click", (111, 120, Button.left, True, False)),
    ("on_click", (111, 120, Button.left, False, False)),
    ("on_wheel", (0x020A, Message(Place(111, 120), -240 & 0xFFFF))),
    ("on_click", (111, 121, Button.x1, True, False)),
    ("on_click", (111, 121, Button.x1, False, False)),
    ("on_move", (-40_000, 900, False)),
]
DARWIN: list[Called] = [
    ("on_move", (110.5, 120.25, False)),
    ("on_move", (111.0, 120.75, False)),
    ("on_click", (111.0, 120.75, Button.left, True, False)),
    ("on_click", (111.0, 120.75, Button.left, False, False)),
    ("on_scroll", (111.0, 120.75, 0, -2, False)),
    ("on_click", (111.0, 121.0, Button.middle, True, False)),
    ("on_click", (111.0, 121.0, Button.middle, False, False)),
    ("on_move", (900.0, 0.0, False)),
]


@dataclass(frozen=True)
class Key:
    """What is read of a KBDLLHOOKSTRUCT."""

    vkCode: int  # noqa: N815 - its name there
    scanCode: int = 0  # noqa: N815


DOWN, UP = 0x0100, 0x0101
"""WM_KEYDOWN and WM_KEYUP."""

GERMAN = {
    "a": 0x041, "A": 0x141, "q": 0x051, "Q": 0x151, "@": 0x651, "c": 0x043, "p": 0x050, "1": 0x031,
    "!": 0x131, "ö": 0x0C0, "Ö": 0x1C0, "^": 0x0DC, "´": 0x0DD, "€": 0x645, "e": 0x045,
}  # fmt: skip
"""What `VkKeyScanExW` says on a German keyboard: Q with AltGr is @, ^ and ´ are dead keys."""

ALONE = {0xDC: 0x8000_005E, 0xDD: 0x8000_00B4, 0x41: 0x41, 0xC0: 0xD6, 0xBF: 0x23}
"""What `MapVirtualKeyExW` says: large letters, and the highest bit of what is dead."""

LSHIFT, LCONTROL, RALT, CAPITAL = 0xA0, 0xA2, 0xA5, 0x14
WIN32_KEYS: list[tuple[int, Key]] = [
    (DOWN, Key(0x41)), (UP, Key(0x41)),  # a
    (DOWN, Key(LSHIFT)), (DOWN, Key(0x31)), (UP, Key(0x31)), (UP, Key(LSHIFT)),  # !
    (DOWN, Key(LCONTROL, 0x21D)), (0x0104, Key(RALT)),  # AltGr, with a Control that is made up
    (DOWN, Key(0x51)), (UP, Key(0x51)),  # @
    (UP, Key(LCONTROL, 0x21D)), (UP, Key(RALT)),
    (DOWN, Key(0xDC)), (UP, Key(0xDC)),  # the dead ^
    (DOWN, Key(0xC0)), (DOWN, Key(0xC0)), (UP, Key(0xC0)),  # ö, held until it repeats
    (DOWN, Key(0x08)), (UP, Key(0x08)),
    (DOWN, Key(0xE7)), (UP, Key(0xE7)),  # VK_PACKET
    (DOWN, Key(0x60)), (UP, Key(0x60)),  # 0 of the keypad
    (DOWN, Key(0x25)), (UP, Key(0x25)),  # an arrow
]  # fmt: skip


@dataclass(frozen=True)
class MacEvent:
    """What is read of a CGEvent of a key."""

    code: int
    flags: int = 0


class Quartz:
    """The two functions that are used on it."""

    @staticmethod
    def CGEventGetIntegerValueField(event: MacEvent, number: int) -> int:  # noqa: N802
        assert number == 9
        return event.code

    @staticmethod
    def CGEventGetFlags(event: MacEvent) -> int:  # noqa: N802
        return event.flags


SHIFT_FLAG, OPTION_FLAG, COMMAND_FLAG = 0x20000, 0x80000, 0x100000
MAC_KEYS: list[tuple[int, MacEvent]] = [
    (10, MacEvent(0x00)), (11, MacEvent(0x00)),  # a
    (12, MacEvent(0x38, SHIFT_FLAG)), (10, MacEvent(0x12)), (11, MacEvent(0x12)),  # !
    (12, MacEvent(0x38, 0)),
    (12, MacEvent(0x3A, OPTION_FLAG)), (10, MacEvent(0x25)), (11, MacEvent(0x25)),  # @
    (12, MacEvent(0x3A, 0)),
    (10, MacEvent(0x0A)), (11, MacEvent(0x0A)),  # the dead ^
    (10, MacEvent(0x29)), (10, MacEvent(0x29)), (11, MacEvent(0x29)),  # ö, repeated
    (10, MacEvent(0x33)), (11, MacEvent(0x33)),
    (10, MacEvent(0x52)), (11, MacEvent(0x52)),  # 0 of the keypad
    (10, MacEvent(0x7B)), (11, MacEvent(0x7B)),
    (14, MacEvent(0x10)),  # a key of the media: nothing
]  # fmt: skip
MAC_WRITES = {
    (0x00, 0): "a", (0x00, SHIFT_FLAG): "A", (0x12, 0): "1", (0x12, SHIFT_FLAG): "!",
    (0x25, 0): "l", (0x25, OPTION_FLAG): "@", (0x29, 0): "ö", (0x08, 0): "c", (0x0A, 0): "",
}  # fmt: skip


@dataclass
class Told:
    """A system that says what a test lets it say (`hooks.System`)."""

    programs: dict[int, Path]
    shown: list[Window] = field(default_factory=list)
    front: int = 0
    has: Asked | None = None
    turned: int = 0
    keys: Keymap = field(default_factory=lambda: Keymap(0, []))
    layout_now: int = 0
    trusted: bool = True
    secure: bool = False
    locked: bool = False

    def windows(self) -> Sequence[Window]:
        return self.shown

    def foreground(self) -> int:
        return self.front

    def program(self, pid: int) -> Path | None:
        return self.programs.get(pid)

    def field(self) -> Asked | None:
        return self.has

    def turns(self) -> int:
        return self.turned

    def layout(self) -> int:
        return self.layout_now

    def keymap(self) -> Keymap:
        return self.keys

    def setting(self) -> Setting:
        return Setting((Display(0, 0, 1280, 800, 2.0),))

    def may_listen(self) -> bool:
        return self.trusted

    def is_secure(self) -> bool:
        return self.secure

    def is_locked(self) -> bool:
        return self.locked
