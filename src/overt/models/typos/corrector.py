"""The corrector: a token and what stands before it → what was probably meant.

Fitted to pairs of what was typed and what was meant. Without pairs it knows keyboards, sounds and
frequencies only, and says so (`learned`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from overt.models.tensors import Array
from overt.models.typos import ranker
from overt.models.typos.channel import Pair, changes, edits, pieces
from overt.models.typos.evidence import COLUMNS, Asked, Channel, Evidence, Lexicon, gather, lexicon
from overt.models.typos.ranker import Ranker
from overt.models.typos.trie import EDITS_MIN
from overt.models.typos.words import Words

WORKERS = 2
"""Threads that gather evidence; the search releases the interpreter's lock."""

ONE_EDIT_SHARE = 0.8
"""Share of misspellings in running text that are one edit away (Damerau, A technique for computer
detection and correction of spelling errors, 1964). Lists of spelling tests have far fewer; their
pairs are weighted so that they count as running text."""

BEYOND_SHARE = 0.1
"""Share of pairs further apart than `EDITS_MIN` from which words are looked for further away."""

REACHED = 2_000
"""Pairs, about, that this share is taken from."""

COMMON = 100
"""Words that are asked what a letter left out costs."""

PAIRS_MAX = 8_000
"""Pairs whose evidence the ranking is fitted to; the channel is fitted to all."""


@dataclass(frozen=True)
class Suggestion:
    """A word and how probable it is that it was meant."""

    text: str
    probability: float


@dataclass(frozen=True)
class Corrector:
    """What was learned; `suggest` uses it."""

    lexicon: Lexicon = field(repr=False)
    channel: Channel = field(repr=False)
    ranker: Ranker = field(repr=False)

    @property
    def learned(self) -> bool:
        """Whether the error channel was fitted to anything."""
        return self.channel.pieces is not None

    @cached_property
    def letter_nats(self) -> float:
        """What the channel asks for a letter left out: the median over common words; NaN without.

        The middle letter of the `COMMON` most frequent words of six to nine letters.
        """
        words = self.lexicon.words
        common = [
            at for at in np.argsort(-words.log_p, kind="stable") if 6 <= len(words.words[at]) <= 9
        ][:COMMON]
        nats = []
        for at in common:
            word = words.words[at]
            asked = Asked(word[: len(word) // 2] + word[len(word) // 2 + 1 :])
            found = gather(self.lexicon, self.channel, asked)
            nats += found.table[found.found == at, COLUMNS.index("fine")].tolist()
        return float(np.median(nats)) if nats else float("nan")

    def suggest(self, asked: Asked, most: int = 5) -> tuple[Suggestion, ...]:
        """Return up to `most` words, most probable first; the typed one may be among them."""
        evidence = gather(self.lexicon, self.channel, asked)
        return self.ranked(evidence, most)

    def ranked(self, evidence: Evidence, most: int = 5) -> tuple[Suggestion, ...]:
        """Return the suggestions for evidence that was gathered before."""
        p = self.ranker.probabilities(evidence.table)
        order = np.argsort(-p, kind="stable")[:most]
        words = self.lexicon.words.words
        return tuple(Suggestion(words[evidence.found[at]], float(p[at])) for at in order)


def untrained(words: Words) -> Corrector:
    """Return a corrector that was fitted to nobody."""
    return Corrector(lexicon(words), Channel(edits()), Ranker())


def channel(pairs: Sequence[Pair]) -> Channel:
    """Fit both error models to pairs (typed, meant)."""
    coarse = edits(pairs)
    some = pairs[:: 1 + len(pairs) // REACHED]
    beyond = sum(changes(coarse, pair) > EDITS_MIN for pair in some)
    reach = EDITS_MIN + int(beyond > BEYOND_SHARE * len(some))
    return Channel(coarse, pieces(coarse, pairs), reach)


def evidence_of(
    known: Lexicon,
    error: Channel,
    asked: Sequence[Asked],
    progress: Callable[[float], None] = lambda _: None,
) -> list[Evidence]:
    """Return the evidence for many tokens, in order."""
    made = []
    with ThreadPoolExecutor(WORKERS) as pool:
        for one in pool.map(lambda token: gather(known, error, token), asked):
            made.append(one)
            if len(made) % 200 == 0:
                progress(len(made) / len(asked))
    return made


def train(
    words: Words,
    pairs: Sequence[Pair],
    half: Callable[[Pair], bool],
    progress: Callable[[float], None] = lambda _: None,
) -> Corrector:
    """Fit channel and ranking to pairs (typed, meant) of isolated words.

    Args:
        words: the vocabulary.
        pairs: what was typed and what was meant, lower case.
        half: to which half a pair belongs; pairs of one word belong together.
        progress: called with the share that is done.
    """
    known = lexicon(words)
    gathered, some = by_halves(known, pairs, half, progress)
    return ranking(known, pairs, gathered, some)


def by_halves(
    known: Lexicon,
    pairs: Sequence[Pair],
    half: Callable[[Pair], bool],
    progress: Callable[[float], None] = lambda _: None,
) -> tuple[list[Evidence], list[Pair]]:
    """Return the evidence that a ranking learns from, and the pairs it is of.

    It comes from a channel that was fitted to the other half of the words, so that it looks as it
    will for words nobody has seen.
    """
    gathered: list[Evidence] = []
    some: list[Pair] = []
    for side in (False, True):
        mine = [pair for pair in pairs if half(pair) is side]
        step = max(1, len(pairs) // PAIRS_MAX)
        error = channel([pair for pair in pairs if half(pair) is not side])
        gathered += evidence_of(
            known,
            error,
            [Asked(typed) for typed, _ in mine[::step]],
            lambda share, done=0.45 * side: progress(done + 0.45 * share),  # type: ignore[misc]
        )
        some += mine[::step]
    return gathered, some


def ranking(
    known: Lexicon, pairs: Sequence[Pair], gathered: Sequence[Evidence], some: Sequence[Pair]
) -> Corrector:
    """Return the corrector whose channel is of all pairs, its ranking of what `by_halves` gave."""
    meant = [known.words.number.get(word, -1) for _, word in some]
    fitted = ranker.fit(gathered, meant, as_in_text(gathered, meant))
    return Corrector(known, channel(pairs), fitted)


def as_in_text(gathered: Sequence[Evidence], meant: Sequence[int]) -> Array:
    """Return weights under which `ONE_EDIT_SHARE` of the pairs are one edit apart."""
    column = COLUMNS.index("edits")
    one = np.array(
        [
            bool((evidence.table[evidence.found == word, column] <= 1).any())
            for evidence, word in zip(gathered, meant, strict=True)
        ]
    )
    share = one.mean() if one.size else 0.0
    if not 0 < share < 1:
        return np.ones(one.size)
    return np.where(one, ONE_EDIT_SHARE / share, (1 - ONE_EDIT_SHARE) / (1 - share))
