"""What was meant by each word of a text, given the word before it.

A word of the dictionary is left as it is in `put`; what else may have been meant is suggested.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

from overt.models.answers import Answer, Asker
from overt.models.answers.question import Question
from overt.models.answers.spelling import COUNT_MAX, WORDS_MAX, suggested
from overt.models.scores import Progress
from overt.models.typos import corrector, ranker, slipped, slips, words
from overt.models.typos.corrector import Corrector
from overt.models.typos.evidence import Evidence, lexicon
from overt.models.typos.slipped import Attempt
from overt.models.typos.trie import LETTERS_MAX
from overt.schema.errors import InvalidInput, TooFew

EXAMPLE: dict[str, Any] = {"text": "I will meet yuo at teh station", "count": 3}
SHOWN_MAX = 4_000
"""Slips, and right words as many, that the ranking is fitted to."""


def learn(data: Path | None, progress: Progress) -> Asker:
    """Learn from a table of slips in `data`, or know keyboards and frequency alone."""
    if data is None:
        known = corrector.untrained(words.english())
        return asker(known, "nobody: keyboards, sounds and word counts alone")
    attempts = slipped.read(data, slips.GROUPS)
    people = {one.person for one in attempts.slips}
    if len(attempts.slips) < slips.SLIPS_MIN:
        raise TooFew(
            f"holds {len(attempts.slips)} slips",
            where=str(data),
            do=f"At least {slips.SLIPS_MIN} are needed; without data it answers untaught.",
        )
    model = _fitted(attempts, progress)
    return asker(model, f"{len(attempts.slips):,} slips of {len(people)} people")


def asker(model: Corrector, by: str) -> Asker:
    """Return what answers by a model that is at hand."""
    return Asker(by, lambda raw: _answer(model, raw))


def _fitted(attempts: slipped.Attempts, progress: Progress) -> Corrector:
    """Fit channel and ranking; evidence of each half of the sentences is from the other half."""
    gathered: list[Evidence] = []
    meant: list[str] = []
    number: list[int] = []
    for side in (0, 1):
        known = lexicon(words.english(texts=_texts(attempts, 1 - side)))
        error = corrector.channel(_pairs(attempts, 1 - side))
        chosen = [*_some(attempts.slips, side), *_some(attempts.right, side)]
        gathered += corrector.evidence_of(
            known,
            error,
            [one.asked for one in chosen],
            lambda share, side=side: progress("learning", (side + share) / 2),  # type: ignore[misc]
        )
        number += [known.words.number.get(one.meant, -1) for one in chosen]
        meant += [one.meant for one in chosen]
    fitted = ranker.fit(gathered, number)
    texts = [text for side in (0, 1) for text in _texts(attempts, side)]
    known = lexicon(words.english(texts=texts))
    return Corrector(known, corrector.channel(_pairs(attempts, None)), fitted)


def _texts(attempts: slipped.Attempts, side: int) -> list[tuple[str, ...]]:
    return slipped.longest(
        sentence
        for group, sentences in attempts.sentences.items()
        if group % 2 == side
        for _, sentence in sentences
    )


def _pairs(attempts: slipped.Attempts, side: int | None) -> list[tuple[str, str]]:
    return [
        (one.asked.typed, one.meant)
        for one in attempts.slips
        if side is None or one.group % 2 == side
    ]


def _some(attempts: tuple[Attempt, ...], side: int) -> list[Attempt]:
    mine = [one for one in attempts if one.group % 2 == side]
    return mine[:: max(1, 2 * len(mine) // SHOWN_MAX)]


def _answer(model: Corrector, raw: Any) -> Answer:
    asked = Question(raw, ("text", "count"))
    count = asked.whole("count", 1, COUNT_MAX, 3)
    tokens = asked.text("text").split()
    if len(tokens) > WORDS_MAX:
        raise InvalidInput(f"has more than {WORDS_MAX} words", where="text")
    answers = []
    for before, token in pairwise(["", *tokens]):
        one = slipped.asked(token, [before] if before else [])
        if 0 < len(one.typed) <= LETTERS_MAX:
            answers.append({"token": token, **suggested(model, one, count)})
    return {"words": answers}
