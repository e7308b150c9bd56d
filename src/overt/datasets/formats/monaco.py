"""Importer of Monaco's keystroke logs: copied text, and a number typed on a keypad.

Monaco, Tappert: The partially observable hidden Markov model and its application to keystroke
dynamics, Pattern Recognition 76, 2018; recorded in studies at Pace University. One CSV a study:
user, session, timepress and timerelease (ms from the start of the sample), keyname and/or keycode.

A person is a user of one file: the files are of different studies, though both number their users
from 0. A session is a sample.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from overt.datasets.reading import delimited, keycodes, sessions, typed
from overt.datasets.reading.files import Found
from overt.datasets.reading.imported import ByFile, ImportedPerson, Skipped

PATTERN = ("fixed_text*.csv", "free_text*.csv", "keypad*.csv")


@dataclass(frozen=True)
class Presses:
    """One press a row, in the order of the file. All of length n."""

    user: Any = field(repr=False)
    """int64[n], from 0 in order of first appearance."""
    sample: Any = field(repr=False)
    """int64[n], the file's number of the sample."""
    press_us: Any = field(repr=False)
    """float64[n]"""
    release_us: Any = field(repr=False)
    """float64[n]"""
    keys: Any = field(repr=False)
    """int64[n, 3], `overt.datasets.reading.keycodes.Key`."""


def read_presses(data: bytes, file: str, skipped: Skipped | None = None) -> Presses:
    """Return the presses in the bytes of one CSV file.

    Raises `InvalidInput` with line and column at the first value that is wrong, unless `skipped`
    counts such rows.
    """
    required = ("user", "session", "timepress", "timerelease")
    sheet = delimited.read(data, file, required, skipped)
    if "keycode" not in sheet:
        sheet.need("keyname")
    user, _ = sheet.groups("user")
    sample = sheet.numbers("session", "a number of a sample", low=0, high=1e9)
    press_us, release_us = sheet.times("timepress", "ms"), sheet.times("timerelease", "ms")
    names = sheet.texts("keyname") if "keyname" in sheet else [""] * sheet.rows
    code = np.zeros(sheet.rows)
    if "keyname" in sheet:
        sheet.mark(np.array([not name for name in names], np.bool_), "keyname", "is empty")
    else:
        code = sheet.numbers("keycode", "a key code", low=0, high=1e6)
    known: dict[tuple[str, float], keycodes.Key] = {}
    keys = np.zeros((sheet.rows, 3), np.int64)
    for row, pair in enumerate(zip(names, sessions.whole(code).tolist(), strict=True)):
        if pair not in known:
            name, number = pair
            known[pair] = keycodes.key_called(name) if name else keycodes.key_of("", number)
        keys[row] = known[pair]
    good = sheet.good
    return Presses(
        user[good],
        sessions.whole(sample[good]),
        press_us[good],
        release_us[good],
        keys[good],
    )


def people_of(presses: Presses) -> Iterator[ImportedPerson]:
    """Yield each user's samples, a session each, in order of their number."""
    for user in range(int(presses.user.max(initial=-1)) + 1):
        mine = presses.user == user
        if mine.any():
            sample = np.unique(presses.sample[mine], return_inverse=True)[1]
            yield typed.person(
                presses.press_us[mine],
                presses.release_us[mine],
                presses.keys[mine],
                sample,
                by_time=False,
            )


def _people_in(found: Found, skipped: Skipped | None) -> Iterator[ImportedPerson]:
    return people_of(read_presses(found.data, found.name, skipped))


read = ByFile(PATTERN, _people_in)
