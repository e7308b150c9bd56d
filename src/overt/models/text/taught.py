"""The light model as people teach it: a function of who they are, so that leaving is exact.

Everything in it is a count of texts, or follows from counts; people are taken in the order of their
tags. Fitting again without a person therefore gives, to the last bit, what it would have been had
they never taught, and `sha256` says so. Who is on which side when weights are earned hangs on each
tag alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from overt.models.text import mixture
from overt.models.text.alphabet import fold
from overt.models.text.mixture import Experts, Predictor
from overt.models.text.vocabulary import Vocabulary, english, learned
from overt.models.text.written import written
from overt.schema.errors import TooFew

PEOPLE_MIN = 10
"""Fewer would be spoken for one by one."""

SPELT, SPELT_ORDER = 5_000, 5
"""Words that a speller learns to spell from where there are no texts, and how."""


@dataclass(frozen=True)
class Sample:
    """What one person teaches: the sentences they wrote."""

    tag: bytes
    texts: tuple[str, ...] = field(repr=False)


def sample_of(tag: bytes, sessions: Iterable[pa.Table]) -> Sample:
    """Return what is learned of one person's sessions at level `keys`."""
    runs = [run.text for session in sessions for run in written(session)]
    return Sample(tag, tuple(line for text in runs for line in lines(text)))


def lines(text: str) -> list[str]:
    """Return the lines of a text, folded, without those that are empty."""
    return [found for line in text.splitlines() if (found := fold(line).strip())]


@dataclass(frozen=True)
class Taught:
    """A fitted model."""

    predictor: Predictor
    people: int

    def sha256(self) -> str:
        """Return the hash of all that was learned."""
        digest = hashlib.sha256(self.predictor.weights.tobytes())
        for speller in self.predictor.experts.spellers:
            for level in speller.levels:
                for array in (level.context, level.first, level.left, level.symbol, level.share):
                    digest.update(array.tobytes())
        for known in self.predictor.experts.vocabularies:
            digest.update(" ".join(known.words).encode())
            digest.update(known.share.tobytes())
        return digest.hexdigest()


def fit(samples: Sequence[Sample], general: Vocabulary | None = None) -> Taught:
    """Return the model of some people. Raises `TooFew`.

    Args:
        samples: one a person, in any order.
        general: words known before anyone teaches; by default general English.
    """
    taught = sorted((one for one in samples if one.texts), key=lambda one: one.tag)
    if len(taught) < PEOPLE_MIN:
        raise TooFew(
            f"{len(taught)} people wrote something",
            where="next-text",
            do=f"At least {PEOPLE_MIN} are needed.",
        )
    known = english() if general is None else general
    sides = [_experts([one for one in taught if _side(one) == side], known) for side in (0, 1)]
    looked = [mixture.look(sides[1 - _side(one)], one.texts) for one in taught]
    return Taught(Predictor(_experts(taught, known), mixture.weigh(looked)), len(taught))


def _side(one: Sample) -> int:
    return hashlib.sha256(b"next-text side\0" + one.tag).digest()[0] % 2


def _experts(people: Sequence[Sample], general: Vocabulary) -> Experts:
    texts = [text for one in people for text in one.texts]
    local = learned(words for text in texts for words in mixture.sentences(text))
    return Experts((mixture.speller(texts),), (general, local))


def only_public(general: Vocabulary | None = None) -> Predictor:
    """Return the predictor that nobody taught: general English alone."""
    known = english() if general is None else general
    often = np.argsort(-known.share, kind="stable")[:SPELT]
    line = " ".join(known.words[at] for at in often.tolist())
    experts = Experts((mixture.speller([line], SPELT_ORDER),), (known,))
    return Predictor(experts, np.array([[0.1, 0.9]] * 2))
