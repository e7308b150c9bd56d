"""Importer of the readability-from-scrolling data: people who read two articles and answered.

Gooding, Berzak, Mak, Sharifi: Predicting Text Readability from Scrolling Interactions, CoNLL 2021.
One CSV with a row a participant. For each article (elementary, advanced) and phase (reading,
question): `_event_ms`, a list of times (ms since the phase began), and `_scroll_event`, a list of
offsets of the page (px), both written as Python lists of texts.

A person is a row, a session a phase with scrolls in it: at most four. An event is the change of the
offset, from 0 at the beginning. A task mark stands at the beginning of each session, so that the
time to the first scroll is kept; its number says which phase (`PHASES`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from overt.datasets.reading import delimited, sessions
from overt.datasets.reading.files import Found
from overt.datasets.reading.imported import ByFile, ImportedPerson, Skipped
from overt.datasets.reading.sheet import SCROLL_PX_MAX, Sheet
from overt.schema.event import Kind, Role

PATTERN = ("*scroll*readability*.csv", "*readability*scroll*.csv")
PHASES = ("elementary_reading", "elementary_question", "advanced_reading", "advanced_question")
"""Phases in the order of the task mark's number, from 1."""
TIME_MS_MAX = 7 * 86_400_000.0


@dataclass(frozen=True)
class Phase:
    """The scrolls of one participant in one phase."""

    participant: int
    """Row of the file, from 0."""
    phase: int
    """Place in `PHASES`."""
    time_us: Any = field(repr=False)
    """float64[n], since the phase began."""
    offset_px: Any = field(repr=False)
    """float64[n], of the page."""


def read_phases(data: bytes, file: str, skipped: Skipped | None = None) -> list[Phase]:
    """Return the phases that have scrolls, by participant.

    Raises `InvalidInput` with line and column of the first list that is wrong, unless `skipped`
    counts such rows.
    """
    required = [f"{phase}_{what}" for phase in PHASES for what in ("event_ms", "scroll_event")]
    sheet = delimited.read(data, file, required, skipped, wanted=())
    made = []
    for number, phase in enumerate(PHASES):
        times = _lists(sheet, f"{phase}_event_ms", "a list of times in milliseconds", TIME_MS_MAX)
        column = f"{phase}_scroll_event"
        offsets = _lists(sheet, column, "a list of offsets in pixels", SCROLL_PX_MAX)
        differ = [len(a) != len(b) for a, b in zip(times, offsets, strict=True)]
        what = "has another number of offsets than there are times"
        sheet.mark(np.array(differ, np.bool_), column, what)
        made += [
            Phase(row, number, np.array(times[row]) * 1000, np.array(offsets[row]))
            for row in np.flatnonzero(sheet.good).tolist()
            if len(times[row])
        ]
    kept = [phase for phase in made if sheet.good[phase.participant]]
    return sorted(kept, key=lambda phase: (phase.participant, phase.phase))


def _lists(sheet: Sheet, name: str, what: str, high: float) -> list[list[float]]:
    """Return a column of Python lists of numbers; empty where a value is empty."""
    made = [_list(text, high) for text in sheet.texts(name)]
    sheet.mark(np.array([found is None for found in made], np.bool_), name, f"is not {what}")
    return [found or [] for found in made]


def _list(text: str, high: float) -> list[float] | None:
    """Return the numbers in a text such as `['15', '5408']`, or None if it is something else."""
    text = text.strip()
    if not text:
        return []
    if text[0] != "[" or text[-1] != "]":
        return None
    inside = text[1:-1].strip()
    if not inside or "_" in inside:
        return None if inside else []
    try:
        values = [float(item.strip().strip("'\"")) for item in inside.split(",")]
    except ValueError:
        return None
    return values if all(0 <= value <= high for value in values) else None


def people_of(phases: list[Phase]) -> Iterator[ImportedPerson]:
    """Yield each participant's phases, a session each."""
    for participant in dict.fromkeys(phase.participant for phase in phases):
        own = [phase for phase in phases if phase.participant == participant]
        made = [_columns(phase) for phase in own]
        session = np.repeat(np.arange(len(own)), [time.size for time, _ in made])
        columns = {name: np.concatenate([part[name] for _, part in made]) for name in made[0][1]}
        time_us = np.concatenate([time for time, _ in made])
        yield ImportedPerson(sessions.tables(session, time_us, columns))


def _columns(phase: Phase) -> tuple[Any, dict[str, Any]]:
    """Return times and columns of a phase: the mark at its beginning, then the scrolls."""
    order = np.argsort(phase.time_us, kind="stable")
    offset = sessions.whole(phase.offset_px[order])
    is_mark = np.arange(offset.size + 1) == 0
    return np.concatenate([[0.0], phase.time_us[order]]), {
        "kind": np.where(is_mark, int(Kind.TASK), int(Kind.SCROLL)),
        "value": np.where(is_mark, phase.phase + 1, 0),
        "role": np.where(is_mark, 0, int(Role.PAGE)),
        "element": np.where(is_mark, 0, 1),
        "scroll_y_css_px": np.concatenate([[0], np.diff(offset, prepend=0)]),
    }


def _people_in(found: Found, skipped: Skipped | None) -> Iterator[ImportedPerson]:
    return people_of(read_phases(found.data, found.name, skipped))


read = ByFile(PATTERN, _people_in)
