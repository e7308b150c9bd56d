"""Words of a vocabulary, how likely each is after another, and what may come after some letters.

A word's share after another is that of the listed followers plus what is left over, spread by the
words' shares alone. So whatever begins with some letters has a share that is two differences of
running sums, however large the vocabulary is.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from overt.models.tensors import Array
from overt.models.text.alphabet import LETTERS
from overt.models.typos import words as counted

DISCOUNT = 0.75
"""Taken off each count of a pair, as in absolute discounting; what is taken is left over."""

NEAREST = 20
"""Words that are thought of, of those listed after others and of all."""

_WORD = re.compile(r"[A-Za-z0-9]+(?:'[A-Za-z0-9]+)*")
_OF_LETTERS = re.compile(r"[a-z][a-z']*")


def words_of(text: str) -> Iterator[re.Match[str]]:
    """Yield the words of a folded text, in their places: letters, digits, apostrophes inside.

    >>> [word.group() for word in words_of("Don't go at 10:30, 'Bob'.")]
    ["Don't", 'go', 'at', '10', '30', 'Bob']
    """
    return _WORD.finditer(text)


@dataclass(frozen=True)
class Followers:
    """What is listed after one word: numbers, sorted, their shares, and what is left over."""

    number: Array
    share: Array
    left: float
    sums: Array = field(repr=False)

    @classmethod
    def of(cls, shares: Mapping[int, float], left: float) -> Followers:
        """Return them from the share of each number."""
        number = np.array(sorted(shares), np.int64)
        share = np.array([shares[one] for one in number.tolist()])
        return cls(number, share, left, np.concatenate([[0.0], np.cumsum(share)]))


class Vocabulary:
    """Words in order, their shares, and which follow which."""

    def __init__(
        self, shares: Mapping[str, float], after: Mapping[str, Mapping[str, float]]
    ) -> None:
        """Take shares of words, and of what is listed after a word or two.

        Args:
            shares: by word.
            after: by the word before, or by the two before with a space between: shares that sum
                to at most 1. What two words leave over is spread as after the second alone.
        """
        kept = sorted(word for word in shares if _OF_LETTERS.fullmatch(word))
        self.words: tuple[str, ...] = tuple(kept)
        self.number = {word: at for at, word in enumerate(kept)}
        share = np.array([shares[word] for word in kept], np.float64)
        self.share: Array = share / share.sum() if len(kept) else share
        self.sums: Array = np.concatenate([[0.0], np.cumsum(self.share)])
        self._after = after
        self._followers: dict[str, Followers] = {}
        self._edges: dict[str, Array] = {}
        self._top: dict[str, list[int]] = {}

    def followers(self, before: str) -> Followers:
        """Return what is listed after the one or two words before ("" begins a sentence)."""
        found = self._followers.get(before)
        if found is None:
            listed = self._after.get(before, {})
            known = {self.number[w]: s for w, s in listed.items() if w in self.number}
            left = 1.0 - sum(known.values())
            if " " in before:
                fewer = self.followers(before.partition(" ")[2])
                for number, share in zip(fewer.number.tolist(), fewer.share.tolist(), strict=True):
                    known[number] = known.get(number, 0.0) + left * share
                left *= fewer.left
            found = self._followers[before] = Followers.of(known, left)
        return found

    def edges(self, prefix: str) -> Array:
        """Return int64[len(LETTERS) + 2]: where words with a prefix begin and end, by next letter.

        The first is where the prefix as a word lies (empty if it is none).
        """
        found = self._edges.get(prefix)
        if found is None:
            lo = bisect_left(self.words, prefix)
            hi = bisect_left(self.words, prefix + "\x7f", lo)
            marks = [lo]
            for letter in LETTERS:
                marks.append(bisect_left(self.words, prefix + letter, marks[-1], hi))
            found = self._edges[prefix] = np.array([*marks, hi])
        return found

    def masses(self, before: str, prefix: str) -> Array:
        """Return float64[len(LETTERS) + 1]: share of the prefix as a word, and of each letter next.

        Together they are the share of all words with that prefix, after `before`.
        """
        edges, known = self.edges(prefix), self.followers(before)
        listed = known.sums[np.searchsorted(known.number, edges)]
        return known.left * np.diff(self.sums[edges]) + np.diff(listed)

    def shares(self, before: str, numbers: Array) -> Array:
        """Return float64[numbers], the share of each word after `before`."""
        known = self.followers(before)
        out = known.left * self.share[numbers]
        if len(known.number):
            at = np.minimum(np.searchsorted(known.number, numbers), len(known.number) - 1)
            out = out + np.where(known.number[at] == numbers, known.share[at], 0.0)
        return out

    def nearest(self, before: str, prefix: str) -> list[str]:
        """Return words with a prefix, among them the `NEAREST` most likely after others."""
        edges = self.edges(prefix)
        lo, hi = int(edges[0]), int(edges[-1])
        top = self._top.get(prefix)
        if top is None:
            top = self._top[prefix] = (lo + _largest(self.share[lo:hi])).tolist()
        known = self.followers(before)
        first, last = np.searchsorted(known.number, (lo, hi)).tolist()
        number = known.number[first:last]
        best = _largest(known.share[first:last] + known.left * self.share[number])
        return [self.words[at] for at in {*top, *number[best].tolist()}]


def _largest(share: Array) -> Array:
    if len(share) <= NEAREST:
        return np.arange(len(share))
    return np.argpartition(share, -NEAREST)[-NEAREST:]


def learned(texts: Iterable[Sequence[str]]) -> Vocabulary:
    """Return the vocabulary of texts, each as its lower-case words; it knows two words back."""
    counts: dict[str, Counter[str]] = {}
    different: dict[str, set[str]] = {}
    for text in texts:
        for at, word in enumerate(text):
            before = " ".join(text[max(0, at - 2) : at])
            last = text[at - 1] if at else ""
            for context in {before, last}:
                counts.setdefault(context, Counter())[word] += 1
            different.setdefault(word, set()).add(last)
    after = {
        before: {word: (count - DISCOUNT) / followers.total() for word, count in followers.items()}
        for before, followers in counts.items()
    }
    return Vocabulary({word: len(last) for word, last in different.items()}, after)


@cache
def english() -> Vocabulary:
    """Return general English, as `models.typos.words` reads it from the package it comes with."""
    known = counted.english()
    after: dict[str, dict[str, float]] = {}
    for (first, second), share in known.pairs.items():
        after.setdefault(first, {})[second] = share
    return Vocabulary(dict(zip(known.words, np.exp(known.log_p).tolist(), strict=True)), after)
