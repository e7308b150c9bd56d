"""Which words of an instruction draw to which words of a candidate, as other people show it.

A lift is presses over the presses that chance would give, in logarithms, shrunk towards no lift
where little was seen. Two words have one lift, whichever of them is asked for: who reads `large`
presses `big`, and the reverse. Digits are no words.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from overt.features.kernel import kernel, part
from overt.models.elements.pages import Pages
from overt.models.elements.words import Words
from overt.models.tensors import Array

FOLDS = 5
BITS_MIN, BITS_MAX = 12, 20
"""Keys are hashed into so many buckets; two keys rarely meet in one."""
STRENGTH = 1.0
"""Presses by chance that weigh as much as no lift at all."""
INSTRUCTION_WORDS_MAX = 40
CANDIDATE_WORDS_MAX = 8


def folds(who: Array, teachers: Array, count: int = FOLDS) -> Array:
    """Return int64[steps]: fold of each teacher's steps, by assignment; `count` for the others."""
    people, place = np.unique(who, return_inverse=True)
    fold = (np.arange(len(people)) * 7919 + 13) % 10007 % count
    return np.where(teachers, fold[place], count)


def presses(pages: Pages) -> Array:
    """Return float32[rows]: 1 for what was pressed."""
    hits = np.zeros(len(pages.text), np.float32)
    hits[pages.target[pages.target >= 0]] = 1
    return hits


def bits_for(rows: int) -> int:
    """Return how many bits of hash keep the keys of so many rows apart, as far as memory allows."""
    return min(max(BITS_MIN, rows.bit_length()), BITS_MAX)


def word_lifts(
    pages: Pages, words: Words, hits: Array, fold: Array, *, of_names: bool = False
) -> Array:
    """Return float32[FOLDS + 1, buckets]: how much a word of an instruction draws to another word.

    The place of two words is `pair`, whichever of them is asked for. Row `f` is what a step of fold
    `f` may know.
    """
    asked = pages.utterance[pages.episode]
    common = (words.start, words.word, words.amount)
    shape = (FOLDS + 1, 1 << bits_for(2 * len(pages.text)))
    seen, came = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    _count_words(
        seen, came, pages.first, asked, _runs(pages, of_names=of_names), common, hits, fold
    )
    for counts in (seen, came):
        counts[:FOLDS] = counts[FOLDS] - counts[:FOLDS]
    lifts: Array = np.log((came + STRENGTH) / (seen + STRENGTH))
    return lifts


def _runs(pages: Pages, *, of_names: bool) -> tuple[Array, Array, Array]:
    none = np.zeros_like(pages.text)
    return (pages.classes, pages.id, pages.tag) if of_names else (pages.text, none, none)


def lifted(out: Array, pages: Pages, words: Words, hits: Array, fold: Array) -> None:
    """Fill in which words of an instruction draw to which words of a candidate."""
    common = (words.start, words.word, words.amount)
    asked = pages.utterance[pages.episode]
    for column, of_names in ((0, False), (2, True)):
        lifts = word_lifts(pages, words, hits, fold, of_names=of_names)
        _word_lift(
            out[:, column : column + 2],
            pages.first,
            asked,
            _runs(pages, of_names=of_names),
            common,
            lifts,
            fold,
        )
        best = np.maximum.reduceat(out[:, column], pages.first[:-1])
        out[:, 4 + column // 2] = out[:, column] - np.repeat(best, pages.candidates)


def pair(low: Any, high: Any, buckets: int) -> Any:
    """Return the place of two words, or of arrays of them, given in the order of their numbers."""
    key = (low * 2654435761 + high * 40503 + 97) * 2246822519
    return (key ^ (key >> 17)) & (buckets - 1)


_pair: Any = part(pair)


@kernel
def _count_words(
    seen: Any, came: Any, first: Any, asked: Any, runs: Any, common: Any, hits: Any, fold: Any
) -> Any:
    start, word, amount = common
    buckets = seen.shape[1]
    for step in range(len(first) - 1):
        mine = fold[step]
        if mine == FOLDS:
            continue
        u0, u1 = (
            start[asked[step]],
            min(start[asked[step] + 1], start[asked[step]] + INSTRUCTION_WORDS_MAX),
        )
        chance = 1.0 / (first[step + 1] - first[step])
        for row in range(first[step], first[step + 1]):
            for run in runs:
                t0, t1 = (
                    start[run[row]],
                    min(start[run[row] + 1], start[run[row]] + CANDIDATE_WORDS_MAX),
                )
                for at in range(t0, t1):
                    for other in range(u0, u1):
                        if amount[word[other]] >= 0:
                            continue
                        low, high = min(word[other], word[at]), max(word[other], word[at])
                        key = _pair(low, high, buckets)
                        seen[mine, key] += chance
                        seen[FOLDS, key] += chance
                        came[mine, key] += hits[row]
                        came[FOLDS, key] += hits[row]


@kernel
def _word_lift(
    out: Any, first: Any, asked: Any, runs: Any, common: Any, lifts: Any, fold: Any
) -> Any:
    start, word, amount = common
    buckets = lifts.shape[1]
    for step in range(len(first) - 1):
        u0, u1 = (
            start[asked[step]],
            min(start[asked[step] + 1], start[asked[step]] + INSTRUCTION_WORDS_MAX),
        )
        for row in range(first[step], first[step + 1]):
            best, total, count = 0.0, 0.0, 0
            for run in runs:
                t0, t1 = (
                    start[run[row]],
                    min(start[run[row] + 1], start[run[row]] + CANDIDATE_WORDS_MAX),
                )
                for other in range(u0, u1):
                    if amount[word[other]] >= 0:
                        continue
                    top = -9.0
                    for at in range(t0, t1):
                        low, high = min(word[other], word[at]), max(word[other], word[at])
                        top = max(top, lifts[fold[step], _pair(low, high, buckets)])
                    if top > -9.0:
                        best = max(best, top)
                        total += top
                        count += 1
            out[row, 0] = best
            out[row, 1] = total / count if count else 0.0
