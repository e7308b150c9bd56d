"""The neural reranker beside the light model, on the same candidates, people and sentences.

Rows of `overt evaluate slips --neural` and `overt evaluate spelling --neural`. For each group of
sentences a reader is fitted to people who are not scored and to sentences of other groups. It
stands alone, and together with the light model, whose trees are then given what it says as two more
columns. The figures are means over seeds; the seeds' own range is a row too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from overt.models.scores import Progress, Score, shares
from overt.models.tensors import Array
from overt.models.typos import judged, reading, slipped
from overt.models.typos.channel import Pair
from overt.models.typos.corrector import Corrector
from overt.models.typos.evidence import Evidence
from overt.models.typos.judged import RIGHT_STEP, Fold, Judged, Run
from overt.models.typos.reader import NEAREST, NONE, Read, nearest, read, together
from overt.models.typos.reading import HELD_OUT, Choosing
from overt.models.typos.slipped import KINDS, Attempt, Attempts

NEURAL = "neural"
FUSED = "ours and neural"
MORE = ("neural", "neural_over")
"""Columns that the trees are given beside the light model's."""


def notes(machine: str, seeds: int) -> tuple[str, ...]:
    """Return what a reader must know of these rows."""
    return (
        (
            f"neural: a network that reads what stands before and the {NEAREST} nearest candidates "
            "letter by letter; ours and neural: the light model's trees, told what it says. "
            f"Means of {seeds} seed{'s' * (seeds != 1)}. The light model is what ships."
        ),
        f"The networks were fitted on: {machine}.",
    )


Both = tuple[Run, Run]
"""Of one seed: the reader alone, and the light model that is told what it says."""


def scored(
    attempts: Attempts,
    folds: Sequence[Fold],
    people: set[str],
    plain: Run,
    seeds: int,
    progress: Progress,
) -> list[Score]:
    """Return the rows of the reader alone, together with ours, and what that gains over `plain`."""
    seen = [_of_fold(fold) for fold in folds]
    made: list[Both] = []
    for seed in range(seeds):

        def tell(share: float, seed: int = seed) -> None:
            progress(f"reading, seed {seed + 1} of {seeds}", (seed + share) / seeds)

        made.append(of_seed(attempts, folds, seen, people, seed, tell))
    return rows(made, plain)


def of_seed(
    attempts: Attempts,
    folds: Sequence[Fold],
    seen: Sequence[Read],
    people: set[str],
    seed: int,
    progress: Callable[[float], None],
) -> Both:
    """Return what one seed's readers, a group of sentences each, make of all attempts."""
    said: dict[int, Array] = {}
    for number, fold in enumerate(folds):

        def tell(share: float, number: int = number) -> None:
            progress(0.8 * (number + share) / len(folds))

        taught = [at for at in range(len(folds)) if at != number]
        choosing = _choosing([folds[at] for at in taught], [seen[at] for at in taught], people)
        text = reading.rows_of(fold.known.words, _sentences(attempts, fold, people), seed)
        model = reading.learned(text, choosing, seed, tell)
        for (one, _), row in zip(fold.gathered, reading.logits(model, seen[number]), strict=True):
            said[id(one)] = row
    fused = judged.decided(folds, partial(_with, said), people, MORE)
    return _alone(folds, said, people), fused


def rows(made: Sequence[Both], plain: Run) -> list[Score]:
    """Return the figures of all seeds."""
    named = {NEURAL: [alone for alone, _ in made], FUSED: [fused for _, fused in made]}
    found = [row for name, runs in named.items() for row in _rows(name, runs)]
    for name, runs in named.items():
        found.append(_gain(f"{name}: gain over ours", runs, plain, "top1"))
        flagged = [(slips, right, -1.0) for slips, right, _ in runs]
        found.append(_gain(f"{name}: gain over ours", flagged, (*plain[:2], -1.0), "top1, flagged"))
    return found


def isolated(
    ours: Corrector,
    gathered: Sequence[Evidence],
    some: Sequence[Pair],
    weights: Array,
    seeds: int,
    progress: Progress,
) -> Callable[[Sequence[Pair], Sequence[Evidence]], list[list[tuple[str, ...]]]]:
    """Fit readers to single words; return what they make of others, seed by seed.

    Nothing stands before a word of a list, so only the channel and the counts are left to read.
    """
    words, edits = ours.lexicon.words, ours.channel.edits

    def seen(pairs: Sequence[Pair], evidence: Sequence[Evidence]) -> Read:
        tokens = [
            (typed, "", given, words.number.get(meant, -1))
            for (typed, meant), given in zip(pairs, evidence, strict=True)
        ]
        return read(edits, words.words, tokens)

    held = np.array([_aside(meant) for _, meant in some], np.bool_)
    choosing = Choosing(seen(some, gathered), weights.astype(np.float32), held)
    models = []
    for seed in range(seeds):

        def tell(share: float, seed: int = seed) -> None:
            progress(f"reading, seed {seed + 1} of {seeds}", (seed + share) / seeds)

        text = reading.rows_of(words, (), seed)
        models.append(reading.learned(text, choosing, seed, tell))

    def suggested(
        pairs: Sequence[Pair], evidence: Sequence[Evidence]
    ) -> list[list[tuple[str, ...]]]:
        given = seen(pairs, evidence)
        made = []
        for model in models:
            best = np.argsort(-reading.logits(model, given), axis=1, kind="stable")
            kept = [
                (one.found[nearest(one)], order) for one, order in zip(evidence, best, strict=True)
            ]
            made.append(
                [
                    tuple(words.words[found[at]] for at in order if at < found.size)
                    for found, order in kept
                ]
            )
        return made

    return suggested


def _with(said: dict[int, Array], _fold: Fold, one: Attempt, given: Evidence) -> Evidence:
    return _told(given, said[id(one)])


def _of_fold(fold: Fold) -> Read:
    number = fold.known.words.number
    tokens = [
        (one.asked.typed, one.so_far, given, number.get(one.meant, -1))
        for one, given in fold.gathered
    ]
    return read(fold.error.edits, fold.known.words.words, tokens)


def _sentences(attempts: Attempts, fold: Fold, people: set[str]) -> list[tuple[str, ...]]:
    return slipped.longest(
        sentence
        for group, sentences in attempts.sentences.items()
        if group != fold.group
        for person, sentence in sentences
        if person not in people
    )


def _choosing(folds: Sequence[Fold], seen: Sequence[Read], people: set[str]) -> Choosing:
    """Return what is learned from: the same attempts as the light model's ranking."""
    parts, weights, held = [], [], []
    for fold, of in zip(folds, seen, strict=True):
        kept = [
            at
            for at, (one, given) in enumerate(fold.gathered)
            if one.person not in people and given.found.size and (one.kind or at % RIGHT_STEP == 0)
        ]
        parts.append(of.some(np.array(kept, np.int64)))
        chosen = [fold.gathered[at][0] for at in kept]
        weights += [1.0 if one.kind else float(RIGHT_STEP) for one in chosen]
        held += [_aside(one.person) for one in chosen]
    return Choosing(together(parts), np.array(weights, np.float32), np.array(held, np.bool_))


def _aside(name: str) -> bool:
    return hashlib.sha256(f"held\0{name}".encode()).digest()[0] % HELD_OUT == 0


def _told(given: Evidence, logit: Array) -> Evidence:
    """Return the evidence with the network's columns; what it did not read is far down."""
    more = np.full((given.found.size, len(MORE)), NONE, np.float32)
    kept = nearest(given)
    more[kept, 0] = logit[: len(kept)]
    more[kept, 1] = logit[: len(kept)] - logit.max(initial=NONE)
    return Evidence(given.found, np.concatenate([given.table, more], axis=1))


def _alone(folds: Sequence[Fold], said: dict[int, Array], people: set[str]) -> Run:
    found = []
    for fold in folds:
        words = fold.known.words.words
        for one, given in fold.gathered:
            share = reading.shares(said[id(one)][None])[0]
            kept = nearest(given)
            best, most = "", 0.0
            for place, at in enumerate(kept.tolist()):
                word = words[int(given.found[at])]
                if share[place] > most and word != one.asked.typed:
                    best, most = word, float(share[place])
            found.append(Judged(one, best, most))
    others = [one for one in found if one.attempt.person not in people]
    least = judged.threshold([one.probability for one in others if not one.attempt.kind])
    mine = [one for one in found if one.attempt.person in people]
    slips = [one for one in mine if one.attempt.kind and one.attempt.left]
    return slips, [one for one in mine if not one.attempt.kind], least


def _mean(runs: Sequence[Run], of: Callable[[Run], Sequence[bool]]) -> Array:
    return np.asarray(np.mean([np.asarray(of(run), np.float64) for run in runs], axis=0))


def _slips_right(run: Run) -> list[bool]:
    return judged.hits(run[0], run[2])


def _changed(run: Run) -> list[bool]:
    return [one.probability > run[2] and bool(one.best) for one in run[1]]


def _over_people(name: str, metric: str, attempts: Sequence[Attempt], of: Array) -> Score:
    return shares(name, metric, *judged.by_person([one.person for one in attempts], of.tolist()))


def _rows(name: str, runs: Sequence[Run]) -> list[Score]:
    """Return what `judged.rows` does, as means over seeds."""
    slips, right = ([one.attempt for one in of] for of in runs[0][:2])
    hits = _mean(runs, _slips_right)
    rows = [_over_people(name, "top1", slips, hits)]
    kinds = np.array([one.kind for one in slips])
    for kind in KINDS:
        of_kind = np.flatnonzero(kinds == kind)
        chosen = [slips[at] for at in of_kind.tolist()]
        rows.append(_over_people(f"{name}: {kind}", "top1", chosen, hits[of_kind]))
    share = _over_people(name, "", right, _mean(runs, _changed))
    false = "false corrections per 1000"
    rows.append(Score(name, false, *(1000 * v for v in (share.value, share.low, share.high))))
    flagged = _mean([(*run[:2], -1.0) for run in runs], _slips_right)
    rows.append(_over_people(name, "top1, flagged", slips, flagged))
    if len(runs) > 1:
        each = [float(np.mean(_slips_right(run))) for run in runs]
        rows.append(
            Score(
                name, "top1, mean and range over seeds", float(np.mean(each)), min(each), max(each)
            )
        )
    return rows


def _gain(name: str, runs: Sequence[Run], plain: Run, metric: str) -> Score:
    attempts = [one.attempt for one in plain[0]]
    more = _mean(runs, _slips_right) - np.asarray(_slips_right(plain), np.float64)
    return _over_people(name, f"{metric}, gain", attempts, more)
