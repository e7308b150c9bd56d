"""Which words there are, how frequent they are, and which follow which.

The counts are those the package `symspellpy` carries (82,765 words and 243,342 pairs of English,
MIT licence): read from the installed package, nothing of them is part of Overt. Texts that a model
may learn from add words and counts of their own.
"""

from __future__ import annotations

import importlib.resources
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from math import log

import numpy as np

from overt.models.tensors import Array
from overt.schema.errors import Missing

UNIGRAMS = "frequency_dictionary_en_82_765.txt"
BIGRAMS = "frequency_bigramdictionary_en_243_342.txt"

NEW_WORD_COUNT = 100_000
"""Count of a word that only a learned-from text has: that of a rare word of the dictionary."""

OWN_WEIGHT = 200.0
"""Words of general English that one context of the texts learned from is worth."""


@dataclass(frozen=True)
class Words:
    """A vocabulary with its language model; number of a word = its place in `words`."""

    words: tuple[str, ...] = field(repr=False)
    log_p: Array = field(repr=False)
    """float64[words], natural logarithm of each word's share."""
    number: dict[str, int] = field(repr=False)
    pairs: dict[tuple[str, str], float] = field(repr=False)
    """Share of the second word after the first, for the pairs that are listed."""
    left_over: dict[str, float] = field(repr=False)
    """Share that is left for words that are not listed after the first."""
    local: Counter[str] = field(default_factory=Counter, repr=False)
    local_pairs: Counter[tuple[str, str]] = field(default_factory=Counter, repr=False)

    def __contains__(self, word: object) -> bool:
        return word in self.number

    def alone(self, word: str) -> float:
        """Return ln of the word's share, far below the rarest for a word that is not known."""
        at = self.number.get(word)
        return float(self.log_p[at]) if at is not None else UNKNOWN

    def after(self, word: str, before: str) -> float:
        """Return ln of the word's share after `before` ("" where a sentence begins).

        Listed pairs have their share, others what is left over, spread by frequency. Texts that
        were learned from are mixed in by how often they hold `before` (`OWN_WEIGHT`).
        """
        alone = np.exp(self.alone(word))
        general = self.pairs.get((before, word))
        if general is None:
            general = self.left_over.get(before, 1.0) * alone
        seen = self.local[before]
        if not seen:
            return log(general)
        near = self.local_pairs[before, word]
        return log((near + OWN_WEIGHT * general) / (seen + OWN_WEIGHT))


UNKNOWN = -25.0
"""ln of the share of a word that is not known."""


@cache
def _lines(name: str) -> tuple[tuple[str, ...], ...]:
    try:
        file = importlib.resources.files("symspellpy") / name
        text = file.read_text(encoding="utf-8-sig")
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise Missing(
            "the English word counts of the package symspellpy are not installed",
            where=name,
            do="Install it: pip install 'overt[models]'.",
        ) from error
    return tuple(tuple(line.split()) for line in text.splitlines() if line.strip())


@cache
def dictionary() -> frozenset[str]:
    """Return the English words that `symspellpy` counts, lower case."""
    return frozenset(word for word, _ in _lines(UNIGRAMS))


def english(texts: Iterable[Iterable[str]] = (), extra: Iterable[str] = ()) -> Words:
    """Return English as `symspellpy` counts it, with what `texts` and `extra` words add.

    Args:
        texts: sentences as lower-case words, which the caller may learn from.
        extra: words to know as well.
    """
    counts = {word: float(count) for word, count in _lines(UNIGRAMS)}
    local: Counter[str] = Counter()
    local_pairs: Counter[tuple[str, str]] = Counter()
    for sentence in texts:
        before = ""
        for word in sentence:
            local[before] += 1
            local_pairs[before, word] += 1
            counts.setdefault(word, NEW_WORD_COUNT)
            before = word
    for word in extra:
        counts.setdefault(word, NEW_WORD_COUNT)
    words = tuple(sorted(counts))
    total = sum(counts.values())
    pairs: dict[tuple[str, str], float] = {}
    listed: dict[str, float] = {}
    for first, second, count in _lines(BIGRAMS):
        share = float(count) / max(counts.get(first, 0.0), float(count))
        pairs[first, second] = share
        listed[first] = listed.get(first, 0.0) + share
    squeeze = {first: min(1.0, 0.95 / share) for first, share in listed.items()}
    return Words(
        words=words,
        log_p=np.log(np.array([counts[word] for word in words]) / total),
        number={word: at for at, word in enumerate(words)},
        pairs={pair: share * squeeze[pair[0]] for pair, share in pairs.items()},
        left_over={first: 1.0 - share * squeeze[first] for first, share in listed.items()},
        local=local,
        local_pairs=local_pairs,
    )
