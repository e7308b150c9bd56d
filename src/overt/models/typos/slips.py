"""`overt evaluate slips`: slips of the hand put right where they stood, and right words left alone.

People whose number is divisible by five are scored, the others are learned from. Sentences are
kept apart too: they fall into `GROUPS` by their first word, and a token is judged by a language
model and a ranking that saw other groups only. When to leave a word alone is set on the people
learned from, in groups their ranking did not see.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from overt.models.scores import Progress, Score, Scores
from overt.models.typos import corrector, judged, peers, ranker, slipped, teachers, timed, words
from overt.models.typos.evidence import (
    Evidence,
    lexicon,
    near,
    place,
    without_context,
)
from overt.models.typos.judged import Fold, Judged, Seen
from overt.models.typos.own import Own
from overt.models.typos.slipped import Attempt, Attempts
from overt.schema.errors import TooFew

GROUPS = 5
"""Groups that sentences fall into."""

SLIPS_MIN = 200
"""Fewer slips to learn from leave the channel untrained."""

TIMED = 200
"""Tokens that the time of a suggestion is measured on."""


def evaluate(path: Path, progress: Progress, *, neural_seeds: int = 0) -> Scores:
    """Score SymSpell and ours on the table of slips in `path`.

    With `neural_seeds` the neural reranker is scored too, as a mean over so many seeds.
    """
    progress("reading", 0.0)
    mine = slipped.read(path, GROUPS)
    people = {one.person for one in (*mine.slips, *mine.right)}
    scored = scored_people(people)
    own = sum(one.person not in scored for one in mine.slips)
    if own < SLIPS_MIN:
        scored, own = people, 0  # none of them teaches, so none has to be kept apart
    more, beside = teachers.beside(path, mine, GROUPS, own)
    attempts = teachers.together(mine, more)
    taught = own + len(more.slips)
    slips = [one for one in attempts.slips if one.left and one.person in scored]
    right = [one for one in attempts.right if one.person in scored]
    if not slips:
        raise TooFew(
            f"holds no slip to score, of {len(scored)} people who are scored",
            where=str(path),
            do=f"Slips of letters ({', '.join(slipped.KINDS)}) left as whole words are needed.",
        )
    if len({one.person for one in slips}) < judged.PEOPLE_MIN:
        raise TooFew(
            f"has slips to score of {len({one.person for one in slips})} people only",
            where=str(path),
            do=f"At least {judged.PEOPLE_MIN} are needed, some 25 to be learned from as well.",
        )
    rows = [*_symspell(mine, slips, right), *_in_page(attempts, slips, right, scored)]
    notes: tuple[str, ...] = NOTES
    if taught < SLIPS_MIN:
        rows += _untrained(slips, right)
    else:
        folds = [
            fold for group in range(GROUPS) for fold in _gathered(attempts, scored, group, progress)
        ]
        made = {}
        for number, (name, seen) in enumerate(_METHODS.items()):
            progress(f"learning {name}", 0.6 + 0.15 * number)
            made[name] = judged.decided(folds, seen, scored)
            rows += _ours(name, *made[name])
        progress("learning with and without timing", 0.9)
        rows += timed.scored(path, attempts, folds, scored)
        rows.append(_speed(folds[0]))
        if neural_seeds:
            rows += _neural(attempts, folds, scored, made["ours"], neural_seeds, progress)
            notes += _neural_notes(neural_seeds)
    return Scores(
        task="slips",
        protocol=_protocol(taught, beside),
        counts={
            "people scored": len({one.person for one in slips}),
            "slips left": len(slips),
            "right words": len(right),
        },
        rows=tuple(rows),
        notes=notes,
    )


NOTES = (
    "top1: the slip became the word that was asked for. Case, punctuation, spaces are not scored.",
    "flagged: the same if every slip were pointed out, so that nothing has to be left alone.",
    "false corrections per 1000: right words that were changed, of those to the left of a slip.",
    "a word of English: slips that made another word, which only context can catch.",
    "ece: |probability − share meant| of the best other word, slips and right words, 15 steps.",
    "times known: attempts whose key presses are logged beside the table, with timing or without.",
    "in a page: offered by others' words and common English, one edit away (spec/typos.md).",
    "Sentences without a slip are not in the table. Intervals by bootstrap over people.",
)


def _protocol(taught: int, beside: str) -> str:
    if taught < SLIPS_MIN:
        return (
            f"Fewer than {SLIPS_MIN} slips of others to learn from: ours is untrained here, "
            "and everybody is scored."
        )
    elsewhere = f", also of people in {beside} who are not in this table" if beside else ""
    return (
        f"Learned from {taught} slips of people who are not scored{elsewhere}; sentences of one "
        f"group of {GROUPS} are judged by what was learned from the others."
    )


def scored_people(people: set[str]) -> set[str]:
    """Return who is scored: numbers divisible by five, else one in five by a hash of the name.

    So few of these that an interval over them would say nothing are filled up, in order of the
    hash, as long as half are left to learn from. All, where there is nobody else to learn from.
    """
    found: set[str] = set()
    if all(one.isdigit() for one in people):
        found = {one for one in people if int(one) % 5 == 0}
    if not found or found == people:
        found = {one for one in people if _hash(one)[0] % 5 == 0}
    if found == people:
        found = set()
    wanted = min(judged.PEOPLE_MIN, len(people) // 2)
    rest = sorted(people - found, key=_hash)
    return (found | set(rest[: max(0, wanted - len(found))])) or people


def _hash(person: str) -> bytes:
    return hashlib.sha256(person.encode()).digest()


def _symspell(
    attempts: Attempts, slips: Sequence[Attempt], right: Sequence[Attempt]
) -> list[Score]:
    def best(one: Attempt) -> Judged:
        found = peers.symspell_closest(one.asked.typed)[:1]
        changed = found and found[0] != one.asked.typed
        return Judged(one, found[0] if changed else "", 1.0)

    rows = judged.rows("SymSpell", [best(one) for one in slips], [best(one) for one in right], 0.5)
    everyone = [best(one) for one in attempts.slips if one.left]
    rows.append(judged.top1("SymSpell, all people", everyone, 0.5))
    return rows


def _in_page(
    attempts: Attempts, slips: Sequence[Attempt], right: Sequence[Attempt], scored: set[str]
) -> list[Score]:
    """Score what a page offers by words that others wrote, without any correction of their own."""
    from overt.models.text import cards

    own = Own()
    knows = -1

    def best(one: Attempt) -> Judged:
        nonlocal knows
        if one.group != knows:
            own.knows(cards.page_words(_written(attempts, scored, knows := one.group)))
        hint = own.hint(one.asked.typed)
        return Judged(one, hint.put if hint else "", 1.0)

    def all_of(some: Sequence[Attempt]) -> list[Judged]:
        return [best(one) for one in sorted(some, key=lambda one: one.group)]

    return judged.rows("in a page", all_of(slips), all_of(right), 0.5)


def _written(attempts: Attempts, scored: set[str], group: int) -> list[tuple[str, ...]]:
    """Return sentences of the other groups, by people who are not scored."""
    return list(
        slipped.longest(
            sentence
            for other, sentences in attempts.sentences.items()
            if other != group
            for person, sentence in sentences
            if person not in scored
        )
    )


def _untrained(slips: Sequence[Attempt], right: Sequence[Attempt]) -> list[Score]:
    model = corrector.untrained(words.english())

    def best(one: Attempt) -> Judged:
        found = [s for s in model.suggest(one.asked, 2) if s.text != one.asked.typed]
        alone = one.asked.typed in model.lexicon.words
        return Judged(one, found[0].text if found else "", 0.0 if alone else 1.0)

    return judged.rows(
        "ours, untrained", [best(one) for one in slips], [best(one) for one in right], 0.5
    )


def _gathered(
    attempts: Attempts, scored: set[str], group: int, progress: Progress
) -> Iterator[Fold]:
    """Gather the evidence for one group of sentences from people and sentences not in it."""
    mine = [one for one in (*attempts.slips, *attempts.right) if one.group == group]
    if not mine:
        return
    progress(f"gathering evidence, sentences {group + 1} of {GROUPS}", 0.05 + 0.11 * group)
    texts = _written(attempts, scored, group)
    known = lexicon(words.english(texts=texts))
    error = corrector.channel(
        [
            (one.asked.typed, one.meant)
            for one in attempts.slips
            if one.group != group and one.person not in scored
        ]
    )
    found: dict[str, Evidence] = {}
    gathered = []
    for number, one in enumerate(mine):
        typed = one.asked.typed
        if typed not in found:
            found[typed] = near(known, error, typed)
        gathered.append((one, place(known, found[typed], one.asked)))
        if number % 1000 == 0:
            share = 0.11 * (group + number / len(mine))
            progress(f"gathering evidence, sentences {group + 1} of {GROUPS}", 0.05 + share)
    yield Fold(group, known, error, gathered)


_METHODS: dict[str, Seen] = {
    "ours, without context": lambda _fold, _attempt, evidence: without_context(evidence),
    "ours": lambda _fold, _attempt, evidence: evidence,
}


def _neural(
    attempts: Attempts,
    folds: Sequence[Fold],
    scored: set[str],
    plain: judged.Run,
    seeds: int,
    progress: Progress,
) -> list[Score]:
    from overt.models.typos import reranked

    return reranked.scored(attempts, folds, scored, plain, seeds, progress)


def _neural_notes(seeds: int) -> tuple[str, ...]:
    from overt.models.neural import device
    from overt.models.typos import reranked

    return reranked.notes(device.machine(), seeds)


def _ours(
    name: str, slips: Sequence[Judged], right: Sequence[Judged], threshold: float
) -> list[Score]:
    flagged = judged.top1(name, slips, -1.0, metric="top1, flagged")
    sure = judged.calibration(name, slips, right)
    return [*judged.rows(name, slips, right, threshold), flagged, sure]


def _speed(fold: Fold) -> Score:
    """Measure the whole way from a token to its suggestions, one after the other.

    Time of the processor, so that what else the machine does is not counted.
    """
    tokens = [(one, given) for one, given in fold.gathered if given.found.size][:TIMED]
    number = fold.known.words.number
    fitted = ranker.fit(
        [given for _, given in tokens], [number.get(a.meant, -1) for a, _ in tokens]
    )
    model = corrector.Corrector(fold.known, fold.error, fitted)
    model.suggest(tokens[0][0].asked)
    spent = []
    for one, _ in tokens:
        before = time.process_time()
        model.suggest(one.asked)
        spent.append((time.process_time() - before) * 1000)
    low, high = np.percentile(spent, [2.5, 97.5]).tolist()
    return Score(
        "ours",
        "processor ms a suggestion, median and 95 % of them",
        float(np.median(spent)),
        low,
        high,
    )
