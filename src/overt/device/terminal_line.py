"""The sign in the last row of the person's terminal: what it says, and whether it can be seen.

Keys come only through the terminal that shows it, and it is drawn by the process that takes them:
there is no key without it. A terminal cannot be asked what lies above its window. It can be asked
where its cursor is, and answers once all that was written before is on it. So the cursor is put
into the sign's row, each time at another place, and the answer has to name that row and place.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable

from overt.device.indicator import HUNG_S
from overt.device.seam import Sight
from overt.device.signs import ELSEWHERE, MARKS, OFFLINE, look_of, said
from overt.device.terminal_cells import Cell, width
from overt.device.wording import Words

ANSWER_S = 1.0
"""So long a question may wait while keys are still taken."""

ASK_EVERY_S = 0.5
"""While keys come; nobody is asked while none do."""

_STYLES = {"recording": "1;37;41", ELSEWHERE: "30;47", "paused": "7"}
_PLAIN = {"recording": "(*)", ELSEWHERE: "( )", "paused": "||"}
SMALL, UNANSWERED, UNFOCUSED = "small", "unanswered", "unfocused"
"""Why it cannot be seen, or may not be."""

_PLACES = 9
"""Places in the row at which questions are asked in turn."""

_NOWHERE = 0


class Line:
    """What the agent takes for its sign. The terminal's own thread draws it, asks and answers."""

    def __init__(self, lang: str, *, title: str = "", is_utf8: bool = True) -> None:
        """`title`: of the study, shown where there is room; `is_utf8`: else ASCII alone."""
        w = Words(lang)
        self._words = {**w.table("sign"), **w.table("terminal_sign")}
        self._title, self._marks = title, MARKS if is_utf8 else _PLAIN
        self._is_utf8 = is_utf8
        self.lost = False
        """It did not answer for seconds while keys came, and the person has not gone on since."""
        self.has_focus = True
        """The terminal has not said that another window has the keyboard."""
        self.is_whole = True
        """There is room for what it says."""
        self.changed: Callable[[], None] = lambda: None
        """Called when it has to be drawn anew."""
        self._state = "paused"
        self._size = (0, 0)
        self._needed = max(
            len(self._plainly(f"{self._marks[look_of(state)]} {self._short(state)}"))
            for state in (f"recording {OFFLINE}", f"recording {ELSEWHERE} {OFFLINE}")
        )
        """Columns without which it could not say that it records."""
        self._asked: deque[tuple[int, float]] = deque()
        """Places of questions that wait for their answer, and when they were asked."""
        self._last_s = 0.0
        self._drawn: tuple[tuple[int, int], list[Cell]] = (0, 0), []
        self._next = 0
        self.has_answered = False

    @property
    def pid(self) -> int:
        """0: it has no process of its own."""
        return 0

    def is_alive(self) -> bool:
        """Return whether the terminal answers."""
        return self.has_answered and self._waits_s() < ANSWER_S

    def is_seen(self, _sight: Sight | None = None) -> bool:
        """Return whether the terminal shows the line, as far as it tells."""
        return self.is_alive() and not self.lost and self.has_focus and self.is_whole

    def keep(self) -> None:
        """Note that the terminal has not answered for seconds: from then on the person goes on."""
        if self._waits_s() > HUNG_S:
            self.lost = True

    def accept(self) -> None:
        """Go on after that, by the person's own act; nothing while the terminal does not answer."""
        if self.is_alive():
            self.lost = False

    def show(self, state: str) -> None:
        """Show a state: `recording` or `paused`, and a word more."""
        if state != self._state:
            self._state = state
            self.changed()

    def close(self) -> None:
        """Leave it: the terminal is given back as it was."""

    # --- for the terminal's own thread ---

    def _waits_s(self) -> float:
        try:
            return time.monotonic() - self._asked[0][1]
        except IndexError:
            return 0.0

    def cells(self, lines: int, columns: int) -> list[Cell]:
        """Return the row, for a terminal of this size; asks anew where that is another one."""
        if (lines, columns) != self._size:
            self._size = lines, columns
            self._asked.clear()
            self._last_s = 0.0
        self.is_whole = lines > 1 and columns >= self._needed
        style = _STYLES[look_of(self._said())]
        row: list[Cell] = []
        for character in self.text(columns):
            row += [(character, style), ("", style)][: width(character)]
        return row[:columns] + [(" ", style)] * (columns - len(row))

    def _said(self) -> str:
        """Return the state, and why nothing is recorded where the agent does not know it yet."""
        if self.is_seen() or not self._state.startswith("recording"):
            return self._state
        return "paused"

    def text(self, columns: int) -> str:
        """Return what the line says in so many columns: state, study, key, as far as they fit."""
        state = self._said()
        if self.has_answered and state.startswith("paused"):
            why = (SMALL, not self.is_whole), (UNANSWERED, not self.is_alive())
            state += "".join(
                f" {one}" for one, holds in (*why, (UNFOCUSED, not self.has_focus)) if holds
            )
        look, words = look_of(state), self._words
        said_here, key = said(state, words), words["key"]
        does = f"{key}: {words['resume' if look == 'paused' else 'pause']}"
        title = f" · {self._title}" if self._title else ""
        tries = ((said_here + title, does), (said_here, does), (said_here, key))
        for left, right in (*tries, (self._short(state), key)):
            line = self._plainly(f"{self._marks[look]} {left}")
            room = columns - sum(map(width, line)) - len(right) - 1
            if room >= 1:
                return f"{line}{' ' * room}{right} "
        return self._plainly(f"{self._marks[look]} {self._short(state)}")

    def _short(self, state: str) -> str:
        """Return a state in fewer words; where nothing is recorded it need not say that it is."""
        words = dict(self._words)
        words |= {name: words[f"{name}_short"] for name in (ELSEWHERE, UNANSWERED, UNFOCUSED)}
        return said(state, words | ({"recording": "Overt"} if ELSEWHERE in state else {}))

    def _plainly(self, text: str) -> str:
        """Return a text in what the terminal can show, each character one place wide or two."""
        text = "".join(one for one in text if width(one) > 0)
        if self._is_utf8:
            return text
        for mark, plain in (("·", "-"), ("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
            text = text.replace(mark, plain)
        return text.encode("ascii", "replace").decode()

    @property
    def waits(self) -> bool:
        """Whether a question has not been answered yet."""
        return bool(self._asked)

    def blocked(self) -> None:
        """Note that keys come and nothing can be asked: the terminal takes nothing."""
        if not self._asked:
            self._asked.append((_NOWHERE, time.monotonic()))

    def question(self, row: list[Cell], *, keys: bool) -> bytes:
        """Return what asks the terminal, where it is time: the row is another one, or keys came."""
        now_s = time.monotonic()
        is_other, self._drawn = (self._size, row) != self._drawn, (self._size, row)
        is_asked = any(place != _NOWHERE for place, _ in self._asked)
        due_s = ANSWER_S if is_asked else ASK_EVERY_S
        if self._size[0] < 2:
            return b""  # an answer from the first row reads as a key (F3)
        if not is_other and (not (keys or self._asked) or now_s - self._last_s < due_s):
            return b""
        self._next = self._next % min(_PLACES, max(1, self._size[1])) + 1
        self._asked.append((self._next, now_s))
        if len(self._asked) >= _PLACES:
            del self._asked[1]  # the first says for how long nothing came
        self._last_s = now_s
        return b"\x1b[%d;%dH\x1b[6n" % (self._size[0], self._next)

    def answered(self, row: int, place: int) -> bool:
        """Take an answer; returns whether it is one to a question that was asked."""
        places = [asked for asked, _ in self._asked]
        if row != self._size[0] or place not in places:
            return False
        for _ in range(places.index(place) + 1):
            self._asked.popleft()
        self.has_answered = True
        return True


def is_utf8() -> bool:
    """Return whether the person's terminal takes UTF-8, as their locale says."""
    told = next((v for n in ("LC_ALL", "LC_CTYPE", "LANG") if (v := os.environ.get(n))), "")
    return "utf" in told.lower()
