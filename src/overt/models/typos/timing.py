"""When the letters of a token were typed, and what that says of each candidate.

Times come from logs of single key presses beside the table of slips (`datasets.aalto`'s columns),
replayed character by character. They are compared with the person's own in the same sentence, so
that a slow hand is not taken for a hesitation.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from overt.datasets.formats import aalto
from overt.datasets.reading import files, tsv
from overt.datasets.reading.imported import Skipped
from overt.models.tensors import Array
from overt.models.typos import letters
from overt.models.typos.channel import Edits, ways
from overt.models.typos.evidence import Evidence, Lexicon
from overt.models.typos.slipped import Attempt, plain
from overt.schema.errors import OvertError

LOGS = "aalto-desktop-subset"
"""Folder of the logs, looked for beside the table and in `OVERT_DATA`."""

COLUMNS = (
    "into_edit_least",
    "into_edit_most",
    "out_of_edit_least",
    "hold_edit_least",
    "hold_edit_most",
    "rollover_at_edit",
    "into_others_least",
    "into_least",
    "into_most",
    "into_mean",
    "hold_least",
    "hold_mean",
    "rollovers",
)
"""`into`: ln of the time from the press before to the press of a letter, `hold`: ln of how long it
was down, both over the median of the sentence; `edit`: of the letters at which the candidate
differs from what was typed. 0 where there is none."""

INTERVAL_US_MAX = 5e6
LEAST_US = 1e3


@dataclass(frozen=True)
class Times:
    """Of the letters of one token."""

    into: Array = field(repr=False)
    hold: Array = field(repr=False)
    """float64[letters] both, logarithms over the person's median; 0 where unknown."""
    rollover: Array = field(repr=False)
    """bool[letters]: the key before was still down."""


Place = tuple[str, str, int, str]
"""Person, section, which token, and the token in lower case without outer punctuation."""


def of(path: Path, attempts: Iterable[Attempt]) -> dict[Place, Times]:
    """Return the times of those attempts whose logs are found; none if there are no logs."""
    wanted = {place(one) for one in attempts}
    people = {one[0] for one in wanted}
    found: dict[Place, Times] = {}
    for folder in _folders(path):
        try:
            for file in files.named(
                folder, aalto.PATTERN, only=lambda name: _whose(name) in people
            ):
                found |= _read(file.data, file.name, wanted)
        except OvertError:
            continue
        if found:
            break
    return found


def place(one: Attempt) -> Place:
    """Return where an attempt stood."""
    return one.person, one.section, one.at, one.asked.typed


def _folders(path: Path) -> list[Path]:
    root = os.environ.get("OVERT_DATA", "")
    beside = [path, path.parent / LOGS, *([Path(root) / LOGS] if root else [])]
    return [folder for folder in beside if folder.exists()]


def _whose(name: str) -> str:
    return Path(name).name.partition("_")[0]


def _read(data: bytes, name: str, wanted: set[Place]) -> dict[Place, Times]:
    sheet = tsv.read(
        data,
        name,
        ("PARTICIPANT_ID", "TEST_SECTION_ID", "PRESS_TIME", "RELEASE_TIME", "LETTER"),
        Skipped(),
    )
    names = ("PARTICIPANT_ID", "TEST_SECTION_ID", "PRESS_TIME", "RELEASE_TIME", "LETTER")
    by_section: dict[tuple[str, str], list[tuple[float, float, str]]] = {}
    for person, section, press, release, letter in zip(
        *(sheet.columns[column] for column in names), strict=True
    ):
        try:
            key = (float(press) * 1000, float(release) * 1000, letter)
        except ValueError:
            continue
        by_section.setdefault((person.strip(), section.strip()), []).append(key)
    found: dict[Place, Times] = {}
    for (person, section), keys in by_section.items():
        for (at, token), times in _tokens(sorted(keys, key=lambda key: key[0])).items():
            where = (person, section, at, token)
            if where in wanted:
                found[where] = times
    return found


def _tokens(keys: list[tuple[float, float, str]]) -> dict[tuple[int, str], Times]:
    """Return the times of every token as it stood when it was left, or first taken back."""
    kept: list[tuple[str, float, float, float]] = []
    pairs = [(one[0], other[0]) for one, other in pairwise(keys)]
    pace = _median(b - a for a, b in pairs)
    hold = _median(release - press for press, release, _ in keys)
    found: dict[tuple[int, str], Times] = {}
    last_press = last_release = np.nan
    for press, release, letter in [*keys, (np.nan, np.nan, " ")]:
        if letter in (" ", "BKSP"):
            _note(kept, pace, hold, found)
        if letter == "BKSP":
            del kept[-1:]
        elif len(letter) == 1:
            down = float(last_release > press)
            kept.append((letter, press - last_press, release - press, down))
        if len(letter) == 1 or letter == "BKSP":
            last_press, last_release = press, release
    return found


def _note(
    kept: list[tuple[str, float, float, float]],
    pace: float,
    hold: float,
    found: dict[tuple[int, str], Times],
) -> None:
    text = "".join(letter for letter, *_ in kept)
    begins = text.rfind(" ") + 1
    token = plain(text[begins:])
    at = len(text[:begins].split())
    inside = text[begins:].replace("’", "'").lower().find(token)
    if not token or (at, token) in found or inside < 0:
        return
    table = np.array([one[1:] for one in kept[begins + inside :][: len(token)]])
    if len(table) < len(token):  # a letter whose lower case is two
        return
    found[at, token] = Times(_over(table[:, 0], pace), _over(table[:, 1], hold), table[:, 2] > 0)


def _over(times_us: Array, median_us: float) -> Array:
    known = np.isfinite(times_us) & (times_us < INTERVAL_US_MAX)
    over = np.log(np.maximum(np.where(known, times_us, median_us), LEAST_US) / median_us)
    return np.where(known, over, 0.0)


def _median(times_us: Iterable[float]) -> float:
    known = [time for time in times_us if LEAST_US < time < INTERVAL_US_MAX]
    return float(np.median(known)) if known else 1e5


def columns(lexicon: Lexicon, edits: Edits, typed: str, evidence: Evidence, times: Times) -> Array:
    """Return float32[candidates, COLUMNS] for one token."""
    out = np.zeros((evidence.found.size, len(COLUMNS)), np.float32)
    coded = letters.codes(typed)
    into, hold, rollover = times.into, times.hold, times.rollover
    out[:, _WHOLE:] = (
        *(into.min(), into.max(), into.mean()),
        *(hold.min(), hold.mean(), rollover.sum()),
    )
    for row, number in enumerate(evidence.found.tolist()):
        meant = lexicon.flat[lexicon.start[number] : lexicon.start[number + 1]]
        at, after = _differs(edits, meant, coded)
        if not at.any():
            continue
        out[row, :_WHOLE] = (
            *(into[at].min(), into[at].max()),
            into[after].min() if after.any() else 0.0,
            *(hold[at].min(), hold[at].max(), rollover[at].any()),
            into[~at].min() if not at.all() else 0.0,
        )
    return out


_WHOLE = COLUMNS.index("into_least")


def _differs(edits: Edits, meant: Any, typed: Any) -> tuple[Array, Array]:
    """Return which typed letters a candidate does not explain, and which come right after them.

    Of a letter left out it is the one typed next, or the last.
    """
    at = np.zeros(typed.size, np.bool_)
    i = j = 0
    for a, b in ways(edits, meant, typed):
        if not (a == b == 1 and meant[i] == typed[j]):
            at[min(j, typed.size - 1) : max(j + b, min(j, typed.size - 1) + 1)] = True
        i, j = i + a, j + b
    after = np.zeros_like(at)
    after[1:] = at[:-1]
    return at, after
