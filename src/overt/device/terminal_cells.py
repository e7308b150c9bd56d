"""What a place of a terminal shows, and how many places a character takes."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

Cell = tuple[str, str]
"""What one place shows, and how: parameters of SGR, such as `1;31`. The second half of what is two
places wide shows the empty text."""

BLANK: Cell = (" ", "")
_NONE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of what shows nothing by itself, and might turn around what stands beside it."""

DRAWING = str.maketrans("`afgjklmnopqrstuvwxyz{|}~", "◆▒°±┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·")
"""The DEC set of lines and corners, by the letters that stand for them."""


@lru_cache(maxsize=4096)
def width(character: str) -> int:
    r"""Return how many places a character takes: 0 joins it to the one before, -1 is none.

    >>> width("a"), width("漢"), width("\u0301"), width("\u202e")
    (1, 2, 0, -1)
    """
    category = unicodedata.category(character)
    if category in _NONE:
        return -1
    if category in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def fitted(rows: list[list[Cell]], lines: int, columns: int) -> list[list[Cell]]:
    """Return rows of another size; what is cut in half at the right is blank."""
    made = []
    for row in rows[:lines]:
        cut = row[:columns] + [BLANK] * (columns - len(row))
        if len(row) > columns and not row[columns][0]:
            cut[-1] = BLANK
        made.append(cut)
    return made + [[BLANK] * columns for _ in range(lines - len(made))]
