"""`overt evaluate pointer-intent`: where a movement goes, told while it is under way.

Two questions. Where people choose between two options (mousetrap): which one. Everywhere else:
where the movement ends. Nobody is learned from and asked about, and neither is anything that was
shown; where a source does not say who moved, blocks of movements as they lie are kept together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from overt.datasets.reading.imported import Skipped
from overt.models.intent import endings, options
from overt.models.intent.looks import Look, asked, held_out, learned
from overt.models.intent.movements import Movement, read
from overt.models.intent.options import HARD
from overt.models.scores import Progress, Score, Scores, mean_over, median_over
from overt.models.tensors import Array
from overt.schema.errors import TooFew

PARTS = 5
ITEM_PARTS = 3
UNITS_MIN = 5
"""People (or blocks) that a source must have: an interval over fewer says nothing."""

MOVEMENTS_MIN = 100

NOTES = (
    (
        "A share of the path or the time says only when the pointer is looked at. No method is "
        "told it: each sees the samples that had come by then and the clock, and learns from looks "
        "at times drawn evenly over other people's movements."
    ),
    (
        "“told the share” is told it, and divides by it: what would be gained by knowing how much "
        "is still to come, which nobody does. It is there to be compared with, not to be used."
    ),
    "After a time, only movements that were still under way are judged.",
    "Time begins with the first movement of the pointer, and ends with the last.",
    (
        "Pasqual & Wobbrock (CHI 2014) report 83 and 48 px at 50 and 75 % of the way, for "
        "templates of the same person and marked targets: another task, not one to compare with."
    ),
)


def evaluate(path: Path, progress: Progress) -> Scores:
    """Return all figures; takes one to three minutes on two cores."""
    skipped = Skipped()
    everyone = read(path, progress, skipped)
    sources = dict.fromkeys(one.source for one in everyone)
    rows: list[Score] = []
    counts: dict[str, int] = {}
    notes = list(NOTES)
    for place, source in enumerate(sources):
        mine = [one for one in everyone if one.source == source]
        units = len({one.unit for one in mine})
        if units < UNITS_MIN or len(mine) < MOVEMENTS_MIN:
            notes.append(f"Left out: {source}, with {len(mine)} movements of {units} people.")
            continue

        def judging(part: int, place: int = place, source: str = source) -> None:
            """Say which part of the people is being judged."""
            done = (place + part / PARTS) / len(sources)
            progress(f"judging {source}, part {part + 1} of {PARTS}", 0.2 + 0.8 * done)

        judge = _which if mine[0].right is not None else _where
        rows += judge(mine, source, judging)
        counts[f"movements, {source}"] = len(mine)
        counts[f"people, {source}" if mine[0].named else f"blocks, {source}"] = units
        if not mine[0].named:
            notes.append(
                f"{source} does not say who moved: one person may be on both sides, and intervals "
                "are over blocks of movements."
            )
    if not rows:
        raise TooFew(
            f"has too few movements of too few people: {' '.join(notes[len(NOTES) :]).rstrip('.')}",
            where=str(path),
            do=f"{MOVEMENTS_MIN} movements of {UNITS_MIN} people are needed.",
        )
    return Scores(
        "pointer-intent",
        f"In {PARTS} parts by person, each judged by what was learned from the others; of what was "
        f"shown, {ITEM_PARTS} parts that are kept apart as well.",
        counts,
        tuple(rows),
        (*notes, *skipped.told()),
    )


def _numbered(movements: Sequence[Movement]) -> Array:
    return np.unique([one.unit for one in movements], return_inverse=True)[1]


def _flat(looks: dict[str, list[Look]]) -> tuple[list[Look], Array]:
    """Return all looks one after the other, and the name of the moment of each."""
    every = [one for own in looks.values() for one in own]
    return every, np.repeat(list(looks), [len(own) for own in looks.values()])


def _where(movements: list[Movement], source: str, judging: Callable[[int], None]) -> list[Score]:
    """Return how far from the end each method is."""
    owner = _numbered(movements)
    part = held_out([one.unit for one in movements], PARTS)
    looks, moment = _flat(asked(movements))
    ask = endings.looked(movements, looks, owner)
    learn = endings.looked(movements, list(learned(movements)), owner)
    in_part = [part[[one.number for one in seen.looks]] for seen in (ask, learn)]
    error: dict[str, Array] = {}
    for this in range(PARTS):
        judging(this)
        test = in_part[0] == this
        mine = np.flatnonzero(part != this)
        if not test.any() or not mine.size:
            continue
        model = endings.fit(movements, owner, mine, learn.where(in_part[1] != this))
        for name, end in model.predict(movements, ask.where(test)).items():
            of = error.setdefault(name, np.full(len(looks), np.nan))
            of[test] = np.hypot(*(end - ask.end[test]).T)
    rows = []
    for when in dict.fromkeys(moment.tolist()):
        at = moment == when
        told = {name: of[at] for name, of in error.items()}
        if when.endswith("path"):
            share = float(when.split("%")[0]) / 100
            told["told the share"] = _told(movements, ask.where(at), share)
        metric = f"px from the end, {when}, {source}"
        rows += [median_over(name, metric, of, ask.owner[at]) for name, of in told.items()]
    return rows


def _told(movements: list[Movement], seen: endings.Looked, share: float) -> Array:
    began = np.array(
        [(movements[one.number].x_px[0], movements[one.number].y_px[0]) for one in seen.looks]
    )
    return np.asarray(np.hypot(*(began + (seen.here - began) / share - seen.end).T))


def _which(movements: list[Movement], source: str, judging: Callable[[int], None]) -> list[Score]:
    """Return how often each method tells the option, and how sure it is of what is wrong."""
    owner = _numbered(movements)
    person = held_out([one.unit for one in movements], PARTS)
    item = held_out([one.item for one in movements], ITEM_PARTS)
    looks, moment = _flat(asked(movements))
    place = options.options_of(movements)
    ask = options.glimpses(movements, looks, place)
    learn = options.glimpses(movements, list(learned(movements)), place)
    right: dict[str, Array] = {}
    for one in range(PARTS):
        judging(one)
        for other in np.unique(item).tolist():
            test = (person == one) & (item == other)
            mine = np.flatnonzero((person != one) & ((item != other) | (item.max() == 0)))
            mask = test[ask.number]
            if not mask.any() or not mine.size:
                continue
            found = options.predicted(
                movements, owner, mine, learn.where(np.isin(learn.number, mine)), ask.where(mask)
            )
            for name, p in found.items():
                right.setdefault(name, np.full(len(looks), np.nan))[mask] = p
    unit, came = owner[ask.number], ask.right
    conditions = np.array([movements[i].condition for i in ask.number.tolist()])
    rows = []
    for when in dict.fromkeys(moment.tolist()):
        at = moment == when
        for name, p in right.items():
            hits = (p[at] > 0.5) == came[at]
            rows.append(mean_over(name, f"option told, {when}, {source}", hits, unit[at]))
            if name == endings.BOOSTED and len(set(conditions.tolist())) > 1:
                rows += [
                    mean_over(
                        f"{name}, {one}",
                        f"option told, {when}, {source}",
                        ((p > 0.5) == came)[at & (conditions == one)],
                        unit[at & (conditions == one)],
                    )
                    for one in sorted(set(conditions.tolist()))
                ]
        for name, p in right.items():
            if name not in HARD:
                loss = -np.log(np.where(came[at], p[at], 1 - p[at]))
                rows.append(mean_over(name, f"log loss, {when}, {source}", loss, unit[at]))
    return rows
