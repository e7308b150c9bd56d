"""Importer of the Aalto typing logs: one TSV file a participant, one key press a line.

Dhakal, Feit, Kristensson, Oulasvirta: Observations on Typing from 136 Million Keystrokes, CHI 2018.
Columns used: PARTICIPANT_ID, TEST_SECTION_ID, PRESS_TIME and RELEASE_TIME (epoch ms), LETTER and/or
KEYCODE. The prompt and the submitted text are not read into anything.

One prompted sentence becomes one session of events at `raw/0`: a key down and a key up a press, and
an edit for each character put in or taken out, as a browser would report them. Lines are sorted by
press time. A release before its press, or more than a minute after it, is left out and counted:
the press is right, its hold is unknown. A gap of half an hour within a sentence begins a session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from overt.datasets.reading import files, keycodes, tsv, typed
from overt.datasets.reading.imported import ImportedPerson, Progress, Skipped
from overt.schema.errors import InvalidInput

PATTERN = "*_keystrokes.txt"
TIME_MS_MAX = 2.0**53 / 1000
_REQUIRED = ("PARTICIPANT_ID", "TEST_SECTION_ID", "PRESS_TIME", "RELEASE_TIME")


def read(
    path: Path,
    *,
    progress: Callable[[Progress], None] | None = None,
    skipped: Skipped | None = None,
) -> Iterator[ImportedPerson]:
    """Yield the participants in `path`, one at a time.

    Args:
        path: a directory of `*_keystrokes.txt`, one such file, or a `.tar.zst` of them.
        progress: called after each participant.
        skipped: if given, bad rows and files are left out and counted here; if not, the first one
            raises `InvalidInput` with file, line, column and what was expected.
    """
    for _participant, person in by_participant(path, progress=progress, skipped=skipped):
        yield person


def by_participant(
    path: Path,
    *,
    progress: Callable[[Progress], None] | None = None,
    skipped: Skipped | None = None,
    only: files.Only | None = None,
) -> Iterator[tuple[str, ImportedPerson]]:
    """Yield what `read` does, each with the participant's published number.

    `only` further chooses files by `files.Found.path`.
    For splits that must not hang on the order of files; the number is not to be kept.
    """
    people = 0
    for found in files.named(path, PATTERN, only=only):
        try:
            made = list(_people_in(found.data, found.name, skipped))
        except InvalidInput as error:
            if skipped is None:
                raise
            skipped.file(error.what)
            continue
        for participant, person in made:
            people += 1
            yield participant, person
        if progress is not None:
            progress(Progress(people, found.files_total, found.bytes_done, found.bytes_total))


def _milliseconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < TIME_MS_MAX:
        raise ValueError(text)
    return value


def _code(text: str) -> float:
    return float(int(float(text))) if text else 0.0


def _people_in(
    data: bytes, file: str, skipped: Skipped | None
) -> Iterator[tuple[str, ImportedPerson]]:
    sheet = tsv.read(data, file, _REQUIRED, skipped)
    if not {"LETTER", "KEYCODE"} & sheet.columns.keys():
        raise InvalidInput("has neither column LETTER nor KEYCODE", where=f"{file}, line 1")
    count = len(sheet.line)
    milliseconds = "a time in milliseconds"
    press: list[Any] = sheet.numbers("PRESS_TIME", milliseconds, _milliseconds, skipped)
    release: list[Any] = sheet.numbers("RELEASE_TIME", milliseconds, _milliseconds, skipped)
    codes: list[Any] = [0] * count
    if "KEYCODE" in sheet.columns:
        codes = sheet.numbers("KEYCODE", "a key code", _code, skipped)
    letters = sheet.columns.get("LETTER", [""] * count)
    known: dict[tuple[str, float], keycodes.Key] = {}
    keys = []
    for pair in zip(letters, codes, strict=True):
        if pair not in known:
            known[pair] = keycodes.key_of(pair[0], int(pair[1] or 0))
        keys.append(known[pair])
    table = np.array([*zip(press, release, codes, strict=True)], np.float64).reshape(count, 3)
    key_table = np.array(keys, np.int64).reshape(count, 3)
    names = sheet.columns["PARTICIPANT_ID"]
    person, section = _numbered(names), _numbered(sheet.columns["TEST_SECTION_ID"])
    good = ~np.isnan(table).any(axis=1)
    for number in range(int(person.max(initial=-1)) + 1):
        mine = good & (person == number)
        if mine.any():
            times_us = table[mine, :2] * 1000
            name = names[int(np.flatnonzero(mine)[0])].strip()
            yield (
                name,
                typed.person(times_us[:, 0], times_us[:, 1], key_table[mine], section[mine]),
            )


def _numbered(names: list[str]) -> Any:
    """Return equal numbers for equal names, from 0 in order of first appearance."""
    seen: dict[str, int] = {}
    return np.array([seen.setdefault(name, len(seen)) for name in names], np.int64)
