"""The person's terminal, drawn from cells: the program's rows, and under them the sign.

All that is written to it is made here. A row begins at its own place, and after every character
that is not ASCII the place is said anew: whatever the terminal thinks of a character's width moves
nothing but the rest of that row. Wrapping is off, so a row never goes over into the next.
"""

from __future__ import annotations

from collections.abc import Sequence

from overt.device.terminal_cells import BLANK, Cell, fitted, width
from overt.device.terminal_screen import SHOWN, Screen
from overt.device.terminal_stream import FOCUS, MOUSE, MOUSE_SGR, PASTE

_FALLBACK = str.maketrans(
    dict(zip("─━│┃┌┐└┘├┤┬┴┼●○❚·…“”‘’", "--||+++++++++*ol..\"\"''", strict=True))
)


class Drawing:
    """What the terminal shows, as far as it was told; `frame` tells the difference."""

    def __init__(self, *, is_utf8: bool = True) -> None:
        self._is_utf8 = is_utf8
        self._rows: list[list[Cell]] = []
        self._told = ""
        self._mouse: set[int] = set()
        self._shape = self._bells = 0

    def begin(self) -> bytes:
        """Return what takes the terminal over: the other screen, nothing on it, what we need on."""
        self._rows, self._told, self._mouse, self._shape = [], "", set(), 0
        return (
            f"\x1b[?1049h\x1b[?1l\x1b>\x1b[4l\x1b[r\x1b[?6l\x1b[?7l\x1b(B\x0f\x1b[m\x1b[2J"
            f"\x1b[?{FOCUS}h\x1b[?{PASTE}h"
        ).encode()

    def end(self) -> bytes:
        """Return what gives the terminal back as it was."""
        off = "".join(f"\x1b[?{mode}l" for mode in (*sorted(self._mouse), FOCUS, PASTE))
        shape = "\x1b[0 q" if self._shape else ""
        last = f"\x1b[{max(1, len(self._rows))};1H\x1b[2K"
        return f"{off}{shape}\x1b[?7h\x1b[?25h\x1b[m{last}\x1b[?1049l\r".encode()

    def forget(self) -> None:
        """Draw all of it anew next time: it has another size, or others may have written there."""
        self._rows, self._told = [], ""

    def frame(self, screen: Screen, sign: list[Cell], *, back: int = 0, asks: bytes = b"") -> bytes:
        """Return what makes the terminal show the screen and the sign; nothing if it does.

        `back`: so many rows of what went out at the top are shown; `asks`: a question, before which
        the sign is drawn anew.
        """
        above: Sequence[list[Cell]] = screen.rows
        if back:
            past = list(screen.history)[-back:]
            above = fitted(past + screen.rows, screen.lines, screen.columns)
        rows = [*above, sign]
        known = self._rows if len(self._rows) == len(rows) else [[]] * len(rows)
        known = [*known[:-1], []] if asks else known
        drawn = [self._row(y, row) for y, row in enumerate(rows) if row != known[y]]
        self._rows = [list(row) for row in rows]
        modes = self._modes(screen)
        shows = SHOWN in screen.modes and not back
        told = f"\x1b[{screen.y + 1};{screen.x + 1}H\x1b[?25{'h' if shows else 'l'}"
        if not drawn and not modes and told == self._told:
            return b""
        self._told = told
        hides = "\x1b[?25l" if drawn else ""
        return "".join((hides, *drawn, asks.decode(), modes, told)).encode()

    def _row(self, y: int, cells: list[Cell]) -> str:
        end = len(cells)
        while end and cells[end - 1] == BLANK:
            end -= 1
        # Where widths are in doubt, halves of what was there before could stay.
        clears = "" if all(text.isascii() for text, _ in cells) else "\x1b[2K"
        out, style = [f"\x1b[{y + 1};1H\x1b[m{clears}"], ""
        for x, (text, how) in enumerate(cells[:end]):
            if not text:
                continue
            if how != style:
                out.append(f"\x1b[0;{how}m" if how else "\x1b[m")
                style = how
            if text.isascii():
                out.append(text)
                continue
            wide = width(text[0])
            out.append(text if self._is_utf8 else _ascii(text[0], wide))
            if x + wide < len(cells):
                out.append(f"\x1b[{y + 1};{x + wide + 1}H")
        if style:
            out.append("\x1b[m")
        if end < len(cells):
            out.append("\x1b[K")
        return "".join(out)

    def _modes(self, screen: Screen) -> str:
        """Return what else changed: the mouse that the program asks for, the cursor, the bell."""
        wanted = {next((mode for mode in MOUSE if mode in screen.modes), 0), MOUSE_SGR}
        wanted = wanted if 0 not in wanted else set()
        out = [f"\x1b[?{mode}l" for mode in sorted(self._mouse - wanted)]
        out += [f"\x1b[?{mode}h" for mode in sorted(wanted - self._mouse)]
        self._mouse = wanted
        if screen.shape != self._shape:
            self._shape = screen.shape
            out.append(f"\x1b[{screen.shape} q")
        if screen.bells != self._bells:
            self._bells = screen.bells
            out.append("\x07")
        return "".join(out)


def _ascii(character: str, wide: int) -> str:
    plain = character.translate(_FALLBACK)
    return (plain if plain.isascii() else "?").ljust(wide, "?")
