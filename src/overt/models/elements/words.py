"""Texts as runs of words with numbers, so that compiled loops can compare them.

A word is a run of letters and digits in lower case; `04` and `4` are one word. Nothing is learned
here: a word's number is its place in the texts at hand, its hash is CRC-32 of its letters.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from overt.models.elements.pages import Pages
from overt.models.tensors import Array

_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_QUOTED = re.compile(r'"([^"]*)"')
_MONTHS = "january february march april may june july august september october november december"
MONTHS = {name: number for number, name in enumerate(_MONTHS.split(), 1)}
MONTHS |= {name[:3]: number for name, number in MONTHS.items()}

NUMBER_MAX = 10**6
"""A longer run of digits is a word, not an amount."""


@dataclass(frozen=True)
class Words:
    """Every text as word numbers, end to end; text `t` is `word[start[t] : start[t + 1]]`."""

    start: Array
    """int64[texts + 1]."""
    word: Array
    """int32[words of all texts]."""
    quote: Array
    """int16[words of all texts]: number of the quotation the word stands in, from 1; 0: none."""
    hashed: Array
    """int64[different words]: CRC-32 of the word."""
    amount: Array
    """int64[different words]: the number a word of digits means; -1 for others."""
    month: Array
    """int64[different words]: 1 to 12 for an English month or its first three letters; else 0."""
    letters: Array
    """uint8[…]: the words' UTF-8 letters, end to end."""
    letter_start: Array
    """int64[different words + 1]."""


def words_of(pages: Pages) -> Words:
    """Split the texts of pages; those in camel case only where they are nothing but names.

    What a person reads is compared as it stands: a box may be called `mcqaXf`.
    """
    read = np.zeros(len(pages.texts), np.bool_)
    for column in (pages.text, pages.value, pages.utterance):
        read[column] = True
    return words(pages.texts, ~read)


def words(texts: Sequence[str], names: Array | None = None) -> Words:
    """Split texts into numbered words; those of `names`, bool[texts], at the humps of camel case.

    >>> found = words(["Select 04/06", 'press "OK, go"', "Go"])
    >>> found.word.tolist(), found.quote.tolist()
    ([0, 1, 2, 3, 4, 5, 5], [0, 0, 0, 0, 1, 1, 0])
    >>> found.amount.tolist()
    [-1, 4, 6, -1, -1, -1]
    >>> np.diff(words(["btnDone", "btnDone"], np.array([True, False])).start).tolist()
    [2, 1]
    """
    known: dict[str, int] = {}
    runs: list[int] = []
    quotes: list[int] = []
    start = np.zeros(len(texts) + 1, np.int64)
    for place, text in enumerate(texts):
        spans = [found.span(1) for found in _QUOTED.finditer(text)]
        humped = names is not None and names[place] and _humped(text)
        for found in _WORD.finditer(_HUMP.sub("_", text) if humped else text):
            word = found.group().lower()
            if word.isdecimal():
                word = word.lstrip("0") or "0"
            runs.append(known.setdefault(word, len(known)))
            quotes.append(_inside(found.start(), spans))
        start[place + 1] = len(runs)
    return _described(list(known), start, runs, quotes)


def _humped(text: str) -> bool:
    """Say whether a text is one name in camel case, as ids are: `btnDone`."""
    return " " not in text and text[:1].islower() and not any(c.isdigit() for c in text)


def _inside(at: int, spans: Sequence[tuple[int, int]]) -> int:
    for number, (low, high) in enumerate(spans, 1):
        if low <= at < high:
            return number
    return 0


def _described(known: Sequence[str], start: Array, runs: list[int], quotes: list[int]) -> Words:
    coded = [word.encode() for word in known]
    amounts = [int(word) if word.isdecimal() and int(word) <= NUMBER_MAX else -1 for word in known]
    return Words(
        start=start,
        word=np.array(runs, np.int32),
        quote=np.array(quotes, np.int16),
        hashed=np.array([zlib.crc32(word) for word in coded], np.int64),
        amount=np.array(amounts, np.int64),
        month=np.array([MONTHS.get(word, 0) for word in known], np.int64),
        letters=np.frombuffer(b"".join(coded), np.uint8),
        letter_start=np.cumsum([0, *map(len, coded)]).astype(np.int64),
    )
