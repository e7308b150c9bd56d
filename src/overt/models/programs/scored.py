"""`overt evaluate person-or-program`: can a program nobody has seen be told from a person?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from overt.models.programs.classifiers import (
    BOOSTED,
    CANNOT_TELL,
    CLASSIFIERS,
    Judge,
    Trees,
    check,
)
from overt.models.programs.rates import rated
from overt.models.programs.sources import COARSE_MS, Recording, recordings
from overt.models.programs.windows import KINDS, SECONDS, Windows, windows_of
from overt.models.scores import Progress, Score, Scores, shares
from overt.models.tensors import Array
from overt.schema.errors import TooFew

PEOPLE_MIN = 2

_READ = (
    (
        "Seconds are of input: a pause counts half a second at most. Where a source has single "
        "movements (cursory, mousetrap), they are put one after the other with half a second "
        "between, and a window holds several; 60 s of mousetrap are 45 to 60."
    ),
    (
        "“Cannot tell” is an answer: bounds are set so that, on people and programs left out of "
        "learning, 1 % of people's windows are called a program's, and 5 % of programs' a person's."
    ),
    (
        "The probe says what sampling alone gives away (intervals in fast movement, their grain, "
        "length): .5 is nothing. It may tell the source; it must not tell person from program."
    ),
    (
        "Programs imitate a person's errands, pauses and sampling. One that has learned from "
        "recordings of the very person it stands in for is not among them."
    ),
)
"""What a reader must know."""


@dataclass(frozen=True)
class Round:
    """One fit: whom it learns from, and whom it is asked about."""

    left_out: str
    train: Array
    test: Array


def evaluate(path: Path, progress: Progress) -> Scores:
    """Return all figures; takes one to six minutes on two cores."""
    everyone = recordings(path, progress)
    fine = [recording for recording in everyone if not recording.coarse]
    sides = _sides(fine)
    windows = windows_of(fine, lambda one: sides[_name(one)], progress)
    people = sorted(set(windows.person.tolist()))
    if len(people) < PEOPLE_MIN or len(set(sides.values())) < 2:
        raise TooFew(
            f"needs recordings of at least {PEOPLE_MIN} people; it holds {len(people)} that are "
            f"sampled at least every {COARSE_MS:.0f} ms",
            where=str(path),
            do="Add recordings of other people.",
        )
    check(windows)
    side = np.array([sides[person] for person in windows.person.tolist()])
    rounds = list(_rounds(windows, side))
    rows, told = _judged(windows, rounds, progress)
    return Scores(
        task="person-or-program",
        protocol="Programs do the errands of each person, seen through that person's sampling. "
        "Nobody is learned from and asked about. In turn each kind of program, and each source of "
        "people, is left out of learning and asked about alone.",
        counts=_counts(everyone, windows),
        rows=(*rows, *told, *_probes(windows, side)),
        notes=_notes(everyone),
    )


def _name(recording: Recording) -> str:
    return f"{recording.source}/{recording.person}"


def _sides(people: list[Recording]) -> dict[str, int]:
    """Return the half each person is in; a source that does not say who is who is in one half."""
    sides: dict[str, int] = {}
    alone = len({one.source for one in people}) == 1
    for source in sorted({one.source for one in people}):
        own = sorted({_name(one) for one in people if one.source == source})
        named = all(one.named for one in people if one.source == source)
        if named or alone:
            start = len(sides) % 2
            sides |= {name: (start + number) % 2 for number, name in enumerate(own)}
        else:
            sides |= dict.fromkeys(own, 0)
    return sides


def _rounds(windows: Windows, side: Array) -> Iterator[Round]:
    """Yield the fits: two halves of people, for each kind left out; and each source left out."""
    for kind in ("", *KINDS):
        for half in (0, 1):
            asked = (side == half) & (~windows.program | (windows.kind == kind) | (kind == ""))
            yield Round(kind, (side != half) & (windows.kind != kind), asked)
    sources = sorted(set(windows.source.tolist()))
    for source in sources if len(sources) > 1 else ():
        yield Round(f"people of {source}", windows.source != source, windows.source == source)


def _judged(
    windows: Windows, rounds: list[Round], progress: Progress
) -> tuple[list[Score], list[Score]]:
    scores: dict[tuple[str, str], Array] = {}
    answers: dict[str, Array] = {}
    for number, one in enumerate(rounds):
        progress("learning and asking", number / len(rounds))
        if not one.test.any():
            continue
        learned_from, asked = windows.where(one.train), windows.where(one.test)
        empty = np.full(windows.kind.size, np.nan)
        for name, kind in CLASSIFIERS.items():
            found = scores.setdefault((name, one.left_out), empty.copy())
            found[one.test] = kind().fit(learned_from).score(asked.x)
        judge = Judge(Trees()).fit(learned_from)
        odds = judge.score(asked.x)
        scores.setdefault((BOOSTED, one.left_out), empty.copy())[one.test] = odds
        answers.setdefault(one.left_out, empty.copy())[one.test] = judge.said(odds)
    return _rates(windows, scores), _told(windows, answers)


def _rates(windows: Windows, scores: dict[tuple[str, str], Array]) -> list[Score]:
    rows = []
    for (name, left_out), score in sorted(scores.items(), key=_order):
        for seconds in SECONDS:
            mask = np.isfinite(score) & (windows.seconds == seconds)
            of = windows.where(mask)
            label = f"{name}, {_without(left_out)}"
            rows += rated(label, f"{seconds:.0f} s", score[mask], of.program, of.unit)
    return rows


def _order(item: tuple[tuple[str, str], Array]) -> tuple[int, str]:
    name, _left_out = item[0]
    return (BOOSTED, *reversed(CLASSIFIERS)).index(name), ""


def _without(left_out: str) -> str:
    return f"without {left_out}" if left_out else "unseen people, known programs"


def _told(windows: Windows, answers: dict[str, Array]) -> list[Score]:
    """Return how often the trees cannot tell, and how often they are wrong when they can."""
    rows = []
    for left_out, said in answers.items():
        for seconds in SECONDS:
            mask = np.isfinite(said) & (windows.seconds == seconds)
            of, answer = windows.where(mask), said[mask]
            told, wrong = answer != CANNOT_TELL, (answer == 1) != of.program
            name, over = f"{BOOSTED}, {_without(left_out)}", f"{seconds:.0f} s"
            for what, hits, among in (
                ("cannot tell", ~told, np.ones_like(told)),
                ("wrong where told", told & wrong, told),
                ("people called programs", (answer == 1) & ~of.program, ~of.program),
            ):
                rows.append(_over_units(name, f"{what}, {over}", hits, among, of.unit))
    return rows


def _over_units(name: str, metric: str, hits: Array, among: Array, unit: Array) -> Score:
    names, number = np.unique(unit, return_inverse=True)
    counted = [np.bincount(number, one.astype(float), names.size) for one in (hits, among)]
    return shares(name, metric, counted[0], counted[1], resamples=400)


def _probes(windows: Windows, side: Array) -> list[Score]:
    """Return what sampling alone gives away: it must not be how programs are found."""
    from sklearn.ensemble import RandomForestClassifier

    rows = []
    trivial = np.nan_to_num(windows.trivial, nan=-1.0)
    # A pointer that only jumps shows no sampling at all: there is nothing to compare.
    seen = (windows.seconds == SECONDS[0]) & np.isfinite(windows.trivial[:, 0])
    score = np.full(windows.kind.size, np.nan)
    right = np.full(windows.kind.size, np.nan)
    for half in (0, 1):
        learn, ask = seen & (side != half), seen & (side == half)
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
    rows += rated("probe: sampling alone", over, score[of], windows.program[of], windows.unit[of])[
        :1
    ]
    of = np.isfinite(right)
    hits, name = right[of] == 1, "probe: sampling alone"
    rows.append(
        _over_units(name, f"source told, {over}", hits, np.ones_like(hits), windows.unit[of])
    )
    return rows


def _counts(everyone: list[Recording], windows: Windows) -> dict[str, int]:
    people = {_name(one) for one in everyone if one.named and not one.coarse}
    return {
        "people": len(people),
        "sources": len(set(windows.source.tolist())),
        "kinds of program": len(set(windows.kind[windows.program].tolist())),
        **{
            f"windows of {seconds:.0f} s": int((windows.seconds == seconds).sum())
            for seconds in SECONDS
        },
        "recordings sampled too seldom, not judged": sum(one.coarse for one in everyone),
    }


def _notes(everyone: list[Recording]) -> tuple[str, ...]:
    notes = list(_READ)
    if any(one.coarse for one in everyone):
        notes.append(
            f"Recordings with more than {COARSE_MS:.0f} ms between samples in fast movement are "
            "not judged: the answer for them is “cannot tell”."
        )
    unnamed = sorted({one.source for one in everyone if not one.named})
    if unnamed and len({one.source for one in everyone}) == 1:
        notes.append("The source does not say who is who: one person may be on both sides.")
    elif unnamed:
        notes.append(f"{', '.join(unnamed)} does not say who is who: all of it is in one half.")
    return tuple(notes)
