"""What a method makes of slips and right words, and how it is scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from overt.models.scores import Score, expected_error, shares
from overt.models.tensors import Array
from overt.models.typos import ranker, words
from overt.models.typos.evidence import COLUMNS, Channel, Evidence, Lexicon
from overt.models.typos.slipped import KINDS, Attempt

FALSE_PER_1000 = 4.0
"""False corrections per 1,000 right words that the threshold aims at; 5 is what people bear."""

PEOPLE_MIN = 5
"""People below whom an interval says nothing."""

CONFIDENCES = 15
"""Equal steps of confidence that calibration is looked at in."""

RIGHT_STEP = 3
"""One right word in so many is learned from, and counts so many times."""


@dataclass(frozen=True)
class Judged:
    """What one method made of one attempt."""

    attempt: Attempt
    best: str
    """The most probable word that is not what was typed; "" if there is none."""
    probability: float


@dataclass(frozen=True)
class Fold:
    """A group of sentences: what was learned from the others, and the evidence of its attempts."""

    group: int
    known: Lexicon
    error: Channel
    gathered: list[tuple[Attempt, Evidence]]


Seen = Callable[[Fold, Attempt, Evidence], Evidence]
"""What a method sees of the evidence for an attempt."""


Run = tuple[Sequence[Judged], Sequence[Judged], float]
"""What a method made of slips, of right words, and the threshold above which it changes them."""


def decided(folds: Sequence[Fold], seen: Seen, scored: set[str], more: Sequence[str] = ()) -> Run:
    """Judge slips and right words of those scored; the threshold is of the others."""
    found = [one for fold in folds for one in of_group(fold, folds, seen, scored, more)]
    others = [one for one in found if one.attempt.person not in scored]
    least = threshold([one.probability for one in others if not one.attempt.kind])
    mine = [one for one in found if one.attempt.person in scored]
    slips = [one for one in mine if one.attempt.kind and one.attempt.left]
    return slips, [one for one in mine if not one.attempt.kind], least


def of_group(
    fold: Fold, folds: Sequence[Fold], seen: Seen, scored: set[str], more: Sequence[str] = ()
) -> list[Judged]:
    """Judge one group with a ranking that learned from the other groups and people."""
    evidence, meant, weights = [], [], []
    for other in folds:
        if other.group == fold.group:
            continue
        number = other.known.words.number
        for at, (one, given) in enumerate(other.gathered):
            if one.person in scored or not given.found.size or (not one.kind and at % RIGHT_STEP):
                continue
            evidence.append(seen(other, one, given))
            meant.append(number.get(one.meant, -1))
            weights.append(1.0 if one.kind else float(RIGHT_STEP))
    fitted = ranker.fit(evidence, meant, np.array(weights), more)
    shown = [seen(fold, one, given) for one, given in fold.gathered]
    p = fitted.probabilities(np.concatenate([given.table for given in shown]))
    ends = np.cumsum([given.table.shape[0] for given in shown])
    vocabulary = fold.known.words.words
    made = []
    for (one, _), given, end in zip(fold.gathered, shown, ends, strict=True):
        own = p[end - given.table.shape[0] : end].copy()
        own[given.table[:, COLUMNS.index("is_typed")] > 0] = -1.0
        at = int(own.argmax()) if own.size else -1
        if at < 0 or own[at] < 0:
            made.append(Judged(one, "", 0.0))
        else:
            made.append(Judged(one, vocabulary[given.found[at]], float(own[at])))
    return made


def gain(
    name: str,
    one: tuple[Sequence[Judged], float],
    other: tuple[Sequence[Judged], float],
    metric: str,
) -> Score:
    """Return by how much `one` is right more often: the same attempts, people resampled."""
    people = [judged.attempt.person for judged in one[0]]
    first, count = by_person(people, hits(*one))
    second, _ = by_person(people, hits(*other))
    return shares(name, f"{metric}, gain", first - second, count)


def threshold(right: Sequence[float]) -> float:
    """Return the probability above which at most `FALSE_PER_1000` right words are changed."""
    ranked = np.sort(np.asarray(right))[::-1]
    if not ranked.size:
        return 0.5
    return float(ranked[min(int(ranked.size * FALSE_PER_1000 / 1000), ranked.size - 1)])


def by_person(people: Sequence[str], hits: Sequence[bool]) -> tuple[Array, Array]:
    """Return float64[people] twice: how many of each person's are hits, and how many there are."""
    number = {person: at for at, person in enumerate(dict.fromkeys(people))}
    at = np.array([number[person] for person in people], np.int64)
    return (
        np.bincount(at, np.asarray(hits, np.float64), len(number)),
        np.bincount(at, minlength=len(number)).astype(np.float64),
    )


def top1(name: str, judged: Sequence[Judged], threshold: float, metric: str = "top1") -> Score:
    """Return the share of slips that become the word that was meant."""
    people = [one.attempt.person for one in judged]
    return shares(name, metric, *by_person(people, hits(judged, threshold)))


def hits(judged: Sequence[Judged], threshold: float) -> list[bool]:
    """Return which slips become the word that was meant; below the threshold nothing is changed."""
    return [one.probability > threshold and one.best == one.attempt.meant for one in judged]


def rows(
    name: str, slips: Sequence[Judged], right: Sequence[Judged], threshold: float
) -> list[Score]:
    """Return the rows of one method: all slips, some, and right words that it changes.

    Some: each kind, and those that made another English word; as far as `PEOPLE_MIN` people made
    them.
    """
    english = words.dictionary()
    some = {kind: [one for one in slips if one.attempt.kind == kind] for kind in KINDS}
    some["a word of English"] = [one for one in slips if one.attempt.asked.typed in english]
    some["no word of English"] = [one for one in slips if one.attempt.asked.typed not in english]
    found = [top1(name, slips, threshold)]
    for which, of in some.items():
        if len({one.attempt.person for one in of}) >= PEOPLE_MIN:
            found.append(top1(f"{name}: {which}", of, threshold))
    return [*found, false(name, right, threshold)]


def calibration(name: str, slips: Sequence[Judged], right: Sequence[Judged]) -> Score:
    """Return by how much the probability of the best word misses how often it was meant.

    Of slips and right words together, of which the best other word was never meant: in
    `CONFIDENCES` steps, weighed by how many are in each.
    """
    both = [*slips, *right]
    people = np.unique([one.attempt.person for one in both], return_inverse=True)[1]
    confidence = np.array([one.probability for one in both])
    meant = np.array([bool(one.attempt.kind) and one.best == one.attempt.meant for one in both])
    return expected_error(name, "ece", meant, confidence, people, CONFIDENCES)


def false(name: str, right: Sequence[Judged], threshold: float) -> Score:
    """Return how many of 1,000 right words are changed."""
    people = [one.attempt.person for one in right]
    changed = [one.probability > threshold and bool(one.best) for one in right]
    share = shares(name, "false corrections per 1000", *by_person(people, changed))
    return Score(name, share.metric, *(1000 * v for v in (share.value, share.low, share.high)))
