"""Importer of the CMU password benchmark: one password typed 400 times by each of 51 people.

Killourhy, Maxion: Comparing Anomaly-Detection Algorithms for Keystroke Dynamics, DSN 2009. One CSV:
subject, sessionIndex, rep, then for each key H.key (hold), DD.a.b (press to press) and UD.a.b
(release to press), in s; UD follows from the two others and is not read.

A person is a subject, a session one typing: what passed between two typings is not in the file. A
password stays secret although it was published: of its keys only place, class and timing become
events, `key_symbol` is 0. Shift is no key of its own in the file, which joins it to the letter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from overt.datasets.reading import delimited, keycodes, sessions
from overt.datasets.reading.files import Found
from overt.datasets.reading.imported import ByFile, ImportedPerson, Skipped
from overt.schema.errors import InvalidInput
from overt.schema.event import Kind, Role

PATTERN = ("*StrongPasswordData*.csv", "*StrongPasswordData*.txt")
CLOCK_RESOLUTION_US = 200
"""The authors' external clock was accurate to 200 µs."""
TIMING_S_MAX = 1800.0


@dataclass(frozen=True)
class Typings:
    """Typings in the order of the file: n typings of a password of k keys."""

    subject: Any = field(repr=False)
    """int64[n], from 0 in order of first appearance."""
    sitting: Any = field(repr=False)
    """int64[n], sessionIndex."""
    repetition: Any = field(repr=False)
    """int64[n], rep."""
    hold_s: Any = field(repr=False)
    """float64[n, k]"""
    down_down_s: Any = field(repr=False)
    """float64[n, k - 1]"""
    key_class: Any = field(repr=False)
    """int64[k], KeyClass of each key."""

    @property
    def up_down_s(self) -> Any:
        """float64[n, k - 1], release to next press; negative at rollover."""
        return self.down_down_s - self.hold_s[:, :-1]


def read_typings(data: bytes, file: str, skipped: Skipped | None = None) -> Typings:
    """Return the typings in the bytes of the CSV file.

    Raises `InvalidInput` with line and column at the first value that is wrong, unless `skipped`
    counts such rows.
    """
    sheet = delimited.read(data, file, ("subject", "sessionindex", "rep"), skipped)
    keys, steps = _keys(list(sheet.columns), file)
    subject, _ = sheet.groups("subject")
    sitting = sheet.numbers("sessionindex", "a sitting, from 1", low=0, high=1e6)
    repetition = sheet.numbers("rep", "a repetition, from 1", low=0, high=1e6)
    hold = [
        sheet.numbers(f"h.{key}", "a hold in seconds", low=0, high=TIMING_S_MAX) for key in keys
    ]
    down_down = [
        sheet.numbers(name, "a time in seconds", low=-TIMING_S_MAX, high=TIMING_S_MAX)
        for name in steps
    ]
    good = sheet.good
    count = int(good.sum())
    return Typings(
        subject[good],
        sessions.whole(sitting[good]),
        sessions.whole(repetition[good]),
        np.array([column[good] for column in hold]).T.reshape(count, len(keys)),
        np.array([column[good] for column in down_down]).T.reshape(count, len(steps)),
        np.array([_class_of(key) for key in keys], np.int64),
    )


def _keys(columns: list[str], file: str) -> tuple[list[str], list[str]]:
    """Return the keys in the order they are typed, and the names of the columns between them."""
    held = [name.removeprefix("h.") for name in columns if name.startswith("h.")]
    if not held:
        raise InvalidInput("has no column H.key", where=f"{file}, line 1")
    step = {(a, b): f"dd.{a}.{b}" for a in held for b in held if f"dd.{a}.{b}" in columns}
    following = dict(step.keys())
    first = [key for key in held if key not in following.values()]
    keys = first[:1]
    while keys and keys[-1] in following and len(keys) <= len(held):
        keys.append(following[keys[-1]])
    if len(keys) != len(held) or len(step) != len(held) - 1:
        raise InvalidInput(
            "has columns H.key that no columns DD.a.b join to one sequence",
            where=f"{file}, line 1",
            do="Each key but the last has one column DD from it to the next.",
        )
    return keys, [step[pair] for pair in pairwise(keys)]


def _class_of(key: str) -> int:
    """Return the class of a key such as `t`, `five` or `Shift.r`."""
    return keycodes.key_called(key.rsplit(".", 1)[-1]).key_class


def people_of(typings: Typings) -> Iterator[ImportedPerson]:
    """Yield each subject's typings, a session each, in the order they were done."""
    for subject in range(int(typings.subject.max(initial=-1)) + 1):
        mine = np.flatnonzero(typings.subject == subject)
        if not mine.size:
            continue
        mine = mine[np.lexsort((typings.repetition[mine], typings.sitting[mine]))]
        yield _person(typings, mine)


def _person(typings: Typings, mine: Any) -> ImportedPerson:
    typed, keys = mine.size, typings.key_class.size
    start = np.zeros((typed, 1))
    down_us = np.hstack([start, np.cumsum(typings.down_down_s[mine], axis=1)]) * 1e6
    up_us = down_us + typings.hold_s[mine] * 1e6
    place = np.tile(np.arange(keys), (typed, 1))
    session = np.repeat(np.arange(typed), keys)
    both = np.concatenate([place.ravel(), place.ravel()])
    columns = {
        "kind": np.repeat([int(Kind.KEY_DOWN), int(Kind.KEY_UP)], place.size),
        "key_class": typings.key_class[both],
        "role": np.full(both.size, int(Role.TEXT_FIELD)),
        "element": np.ones(both.size, np.int64),
    }
    return ImportedPerson(
        sessions=sessions.tables(
            np.concatenate([session, session]),
            np.concatenate([down_us.ravel(), up_us.ravel()]),
            columns,
            key=both,
        ),
        presses=place.size,
        clock_resolution_us=CLOCK_RESOLUTION_US,
    )


def _people_in(found: Found, skipped: Skipped | None) -> Iterator[ImportedPerson]:
    return people_of(read_typings(found.data, found.name, skipped))


read = ByFile(PATTERN, _people_in)
