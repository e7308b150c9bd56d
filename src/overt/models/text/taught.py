"""A study's model of text: sharded, a function of who taught it, so that leaving is exact.

Learned is what follows what in the texts that people wrote at level `keys`, and how they slip, from
their own corrections. A word that only one person of a shard wrote is not learned: texts are cut
where it stood, so a name, a number or a password that somebody typed once is in no model.

A shard's tensors: `texts` (uint8, the pieces of all texts, sorted, a line each), `weights` (how far
the shard's speller, general English and its vocabulary are trusted), and the costs of single edits
(`change`, `leave_out`, `put_in`, `swap`). All follow from counts of texts. A prediction mixes the
experts of all shards; each shard's experts have the trust they earned there, shared evenly.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from overt.datasets.split import shard_of, split_of
from overt.models.kept import Kept
from overt.models.tensors import Array, Tensors, sha256
from overt.models.text import mixture
from overt.models.text.alphabet import fold
from overt.models.text.mixture import Experts, Predictor
from overt.models.text.vocabulary import Vocabulary, english, learned, words_of
from overt.models.text.written import written
from overt.models.typos import corrector, words
from overt.models.typos.channel import Edits, Pair, edits
from overt.models.typos.corrector import Corrector
from overt.models.typos.evidence import Channel, lexicon
from overt.models.typos.mined import mine
from overt.models.typos.ranker import Ranker
from overt.schema.people import SubjectEvents

SAMPLE_ID = "text/1"

PEOPLE_MIN = 10
"""Fewer would be spoken for one by one."""

WRITERS_MIN = 2
"""People of a shard who wrote a word before it is learned."""

WEIGHED_PEOPLE, WEIGHED_CHARACTERS = 40, 1_500
"""People of a shard on whom trust is earned, evenly by tag, and how much of each: a few numbers
need no more, and what experts say of a text takes memory."""

SPELT, SPELT_ORDER = 5_000, 5
"""Words that a speller learns to spell from where there are no texts, and how."""

_COSTS = ("change", "leave_out", "put_in", "swap")


@dataclass(frozen=True, eq=False)
class Sample:
    """What one person teaches: the lines they wrote, and what they put right themselves."""

    tag: bytes = field(repr=False)
    origin: str
    split: str
    shard: int
    texts: tuple[str, ...] = field(repr=False)
    pairs: tuple[Pair, ...] = field(repr=False)
    """(typed, meant)"""

    @property
    def size(self) -> int:
        """How many characters they wrote."""
        return sum(map(len, self.texts))


def sample_of(person: SubjectEvents, shards: int) -> Sample:
    """Return one person's sample: empty below level `keys`."""
    runs = [run.text for session in person.sessions for run in written(session)]
    corrections = [found.correction for session in person.sessions for found in mine(session)]
    return Sample(
        person.tag,
        person.origin,
        split_of(person.tag),
        shard_of(person.tag, shards),
        tuple(line for text in runs for line in lines(text)),
        tuple((one.slip, one.matched) for one in corrections if one.slip != one.matched),
    )


def lines(text: str) -> list[str]:
    """Return the lines of a text, folded, without those that are empty."""
    return [found for line in text.splitlines() if (found := fold(line).strip())]


def samples_hash(samples: list[Sample]) -> str:
    """Return the SHA-256 of the texts that are learned from, in the order of their tags."""
    ordered = sorted((s for s in samples if s.split == "train"), key=lambda s: s.tag)
    return sha256(
        {
            f"{number:06d}": _bytes([*one.texts, "", *("\t".join(pair) for pair in one.pairs)])
            for number, one in enumerate(ordered)
        }
    )


def _bytes(rows: Sequence[str]) -> Array:
    return np.frombuffer("\n".join(rows).encode(), np.uint8).copy()


@dataclass(frozen=True, eq=False)
class Taught(Kept):
    """The shards; `predictor` and `corrector` make of them what answers."""

    rule = SAMPLE_ID

    def named(self) -> dict[str, Any]:
        """Return what besides the shards names the model."""
        return {"sample": SAMPLE_ID, "order": mixture.ORDER, "writers_min": WRITERS_MIN}

    def predictor(self, general: Vocabulary | None = None) -> Predictor:
        """Return what predicts characters and words; at least one shard."""
        known = english() if general is None else general
        made = [_experts(texts_of(tensors), known) for tensors in self.shards.values()]
        weights = [tensors["weights"].astype(np.float64) for tensors in self.shards.values()]
        spelt, public, local = (
            np.stack([of[:, column] for of in weights], 1) / len(weights) for column in range(3)
        )
        experts = Experts(
            tuple(one.spellers[0] for one in made),
            (known, *(one.vocabularies[1] for one in made)),
        )
        joined = np.concatenate([spelt, public.sum(1, keepdims=True), local], axis=1)
        return Predictor(experts, joined)

    def corrector(self) -> Corrector:
        """Return what puts typos right: general English, these words, and these hands."""
        said = [
            sentence
            for tensors in self.shards.values()
            for text in texts_of(tensors)
            for sentence in mixture.sentences(text)
        ]
        known = lexicon(words.english(texts=said))
        return Corrector(known, Channel(mean([costs(t) for t in self.shards.values()])), Ranker())


def train(
    samples: Iterable[Sample],
    *,
    shards: Collection[int] | None = None,
    before: Taught | None = None,
    progress: Callable[[float], None] = lambda _done: None,
    general: Vocabulary | None = None,
) -> Taught:
    """Return the model of all people of the split `train`, or of some shards of it.

    `general` are words known before anyone teaches; by default general English.
    """
    known = english() if general is None else general
    return Taught.grown(
        samples,
        lambda people: _fit(people, known),
        shards=shards,
        before=before,
        progress=progress,
    )


def _fit(people: list[Sample], general: Vocabulary) -> Tensors:
    shared = _shared(people)
    pieces = {one.tag: [p for text in one.texts for p in cut(text, shared)] for one in people}
    sides = [
        _experts([p for one in people if _side(one) == side for p in pieces[one.tag]], general)
        for side in (0, 1)
    ]
    wrote = [one for one in people if pieces[one.tag]]
    seen = [
        mixture.look(sides[1 - _side(one)], _beginning(pieces[one.tag]))
        for one in wrote[:: 1 + len(wrote) // WEIGHED_PEOPLE]
    ]
    weights = mixture.weigh(seen) if seen else np.full((2, 3), 1 / 3)
    pairs = [pair for one in people for pair in one.pairs if pair[1] in shared]
    hand = edits(pairs)
    return {
        "texts": _bytes(sorted(p for of in pieces.values() for p in of)),
        "weights": weights.astype("<f4"),
        **{name: np.atleast_1d(np.asarray(getattr(hand, name), "<f4")) for name in _COSTS},
    }


def _shared(people: Sequence[Sample]) -> frozenset[str]:
    """Return the words, lower case, that enough of these people wrote."""
    writers = Counter(
        word
        for one in people
        for word in {match.group().lower() for text in one.texts for match in words_of(text)}
    )
    return frozenset(word for word, count in writers.items() if count >= WRITERS_MIN)


def cut(text: str, shared: Collection[str]) -> list[str]:
    """Return the parts of a folded text between words that are not in `shared`.

    >>> cut("call bob at the sea", {"call", "at", "the", "sea"})
    ['call', 'at the sea']
    """
    parts, start = [], 0
    for match in words_of(text):
        if match.group().lower() not in shared:
            parts.append(text[start : match.start()])
            start = match.end()
    return [part for one in (*parts, text[start:]) if (part := one.strip()) and any(words_of(part))]


def _beginning(texts: Sequence[str]) -> list[str]:
    """Return the first texts, until there are so many characters; at least one."""
    ends = np.cumsum([len(text) for text in texts])
    return list(texts[: 1 + int(np.searchsorted(ends, WEIGHED_CHARACTERS))])


def _side(one: Sample) -> int:
    return hashlib.sha256(b"next-text side\0" + one.tag).digest()[0] % 2


def _experts(texts: Sequence[str], general: Vocabulary) -> Experts:
    local = learned(found for text in texts for found in mixture.sentences(text))
    return Experts((mixture.speller(texts),), (general, local))


def texts_of(tensors: Mapping[str, Array]) -> list[str]:
    """Return the pieces of texts that a shard learned from, sorted."""
    return tensors["texts"].tobytes().decode().splitlines()


def costs(tensors: Mapping[str, Array]) -> Edits:
    """Return the costs of single edits that a shard has."""
    change, leave_out, put_in, swap = (tensors[name].astype(np.float64) for name in _COSTS)
    return Edits(change, leave_out, put_in, float(swap[0]))


def mean(hands: Sequence[Edits]) -> Edits:
    """Return the costs of the mean of their probabilities."""
    change, leave_out, put_in, swap = (
        -np.log(np.mean([np.exp(-getattr(one, name)) for one in hands], axis=0)) for name in _COSTS
    )
    return Edits(change, leave_out, put_in, float(swap))


@cache
def untaught() -> Corrector:
    """Return the corrector that nobody taught."""
    return corrector.untrained(words.english())


def only_public(general: Vocabulary | None = None) -> Predictor:
    """Return the predictor that nobody taught: general English alone."""
    known = english() if general is None else general
    often = np.argsort(-known.share, kind="stable")[:SPELT]
    line = " ".join(known.words[at] for at in often.tolist())
    experts = Experts((mixture.speller([line], SPELT_ORDER),), (known,))
    return Predictor(experts, np.array([[0.1, 0.9]] * 2))
