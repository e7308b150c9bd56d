"""How many keys are saved by somebody who takes each word as soon as it is offered.

`OFFERED` words stand there before each key. Taking one costs one key, and types the rest of the
word and the space behind it where there is one. Every other character costs a key. Case is not
scored, nor the keys that make it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields

import numpy as np

from overt.models.tensors import Array
from overt.models.text.mixture import Place, places
from overt.models.text.vocabulary import words_of

OFFERED = 3
SAVINGS = f"keystroke savings, {OFFERED} offered"

Offer = Callable[[Sequence[str], str], Sequence[str]]
"""The words of the sentence so far (lower case), letters of the next → words, best first."""


@dataclass(frozen=True)
class Played:
    """Of one text."""

    words: int
    first: int
    """Words that were the first one offered before any of their letters."""
    offered: int
    """… one of those offered."""
    keys: int
    """Keys pressed."""
    characters: int
    rare: int = 0
    """Words that are not common knowledge."""
    taken: int = 0
    """Of these, taken before their end."""


COLUMNS = tuple(one.name for one in fields(Played))


def play(text: str, offer: Offer, common: Callable[[str], bool] = lambda _word: True) -> Played:
    """Type a folded text, taking each word as soon as it is offered.

    Args:
        text: what is typed.
        offer: what is offered.
        common: whether a word is common knowledge; how many others are taken is counted.
    """
    where: list[Place] = list(places(text))
    said: list[str] = []
    words = first = offered = keys = done = rare = taken = 0
    for match in words_of(text):
        start, end, word = match.start(), match.end(), match.group().lower()
        keys += start - done
        if where[start].before == "":
            said = []
        at = start
        while at < end:
            given = list(offer(said, word[: at - start]))[:OFFERED]
            if at == start:
                first += given[:1] == [word]
                offered += word in given
            if word in given:
                break
            at += 1
        done = end
        keys += at - start
        if at < end:
            keys += 1
            done += int(text[end : end + 1] == " ")
        words += 1
        if not common(word):
            rare += 1
            taken += at < end - 1
        said.append(word)
    return Played(words, first, offered, keys + len(text) - done, len(text), rare, taken)


def table(played: Sequence[Played]) -> Array:
    """Return float64[texts, COLUMNS]."""
    rows = [astuple(one) for one in played]
    return np.array(rows, np.float64).reshape(len(played), len(COLUMNS))
