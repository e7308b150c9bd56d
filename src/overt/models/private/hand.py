"""How a hand slips, in fifteen numbers: which kind of key is hit for which, left out, doubled.

The error channel of the corrector (`overt.models.typos.channel`) has a number for every pair of
keys; a person's few slips, with noise on each of them, would say nothing. Here slips are counted by
kind, and the channel's prior (keyboard, vowels, sounds) says how a kind spreads over keys. What
a person gives is one vector, asked for once: their slips by kind, each counting alike, scaled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from overt.datasets.formats import aalto
from overt.datasets.split import split_of
from overt.models.enough.slipped import Slips, bits, slips_of
from overt.models.private.curve import Sums
from overt.models.private.rounds import Rounds
from overt.models.scores import Progress
from overt.models.tensors import Array
from overt.models.typos.channel import Edits, Pair, edits, of_counts, ways
from overt.models.typos.letters import CODES, END, LETTERS, START, by_code, codes
from overt.schema.errors import TooFew

KINDS = ("near", "vowel", "alike", "other")
SIZE = 2 * len(KINDS) + 2 + 3 + 2
"""Changed (first letter or not, by kind), left out (doubled or not), put in (doubled, near, other),
swapped, and letters typed as they were meant."""

LEFT_OUT, PUT_IN, SWAPPED, KEPT = 8, 10, 13, 14
KEPT_SCALE = 0.1
"""Letters typed as meant are ten to a slip: so scaled, they take no more of the clip than it."""

SLIPS_FULL = 8.0
"""Slips at which a person's vector has its full length; more say the same more surely."""

UNSEEN_MAX = 200
BITS = "bits_saved"


ROUNDS = Rounds(sampling_rate=1.0, steps=1, clip=1.0)
"""Everybody is asked once."""


@cache
def _unwatched() -> Edits:
    return edits()


@cache
def _kind() -> Array:
    """Return int64[CODES, CODES], which of `KINDS` a change of letters is."""
    near, vowel, alike = (by_code(name) for name in ("neighbours", "vowels", "alike"))
    return np.asarray(np.select([near, vowel, alike], [0, 1, 2], 3))


def _place(meant: Array, typed: Array, i: int, j: int, a: int, b: int) -> int:
    """Return what of a vector a step of an alignment counts to."""
    if a == b == 1:
        if meant[i] == typed[j]:
            return KEPT
        return int(_kind()[meant[i], typed[j]]) + (0 if i == 0 else len(KINDS))
    if a == 2:
        return SWAPPED
    if a:
        return LEFT_OUT + int(not (i and meant[i - 1] == meant[i]))
    beside = [typed[k] for k in (j - 1, j + 1) if 0 <= k < typed.size]
    if typed[j] in beside:
        return PUT_IN
    return PUT_IN + (1 if any(by_code("neighbours")[k, typed[j]] for k in beside) else 2)


def counted(pairs: Sequence[Pair]) -> Array:
    """Return a person's vector, float64[SIZE]; zeros without a slip."""
    made = np.zeros(SIZE)
    for pair in pairs:
        typed, meant = (codes(word) for word in pair)
        i = j = 0
        for a, b in ways(_unwatched(), meant, typed):
            made[_place(meant, typed, i, j, a, b)] += 1
            i, j = i + a, j + b
    made[KEPT] *= KEPT_SCALE
    return np.asarray(made * min(len(pairs) / SLIPS_FULL, 1.0) / max(len(pairs), 1))


@cache
def _spread() -> tuple[Array, Array, Array]:
    """Return how each kind spreads over keys, by the prior: change, leave out, put in."""
    prior = _unwatched()
    letters = np.zeros(CODES, np.bool_)
    letters[1 : len(LETTERS) + 1] = True
    both = letters[:, None] & letters[None, :]
    change = np.zeros((KEPT + 1, 2, CODES, CODES))
    for at in (0, 1):
        p = np.exp(-prior.change[at]) * both
        for kind in range(len(KINDS)):
            change[kind + at * len(KINDS), at] = p * (_kind() == kind) * ~np.eye(CODES, dtype=bool)
    change[KEPT, 1] = np.diag(letters.astype(np.float64))
    same = np.eye(CODES, dtype=bool)
    leave = np.stack([both & same, both & ~same]).astype(np.float64)
    near = by_code("neighbours")
    edge = np.zeros((CODES, CODES), np.bool_)
    edge[START], edge[END] = letters, letters
    put = np.stack([both & same, near & both, (both & ~same & ~near) | edge]).astype(np.float64)
    return _shares(change), _shares(leave), _shares(put)


def _shares(spread: Array) -> Array:
    whole = spread.sum(axis=tuple(range(1, spread.ndim)), keepdims=True)
    return np.asarray(spread / np.maximum(whole, 1e-12))


def channel(weights: Array, people: float) -> Edits:
    """Return the channel of what people gave: their mean vector, and how many they were."""
    if not (weights > 0).any():
        return _unwatched()
    counts = np.maximum(weights, 0.0) * people * SLIPS_FULL
    counts[KEPT] /= KEPT_SCALE
    change, leave, put = _spread()
    return of_counts(
        np.tensordot(counts, change, 1),
        np.tensordot(counts[LEFT_OUT:PUT_IN], leave, 1),
        np.tensordot(counts[PUT_IN:SWAPPED], put, 1),
        float(counts[SWAPPED]),
    )


def bits_of(found: Edits, pairs: Sequence[Pair]) -> float:
    """Return how many bits these slips take under a channel, in all."""
    return float(sum(bits(found, pair) for pair in pairs))


def learn(weights: Array, person: Slips) -> Array:
    """Return the weights with a person's vector on them."""
    return np.asarray(weights + counted(person.pairs))


@dataclass(frozen=True, eq=False)
class Hands:
    """The task; see `overt.models.private.curve.Task`."""

    people: list[Slips] = field(repr=False)
    unseen: list[Slips] = field(repr=False)
    planned: int
    rounds: Rounds = ROUNDS
    name: str = "slips"
    title: str = "How people slip, learned privately"
    metrics: tuple[str, ...] = (BITS,)
    notes: tuple[str, ...] = (
        "bits_saved: bits a slip, against a hand nobody has watched. Slips are own corrections.",
        f"What is asked of a person is {SIZE} numbers, once.",
    )

    @property
    def judged(self) -> int:
        """Return how many people are judged."""
        return len(self.unseen)

    def start(self) -> Array:
        """Return the weights nobody has taught."""
        return np.zeros(SIZE)

    def learn(self, weights: Array, person: Slips) -> Array:
        """Return them after a person gave their vector."""
        return learn(weights, person)

    def judge(self, weights: Array) -> Sums:
        """Return what they are good for."""
        return self._saved(channel(weights, self.planned))

    def plain(self, places: Sequence[int]) -> dict[str, Sums]:
        """Return what the whole channel is good for, without privacy."""
        pairs = [pair for at in places for pair in self.people[at].pairs]
        return {"a number for every pair of keys": self._saved(edits(pairs))}

    def _saved(self, found: Edits) -> Sums:
        saved = [
            bits_of(_unwatched(), one.pairs) - bits_of(found, one.pairs) for one in self.unseen
        ]
        return {BITS: (np.array(saved), np.array([float(len(one.pairs)) for one in self.unseen]))}


PLANNED = 400
"""People whose vectors weigh against the channel's prior, whatever the number of them."""


def read(path: Path, progress: Progress) -> Hands:
    """Return the task over the corrections of the people in `path`."""
    found: dict[bool, list[tuple[bytes, Slips]]] = {True: [], False: []}
    for number, (participant, person) in enumerate(aalto.by_participant(path)):
        if number % 50 == 0:
            progress("reading corrections", 0.2 * min(number / 1600, 1.0))
        slips = slips_of(person.sessions)
        if slips is not None:
            tag = hashlib.sha256(b"overt private slips 1\0" + participant.encode()).digest()
            found[split_of(tag) == "test"].append((tag, slips))
    learned, unseen = (
        [slips for _, slips in sorted(found[test], key=lambda one: one[0])]
        for test in (False, True)
    )
    if not unseen:
        raise TooFew("holds nobody's corrections", where=str(path))
    return Hands(learned, unseen[:UNSEEN_MAX], PLANNED)
