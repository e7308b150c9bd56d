"""Texts that people typed, when each of their keys went down and up, and which text was asked for.

Read from logs of key presses (`datasets.formats.aalto`'s columns, with `USER_INPUT` and `SENTENCE`
where they are there). A text is what was submitted. Its keys are found by replaying the log; where
that does not give the text, as lost presses and a moved caret make it, its times are unknown.

The same sentences are given to many people, so texts fall into groups that share no run of
`SHARED_WORDS` words: what was learned from other groups has not seen the sentence, nor most of it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from overt.datasets.formats import aalto
from overt.datasets.reading import files, tsv
from overt.datasets.reading.imported import Skipped
from overt.models.scores import Progress
from overt.models.tensors import Array
from overt.models.text.alphabet import fold
from overt.models.text.vocabulary import words_of
from overt.schema.errors import InvalidInput

SHARED_WORDS = 5
"""Texts that share a run of so many words are kept on one side."""

_KEYS = ("PARTICIPANT_ID", "TEST_SECTION_ID", "PRESS_TIME", "RELEASE_TIME", "LETTER")
_NEEDED = ("PARTICIPANT_ID", "TEST_SECTION_ID")


@dataclass(frozen=True)
class Written:
    """One text by one person."""

    person: str
    asked: str = field(repr=False)
    """The sentence that was to be copied; the text itself where none is known."""
    text: str = field(repr=False)
    press_ms: Array = field(repr=False)
    release_ms: Array = field(repr=False)
    """float64[len(text)] both, of the key that put each character there; NaN where unknown."""
    group: int = -1


def read(path: Path, progress: Progress, skipped: Skipped | None = None) -> list[Written]:
    """Return every text in `path`, by person and section.

    Files and rows that are none are left out, and counted in `skipped`. Raises `InvalidInput`
    without any text.
    """
    skipped = Skipped() if skipped is None else skipped
    found: list[Written] = []
    for number, file in enumerate(files.named(path, aalto.PATTERN)):
        try:
            sheet = tsv.read(file.data, file.name, _NEEDED, skipped)
            found += _texts(sheet, skipped)
        except InvalidInput as error:
            if file.files_total == 1:
                raise
            skipped.file(error.what)
        if number % 50 == 0:
            progress("reading", 0.2 * file.bytes_done / max(1, file.bytes_total))
    if not found:
        raise InvalidInput("holds no text that somebody typed", where=str(path))
    return found


Press = tuple[float, float, str]


def _texts(sheet: tsv.Sheet, skipped: Skipped) -> list[Written]:
    count = len(sheet.line)
    columns = [sheet.columns.get(name, [""] * count) for name in _KEYS]
    given = [sheet.columns.get(name, [""] * count) for name in ("USER_INPUT", "SENTENCE")]
    presses: dict[tuple[str, str], list[Press]] = {}
    said: dict[tuple[str, str], tuple[str, str]] = {}
    for person, section, press, release, letter, text, asked in zip(*columns, *given, strict=True):
        key = person.strip(), section.strip()
        said.setdefault(key, (text, asked))
        presses.setdefault(key, []).append((_time(press), _time(release), letter))
    for key, (given_text, _) in list(said.items()):
        if not given_text and not all(np.isfinite(press) for press, *_ in presses[key]):
            skipped.row("PRESS_TIME is not a time, and what was typed is not given otherwise")
            del presses[key]  # keys without their times have no order
    return [
        _written(key[0], *said[key], mine)
        for key, mine in presses.items()
        if any(said[key]) or mine
    ]


def _time(text: str) -> float:
    """Return a time, NaN where the text is none."""
    try:
        value = float(text)
    except ValueError:
        return np.nan
    return value if np.isfinite(value) else np.nan


def _written(person: str, given: str, asked: str, presses: list[Press]) -> Written:
    typed = replayed(presses)
    made = "".join(letter for *_, letter in typed)
    text = fold(given or made).strip()
    unknown = np.full(len(text), np.nan)
    press, release = unknown, unknown.copy()
    if fold(made).strip() == text and len(fold(made)) == len(made):
        skip = len(made) - len(made.lstrip())
        kept = typed[skip : skip + len(text)]
        press = np.array([one[0] for one in kept])
        release = np.array([one[1] for one in kept])
    return Written(person, fold(asked or text).strip(), text, press, release)


def replayed(presses: Iterable[Press]) -> list[Press]:
    """Return the presses whose characters were left standing, in their order.

    >>> [key for *_, key in replayed([(2, 3, "b"), (1, 2, "a"), (3, 4, "BKSP"), (4, 5, "c")])]
    ['a', 'c']
    """
    kept: list[Press] = []
    for one in sorted(presses, key=lambda press: press[0]):
        if one[2] == "BKSP":
            del kept[-1:]
        elif len(one[2]) == 1:
            kept.append(one)
    return kept


def grouped(texts: Sequence[Written], groups: int, seed: int = 0) -> list[Written]:
    """Return the texts with their `group`: those that share a run of words have the same one."""
    parent: dict[str, str] = {}

    def root(one: str) -> str:
        while parent.setdefault(one, one) != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    of_asked: dict[str, str] = {}
    for asked in sorted({one.asked for one in texts}):
        words = [word.group().lower() for word in words_of(asked)]
        runs = [
            " ".join(words[at : at + SHARED_WORDS])
            for at in range(max(1, len(words) - SHARED_WORDS + 1))
        ]
        for run in runs:
            one, other = sorted((root(runs[0]), root(run)))
            parent[other] = one
        of_asked[asked] = runs[0]

    def group(asked: str) -> int:
        digest = hashlib.sha256(f"{seed} {root(of_asked[asked])}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % groups

    number = {asked: group(asked) for asked in of_asked}
    return [
        Written(one.person, one.asked, one.text, one.press_ms, one.release_ms, number[one.asked])
        for one in texts
    ]


def once(texts: Iterable[Written]) -> list[str]:
    """Return each asked-for sentence once, as most people typed it, in order.

    A sentence that many copied says no more of language than one that somebody copied once.
    """
    by_asked: dict[str, Counter[str]] = {}
    for one in texts:
        by_asked.setdefault(one.asked, Counter())[one.text] += 1
    return sorted(max(sorted(of), key=of.__getitem__) for of in by_asked.values())
