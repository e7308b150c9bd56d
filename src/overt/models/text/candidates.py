"""The words that somebody may have typed, by how long they are, and how likely each is."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from overt.models.tensors import Array
from overt.models.text.mixture import Predictor

LETTERS_MAX = 20
"""Longer words are not thought of."""

NEVER = 1e-12
"""Share of a word that no vocabulary has."""


@dataclass(frozen=True)
class Candidates:
    """Words of nothing but letters, by their length."""

    letters: dict[int, Array] = field(repr=False)
    """int64[words, length]"""
    numbers: dict[int, list[Array]] = field(repr=False)
    """Their numbers in each vocabulary, -1 where it lacks them."""
    place: dict[str, int] = field(repr=False)

    @classmethod
    def of(cls, model: Predictor) -> Candidates:
        """Return all words of a model's vocabularies."""
        by_length: dict[int, list[str]] = {}
        for word in sorted({w for known in model.experts.vocabularies for w in known.words}):
            if word.isalpha() and len(word) <= LETTERS_MAX:
                by_length.setdefault(len(word), []).append(word)
        numbers = {
            length: [
                np.array([known.number.get(word, -1) for word in words])
                for known in model.experts.vocabularies
            ]
            for length, words in by_length.items()
        }
        letters = {
            length: np.frombuffer("".join(words).encode(), np.uint8)
            .reshape(-1, length)
            .astype(np.int64)
            - ord("a")
            for length, words in by_length.items()
        }
        place = {word: at for words in by_length.values() for at, word in enumerate(words)}
        return cls(letters, numbers, place)

    def prior(self, model: Predictor, length: int, before: str | None) -> Array:
        """Return ln of each word's share among those of its length; `before` None: unknown."""
        bucket = int(before != "")
        weights = model.weights[bucket][len(model.experts.spellers) :]
        share = np.full(len(self.letters[length]), NEVER)
        for weight, known, number in zip(
            weights.tolist(), model.experts.vocabularies, self.numbers[length], strict=True
        ):
            there = number >= 0
            of = (
                known.share[number[there]]
                if before is None
                else known.shares(before, number[there])
            )
            share[there] += weight * of
        return np.asarray(np.log(share / share.sum()))

    def lengths(self, model: Predictor) -> dict[int, float]:
        """Return ln of the share of each length, of words after nothing known."""
        weights = model.weights[1][len(model.experts.spellers) :].tolist()
        share = {
            length: sum(
                weight * float(known.share[number[number >= 0]].sum())
                for weight, known, number in zip(
                    weights, model.experts.vocabularies, numbers, strict=True
                )
            )
            for length, numbers in self.numbers.items()
        }
        whole = sum(share.values())
        return {length: float(np.log(max(of / whole, NEVER))) for length, of in share.items()}
