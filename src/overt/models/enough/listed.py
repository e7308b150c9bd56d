"""How words are misspelt, from published lists.

What stands for people are words, each with all of its misspellings. Learned and told is what
`slipped` learns and tells.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from overt.models.enough.slipped import Slips
from overt.models.typos import lists

NAME = "spelling"
TITLE = "How words are misspelt"
UNIT = "bits saved a misspelling, against a hand nobody has watched (neighbouring keys and sounds)"
WHO = "words"
NOTE = (
    "Words of published lists, each with all its misspellings: nobody knows whose they were, so "
    "intervals are over words. How much better the right word is found, overt evaluate spelling "
    "says."
)


def words_of(path: Path) -> list[Slips]:
    """Return each word with its misspellings, in an order that hangs on no list."""
    by_word: dict[str, list[str]] = {}
    for pairs in lists.read(path).values():
        for typed, meant in pairs:
            if typed != meant:
                by_word.setdefault(meant, []).append(typed)
    order = sorted(by_word, key=lambda word: hashlib.sha256(word.encode()).digest())
    return [
        Slips(
            tuple((typed, word) for typed in sorted(set(by_word[word]))),
            np.zeros(len(set(by_word[word]))),
            np.inf,
        )
        for word in order
    ]
