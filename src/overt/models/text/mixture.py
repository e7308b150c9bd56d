"""What we predict text with: several experts that each spell out a word, weighed word by word.

A speller (Kneser-Ney over characters) knows everything a little. A vocabulary knows which words
there are and which follow which; of what it does not know (which case, what ends a word, where no
letter comes) it asks the first speller. Before a word begins each expert has the weight that it
earned on texts of others (by expectation maximisation); each letter then multiplies the weight by
the share that the expert gave it, which is Bayes' rule for “which of them is this word from”. So a
word that no vocabulary knows is soon the speller's, and one's own words are soon one's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from overt.models.tensors import Array
from overt.models.text import kneser_ney
from overt.models.text.alphabet import LETTERS, LOWER, SIZE, UPPER, codes
from overt.models.text.kneser_ney import KneserNey
from overt.models.text.vocabulary import Vocabulary, words_of

ORDER = 7
"""Characters in the longest run a speller counts."""

SHARED = 0.05
"""Share of the trust that goes back to where it was before the word at each letter, so that one
letter cannot end an expert (Herbster & Warmuth, Tracking the best expert, 1998)."""

FLOOR = 1e-9
ROUNDS = 40
_APOSTROPHE = ord("'") - 30
_ENDS = ".!?"
_NO_LETTER = np.ones(SIZE, np.bool_)
_NO_LETTER[[_APOSTROPHE, *LOWER, *UPPER]] = False
_NO_LETTER[0] = False


@dataclass(frozen=True)
class Place:
    """Where in a text something is to be predicted."""

    before: str
    """Up to two words before, lower case; "" where a sentence begins."""
    prefix: str
    """Letters of the word that has begun, lower case; "" where none has."""
    known: bool
    """What has begun can be a word of a vocabulary."""


def places(text: str) -> Iterator[Place]:
    """Yield the place of each character of a folded text, and of its end."""
    before, prefix, known = "", "", True
    for letter in text:
        yield Place(before, prefix, known)
        if letter.isalpha() and letter.isascii():
            prefix += letter.lower()
        elif letter == "'" and prefix:
            prefix += letter
        elif letter.isalnum():
            prefix, known = prefix + letter, False
        else:
            before = " ".join([*before.split(), *prefix.rstrip("'").split()][-2:])
            prefix, known = "", True
            if letter in _ENDS:
                before = ""
    yield Place(before, prefix, known)


@dataclass(frozen=True)
class Experts:
    """Those that are asked; the first speller also serves the vocabularies."""

    spellers: tuple[KneserNey, ...] = field(repr=False)
    vocabularies: tuple[Vocabulary, ...] = field(repr=False)

    @property
    def count(self) -> int:
        """How many there are: spellers first."""
        return len(self.spellers) + len(self.vocabularies)


@dataclass(frozen=True)
class Looked:
    """What every expert says at every place of some texts, one after the other."""

    share: Array = field(repr=False)
    """float64[experts, places, SIZE]"""
    came: Array = field(repr=False)
    """int64[places], the character that came."""
    unit: Array = field(repr=False)
    """int64[places], number of the word (or the character between words) it belongs to."""
    bucket: Array = field(repr=False)
    """int64[units]: 0 where a sentence begins, else 1."""
    text: Array = field(repr=False)
    """int64[places], which text it is in."""

    @property
    def given(self) -> Array:
        """float64[experts, places], the share each gave to the character that came."""
        return np.maximum(self.share[:, np.arange(len(self.came)), self.came], FLOOR)


def look(experts: Experts, texts: Sequence[str]) -> Looked:
    """Ask every expert about every character of folded texts."""
    coded = [codes(text) for text in texts]
    where = [list(places(text)) for text in texts]
    flat = [place for of in where for place in of]
    spelt = [speller.everything(coded) for speller in experts.spellers]
    share = [*spelt, *(_worded(words, flat, spelt[0]) for words in experts.vocabularies)]
    begins = np.array([place.prefix == "" for place in flat], np.bool_)
    return Looked(
        np.stack(share),
        np.concatenate([text[1:] for text in coded]) if coded else np.zeros(0, np.int64),
        np.cumsum(begins) - 1,
        np.array([int(place.before != "") for place in flat if place.prefix == ""], np.int64),
        np.repeat(np.arange(len(where)), [len(of) for of in where]),
    )


def _worded(words: Vocabulary, where: Sequence[Place], spelt: Array) -> Array:
    """Return float64[places, SIZE]: what a vocabulary says, with the speller for the rest."""
    seen: dict[Place, Array] = {}
    for place in where:
        if place not in seen:
            nothing = np.zeros(len(LETTERS) + 1)
            seen[place] = words.masses(place.before, place.prefix) if place.known else nothing
    mass = np.array([seen[place] for place in where]).reshape(len(where), len(LETTERS) + 1)
    total = mass.sum(axis=1)
    out = spelt.copy()
    lower, upper = spelt[:, LOWER].sum(axis=1), spelt[:, UPPER].sum(axis=1)
    capital = (upper / np.maximum(lower + upper, FLOOR))[:, None]
    begins = np.array([place.prefix == "" for place in where], np.bool_)
    for inside in (False, True):
        row = np.flatnonzero((begins != inside) & (total > FLOOR))
        part = mass[row] / total[row][:, None]
        if not inside:
            part = part * (lower + upper)[row][:, None]
        out[np.ix_(row, LOWER)] = part[:, 2:] * (1 - capital[row])
        out[np.ix_(row, UPPER)] = part[:, 2:] * capital[row]
        if inside:
            out[row, _APOSTROPHE] = part[:, 1]
            between = spelt[row] * _NO_LETTER
            between /= np.maximum(between.sum(axis=1), FLOOR)[:, None]
            out[np.ix_(row, _NO_LETTER)] = (between * part[:, :1])[:, _NO_LETTER]
    return out


def weigh(seen: Sequence[Looked]) -> Array:
    """Return float64[buckets, experts], the weights that make what came most likely."""
    log = np.concatenate([_of_units(looked) for looked in seen], axis=1)
    buckets = np.concatenate([looked.bucket for looked in seen])
    experts = len(log)
    likely = np.exp(log - log.max(axis=0, initial=-np.inf))
    weights = np.full((2, experts), 1 / experts)
    for _ in range(ROUNDS):
        share = weights[buckets].T * likely
        share /= share.sum(axis=0)
        for bucket in range(2):
            mine = share[:, buckets == bucket]
            weights[bucket] = (mine.sum(axis=1) + 1) / (mine.shape[1] + experts)
    return weights


def _of_units(looked: Looked) -> Array:
    """Return float64[experts, units], ln of what each expert gave to all of a word."""
    units = len(looked.bucket)
    return np.stack([np.bincount(looked.unit, of, units) for of in np.log(looked.given)])


def mixed(looked: Looked, weights: Array) -> Array:
    """Return float64[places, SIZE], the distribution of the experts together."""
    log = np.log(looked.given)
    so_far = np.cumsum(log, axis=1) - log
    first = np.flatnonzero(np.diff(looked.unit, prepend=-1))
    so_far -= so_far[:, first][:, looked.unit]
    buckets = looked.bucket[looked.unit]
    trust = np.log(weights[buckets].T) + so_far
    trust = np.exp(trust - trust.max(axis=0))
    trust = (1 - SHARED) * trust / trust.sum(axis=0) + SHARED * weights[buckets].T
    return np.asarray(np.einsum("ep,eps->ps", trust, looked.share))


@dataclass(frozen=True)
class Predictor:
    """Experts with the weights that they earned."""

    experts: Experts
    weights: Array = field(repr=False)
    _offered: dict[tuple[str, str], list[str]] = field(default_factory=dict, repr=False)

    def offer(self, said: Sequence[str], prefix: str) -> list[str]:
        """Return what `words` does, remembered, after the words of a sentence so far."""
        key = " ".join(said[-2:]), prefix
        if key not in self._offered:
            self._offered[key] = self.words(*key)
        return self._offered[key]

    def characters(self, texts: Sequence[str]) -> Array:
        """Return float64[places, SIZE], the distribution of each character of folded texts."""
        return mixed(look(self.experts, texts), self.weights)

    def words(self, before: str, prefix: str, count: int = 3) -> list[str]:
        """Return the likeliest words that begin with some letters after others, best first."""
        return [word for word, _ in self.likely(before, prefix, count)]

    def likely(self, before: str, prefix: str, count: int) -> list[tuple[str, float]]:
        """Return what `words` does, each with its share among the words of all vocabularies."""
        vocabularies = self.experts.vocabularies
        weights = self.weights[int(before != "")][len(self.experts.spellers) :]
        near = sorted({w for known in vocabularies for w in known.nearest(before, prefix)})
        score = np.zeros(len(near))
        for weight, known in zip(weights.tolist(), vocabularies, strict=True):
            at = np.array([known.number.get(word, -1) for word in near], np.int64)
            there = at >= 0
            score[there] += weight * known.shares(before, at[there])
        best = np.argsort(-score, kind="stable")[:count]
        pairs = zip(weights.tolist(), vocabularies, strict=True)
        whole = sum(weight * known.masses(before, prefix).sum() for weight, known in pairs)
        return [(near[at], float(score[at] / whole)) for at in best.tolist()]


def sentences(text: str) -> Iterator[list[str]]:
    """Yield the words of each sentence of a folded text, lower case."""
    for part in text.replace("!", ".").replace("?", ".").split("."):
        found = [word.group().lower() for word in words_of(part)]
        if found:
            yield found


def speller(texts: Sequence[str], order: int = ORDER) -> KneserNey:
    """Return Kneser-Ney over the characters of folded texts."""
    return kneser_ney.fit([codes(text) for text in texts], order)
