"""Characters as small numbers: printable ones of ASCII, the end of a text, all others as one.

Typographic quotation marks and dashes count as those on the keyboard.
"""

from __future__ import annotations

import numpy as np

from overt.models.tensors import Array

START, END, OTHER = 0, 1, 97
"""Before the first character, after the last one, and a character that is not in ASCII."""

SIZE = 98
"""Numbers there are; `START` is never predicted, which leaves `SIZE - 1`."""

BITS = 7
"""That one number takes in a packed run of them."""

_FOLD = str.maketrans("‘’‛“”„–—…\u00a0\t", "'''\"\"\"--. \u0020")
_FIRST = 32 - 2


def fold(text: str) -> str:
    """Return a text with keyboard characters for typographic ones, on one line."""
    return " ".join(text.translate(_FOLD).split("\n"))


def codes(text: str) -> Array:
    """Return int64[len(text) + 2], the numbers of a text between its start and its end.

    >>> codes("a ~é").tolist()
    [0, 67, 2, 96, 97, 1]
    """
    raw = np.frombuffer(text.encode("utf-32-le"), np.uint32).astype(np.int64)
    known = (raw >= 32) & (raw < 127)
    return np.concatenate([[START], np.where(known, raw - _FIRST, OTHER), [END]])


def _range(first: str, last: str) -> Array:
    return np.arange(ord(first), ord(last) + 1) - _FIRST


LOWER, UPPER = _range("a", "z"), _range("A", "Z")
LETTERS = "'abcdefghijklmnopqrstuvwxyz"
"""What words of a vocabulary are made of, in the order of their code points."""

LETTER = np.full(SIZE, -1)
"""int64[SIZE], the place in `LETTERS` of a character in either case, -1 for what is no letter."""
LETTER[ord("'") - _FIRST] = 0
LETTER[LOWER] = LETTER[UPPER] = np.arange(1, 27)
