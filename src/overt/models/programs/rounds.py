"""Rounds of learning and asking, the same for every kind of input, and the figures of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from overt.models.programs.classifiers import (
    BOOSTED,
    CANNOT_TELL,
    CLASSIFIERS,
    WRONGED,
    Judge,
    Trees,
    bound,
)
from overt.models.programs.rates import rated
from overt.models.programs.windows import SECONDS, Windows
from overt.models.scores import Progress, Score, shares
from overt.models.tensors import Array

_PEOPLE_OF = "people of "
"""Before the source that was left out of learning."""

PARTS = 2
"""Parts of people: each in turn is asked about, the others are learned from."""


class Person(Protocol):
    """Whose input it is, as far as a source says."""

    @property
    def source(self) -> str:
        """Name of the data set."""
        ...

    @property
    def person(self) -> str:
        """Told apart from others within the source."""
        ...

    @property
    def named(self) -> bool:
        """Whether the source says who is who."""
        ...


@dataclass(frozen=True)
class Part:
    """One kind of input: its windows, and the part of people each belongs to."""

    name: str
    """Before the name of each method in the figures; nothing for the pointer."""
    windows: Windows
    side: Array
    kinds: tuple[str, ...]
    more: Callable[[Array], Array] | None = None
    """Given which windows a round learns from, further columns, learned from people alone."""
    others: int = 0
    """How many of these, the last ones, are evidence for other programs: `Trees.others`."""
    unsure: Callable[[Array], Array] | None = None
    """Which windows nothing is to be said of, whatever the judge thinks."""

    def answers(self, judge: Judge, x: Array) -> Array:
        """Return what is said of windows: `Judge.said`."""
        said = judge.said(judge.score(x))
        return said if self.unsure is None else np.where(self.unsure(x), CANNOT_TELL, said)

    def seen(self, train: Array) -> Windows:
        """Return the windows as a round sees them that learns from those at `train`."""
        if self.more is None:
            return self.windows
        return replace(self.windows, x=np.concatenate([self.windows.x, self.more(train)], 1))

    def label(self, method: str) -> str:
        """Return the name of a method on this input."""
        return f"{self.name}, {method}" if self.name else method


@dataclass(frozen=True)
class Round:
    """One fit: whom it learns from, and whom it is asked about."""

    left_out: str
    train: Array
    test: Array


def name_of(one: Person) -> str:
    """Return who it is over all sources: `Windows.person`."""
    return f"{one.source}/{one.person}"


def sides_of(people: Sequence[Person]) -> dict[str, int]:
    """Return the part each person is in; a source that does not say who is who is in one part."""
    sides: dict[str, int] = {}
    alone = len({one.source for one in people}) == 1
    for source in sorted({one.source for one in people}):
        own = sorted({name_of(one) for one in people if one.source == source})
        named = all(one.named for one in people if one.source == source)
        if named or alone:
            start = len(sides) % PARTS
            sides |= {name: (start + number) % PARTS for number, name in enumerate(own)}
        else:
            sides |= dict.fromkeys(own, 0)
    return sides


def _rounds(part: Part) -> Iterator[Round]:
    """Yield the fits: for each kind left out, each part of people; and each source left out."""
    windows, side = part.windows, part.side
    for kind in ("", *part.kinds):
        for own in sorted(set(side.tolist())):
            asked = (side == own) & (~windows.program | (windows.kind == kind) | (kind == ""))
            yield Round(kind, (side != own) & ~windows.akin(kind), asked & windows.asked)
    sources = sorted(set(windows.source.tolist()))
    for source in sources if len(sources) > 1 else ():
        yield Round(
            f"{_PEOPLE_OF}{source}",
            windows.source != source,
            (windows.source == source) & windows.asked,
        )


def figures(part: Part, progress: Progress) -> list[Score]:
    """Return every figure of one kind of input."""
    windows, rounds = part.windows, list(_rounds(part))
    scores: dict[tuple[str, str], Array] = {}
    answers: dict[str, Array] = {}
    for number, one in enumerate(rounds):
        progress(part.label("learning and asking"), number / len(rounds))
        if not one.test.any():
            continue
        seen = part.seen(one.train)
        learned_from, asked = seen.where(one.train), seen.where(one.test)
        empty = np.full(windows.kind.size, np.nan)
        plain = learned_from.where(~learned_from.altered)
        for name, kind in CLASSIFIERS.items():
            found = scores.setdefault((name, one.left_out), empty.copy())
            found[one.test] = kind().fit(plain).score(asked.x)
        judge = Judge(Trees(others=part.others)).fit(learned_from)
        odds = judge.score(asked.x)
        scores.setdefault((BOOSTED, one.left_out), empty.copy())[one.test] = odds
        said = part.answers(judge, asked.x)
        answers.setdefault(one.left_out, empty.copy())[one.test] = said
    return [
        *_rates(part, scores),
        *_told(part, answers),
        *_at_a_site(part, scores),
        *_probes(part),
    ]


def _rates(part: Part, scores: dict[tuple[str, str], Array]) -> list[Score]:
    windows, rows = part.windows, []
    for (name, left_out), score in sorted(scores.items(), key=_order):
        for seconds in SECONDS:
            mask = np.isfinite(score) & (windows.seconds == seconds)
            of = windows.where(mask)
            label = part.label(f"{name}, {_without(left_out)}")
            rows += rated(label, f"{seconds:.0f} s", score[mask], of.program, of.unit)
    return rows


def _order(item: tuple[tuple[str, str], Array]) -> tuple[int, str]:
    name, _left_out = item[0]
    return (BOOSTED, *reversed(CLASSIFIERS)).index(name), ""


def _without(left_out: str) -> str:
    return f"without {left_out}" if left_out else "unseen people, known programs"


def _told(part: Part, answers: dict[str, Array]) -> list[Score]:
    """Return how often the trees cannot tell, and how often they are wrong when they can."""
    windows, rows = part.windows, []
    for left_out, said in answers.items():
        for seconds in SECONDS:
            mask = np.isfinite(said) & (windows.seconds == seconds)
            of, answer = windows.where(mask), said[mask]
            told, wrong = answer != CANNOT_TELL, (answer == 1) != of.program
            name, over = part.label(f"{BOOSTED}, {_without(left_out)}"), f"{seconds:.0f} s"
            for what, hits, among in (
                ("cannot tell", ~told, np.ones_like(told)),
                ("wrong where told", told & wrong, told),
                ("people called programs", (answer == 1) & ~of.program, ~of.program),
            ):
                rows.append(_over_units(name, f"{what}, {over}", hits, among, of.unit))
    return rows


def _at_a_site(part: Part, scores: dict[tuple[str, str], Array]) -> list[Score]:
    """Return how it goes where half of a new source's people set the bound for the other half.

    A source with too few windows of people to set one is left out.
    """
    windows, rows = part.windows, []
    for (name, left_out), odds in scores.items():
        if name != BOOSTED or not left_out.startswith(_PEOPLE_OF):
            continue
        known = np.isfinite(odds)
        mine = sorted(set(windows.person[known & ~windows.program].tolist()))
        first = np.isin(windows.person, mine[::2])
        people = [half & known & ~windows.program for half in (first, ~first)]
        above = [bound(odds[half], 1 - WRONGED) for half in people]
        if not np.isfinite(above).all():
            continue
        said = odds >= np.where(first, above[1], above[0])
        for seconds in SECONDS:
            mask = known & (windows.seconds == seconds)
            of, called = windows.where(mask), said[mask]
            label, over = part.label(f"{BOOSTED}, {_without(left_out)}"), f"{seconds:.0f} s"
            for what, among in (("people called", ~of.program), ("programs called", of.program)):
                metric = f"{what} programs, bound set by half of its people, {over}"
                rows.append(_over_units(label, metric, called & among, among, of.unit))
    return rows


def _over_units(name: str, metric: str, hits: Array, among: Array, unit: Array) -> Score:
    names, number = np.unique(unit, return_inverse=True)
    counted = [np.bincount(number, one.astype(float), names.size) for one in (hits, among)]
    return shares(name, metric, counted[0], counted[1], resamples=400)


def _probes(part: Part) -> list[Score]:
    """Return what sampling alone gives away: it must not be how programs are found."""
    from sklearn.ensemble import RandomForestClassifier

    windows, side, rows = part.windows, part.side, []
    name = part.label("probe: sampling alone")
    trivial = np.nan_to_num(windows.trivial, nan=-1.0)
    # A pointer that only jumps shows no sampling at all: there is nothing to compare.
    seen = (windows.seconds == SECONDS[0]) & np.isfinite(windows.trivial[:, 0]) & windows.asked
    score = np.full(windows.kind.size, np.nan)
    right = np.full(windows.kind.size, np.nan)
    for own in sorted(set(side.tolist())):
        learn, ask = seen & (side != own), seen & (side == own)
        if len(set(windows.program[learn].tolist())) < 2 or not ask.any():
            continue
        forest = RandomForestClassifier(200, min_samples_leaf=3, random_state=0, n_jobs=1)
        forest.fit(trivial[learn], windows.program[learn])
        score[ask] = forest.predict_proba(trivial[ask])[:, 1]
        known = np.isin(windows.source, np.unique(windows.source[learn]))
        forest.fit(trivial[learn], windows.source[learn])
        right[ask & known] = forest.predict(trivial[ask & known]) == windows.source[ask & known]
    of = np.isfinite(score)
    over = f"{SECONDS[0]:.0f} s"
    rows += rated(name, over, score[of], windows.program[of], windows.unit[of])[:1]
    of = np.isfinite(right)
    hits = right[of] == 1
    rows.append(
        _over_units(name, f"source told, {over}", hits, np.ones_like(hits), windows.unit[of])
    )
    return rows
