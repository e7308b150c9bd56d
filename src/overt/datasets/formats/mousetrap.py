"""Importer of mousetrap's KH2017 data: mouse paths of people who choose one of two categories.

Kieslich, Henninger: Mousetrap, Behavior Research Methods 49, 2017. One Parquet file with a row a
sample: subject, trial, t_ms, x, y (px, y grows downwards; the origin is the middle of the screen),
and what was shown and chosen, which does not become events.

A person is a subject, a session a trial. There are movements only: the click that ended a trial
was not recorded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from overt.datasets.reading import parquet, sessions
from overt.datasets.reading.files import Found
from overt.datasets.reading.imported import ByFile, ImportedPerson, Skipped
from overt.schema.event import Kind, Pointer

PATTERN = ("*trajector*.parquet",)
CLOCK_RESOLUTION_US = 1000
_WANTED = ("condition", "correct", "exemplar")


@dataclass(frozen=True)
class Trajectories:
    """Samples by trial, and within a trial by time; n samples of m trials."""

    trial: Any = field(repr=False)
    """int64[n], trial of each sample, 0 … m - 1, by subject and trial number."""
    time_us: Any = field(repr=False)
    """float64[n]"""
    x_px: Any = field(repr=False)
    """float64[n]"""
    y_px: Any = field(repr=False)
    """float64[n], grows downwards."""
    subject: Any = field(repr=False)
    """int64[m], from 0 in order of first appearance in the file."""
    condition: tuple[str, ...] = field(repr=False)
    """m texts, empty where the file does not say."""
    correct: Any = field(repr=False)
    """bool[m]; True where the file does not say."""
    item: tuple[str, ...] = field(repr=False)
    """m texts, what was shown; empty where the file does not say."""


def read_trajectories(data: bytes, file: str, skipped: Skipped | None = None) -> Trajectories:
    """Return the samples in the bytes of the Parquet file.

    Raises `InvalidInput` with row and column at the first value that is wrong, unless `skipped`
    counts such rows.
    """
    required = ("subject", "trial", "t_ms", "x", "y")
    sheet = parquet.read(data, file, required, skipped, wanted=_WANTED)
    subject, _ = sheet.groups("subject")
    number = sheet.numbers("trial", "a number of a trial", low=0, high=1e9)
    time_us = sheet.times("t_ms", "ms")
    x_px, y_px = sheet.positions("x"), sheet.positions("y")
    correct = sheet.truths("correct") if "correct" in sheet else np.ones(sheet.rows, np.bool_)
    condition, item = (
        np.array(sheet.texts(name) if name in sheet else [""] * sheet.rows)
        for name in ("condition", "exemplar")
    )
    kept = np.flatnonzero(sheet.good)
    kept = kept[np.lexsort((time_us[kept], number[kept], subject[kept]))]
    subject, number = subject[kept], number[kept]
    begins = (np.diff(subject, prepend=-1) != 0) | (np.diff(number, prepend=-1.0) != 0)
    first = np.flatnonzero(begins)
    return Trajectories(
        trial=np.cumsum(begins) - 1,
        time_us=time_us[kept],
        x_px=x_px[kept],
        y_px=y_px[kept],
        subject=subject[first],
        condition=tuple(condition[kept][first].tolist()),
        correct=correct[kept][first],
        item=tuple(item[kept][first].tolist()),
    )


def people_of(trajectories: Trajectories) -> Iterator[ImportedPerson]:
    """Yield each subject's trials, a session each."""
    of_sample = trajectories.subject[trajectories.trial]
    for subject in np.unique(trajectories.subject).tolist():
        mine = of_sample == subject
        count = int(mine.sum())
        columns = {
            "kind": np.full(count, int(Kind.POINTER_MOVE)),
            "pointer": np.full(count, int(Pointer.MOUSE)),
            "x_8th_css_px": sessions.position_8th(trajectories.x_px[mine]),
            "y_8th_css_px": sessions.position_8th(trajectories.y_px[mine]),
        }
        yield ImportedPerson(
            sessions=sessions.tables(trajectories.trial[mine], trajectories.time_us[mine], columns),
            clock_resolution_us=CLOCK_RESOLUTION_US,
        )


def _people_in(found: Found, skipped: Skipped | None) -> Iterator[ImportedPerson]:
    return people_of(read_trajectories(found.data, found.name, skipped))


read = ByFile(PATTERN, _people_in)
