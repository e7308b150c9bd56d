"""How characters look in a terminal: colours and marks, as the sequence SGR chooses them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Pen:
    """How what comes next looks; colours as the parameters of SGR that choose them."""

    ink: str = ""
    paper: str = ""
    marks: frozenset[int] = frozenset()
    """1 bold, 2 faint, 3 italic, 4 underlined, 5 blinking, 7 reverse, 8 hidden, 9 struck out."""

    @property
    def style(self) -> str:
        """The parameters of SGR that make it, after a reset."""
        return ";".join(filter(None, (*map(str, sorted(self.marks)), self.ink, self.paper)))

    def changed(self, codes: Sequence[int]) -> Pen:
        """Return the pen after SGR with these parameters.

        >>> Pen().changed([1, 38, 5, 9, 44]).style
        '1;38;5;9;44'
        """
        pen, left = self, deque(codes or (0,))
        while left:
            code = left.popleft()
            if code == 0:
                pen = Pen()
            elif code in (38, 48, 58):
                colour = _colour(left)
                if colour and code == 38:
                    pen = replace(pen, ink=f"38;{colour}")
                elif colour and code == 48:  # 58 is the colour of the line below
                    pen = replace(pen, paper=f"48;{colour}")
            elif 30 <= code <= 37 or 90 <= code <= 97:
                pen = replace(pen, ink=str(code))
            elif 40 <= code <= 47 or 100 <= code <= 107:
                pen = replace(pen, paper=str(code))
            elif code in (39, 49):
                pen = replace(pen, ink="") if code == 39 else replace(pen, paper="")
            elif code in (1, 2, 3, 4, 5, 7, 8, 9):
                pen = replace(pen, marks=pen.marks | {code})
            elif 21 <= code <= 29:
                ended = {1, 2} if code == 22 else {4} if code == 21 else {code - 20}
                pen = replace(pen, marks=pen.marks - ended)
        return pen


def _colour(left: deque[int]) -> str:
    """Take what follows 38 or 48 out of the parameters: one of 256, or red, green and blue."""
    kind = left.popleft() if left else 0
    count = {5: 1, 2: 3}.get(kind, 0)
    parts = [left.popleft() for _ in range(min(count, len(left)))]
    told = count and len(parts) == count and all(part <= 255 for part in parts)
    return ";".join(map(str, (kind, *parts))) if told else ""


PLAIN = Pen()
