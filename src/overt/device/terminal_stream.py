"""What programs write to a terminal, taken apart: text and controls for `terminal_screen.Screen`.

Understood is what programs use of ECMA-48, the VT220 and xterm. Titles, pictures, the clipboard,
links and whatever else a string may hold are read past, and so is what is not known.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

from overt.device.terminal_screen import AUTO_WRAP, CURSOR_KEYS, ORIGIN, SHOWN, Screen

_TEXT = re.compile(r"[^\x00-\x1f\x7f-\x9f]+")
_INSIDE_STRING = re.compile(r"[^\x07\x18\x1a\x1b\x9c]+")
_ESCAPE, _CSI, _STRING = "escape", "csi", "string"
_BEGINS = {"\x1b": _ESCAPE, "\x9b": _CSI, **dict.fromkeys("\x90\x98\x9d\x9e\x9f", _STRING)}
_AFTER_ESCAPE = {"[": _CSI, **dict.fromkeys("PX]^_", _STRING)}
_CANCELS = "\x18\x1a"
_SEQUENCE_MAX = 256
_NUMBER_MAX = 9999

FOCUS, MOUSE_SGR, PASTE = 1004, 1006, 2004
MOUSE = (1003, 1002, 1000)
"""Private modes by which a program asks for the mouse: with its movement, with drags, presses."""

_MODES = frozenset({CURSOR_KEYS, ORIGIN, AUTO_WRAP, SHOWN, FOCUS, MOUSE_SGR, PASTE, *MOUSE})
_OTHER_SCREEN = {47: False, 1047: False, 1049: True}
"""Private modes of the other screen, and whether they put the cursor aside."""


class Stream:
    """Feeds a screen; `answer` takes what a terminal answers to questions of the program."""

    def __init__(
        self,
        screen: Screen,
        answer: Callable[[bytes], None],
        drawn: Callable[[], None] = lambda: None,
    ) -> None:
        """`drawn`: called after each run of text, and after all that was fed."""
        self._screen, self._answer, self._drawn = screen, answer, drawn
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._inside = self._read = ""

    def feed(self, data: bytes) -> None:
        """Take what a program wrote; what is not whole waits for the rest."""
        text = self._decoder.decode(data)
        at = 0
        while at < len(text):
            if not self._inside and (found := _TEXT.match(text, at)):
                self._screen.draw(found[0])
                self._drawn()
                at = found.end()
            elif self._inside == _STRING and (found := _INSIDE_STRING.match(text, at)):
                at = found.end()
            else:
                self._take(text[at])
                at += 1
        self._drawn()

    def _take(self, one: str) -> None:
        if one in _BEGINS:
            self._inside, self._read = _BEGINS[one], ""
        elif one in _CANCELS or (self._inside == _STRING and one in "\x07\x9c"):
            self._inside = ""
        elif one < " " or "\x7f" <= one <= "\x9f":
            self._control(one)
        elif self._inside == _ESCAPE and not self._read and one in _AFTER_ESCAPE:
            self._inside = _AFTER_ESCAPE[one]
        elif one < ("0" if self._inside == _ESCAPE else "@"):
            self._read = (self._read + one)[:_SEQUENCE_MAX]
        else:
            inside, read = self._inside, self._read
            self._inside = self._read = ""
            if inside == _ESCAPE:
                self._escape(read, one)
            elif len(read) < _SEQUENCE_MAX:
                self._csi(read, one)

    def _control(self, one: str) -> None:
        screen = self._screen
        if one in "\n\x0b\x0c\x84":
            screen.line_feed()
        elif one == "\r":
            screen.carriage_return()
        elif one == "\b":
            screen.go(right=-1)
        elif one == "\t":
            screen.tab()
        elif one == "\x07":
            screen.bells += 1
        elif one in "\x0e\x0f":
            screen.shift = int(one == "\x0e")
        elif one in "\x85\x88\x8d":
            self._escape("", chr(ord(one) - 0x40))

    def _escape(self, read: str, name: str) -> None:
        screen = self._screen
        if read in ("(", ")"):
            first, second = screen.drawing
            screen.drawing = (name == "0", second) if read == "(" else (first, name == "0")
        elif read == "#" and name == "8":
            for row in screen.rows:
                row[:] = [("E", "")] * screen.columns
        elif read:
            pass
        elif name in "DE":
            if name == "E":
                screen.carriage_return()
            screen.line_feed()
        elif name == "H":
            screen.tabs.add(screen.x)
        elif name == "M":
            screen.reverse_feed()
        elif name == "Z":
            self._answer(b"\x1b[?1;2c")
        elif name in "78c":
            {"7": screen.save, "8": screen.restore, "c": screen.reset}[name]()

    def _csi(self, read: str, final: str) -> None:
        head = read[:1] if read[:1] in ("<", "=", ">", "?") else ""
        told = read[len(head) :].rstrip(" !\"#$%&'()*+,-./")
        middle = read[len(head) + len(told) :]
        if final == "m" and not head and not middle:
            self._screen.set_pen(self._screen.pen.changed(_colours(told)))
            return
        numbers = [min(int(one), _NUMBER_MAX) if one.isdigit() else 0 for one in told.split(";")]
        if head or middle:
            self._private(head + middle, final, numbers)
        elif final in "ABCDEFGHIJKLMPSTXZ`abdefgrsu@":
            self._move(final, numbers[0], [*numbers, 0, 0])
        elif final in "hl" and 4 in numbers:
            self._screen.inserts = final == "h"
        elif final in "cnt":
            self._report(final, numbers[0])

    def _move(self, final: str, n: int, numbers: list[int]) -> None:
        """Do what concerns the cursor and what is on the screen; `n`: the first number, or 0."""
        screen, count = self._screen, max(1, n)
        if final in "AFBEeCaD":
            if final in "EF":
                screen.carriage_return()
            down = count if final in "BEe" else -count if final in "AF" else 0
            screen.go(down, count if final in "Ca" else -count if final == "D" else 0)
        elif final in "G`":
            screen.to(None, count - 1)
        elif final == "d":
            screen.to(count - 1, None)
        elif final in "Hf":
            screen.to(count - 1, max(1, numbers[1]) - 1)
        elif final in "IZ":
            screen.tab(count if final == "I" else -count)
        elif final == "J":
            screen.erase_display(n)
        elif final == "K":
            screen.erase_line(n)
        elif final == "X":
            screen.erase(screen.y, screen.x, screen.x + count)
        elif final in "LM":
            screen.insert_lines(count if final == "L" else -count)
        elif final in "@P":
            screen.insert_characters(count if final == "@" else -count)
        elif final in "ST":
            (screen.scroll_up if final == "S" else screen.scroll_down)(count)
        elif final == "b":
            screen.repeat(count)
        elif final == "g":
            screen.tabs = set() if n == 3 else screen.tabs - {screen.x}
        elif final == "r":
            screen.margins(count - 1, (numbers[1] or screen.lines) - 1)
        elif final in "su":
            (screen.save if final == "s" else screen.restore)()

    def _private(self, marks: str, final: str, numbers: list[int]) -> None:
        screen = self._screen
        if marks == "?" and final in "hl":
            for number in numbers:
                self._mode(number, on=final == "h")
        elif marks == "!" and final == "p":
            screen.soft_reset()
        elif marks == " " and final == "q":
            screen.shape = min(numbers[0], 6)
        elif marks == "?$" and final == "p":
            known = numbers[0] in _MODES
            held = (1 if numbers[0] in screen.modes else 2) if known else 0
            self._answer(b"\x1b[?%d;%d$y" % (numbers[0], held))
        elif marks == ">" and final == "c":
            self._answer(b"\x1b[>0;0;0c")

    def _mode(self, number: int, *, on: bool) -> None:
        screen = self._screen
        if number in _OTHER_SCREEN:
            screen.other(on=on, saves=_OTHER_SCREEN[number])
        elif number == 1048:
            (screen.save if on else screen.restore)()
        elif number in _MODES:
            (screen.modes.add if on else screen.modes.discard)(number)
            if number == ORIGIN:
                screen.to(0, 0)

    def _report(self, final: str, number: int) -> None:
        screen = self._screen
        if final == "c" and not number:
            self._answer(b"\x1b[?1;2c")
        elif final == "n" and number == 5:
            self._answer(b"\x1b[0n")
        elif final == "n" and number == 6:
            row = screen.y - screen.top * (ORIGIN in screen.modes)
            self._answer(b"\x1b[%d;%dR" % (row + 1, screen.x + 1))
        elif final == "t" and number == 18:
            self._answer(b"\x1b[8;%d;%dt" % (screen.lines, screen.columns))


def _colours(told: str) -> list[int]:
    """Return the parameters of SGR, those with colons as those without.

    >>> _colours("1;4:3;38:2::9:8:7"), _colours("")
    ([1, 4, 38, 2, 9, 8, 7], [0])
    """
    codes: list[int] = []
    for part in told.split(";"):
        parts = [int(one) if one.isdigit() else 0 for one in part.split(":")]
        if parts[0] == 4 and len(parts) > 1:
            parts = [4 if parts[1] else 24]
        elif parts[:2] and parts[0] in (38, 48, 58) and len(parts) == 6:
            del parts[2]  # which space of colours
        codes += parts
    return codes
