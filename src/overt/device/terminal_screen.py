"""The screen of a terminal in memory: what programs drew, as rows of cells.

The person's screen is drawn from it (`terminal_drawing`), so nothing that a program writes reaches
that one as it is. What sequences mean (`terminal_stream`) is ECMA-48 and what xterm adds.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from overt.device.terminal_cells import BLANK, DRAWING, Cell, fitted, width
from overt.device.terminal_pen import PLAIN, Pen

HISTORY_MAX = 2000
"""Rows that are kept after they have gone out at the top."""

MARKS_MAX = 2
"""Combining marks on one character: more would be drawn over the rows above and below."""

TAB = 8
CURSOR_KEYS, ORIGIN, AUTO_WRAP, SHOWN = 1, 6, 7, 25
"""Private modes (DECCKM, DECOM, DECAWM, DECTCEM)."""


@dataclass(frozen=True)
class _Saved:
    """A cursor as it was put aside."""

    x: int = 0
    y: int = 0
    pen: Pen = PLAIN
    drawing: tuple[bool, bool] = (False, False)
    shift: int = 0
    origin: bool = False


class Screen:
    """What is on it now; `rows` are `lines` lists of `columns` cells."""

    def __init__(self, lines: int, columns: int) -> None:
        self.lines, self.columns = lines, columns
        self.history: deque[list[Cell]] = deque(maxlen=HISTORY_MAX)
        """Rows that went out at the top of the main screen, the oldest first."""
        self.bells = 0
        self.reset()

    def reset(self) -> None:
        """Be as at the beginning (RIS)."""
        self.rows = [self._empty() for _ in range(self.lines)]
        self._other: list[list[Cell]] | None = None
        """The main screen's rows, while programs draw on the other one."""
        self._saved = [_Saved(), _Saved()]
        self.tabs = set(range(TAB, 1000, TAB))
        self.modes: set[int] = set()
        self.soft_reset()
        self.x = self.y = 0

    def soft_reset(self) -> None:
        """Be as at the beginning but for what is shown (DECSTR)."""
        self.modes = (self.modes | {AUTO_WRAP, SHOWN}) - {CURSOR_KEYS, ORIGIN}
        self.inserts = self.wraps = False
        self.top, self.bottom = 0, self.lines - 1
        self.drawing, self.shift = (False, False), 0
        self.shape = 0
        """Shape of the cursor (DECSCUSR)."""
        self.last = " "
        self.set_pen(PLAIN)

    def set_pen(self, pen: Pen) -> None:
        """Write so from now on, and blank with its paper."""
        self.pen, self._style = pen, pen.style
        self._blank: Cell = (" ", pen.paper)

    def _empty(self) -> list[Cell]:
        return [BLANK] * self.columns

    @property
    def is_other(self) -> bool:
        """Whether programs draw on the other screen, as editors and pagers do."""
        return self._other is not None

    # --- text ---

    def draw(self, text: str) -> None:
        """Write characters (no controls) where the cursor is."""
        if self.drawing[self.shift]:
            text = text.translate(DRAWING)
        self.last = text[-1]
        if text.isascii() and not self.inserts:
            self._plain(text)
            return
        for character in text:
            self._put(character, width(character))

    def repeat(self, count: int) -> None:
        """Write the last character again so often (REP)."""
        self.draw(self.last * min(count, self.columns * self.lines))

    def _plain(self, text: str) -> None:
        style, at = self._style, 0
        while at < len(text):
            if self.wraps:
                self._next_row()
            part = text[at : at + self.columns - self.x]
            at += len(part)
            row, end = self.rows[self.y], self.x + len(part)
            self._halve(row, self.x, end)
            row[self.x : end] = [(character, style) for character in part]
            self.x = end
            if end == self.columns:
                self.x = end - 1
                self.wraps = AUTO_WRAP in self.modes
                if not self.wraps:
                    row[-1] = (text[-1], style)
                    return

    def _put(self, character: str, wide: int) -> None:
        if wide <= 0:
            if wide == 0:
                self._combine(character)
            return
        if self.wraps or (self.x + wide > self.columns and AUTO_WRAP in self.modes):
            self._next_row()
        self.x = max(0, min(self.x, self.columns - wide))
        if self.inserts:
            self.insert_characters(wide)
        row, end = self.rows[self.y], min(self.x + wide, self.columns)
        self._halve(row, self.x, end)
        row[self.x : end] = [(character, self._style), ("", self._style)][: end - self.x]
        self.x = min(end, self.columns - 1)
        self.wraps = end == self.columns and AUTO_WRAP in self.modes

    def _combine(self, mark: str) -> None:
        at = self.x if self.wraps else self.x - 1
        row = self.rows[self.y]
        at -= at > 0 and not row[at][0]
        if at >= 0 and row[at][0] and len(row[at][0]) <= MARKS_MAX:
            row[at] = (row[at][0] + mark, row[at][1])

    def _halve(self, row: list[Cell], start: int, end: int) -> None:
        """Blank what is two places wide and would keep one half."""
        if start < self.columns and not row[start][0] and start > 0:
            row[start - 1] = (" ", row[start - 1][1])
        if end < self.columns and not row[end][0]:
            row[end] = (" ", row[end][1])

    def _next_row(self) -> None:
        self.x = 0
        self.line_feed()

    # --- the cursor ---

    def line_feed(self) -> None:
        """Go a row down, and let the rows go up at the last one."""
        self.wraps = False
        if self.y == self.bottom:
            self.scroll_up(1)
        else:
            self.y = min(self.y + 1, self.lines - 1)

    def reverse_feed(self) -> None:
        """Go a row up, and let the rows go down at the first one (RI)."""
        self.wraps = False
        if self.y == self.top:
            self.scroll_down(1)
        else:
            self.y = max(self.y - 1, 0)

    def carriage_return(self) -> None:
        """Go to the beginning of the row."""
        self.x, self.wraps = 0, False

    def go(self, down: int = 0, right: int = 0) -> None:
        """Go so far; margins stop who is between them."""
        self.wraps = False
        self.x = min(max(0, self.x + right), self.columns - 1)
        first = self.top if self.y >= self.top else 0
        last = self.bottom if self.y <= self.bottom else self.lines - 1
        self.y = min(max(first, self.y + down), last)

    def to(self, row: int | None = None, column: int | None = None) -> None:
        """Go to a row and column, from 0; None: stay in it."""
        self.wraps = False
        if column is not None:
            self.x = min(max(0, column), self.columns - 1)
        if row is not None:
            first, last = (self.top, self.bottom) if ORIGIN in self.modes else (0, self.lines - 1)
            self.y = min(max(first, row + first), last)

    def tab(self, count: int = 1) -> None:
        """Go to a later stop, or with less than 0 to one before."""
        self.wraps = False
        for _ in range(min(abs(count), self.columns)):
            if count > 0:
                stop = min((one for one in self.tabs if one > self.x), default=self.columns)
            else:
                stop = max((one for one in self.tabs if one < self.x), default=0)
            self.x = min(stop, self.columns - 1)

    def save(self) -> None:
        """Put the cursor aside (DECSC)."""
        is_origin = ORIGIN in self.modes
        saved = _Saved(self.x, self.y, self.pen, self.drawing, self.shift, is_origin)
        self._saved[self.is_other] = saved

    def restore(self) -> None:
        """Take the cursor that was put aside (DECRC)."""
        saved = self._saved[self.is_other]
        self.drawing, self.shift, self.wraps = saved.drawing, saved.shift, False
        self.set_pen(saved.pen)
        (self.modes.add if saved.origin else self.modes.discard)(ORIGIN)
        self.x, self.y = min(saved.x, self.columns - 1), min(saved.y, self.lines - 1)

    # --- what is there already ---

    def scroll_up(self, count: int) -> None:
        """Let the rows between the margins go up; what goes out at the top of all is kept."""
        keeps = self.top == 0 and not self.is_other
        for _ in range(min(count, self.bottom - self.top + 1)):
            if keeps:
                self.history.append(self.rows[0])
            self._take_out(self.top)

    def _take_out(self, row: int) -> None:
        del self.rows[row]
        self.rows.insert(self.bottom, [self._blank] * self.columns)

    def _put_in(self, row: int) -> None:
        del self.rows[self.bottom]
        self.rows.insert(row, [self._blank] * self.columns)

    def scroll_down(self, count: int) -> None:
        """Let the rows between the margins go down."""
        for _ in range(min(count, self.bottom - self.top + 1)):
            self._put_in(self.top)

    def insert_lines(self, count: int) -> None:
        """Put empty rows in where the cursor is (IL); less than 0: take rows out (DL)."""
        if self.top <= self.y <= self.bottom:
            for _ in range(min(abs(count), self.bottom - self.y + 1)):
                (self._put_in if count > 0 else self._take_out)(self.y)
            self.carriage_return()

    def insert_characters(self, count: int) -> None:
        """Push what is in the row to the right (ICH); less than 0: pull it to the left (DCH)."""
        self.wraps = False
        row, more = self.rows[self.y], min(abs(count), self.columns - self.x)
        if count > 0:
            self._halve(row, self.x, self.x)
            row[self.x : self.x] = [self._blank] * more
            del row[self.columns :]
            self._mend(row)
        else:
            self._halve(row, self.x, self.x + more)
            del row[self.x : self.x + more]
            row += [self._blank] * more

    def _mend(self, row: list[Cell]) -> None:
        if width(row[-1][0][:1] or " ") == 2:
            row[-1] = (" ", row[-1][1])

    def erase(self, row: int, start: int, end: int) -> None:
        """Blank a part of a row."""
        cells = self.rows[row]
        start, end = max(0, start), min(end, self.columns)
        self._halve(cells, start, end)
        cells[start:end] = [self._blank] * (end - start)

    def erase_line(self, how: int) -> None:
        """Blank the row from the cursor on (0), up to it (1), or all (2) (EL)."""
        self.wraps = False
        start = self.x if how == 0 else 0
        self.erase(self.y, start, self.x + 1 if how == 1 else self.columns)

    def erase_display(self, how: int) -> None:
        """Blank what is after the cursor (0), before it (1), or all (2) (ED); 3: what is past."""
        if how == 3:
            self.history.clear()
            return
        first = self.y + 1 if how == 0 else 0
        for row in range(first, self.y if how == 1 else self.lines):
            self.erase(row, 0, self.columns)
        if how < 2:
            self.erase_line(how)

    # --- modes ---

    def margins(self, top: int, bottom: int) -> None:
        """Let only these rows go up and down, from 0 (DECSTBM)."""
        bottom = min(bottom, self.lines - 1)
        if 0 <= top < bottom:
            self.top, self.bottom = top, bottom
            self.to(0, 0)

    def other(self, *, on: bool, saves: bool) -> None:
        """Go over to the other screen, which is empty, or back to the main one."""
        if on and saves:
            self.save()
        if on and self._other is None:
            self._other = self.rows
            self.rows = [self._empty() for _ in range(self.lines)]
        elif not on and self._other is not None:
            self.rows, self._other = self._other, None
        if not on and saves:
            self.restore()

    def resize(self, lines: int, columns: int) -> None:
        """Be of another size: cut at the right, and at the bottom where nothing is."""
        down = max(0, self.y - lines + 1)
        was_other = self.is_other
        if not was_other:
            self.history.extend(self.rows[:down])
        self.rows = fitted(self.rows[down:], lines, columns)
        if self._other is not None:
            at = max(0, self._saved[0].y - lines + 1)
            self._other = fitted(self._other[at:], lines, columns)
        self.lines, self.columns = lines, columns
        self.x, self.y = min(self.x, columns - 1), min(self.y - down, lines - 1)
        self.top, self.bottom, self.wraps = 0, lines - 1, False
