"""Curvature of mouse paths by condition (Kieslich & Henninger 2017), computed again.

`overt reproduce mousetrap`. Sixty people put animals into one of two categories with the mouse;
where the animal is atypical, the path bends towards the other category. Largest (MAD) and average
deviation (AD) of each path from the straight line are those of `overt.features.pointing`.

What the package's figures rest on, found by trying until all digits came out: paths that end on the
right are mirrored, and those that end below their start turned over, so that the other category
lies on one side always; both deviations keep their sign; of samples with one time stamp the last
counts; the mean is taken over a person's correct trials first, then over people.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from overt.audit.reproduced import Compared, Reproduced
from overt.datasets.formats.mousetrap import PATTERN, Trajectories, read_trajectories
from overt.datasets.reading import files
from overt.features.pointing import deviations, in_order
from overt.schema.errors import InvalidInput, TooFew

Progress = Callable[[str, float], None]

PUBLISHED = {
    ("MAD", "atypical"): 343.7954,
    ("MAD", "typical"): 172.2093,
    ("AD", "atypical"): 100.368,
    ("AD", "typical"): 39.721,
}
"""px; documentation of the R package mousetrap (`mt_aggregate_per_subject` on KH2017)."""
RESAMPLES = 10_000
SUBJECTS_MIN = 2


@dataclass(frozen=True)
class Deviations:
    """One row a correct trial."""

    subject: Any
    """int64[trials]"""
    condition: Any
    """str[trials], lower case."""
    mad: Any
    """float64[trials], px, with sign; NaN where the path ends at the place of its start."""
    ad: Any
    """float64[trials], as `mad`."""


def deviations_of(found: Trajectories) -> Deviations:
    """Return the deviations of all correct trials."""
    trials = len(found.condition)
    ends = np.searchsorted(found.trial, np.arange(trials + 1))
    kept = np.flatnonzero(found.correct)
    made = np.empty((kept.size, 2))
    for row, trial in enumerate(kept.tolist()):
        part = slice(ends[trial], ends[trial + 1])
        stays = in_order(np.round(found.time_us[part]).astype(np.int64))
        made[row] = deviations(
            _turned(found.x_px[part][stays], to=-1.0), _turned(-found.y_px[part][stays], to=1.0)
        )
    condition = np.array([text.strip().lower() for text in found.condition], np.str_)
    return Deviations(found.subject[kept], condition[kept], made[:, 0], made[:, 1])


def _turned(place: Any, *, to: float) -> Any:
    """Return one coordinate of a path, mirrored if it ends on the other side of its start."""
    return -place if (place[-1] - place[0]) * to < 0 else place


def reproduce(path: Path, progress: Progress) -> Reproduced:
    """Return both deviations in both conditions, beside the published ones.

    `path` is the Parquet file, or a directory or `.tar.zst` that holds it.
    """
    parts = []
    for found in files.named(path, *PATTERN):
        progress("reading", 0.0)
        parts.append(read_trajectories(found.data, found.name))
        if not any(parts[-1].condition):
            raise InvalidInput(
                "has no column condition", where=found.name, do="It says Typical or Atypical."
            )
    progress("measuring", 0.3)
    each = _joined([deviations_of(part) for part in parts])
    progress("resampling people", 0.6)
    rows = tuple(
        _compared(each, measure, condition, value)
        for (measure, condition), value in PUBLISHED.items()
    )
    notes = ["Published of all 60 people of KH2017. Intervals: percentile bootstrap over people."]
    closed = int((~np.isfinite(each.mad)).sum())
    if closed:
        notes.append(f"Left out, as they end where they began and have no line: {closed} trials.")
    return Reproduced(
        name="mousetrap",
        title="Deviation of mouse paths from the straight line",
        metric="px",
        source="Kieslich & Henninger 2017, documentation of the R package mousetrap",
        protocol="Correct trials, mirrored to one side; mean per person, then over people.",
        counts={
            "people": int(np.unique(each.subject).size),
            "correct trials": int(each.mad.size),
        },
        rows=rows,
        notes=tuple(notes),
    )


def _joined(parts: list[Deviations]) -> Deviations:
    """Return the trials of several files, whose subjects are others."""
    before = 0
    subjects = []
    for part in parts:
        subjects.append(part.subject + before)
        before += int(part.subject.max(initial=-1)) + 1
    return Deviations(
        np.concatenate(subjects),
        *(np.concatenate([getattr(p, name) for p in parts]) for name in ("condition", "mad", "ad")),
    )


def _compared(each: Deviations, measure: str, condition: str, published: float) -> Compared:
    values = getattr(each, measure.lower())
    used = (each.condition == condition) & np.isfinite(values)
    people, of = np.unique(each.subject[used], return_inverse=True)
    if people.size < SUBJECTS_MIN:
        raise TooFew(
            f"needs {SUBJECTS_MIN} people with a correct trial in condition {condition}",
            where=measure,
        )
    means = np.bincount(of, values[used]) / np.bincount(of)
    rng = np.random.Generator(np.random.PCG64(0))
    drawn = means[rng.integers(0, people.size, (RESAMPLES, people.size))].mean(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5]).tolist()
    return Compared(f"{measure}, {condition}", published, float(means.mean()), low, high)
