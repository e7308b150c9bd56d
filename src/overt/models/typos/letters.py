"""Letters as small numbers, where they lie on a QWERTY keyboard, and how words sound.

Geometry is of the US layout: row 0 is the digits, each row is shifted right of the one above by the
usual stagger (0, .5, .75, 1.25 key widths). It is a prior only: a fitted channel overrules it.
"""

from __future__ import annotations

import re
from functools import cache

import numpy as np

from overt.models.tensors import Array

LETTERS = "abcdefghijklmnopqrstuvwxyz'-"
"""Letters with a number of their own, from 1 on."""

CODES = 32
"""Numbers a letter can have: 0 none, 1–28 `LETTERS`, then the three below."""

OTHER, START, END = 29, 30, 31

_CODE = {letter: number for number, letter in enumerate(LETTERS, 1)}
_ROWS = (("1234567890-", 0.0), ("qwertyuiop", 0.5), ("asdfghjkl;'", 0.75), ("zxcvbnm,./", 1.25))
_PLACE = {
    letter: (column + shift, float(row))
    for row, (letters, shift) in enumerate(_ROWS)
    for column, letter in enumerate(letters)
}
VOWELS = frozenset("aeiouy")


def codes(word: str) -> Array:
    """Return uint8[len(word)], the numbers of a lower-case word's letters."""
    return np.array([_CODE.get(letter, OTHER) for letter in word], np.uint8)


def distance_keys(one: str, other: str) -> float:
    """Return the distance of two keys in key widths; 9 where one is not on the keyboard.

    >>> distance_keys("a", "s"), round(distance_keys("g", "t"), 2)
    (1.0, 1.03)
    """
    if one not in _PLACE or other not in _PLACE:
        return 9.0
    (x, y), (x2, y2) = _PLACE[one], _PLACE[other]
    return float(np.hypot(x - x2, y - y2))


def neighbours(one: str, other: str) -> bool:
    """Return whether two keys touch.

    >>> neighbours("g", "h"), neighbours("g", "k")
    (True, False)
    """
    return one != other and distance_keys(one, other) < 1.3


@cache
def by_code(kind: str) -> Array:
    """Return bool[CODES, CODES]: which letters are `neighbours`, both `vowels`, or `alike`.

    `alike` are letters that stand for one sound in some English word (c–k, s–z, f–v, …).
    """
    found = np.zeros((CODES, CODES), np.bool_)
    groups = ("ckqx", "sczx", "fv", "gj", "bp", "dt", "mn", "iy", "uw", "lr")
    for one in LETTERS:
        for other in LETTERS:
            if one == other:
                continue
            if kind == "neighbours":
                yes = neighbours(one, other)
            elif kind == "vowels":
                yes = one in VOWELS and other in VOWELS
            else:
                yes = any(one in group and other in group for group in groups)
            found[_CODE[one], _CODE[other]] = yes
    return found


_SOUNDS = (
    (r"^(kn|gn|pn)", "n"),
    (r"^wr", "r"),
    (r"^ps", "s"),
    (r"^x", "s"),
    (r"^wh", "w"),
    (r"mb$", "m"),
    (r"tch|ch|sh|[st]i(?=on|an|al|ou)|ci(?=an|al|ou)", "x"),
    (r"ough|augh", "of"),
    (r"igh|eigh", "i"),
    (r"ph", "f"),
    (r"gh", "g"),
    (r"dg(?=[eiy])|g(?=[eiy])", "j"),
    (r"sc(?=[eiy])|c(?=[eiy])|z", "s"),
    (r"ck|q|c", "k"),
    (r"th", "0"),
    (r"v", "f"),
    (r"d", "t"),
    (r"[aeiouyhw'-]+", ""),
)
_SOUND = tuple((re.compile(pattern), sound) for pattern, sound in _SOUNDS)


def sound(word: str) -> str:
    """Return a rough key of how a word sounds: its first sound and its consonants in classes.

    >>> sound("phisics") == sound("physics"), sound("nite"), sound("knight")
    (True, 'nt', 'nt')
    """
    if not word:
        return ""
    key = ("a" if word[0] in VOWELS else "") + word
    for number, (pattern, becomes) in enumerate(_SOUND):
        if number == len(_SOUND) - 1:
            first, key = (key[0], key[1:]) if key[0] == "a" else ("", key)
            key = first + pattern.sub(becomes, key)
        else:
            key = pattern.sub(becomes, key)
    return re.sub(r"(.)\1+", r"\1", key)
