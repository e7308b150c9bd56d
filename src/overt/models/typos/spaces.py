"""Spaces left out and put in: one token that was two words, and two that were one.

Both are weighed as everything else is: what the channel asks for the slip and what the language
model asks for the words. A space is left out or put in as easily as a letter: as the channel at
hand has it (`space_nats`), or else `SPACE_NATS`. Were that fixed, a channel that has learned from
people who leave out many letters would read any other word sooner than two. Only what is no word is
taken apart; two words that are both right are joined only as they stand, and only if the one word
is far more probable (`be cause`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from overt.models.typos.corrector import Corrector
from overt.models.typos.evidence import COLUMNS, Asked, Evidence, gather
from overt.models.typos.words import Words

SPACE_NATS = 4.6
"""The most that a space left out or put in costs: as a letter in a prior, 1 in 100."""

SURE_NATS = 2.0
"""How much cheaper one word must be before two right ones are joined: seven times as probable."""

SHORT = frozenset({"a", "i"})
"""The words of one letter; word counts hold many more, which stand for anything."""


@dataclass(frozen=True)
class Spaced:
    """Words in place of what was typed, and what they cost in nats."""

    text: str
    """Words with a space between them."""
    nats: float


def space_nats(model: Corrector) -> float:
    """Return what a space left out or put in costs: what a letter does to this channel."""
    return min(SPACE_NATS, model.letter_nats) if model.letter_nats > 0 else SPACE_NATS


def apart(words: Words, asked: Asked, nats: float = SPACE_NATS) -> Spaced | None:
    """Return the two words that a token without its space most probably was; None if none fit.

    `nats` is what the space costs.

    >>> from overt.models.typos.words import english
    >>> apart(english(), Asked("alot")).text
    'a lot'
    """
    typed = asked.typed
    if typed in words:
        return None
    found = []
    for at in range(1, len(typed)):
        one, two = typed[:at], typed[at:]
        if all(word in words and (len(word) > 1 or word in SHORT) for word in (one, two)):
            first = words.after(one, asked.before) if asked.in_context else words.alone(one)
            found.append(Spaced(f"{one} {two}", nats - first - words.after(two, one)))
    return min(found, key=lambda spaced: spaced.nats, default=None)


def best(model: Corrector, asked: Asked, evidence: Evidence | None = None) -> Spaced | None:
    """Return the cheapest way to read a token: one word or two; None if there is none.

    `evidence` is what was gathered for it before, if it was.
    """
    one = _one(model, asked, evidence)
    two = apart(model.lexicon.words, asked, space_nats(model))
    known = [reading for reading in (one, two) if reading]
    return min(known, key=lambda reading: reading.nats, default=None)


def joined(model: Corrector, first: str, second: str, before: str = "") -> Spaced | None:
    """Return the one word that two tokens most probably were; None if they were two.

    Args:
        model: the corrector.
        first: the first token, lower case.
        second: the token after it.
        before: the word before both, "" if none is known.
    """
    words = model.lexicon.words
    if first in words and second in words:
        return together(words, first, second, before)
    whole = _one(model, _after(first + second, before))
    one = best(model, _after(first, before))
    if whole is None or one is None:
        return whole
    two = best(model, _after(second, one.text.split()[-1]))
    nats = whole.nats + space_nats(model)
    if two is None or nats < one.nats + two.nats:
        return Spaced(whole.text, nats)
    return None


def together(words: Words, first: str, second: str, before: str = "") -> Spaced | None:
    """Return the word that two right words make if it is far more probable than the two.

    >>> from overt.models.typos.words import english
    >>> together(english(), "be", "cause").text, together(english(), "in", "to")
    ('because', None)
    """
    whole = first + second
    if whole not in words:
        return None
    here = words.after if before else _alone(words)
    nats = SPACE_NATS - here(whole, before)
    apart_nats = -here(first, before) - words.after(second, first)
    return Spaced(whole, nats) if nats + SURE_NATS < apart_nats else None


def _alone(words: Words) -> Callable[[str, str], float]:
    return lambda word, _before: words.alone(word)


def _after(typed: str, before: str) -> Asked:
    return Asked(typed, before=before, in_context=bool(before))


def _one(model: Corrector, asked: Asked, evidence: Evidence | None = None) -> Spaced | None:
    """Return the word of least cost, channel and language together."""
    evidence = evidence or gather(model.lexicon, model.channel, asked)
    if not evidence.found.size:
        return None
    costs = evidence.table[:, _FINE] + evidence.table[:, _CONTEXT]
    at = int(costs.argmin())
    return Spaced(model.lexicon.words.words[evidence.found[at]], float(costs[at]))


_FINE, _CONTEXT = COLUMNS.index("fine"), COLUMNS.index("context")
