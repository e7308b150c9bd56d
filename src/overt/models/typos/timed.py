"""Does it help to know when letters were typed? The same slips judged with timing and without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from overt.models.scores import Score
from overt.models.typos import timing
from overt.models.typos.evidence import COLUMNS, Evidence
from overt.models.typos.judged import Fold, decided, false, gain, top1
from overt.models.typos.slipped import Attempt, Attempts

ATTEMPTS_MIN = 200
"""Attempts with times below which there is nothing to learn from."""

NEAREST = 8
"""Candidates that timing is tried on."""


def scored(path: Path, attempts: Attempts, folds: Sequence[Fold], people: set[str]) -> list[Score]:
    """Judge the attempts whose times are known with and without these, all else alike.

    Both see the `NEAREST` nearest candidates: what timing adds must show there, or nowhere.
    """
    times = timing.of(path, (*attempts.slips, *attempts.right))
    known = [
        replace(fold, gathered=[pair for pair in fold.gathered if timing.place(pair[0]) in times])
        for fold in folds
    ]
    known = [fold for fold in known if fold.gathered]
    if sum(len(fold.gathered) for fold in known) < ATTEMPTS_MIN or len(known) < 2:
        return []

    def without(_fold: Fold, _one: Attempt, given: Evidence) -> Evidence:
        near_by = given.table[:, COLUMNS.index("place")] < NEAREST
        return Evidence(given.found[near_by], given.table[near_by])

    def with_times(fold: Fold, one: Attempt, given: Evidence) -> Evidence:
        less = without(fold, one, given)
        of_token = times[timing.place(one)]
        more = timing.columns(fold.known, fold.error.edits, one.asked.typed, less, of_token)
        return Evidence(less.found, np.concatenate([less.table, more], axis=1))

    plain = decided(known, without, people)
    timed = decided(known, with_times, people, timing.COLUMNS)
    rows = []
    for metric, left, right in (
        ("top1", timed[2], plain[2]),
        ("top1, flagged", -1.0, -1.0),
    ):
        rows.append(top1("times known: ours, without them", plain[0], right, metric))
        rows.append(top1("times known: ours, with them", timed[0], left, metric))
        rows.append(gain("times known: gain", (timed[0], left), (plain[0], right), metric))
    for name, made in (("without", plain), ("with", timed)):
        rows.append(false(f"times known: ours, {name} them", made[1], made[2]))
    return rows
