"""What pynput calls back with on Windows and macOS, and what these systems say of their windows.

Made by hand in the shape of pynput 1.8.2's `_win32.py` and `_darwin.py`, not recorded: no computer
with either system was at hand. On Windows places are whole pixels, and a wheel's turns are already
divided by 120, rounded down, which is why the message itself is read (`on_wheel` here); on macOS
places are points with fractions, a wheel speaks of lines, and every button after the second is the
middle one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

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


@dataclass
class Told:
    """A system that says what a test lets it say (`hooks.System`)."""

    programs: dict[int, Path]
    shown: list[Window] = field(default_factory=list)
    front: int = 0
    trusted: bool = True
    secure: bool = False
    locked: bool = False

    def windows(self) -> Sequence[Window]:
        return self.shown

    def foreground(self) -> int:
        return self.front

    def program(self, pid: int) -> Path | None:
        return self.programs.get(pid)

    def may_listen(self) -> bool:
        return self.trusted

    def is_secure(self) -> bool:
        return self.secure

    def is_locked(self) -> bool:
        return self.locked
