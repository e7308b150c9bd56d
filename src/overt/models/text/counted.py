"""Kneser-Ney over words: the plain way to tell the next word, and its completions."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from overt.models.tensors import Array
from overt.models.text import kneser_ney
from overt.models.text.kneser_ney import KneserNey

WORD_BITS = 20


@dataclass
class CountedWords:
    """A fitted model over the words of the texts it has seen; number 0 begins a text."""

    words: tuple[str, ...]
    model: KneserNey
    _number: dict[str, int] = field(repr=False)
    _seen: dict[tuple[str, ...], Array] = field(default_factory=dict, repr=False)

    def words_after(self, said: Sequence[str], prefix: str, count: int = 3) -> list[str]:
        """Return the likeliest words with a prefix after those said in this text, best first."""
        context = ("", *said)[max(0, len(said) + 2 - self.model.order) :]
        share = self._seen.get(context)
        if share is None:
            numbers = [self._number.get(word, len(self.words) + 1) for word in context]
            share = self._seen[context] = self.model.after(numbers)
        lo = bisect_left(self.words, prefix)
        hi = bisect_left(self.words, prefix + "\x7f", lo)
        part = share[lo + 1 : hi + 1]
        if len(part) > count:
            near = np.sort(np.argpartition(-part, count)[:count])
        else:
            near = np.arange(len(part))
        best = near[np.argsort(-part[near], kind="stable")]
        return [self.words[lo + at] for at in best.tolist()]


def count_words(texts: Sequence[Sequence[str]], order: int) -> CountedWords:
    """Count texts, each as its lower-case words."""
    words = tuple(sorted({word for text in texts for word in text}))
    number = {"": 0, **{word: at for at, word in enumerate(words, 1)}}
    coded = [np.array([0, *(number[word] for word in text)], np.int64) for text in texts]
    model = kneser_ney.fit(coded, order, len(words) + 2, WORD_BITS)
    return CountedWords(words, model, number)
