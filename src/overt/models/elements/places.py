"""What the learned ranker looks at: the best candidates of the trees, and what was pressed.

A **place** is a candidate that is looked at; the last place of a step is the row that was pressed.
Beside the figures it has words, and how each is each word of the instruction: the same, or one that
other people took for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from overt.models.elements import course, features, lifts
from overt.models.elements.pages import Pages
from overt.models.elements.words import Words
from overt.models.tensors import Array

RIVALS = 8
"""Candidates of a step that are looked at again."""
BUCKETS = 1 << 13
"""Words are hashed into so many vectors; 0: none, 1: a rare word."""
KNOWN_MIN = 5
"""Assignments that must have met a word; a rarer one would only be learned by heart."""
TEXT_WORDS, NAME_WORDS, ASKED_WORDS = 8, 8, 32
"""Words that count of a text, of each name, and of an instruction."""
CLIPPED = 4.0
MATCHED_AT_ONCE = 500
"""Steps whose words are compared in one go, so that it takes little memory."""
SHARE_MIN = -12.0
"""Logarithm below which a share of the trees says nothing more."""


@dataclass(frozen=True)
class Measure:
    """What is learned from teachers before the network: the scale of figures, the words known."""

    mean: Array
    spread: Array
    """float32[len(features.NAMES)]: of squashed figures of the rows looked at."""
    known: Array
    """int64[BUCKETS]: the bucket whose vector stands for a word; rare ones share one."""


@dataclass(frozen=True)
class Given:
    """What the ranker sees. A place is a candidate looked at; the last one is the row pressed."""

    rows: Array
    """int64[steps, RIVALS + 1]: the trees' best and the pressed row; -1 for none."""
    prior: Array
    """float32[steps, RIVALS]: log share that the trees gave."""
    hit: Array
    """int64[steps]: place of the pressed row among the best; -1: it is not there."""
    table: Array
    """float32[rows, len(features.NAMES)]."""
    measure: Measure
    text: Array
    names: Array
    """int32[rows]: place in `words`."""
    asked: Array
    """int32[steps]: place in `words`."""
    words: Array
    """int32[texts and names, ASKED_WORDS]: buckets, 0 for none."""
    match_text: Array
    match_names: Array
    """float16[steps, RIVALS + 1, ASKED_WORDS, …]: how each place is each word of the instruction.
    Text: it has the word; so it has, and all of its words stand there; the lift of the two words
    (`lifts.word_lifts`). Names: the lift alone."""
    first: Array
    """int64[steps + 1], as in `Pages`."""
    episode: Array
    who: Array
    """int64[steps]."""


def given(
    pages: Pages,
    words: Words,
    table: Array,
    prior: Array,
    teachers: Array,
    measure: Measure | None = None,
) -> Given:
    """Choose the places by `prior`, float32[rows], log shares; NaN where a step is not needed.

    `measure` is what an earlier call took from the same teachers; without it they are needed.
    """
    rows, best = _best(pages, prior)
    numbers, buckets, names = _words(pages, words)
    places = np.column_stack([rows, pages.target])
    needed = np.isfinite(prior[pages.first[:-1]])
    match = [
        _matched(pages, words, numbers, (column, places), (teachers, needed), of_names=of_names)
        for column, of_names in ((pages.text, False), (names, True))
    ]
    found = rows == np.where(pages.target >= 0, pages.target, -2)[:, None]
    asked = pages.utterance[pages.episode]
    if measure is None:
        chosen = rows[teachers]
        squashed = _squashed(table[chosen[chosen >= 0]])
        spread = squashed.std(axis=0, dtype=np.float64)
        measure = Measure(
            mean=squashed.mean(axis=0, dtype=np.float64).astype(np.float32),
            spread=np.maximum(spread, 1e-3).astype(np.float32),
            known=_known(pages, rows, (pages.text, names, asked), buckets, teachers),
        )
    return Given(
        rows=places,
        prior=best,
        hit=np.where(found.any(1), found.argmax(1), -1),
        table=table,
        measure=measure,
        text=pages.text,
        names=names,
        asked=asked,
        words=buckets,
        match_text=match[0],
        match_names=match[1][..., 2:],
        first=pages.first,
        episode=pages.episode,
        who=pages.who,
    )


def _best(pages: Pages, prior: Array) -> tuple[Array, Array]:
    """Return the best `RIVALS` rows of each step, best first, and their log shares."""
    step = np.repeat(np.arange(pages.steps), pages.candidates)
    score = np.nan_to_num(prior, nan=SHARE_MIN)
    order = np.lexsort((-score, step))
    place = np.arange(len(order)) - pages.first[step]
    taken = place < RIVALS
    rows = np.full((pages.steps, RIVALS), -1, np.int64)
    best = np.full((pages.steps, RIVALS), SHARE_MIN, np.float32)
    rows[step[taken], place[taken]] = order[taken]
    best[step[taken], place[taken]] = np.maximum(score[order[taken]], SHARE_MIN)
    return rows, best


def _words(pages: Pages, words: Words) -> tuple[Array, Array, Array]:
    """Return numbers (−1: none) and buckets of the words of texts and names, and rows' names."""
    numbers = np.full((len(pages.texts), ASKED_WORDS), -1, np.int64)
    counts = np.minimum(np.diff(words.start), ASKED_WORDS)
    for place in np.flatnonzero(counts):
        run = words.word[words.start[place] : words.start[place] + counts[place]]
        numbers[place, : len(run)] = run
    trios, names = np.unique(
        np.column_stack([pages.tag, pages.id, pages.classes]), axis=0, return_inverse=True
    )
    named = np.full((len(trios), ASKED_WORDS), -1, np.int64)
    parts = [numbers[trios[:, part], :NAME_WORDS] for part in range(3)]
    named[:, : 3 * NAME_WORDS] = np.concatenate(parts, axis=1)
    both = np.concatenate([numbers, named])
    hashed = np.append(words.hashed, 0)[both]
    hashed[len(numbers) :] = hashed[len(numbers) :] * 31 + 7  # means something else in a name
    buckets = np.where(both >= 0, 2 + hashed % (BUCKETS - 2), 0).astype(np.int32)
    return both, buckets, (names.ravel() + len(numbers)).astype(np.int32)


def _matched(
    pages: Pages,
    words: Words,
    numbers: Array,
    looked_at: tuple[Array, Array],
    steps: tuple[Array, Array],
    *,
    of_names: bool,
) -> Array:
    """Return float16[steps, RIVALS + 1, ASKED_WORDS, 3]: `Given.match_text`."""
    column, places = looked_at
    teachers, needed = steps
    fold = lifts.folds(pages.who, teachers & (pages.target >= 0))
    lift_of = lifts.word_lifts(pages, words, lifts.presses(pages), fold, of_names=of_names)
    wide = 3 * NAME_WORDS if of_names else TEXT_WORDS
    amount = np.append(words.amount, 0)
    out = np.zeros((*places.shape, ASKED_WORDS, 3), np.float16)
    wanted = np.flatnonzero(needed)
    for part in np.array_split(wanted, len(wanted) // MATCHED_AT_ONCE + 1):
        here = places[part]
        asked = pages.utterance[pages.episode[part]].astype(np.int64)
        key = (column[here] * len(numbers) + asked[:, None]) * (lifts.FOLDS + 1)
        key = np.where(here >= 0, key + fold[part][:, None], -1)
        met, back = np.unique(key, return_inverse=True)
        row, of_fold = np.divmod(met, lifts.FOLDS + 1)
        mine = numbers[row // len(numbers), :wide, None]
        other = numbers[row % len(numbers), None, :]
        there = (mine >= 0) & (other >= 0) & (met >= 0)[:, None, None]
        same = there & (mine == other)
        whole = (same.any(2) | (mine[..., 0] < 0)).all(1)
        low, high = np.minimum(mine, other), np.maximum(mine, other)
        at = lifts.pair(low, high, lift_of.shape[1])
        lift = np.where(there & (amount[other] < 0), lift_of[of_fold[:, None, None], at], -np.inf)
        best = lift.max(axis=1)
        has = same.any(1)
        found = np.stack([has, has & whole[:, None], np.where(np.isfinite(best), best, 0)], axis=2)
        out[part] = found[back.reshape(here.shape)]
    return out


def _known(
    pages: Pages, rows: Array, texts: tuple[Array, Array, Array], words: Array, teachers: Array
) -> Array:
    """Return which bucket stands for each: itself where `KNOWN_MIN` teachers have met it."""
    text, names, asked = texts
    seen = rows[teachers]
    who = np.repeat(pages.who[teachers], RIVALS)[(seen >= 0).ravel()]
    shown = seen[seen >= 0]
    met = np.concatenate([text[shown], names[shown], asked[teachers]]).astype(np.int64)
    whom = np.unique(np.concatenate([who, who, pages.who[teachers]]), return_inverse=True)[1]
    pairs = np.unique(whom.astype(np.int64) * len(words) + met)
    bucket = words[pairs % len(words)].astype(np.int64)
    mine = np.unique(((pairs // len(words))[:, None] * BUCKETS + bucket)[bucket > 0])
    count = np.bincount(mine % BUCKETS, minlength=BUCKETS)
    known: Array = np.where(count >= KNOWN_MIN, np.arange(BUCKETS), 1)
    known[0] = 0
    return known


def _squashed(table: Array) -> Array:
    squashed: Array = np.sign(table) * np.log1p(np.abs(table))
    return squashed


_COLUMNS = [i for i, name in enumerate(features.NAMES) if name not in features.CATEGORIES]
_COUNTED = [features.NAMES.index(name) for name in features.FLAGGED]
FIGURES = len(_COLUMNS) + 4 * len(_COUNTED)


def scaled(data: Given, rows: Array) -> Array:
    """Return logarithmic z-scores, and beside them flags for 0, 1, 2 and "there is none"."""
    table = data.table[rows]
    measure = data.measure
    figures = ((_squashed(table) - measure.mean) / measure.spread)[..., _COLUMNS]
    counts = table[..., _COUNTED]
    flags = [counts == 0, counts == 1, counts == 2, counts >= course.FAR / 2]
    return np.concatenate([figures.clip(-CLIPPED, CLIPPED), *flags], axis=-1, dtype=np.float32)
