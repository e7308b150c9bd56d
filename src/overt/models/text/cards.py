"""Card and page of a study's model of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import islice, pairwise, takewhile
from typing import Any

import numpy as np

from overt.models.card import by_group, frame, halves_of
from overt.models.metrics import PERSONS_MIN
from overt.models.scores import Score, shares
from overt.models.text import mixture
from overt.models.text.alphabet import codes
from overt.models.text.mixture import Predictor
from overt.models.text.taught import (
    SAMPLE_ID,
    WRITERS_MIN,
    Sample,
    Taught,
    only_public,
    texts_of,
    untaught,
)
from overt.models.text.vocabulary import Vocabulary, english
from overt.models.typos.corrector import Corrector
from overt.models.typos.evidence import Asked
from overt.models.typos.own import edit_between
from overt.schema.errors import InvalidInput
from overt.schema.manifest import Manifest, bucket

PAGE_ID = "page-text/2"
KIND = (
    "Kneser-Ney over characters, vocabularies and an error channel a shard; words that one person "
    "of a shard alone wrote are not in it"
)
PUBLIC = "public word counts, taught by nobody"
ASKED_PEOPLE = 200
"""People that are judged, evenly over all: more take minutes and hardly narrow an interval."""

ASKED_CHARACTERS = 400
ASKED_SLIPS = 20
"""Of each person."""

PAGE_WORDS, PAGE_WORDS_OWN = 20_000, 4_000
"""Words that a page gets: the study's, then general English. What is among them is no slip."""

PAGE_TIMES = 10
"""A word that general English lacks, one edit from one written so many times as often, is a slip
that two people made."""

PAGE_AFTER, PAGE_PAIR_MIN = 4, 2
"""Words of what comes after a word, and how often a pair was written before it is one."""


def card(fitted: Taught, people: Iterable[Sample], manifest: Manifest) -> dict[str, Any]:
    """Return the card as plain JSON; figures are of each person by shards that have not seen them.

    Slips are their own corrections: what is put in their place first, whether or not the model
    would have dared to.
    """
    if manifest.tokens != SAMPLE_ID:
        raise InvalidInput("is of another rule than the model", where="manifest.tokens")
    able = [one for one in people if one.size and set(fitted.shards) - {one.shard}]
    asked = able[:: 1 + len(able) // ASKED_PEOPLE]
    asked.sort(key=lambda one: one.shard)
    rows = _rows(fitted, asked) if asked else {}
    figures: dict[str, Any] = {
        "protocol": "leave-shard-out" if asked else "none",
        "persons": bucket(len(asked)),
        "events": bucket(sum(one.size for one in asked)),
        "too_few": len(asked) < PERSONS_MIN,
        "rows": {name: _figures(row) for name, row in rows.items()},
        "groups": by_group(
            {
                "origin": [one.origin for one in asked],
                "input": halves_of([one.size for one in asked]),
            },
            lambda places: _figures(rows["model"][places]),
        ),
        "remarks": _remarks(fitted, asked),
    }
    config = {"order": mixture.ORDER, "writers_min": WRITERS_MIN}
    return frame(KIND, fitted, config, figures, manifest)


def _rows(fitted: Taught, asked: Sequence[Sample]) -> dict[str, Any]:
    """Return float64[people, 4] by method, in the order of those asked, who come by shard."""
    public = only_public()
    slips = any(one.pairs for one in asked)
    found: dict[str, list[list[float]]] = {"model": [], PUBLIC: []}
    for shard in sorted({one.shard for one in asked}):
        without = fitted.only(set(fitted.shards) - {shard})
        predictor = without.predictor()
        corrector = without.corrector() if slips else None
        for one in asked:
            if one.shard == shard:
                found["model"].append(_judged(one, predictor, corrector))
                found[PUBLIC].append(_judged(one, public, untaught() if slips else None))
    return {name: np.array(rows) for name, rows in found.items()}


def _remarks(fitted: Taught, asked: Sequence[Sample]) -> list[str]:
    """Say how much of what is asked others wrote too: who copies the same text is easily told."""
    known = {shard: set(texts_of(tensors)) for shard, tensors in fitted.shards.items()}
    lines = [(one.shard, text) for one in asked for text in one.texts]
    if not lines:
        return []
    met = sum(any(text in of for n, of in known.items() if n != shard) for shard, text in lines)
    return [
        f"{met / len(lines):.0%} of the lines asked were written, word for word, by others too."
    ]


def _judged(one: Sample, predictor: Predictor, corrector: Corrector | None) -> list[float]:
    """Return bits, characters, slips put right and slips of one person."""
    texts = _some(one.texts)
    came = np.concatenate([codes(text)[1:] for text in texts])
    share = predictor.characters(texts)[np.arange(came.size), came]
    bits = float(-np.log2(np.maximum(share, 1e-12)).sum())
    pairs = one.pairs[:: 1 + len(one.pairs) // ASKED_SLIPS]
    right = 0
    for typed, meant in pairs if corrector else ():
        best = corrector.suggest(Asked(typed), 2) if corrector else ()
        first = [found.text for found in best if found.text != typed][:1]
        right += first == [meant]
    return [bits, float(came.size), float(right), float(len(pairs))]


def _some(texts: Sequence[str]) -> list[str]:
    """Return texts evenly over all of a person's, about so many characters."""
    step = max(1, sum(map(len, texts)) // ASKED_CHARACTERS)
    return [text[:ASKED_CHARACTERS] for text in texts[::step]]


def _figures(rows: Any) -> dict[str, Any]:
    return {
        "bits_a_character": _figure(shares("", "", rows[:, 0], rows[:, 1], resamples=400)),
        "slip_put_right": _figure(shares("", "", rows[:, 2], rows[:, 3], resamples=400)),
    }


def _figure(score: Score) -> dict[str, float | None]:
    values = (score.value, score.low, score.high)
    return {
        name: None if value != value else round(value, 6)
        for name, value in zip(("value", "low", "high"), values, strict=True)
    }


def nats(fitted: Taught, people: Sequence[Sample]) -> Any:
    """Return float64[people], mean loss of a character of each one's texts."""
    predictor = fitted.predictor()
    rows = [_judged(one, predictor, None)[:2] for one in people]
    return np.array([bits / characters for bits, characters in rows]) * np.log(2)


def page(fitted: Taught, general: Vocabulary | None = None) -> dict[str, Any]:
    """Return what a page offers before it knows a person's own words: `spec/text.md`.

    `words` are as `page_words` has them; `after` says of a word of the study what comes next, the
    most frequent first.
    """
    said = [
        sentence
        for tensors in fitted.shards.values()
        for text in texts_of(tensors)
        for sentence in mixture.sentences(text)
    ]
    words = page_words(said, general)
    kept = frozenset(words) & {word for sentence in said for word in sentence}
    pairs: dict[str, Counter[str]] = {}
    for sentence in said:
        for word, following in pairwise(sentence):
            if {word, following} <= kept:
                pairs.setdefault(word, Counter())[following] += 1
    after = {word: _often(of, PAGE_PAIR_MIN)[:PAGE_AFTER] for word, of in sorted(pairs.items())}
    return {
        "model": PAGE_ID,
        "sha256": fitted.sha256(),
        "words": words,
        "after": {word: found for word, found in after.items() if found},
    }


def page_words(said: Iterable[Sequence[str]], general: Vocabulary | None = None) -> list[str]:
    """Return the words of sentences, then general English, each the most frequent first."""
    known = english() if general is None else general
    counted = Counter(word for sentence in said for word in sentence)
    own = _words(counted, frozenset(known.words))[:PAGE_WORDS_OWN]
    common = (known.words[at] for at in np.argsort(-known.share, kind="stable").tolist())
    return list(islice(dict.fromkeys((*own, *common)), PAGE_WORDS))


def _words(counted: Counter[str], general: Collection[str]) -> list[str]:
    """Return what was written, the most often first, without what looks like a slip of it."""
    often = _often(counted)

    def is_slip(word: str) -> bool:
        larger = takewhile(lambda one: counted[one] >= PAGE_TIMES * counted[word], often)
        return any(abs(len(one) - len(word)) < 2 and edit_between(one, word) for one in larger)

    return [word for word in often if word in general or not is_slip(word)]


def _often(counted: Counter[str], least: int = 1) -> list[str]:
    """Return what was counted so often, the most first, then by code points."""
    kept = (word for word in counted if counted[word] >= least)
    return sorted(kept, key=lambda word: (-counted[word], word))
