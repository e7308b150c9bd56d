"""What was meant by single words, whatever stands around them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from overt.models.answers import Answer, Asker
from overt.models.answers.question import Question
from overt.models.scores import Progress
from overt.models.typos import corrector, lists, spelling, words
from overt.models.typos.corrector import Corrector
from overt.models.typos.evidence import Asked
from overt.models.typos.slipped import plain
from overt.models.typos.trie import LETTERS_MAX
from overt.schema.errors import InvalidInput, TooFew

EXAMPLE: dict[str, Any] = {"words": ["recieve", "seperate"], "count": 3}
WORDS_MAX = 200
COUNT_MAX = 10


def learn(data: Path | None, progress: Progress) -> Asker:
    """Learn from lists of misspellings in `data`, or know keyboards, sounds and frequency alone."""
    if data is None:
        known = words.english()
        return asker(corrector.untrained(known), "nobody: keyboards, sounds and word counts alone")
    pairs = sorted({pair for found in lists.read(data).values() for pair in found})
    if len(pairs) < spelling.PAIRS_MIN:
        raise TooFew(
            f"holds {len(pairs)} misspellings",
            where=str(data),
            do=f"At least {spelling.PAIRS_MIN:,} are needed; without data it answers untaught.",
        )
    known = words.english(extra={meant for _, meant in pairs})
    model = corrector.train(known, pairs, spelling.half, lambda share: progress("learning", share))
    return asker(model, f"{len(pairs):,} misspellings and public word counts")


def asker(model: Corrector, by: str) -> Asker:
    """Return what answers by a model that is at hand."""

    def answer(raw: Any) -> Answer:
        asked = Question(raw, ("words", "count"))
        count = asked.whole("count", 1, COUNT_MAX, 3)
        found = asked.texts("words", WORDS_MAX)
        return {
            "words": [
                suggested(model, Asked(word_of(one, f"words[{at}]")), count)
                for at, one in enumerate(found)
            ]
        }

    return Asker(by, answer)


def word_of(token: str, where: str) -> str:
    """Return a token as a corrector takes it. Raises `InvalidInput` for what is no word."""
    word = plain(token)
    if not word or len(word) > LETTERS_MAX or any(letter.isspace() for letter in word):
        raise InvalidInput(
            f"is not a word of 1 to {LETTERS_MAX} letters", where=where, do="Ask for one word each."
        )
    return word


def suggested(model: Corrector, asked: Asked, count: int) -> Answer:
    """Return the suggestions for one token, as JSON has them."""
    found = model.suggest(asked, count)
    known = asked.typed in model.lexicon.words
    return {
        "typed": asked.typed,
        "known": known,
        "put": asked.typed if known or not found else found[0].text,
        "suggestions": [
            {"word": one.text, "probability": round(one.probability, 4)} for one in found
        ],
    }
