"""`overt evaluate spelling`: single misspelt words put right, without any context.

The channel is fitted to one list (Birkbeck's `missp` where it is there) and scored on the others,
and on the words of that list which it was not fitted to.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from overt.models.scores import Progress, Score, Scores, shares
from overt.models.typos import corrector, lists, peers, spaces, words
from overt.models.typos.channel import Pair
from overt.models.typos.corrector import Corrector
from overt.models.typos.evidence import Asked, Evidence

TRAINING_LIST = "missp"
PAIRS_MIN = 2_000
"""Fewer pairs fit no channel: two halves of a thousand each teach hardly a letter pair."""

UNSEEN_PART = 5
"""One word in so many of the training list is scored, not learned from."""


NOTES = (
    "Lower case. Intervals by bootstrap over right words.",
    "Pairs with a space have rows of their own, pooled over all lists, and are not learned from.",
    "SymSpell leaves a word of its dictionary as it is; so does `ours, words left alone`.",
    "`ours` takes every entry of a list of misspellings for a possible misspelling.",
)


def evaluate(path: Path, progress: Progress, *, neural_seeds: int = 0) -> Scores:
    """Score SymSpell and ours on the lists in `path`.

    With `neural_seeds` the neural reranker is scored too, as a mean over so many seeds.
    """
    progress("reading", 0.0)
    found = lists.read(path)
    name, learnable, where = _training(found)
    scored = {other: pairs for other, pairs in found.items() if other != name or where}
    learned_from = []
    if name:
        part = "" if where else f"{name}, words not learned from"
        learned_from = learned(learnable, scored, found.get(name, []) if where else [])
        if part:
            scored[part] = [pair for pair in learnable if _unseen(pair)]
    known = words.english(extra={meant for _, meant in learned_from})
    ours = untrained = corrector.untrained(known)
    read: Read | None = None
    notes: tuple[str, ...] = NOTES
    if learned_from:
        lexicon = untrained.lexicon
        gathered, some = corrector.by_halves(
            lexicon, learned_from, half, lambda share: progress("learning", 0.02 + 0.5 * share)
        )
        ours = corrector.ranking(lexicon, learned_from, gathered, some)
        if neural_seeds:
            read, more = _readers(ours, gathered, some, neural_seeds, progress)
            notes += more
    rows: list[Score] = []
    total = sum(map(len, scored.values()))
    done = 0
    for title, pairs in scored.items():
        at = 0.52 + 0.48 * done / max(total, 1)
        span = 0.48 * len(pairs) / max(total, 1)

        def tell(share: float, at: float = at, span: float = span, title: str = title) -> None:
            progress(f"scoring {title}", at + span * share)

        rows += _rows(title, pairs, ours, untrained, tell, read)
        done += len(pairs)
    if name and not where:
        rows += _symspell(f"{name}, whole list", found[name])
    rows += _spaced(lists.spaced(path), ours)
    return Scores(
        task="spelling",
        protocol=_protocol(name, where, len(learned_from)),
        counts={f"pairs in {title}": len(pairs) for title, pairs in scored.items()},
        rows=tuple(rows),
        notes=notes,
    )


def learned(
    learnable: Sequence[Pair], scored: Mapping[str, Sequence[Pair]], part: Sequence[Pair]
) -> list[Pair]:
    """Return the pairs to learn from: no word that is kept back, nothing typed in a scored list.

    Of a list that is scored in part (`part`), no word of that part either.
    """
    typed_elsewhere = {typed for pairs in scored.values() for typed, _ in pairs}
    kept_back = {meant for _, meant in part}
    return [
        pair
        for pair in learnable
        if not _unseen(pair) and pair[0] not in typed_elsewhere and pair[1] not in kept_back
    ]


def _training(found: dict[str, list[Pair]]) -> tuple[str, list[Pair], str]:
    """Return the list to learn from: its name, its pairs, and where it lies if not in `found`."""
    if len(found.get(TRAINING_LIST, ())) >= PAIRS_MIN:
        return TRAINING_LIST, found[TRAINING_LIST], ""
    beside = Path(os.environ.get("OVERT_DATA", "")) / "spelling-corpora"
    if os.environ.get("OVERT_DATA") and beside.exists():
        other = lists.read(beside).get(TRAINING_LIST, [])
        if len(other) >= PAIRS_MIN:
            return TRAINING_LIST, other, str(beside)
    name = max(found, key=lambda one: len(found[one]))
    if len(found[name]) >= PAIRS_MIN:
        return name, found[name], ""
    return "", [], ""


def _protocol(name: str, where: str, learned: int) -> str:
    if not name:
        return (
            f"No list of at least {PAIRS_MIN} misspellings to learn from: ours is untrained here, "
            "a prior from keyboard, sounds and frequencies."
        )
    apart = (
        f"nothing that is typed in a scored list is learned from, and no word of a part of {name}"
        if where
        else f"one word in {UNSEEN_PART} of it, by a hash of the word, is scored and not learned "
        "from, and nothing that is typed in another list is learned from"
    )
    return f"Learned from {learned} pairs of {name}{f' in {where}' if where else ''}; {apart}."


def _hash(word: str, purpose: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{purpose}\0{word}".encode()).digest()[:8], "big")


def _unseen(pair: Pair) -> bool:
    return _hash(pair[1], "unseen") % UNSEEN_PART == 0


def half(pair: Pair) -> bool:
    """Return to which half of the words learned from a pair belongs."""
    return _hash(pair[1], "half") % 2 == 0


Words = tuple[str, ...]
"""What a method suggests for one token, best first."""

Made = list[Words]
"""What a method suggests for each of some pairs."""

Read = Callable[[Sequence[Pair], Sequence[Evidence]], list[Made]]
"""What the networks make of pairs and the evidence of their candidates, seed by seed."""


def _readers(
    ours: Corrector,
    gathered: Sequence[Evidence],
    some: Sequence[Pair],
    seeds: int,
    progress: Progress,
) -> tuple[Read, tuple[str, ...]]:
    """Fit the networks to what the ranking learned from; return what reads, and what to say."""
    from overt.models.neural import device
    from overt.models.typos import reranked

    number = ours.lexicon.words.number
    weights = corrector.as_in_text(gathered, [number.get(meant, -1) for _, meant in some])
    read = reranked.isolated(ours, gathered, some, weights, seeds, progress)
    return read, reranked.notes(device.machine(), seeds)


def _rows(
    title: str,
    pairs: Sequence[Pair],
    ours: Corrector,
    untrained: Corrector,
    progress: Callable[[float], None],
    read: Read | None,
) -> list[Score]:
    theirs = [peers.symspell_closest(typed) for typed, _ in pairs]
    rows = _scored(f"{title}: SymSpell", pairs, theirs)
    known = ours.lexicon.words
    for name, model in (("ours, untrained", untrained), ("ours", ours)):
        if name != "ours" and model is ours:
            continue
        gathered = corrector.evidence_of(
            model.lexicon, model.channel, [Asked(typed) for typed, _ in pairs], progress
        )
        made = [tuple(s.text for s in model.ranked(evidence)) for evidence in gathered]
        if name == "ours":
            alone = [
                (typed,) if typed in known else one
                for (typed, _), one in zip(pairs, made, strict=True)
            ]
            rows += _scored(f"{title}: ours, words left alone", pairs, alone)
            rows += _torn(title, pairs, model, gathered)
            rows += [
                _gain(f"{title}: ours over SymSpell", pairs, made, theirs),
                _gain(f"{title}: ours, words left alone, over SymSpell", pairs, alone, theirs),
            ]
            if read is not None:
                rows += _scored(f"{title}: neural, no context", pairs, *read(pairs, gathered))
        rows += _scored(f"{title}: {name}", pairs, made)
    return rows


def _spaced(pairs: Sequence[Pair], model: Corrector) -> list[Score]:
    """Score two words run together and one torn apart, of all lists: nobody learns from these."""
    rows: list[Score] = []
    for title, wanted in (("two words run together", 0), ("one word torn in two", 1)):
        mine = [pair for pair in pairs if pair[0].count(" ") == wanted]
        if mine:
            rows += _read(f"{title}: SymSpell", mine, peers.symspell_compound)
            rows += _read(f"{title}: ours", mine, partial(_reading, model))
    return rows


def _torn(
    title: str, pairs: Sequence[Pair], model: Corrector, gathered: Sequence[Evidence]
) -> list[Score]:
    """Score what splitting costs: misspelt words that are taken for two."""
    readings = (
        spaces.best(model, Asked(typed), given)
        for (typed, _), given in zip(pairs, gathered, strict=True)
    )
    torn = [one is not None and " " in one.text for one in readings]
    number = {word: at for at, word in enumerate(dict.fromkeys(meant for _, meant in pairs))}
    at = np.array([number[meant] for _, meant in pairs])
    share = shares(f"{title}: ours", "taken for two words", np.bincount(at, torn), np.bincount(at))
    return [share]


def _reading(model: Corrector, typed: str) -> str:
    """Return what a corrector that may join and split makes of one or two tokens."""
    if " " in typed:
        found = spaces.joined(model, *typed.split(" "))
    else:
        found = spaces.best(model, Asked(typed))
    return found.text if found else typed


def _read(name: str, pairs: Sequence[Pair], read: Callable[[str], str]) -> list[Score]:
    return _scored(name, pairs, [(read(typed),) for typed, _ in pairs])[:1]


def _gain(
    name: str, pairs: Sequence[Pair], ours: Sequence[Words], theirs: Sequence[Words]
) -> Score:
    """Return by how much more often the first suggestion is right, on the same pairs."""
    number = {word: at for at, word in enumerate(dict.fromkeys(meant for _, meant in pairs))}
    at = np.array([number[meant] for _, meant in pairs])
    more = [
        float(one[:1] == (meant,)) - float(other[:1] == (meant,))
        for (_, meant), one, other in zip(pairs, ours, theirs, strict=True)
    ]
    return shares(name, "top1 gained", np.bincount(at, more), np.bincount(at))


def _symspell(title: str, pairs: Sequence[Pair]) -> list[Score]:
    made = [peers.symspell_closest(typed) for typed, _ in pairs]
    return _scored(f"{title}: SymSpell", pairs, made)


def _scored(name: str, pairs: Sequence[Pair], *suggested: Sequence[tuple[str, ...]]) -> list[Score]:
    """Return how often the right word is first, or among five; a mean where there are several."""
    number = {word: at for at, word in enumerate(dict.fromkeys(meant for _, meant in pairs))}
    total = np.zeros(len(number))
    hits = {"top1": np.zeros(len(number)), "top5": np.zeros(len(number))}
    for made in suggested:
        for (_, meant), one in zip(pairs, made, strict=True):
            at = number[meant]
            total[at] += 1
            hits["top1"][at] += one[:1] == (meant,)
            hits["top5"][at] += meant in one[:5]
    return [shares(name, metric, hits[metric], total) for metric in hits]
