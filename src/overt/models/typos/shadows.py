"""Correctors taught by halves of people's own corrections, and how surely each puts everyone right.

A person's loss is the mean of minus ln of the probability that their word is what was meant.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from overt.models import shadows
from overt.models.tensors import Array
from overt.models.typos import corrector, slipped, words
from overt.models.typos.channel import Pair
from overt.models.typos.evidence import Asked, gather

PROBABILITY_MIN = 1e-6
"""A word that is not among the candidates counts as this probable."""


Slip = tuple[Asked, str]
"""What a corrector is asked about, with what stood before it, and the word that was meant."""


def read(path: Path, people_max: int) -> list[list[Slip]]:
    """Return the slips of each person in a table of slips, most slips first."""
    by_person: dict[str, list[Slip]] = {}
    for one in slipped.read(path, groups=1).slips:
        by_person.setdefault(one.person, []).append((one.asked, one.meant))
    ordered = sorted(by_person, key=lambda person: (-len(by_person[person]), person))
    return [by_person[person] for person in ordered[:people_max]]


def correctors(
    people: Sequence[Sequence[Slip]], *, in_context: bool, workers: int | None = None
) -> shadows.Shadows:
    """Return the shadows of the corrector that learns from people's slips.

    `in_context`: it is asked about a word with what stood before it, else about the word alone.
    """
    asked = [[(one if in_context else Asked(one.typed), meant) for one, meant in own]
             for own in people]  # fmt: skip
    return shadows.one_by_one(partial(_taught, asked), len(people), workers)


def _half(pair: Pair) -> bool:
    return hashlib.sha256(pair[1].encode()).digest()[0] % 2 == 0


def _taught(people: Sequence[Sequence[Slip]], member: Array, seed: int) -> Array:
    del seed  # nothing is drawn
    pairs = [
        (asked.typed, meant)
        for own, one in zip(people, member, strict=True)
        if one
        for asked, meant in own
    ]
    fitted = corrector.train(words.english(), pairs, _half)
    number = fitted.lexicon.words.number
    made = []
    for own in people:
        nats = []
        for asked, meant in own:
            evidence = gather(fitted.lexicon, fitted.channel, asked)
            p = fitted.ranker.probabilities(evidence.table)
            right = p[evidence.found == number.get(meant, -1)]
            nats.append(-np.log(max(float(right.max(initial=0.0)), PROBABILITY_MIN)))
        made.append(float(np.mean(nats)))
    return np.array(made)
