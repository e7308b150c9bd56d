"""What a model knows better after it has read somebody's own words.

A writer's words before a point are learned from, those after it are judged. What was learned of the
writer is a speller and a vocabulary more; the weights of all were earned on other writers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from overt.models.scores import Score, shares
from overt.models.tensors import Array
from overt.models.text import mixture, offered
from overt.models.text.alphabet import codes
from overt.models.text.mixture import Experts, Looked, Predictor
from overt.models.text.own import BACK, Expected
from overt.models.text.vocabulary import learned, words_of

LEARNED = (0, 200, 2000)
"""Words of one's own that were read before."""

JUDGED = 500
WORDS_MIN = max(LEARNED) + JUDGED
OWN_ORDER = 5
"""Characters in the longest run the speller of one writer counts."""


def with_own(experts: Experts, texts: Sequence[str]) -> Experts:
    """Return the experts with two more, which know these texts alone."""
    if not texts:
        return experts
    own = learned(words for text in texts for words in mixture.sentences(text))
    speller = mixture.speller(texts, OWN_ORDER)
    return Experts((*experts.spellers, speller), (*experts.vocabularies, own))


@dataclass(frozen=True)
class _Judged:
    experts: Experts = field(repr=False)
    texts: list[str] = field(repr=False)
    looked: Looked = field(repr=False)


def scored(
    experts: Experts, writers: Mapping[str, Sequence[str]], report: Callable[[float], None]
) -> list[Score]:
    """Return figures of the model after each number of own words, over writers."""
    rows: list[Score] = []
    for step, many in enumerate(LEARNED):
        judged = []
        for name in sorted(writers):
            own, then = split(writers[name], many)
            known = with_own(experts, own)
            judged.append(_Judged(known, then, mixture.look(known, then)))
        report((step + 0.5) / len(LEARNED))
        table = np.concatenate([_half(judged, side, experts) for side in range(2)])
        rows += _rows(f"ours, after {many:,} own words", table)
        table = np.array([_in_page(writers[name], many, experts) for name in sorted(writers)])
        rows += _of_words(f"what runs in the page, after {many:,} own words", [*table.T])
    return rows


def split(sentences: Sequence[str], many: int) -> tuple[list[str], list[str]]:
    """Return the last sentences of at most `many` words before the point, and those judged."""
    sizes = [sum(1 for _ in words_of(one)) for one in sentences]
    ends = np.cumsum(sizes)
    point = int(np.searchsorted(ends, max(LEARNED), side="right"))
    last = int(np.searchsorted(ends, max(LEARNED) + JUDGED, side="right"))
    reached = ends[point - 1] if point else 0
    first = int(np.searchsorted(ends, reached - many, side="left")) + 1 if many else point
    if many >= reached:
        first = 0
    return list(sentences[first:point]), list(sentences[point : max(last, point + 1)])


def _half(judged: Sequence[_Judged], side: int, general: Experts) -> Array:
    """Return float64[writers, figures] of every second writer, with weights from the others."""
    mine, others = judged[side::2], judged[1 - side :: 2] or judged
    weights = mixture.weigh([one.looked for one in others])
    known = general.vocabularies[0].number
    rows = []
    for one in mine:
        model = Predictor(one.experts, weights)
        share = mixture.mixed(one.looked, weights)
        came = one.looked.came
        bits = -np.log2(np.maximum(share[np.arange(len(came)), came], mixture.FLOOR)).sum()
        played = offered.table(
            [offered.play(text, model.offer, known.__contains__) for text in one.texts]
        )
        rows.append([bits, sum(len(codes(text)) - 1 for text in one.texts), *played.sum(axis=0)])
    return np.array(rows).reshape(len(mine), 2 + len(offered.COLUMNS))


def _in_page(sentences: Sequence[str], many: int, general: Experts) -> Array:
    """Return float64[offered.COLUMNS] of one writer, by `own.Expected`."""
    read, then = split(sentences, many)
    expected = Expected()
    for words in (words for text in read for words in mixture.sentences(text)):
        for at, word in enumerate(words):
            expected.learn(words[max(0, at - BACK) : at], word)

    def offer(said: Sequence[str], prefix: str) -> list[str]:
        return expected.expect(said[-BACK:], prefix, offered.OFFERED)

    common = general.vocabularies[0].number.__contains__
    return np.asarray(
        offered.table([offered.play(text, offer, common) for text in then]).sum(axis=0)
    )


def _rows(name: str, table: Array) -> list[Score]:
    bits, places, *of_words = table.T
    return [shares(name, "bits a character", bits, places), *_of_words(name, of_words)]


def _of_words(name: str, table: Sequence[Array]) -> list[Score]:
    columns = dict(zip(offered.COLUMNS, table, strict=True))
    saved = columns["characters"] - columns["keys"]
    return [
        shares(name, "next word, top1", columns["first"], columns["words"]),
        shares(name, f"next word, top{offered.OFFERED}", columns["offered"], columns["words"]),
        shares(name, offered.SAVINGS, saved, columns["characters"]),
        shares(name, "words not in general English, taken", columns["taken"], columns["rare"]),
    ]
