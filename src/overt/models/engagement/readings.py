"""People who were shown two articles: how they scrolled, and how far they came.

Gooding, Berzak, Mak, Sharifi (CoNLL 2021), as published: one row a participant, two versions
(elementary, advanced) of two articles.

The data set's label `read` says no more than that there were three scrolls or more: whoever has
seen the scrolls knows it. So nothing is asked once it is known. What is asked is asked **early**,
of those of whom it is still open: does a third scroll come, do they come to the end?
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from overt.datasets.formats.scroll_readability import PATTERN, PHASES, Phase, read_phases
from overt.datasets.reading import delimited
from overt.datasets.reading.files import Found, named
from overt.datasets.reading.imported import Skipped
from overt.models.tensors import Array

ARTICLES = ("elementary", "advanced")
READ_SCROLLS = 3
"""So many scrolls make the label `read`."""

END = 0.95
"""Who came to this share of a page's length came to its end."""

DWELL_MS = 1_000.0
"""A stop this long between two scrolls is one in which a line can be read."""

NAMES = (
    "how_far",
    "scrolls",
    "first_scroll_s_log",
    "since_last_s_log",
    "longest_stop_s_log",
    "median_stop_s_log",
    "stops",
    "stops_share_of_time",
    "down",
    "up",
    "ups",
    "back_to_top",
    "step_median",
    "speed_log",
    "evenness",
)
"""Of the scrolls up to a time. Lengths are shares of the page's, so that they do not tell which it
is; logarithms are of seconds and a tenth."""


@dataclass(frozen=True, eq=False)
class Reading:
    """One person and one article, with at least one scroll."""

    person: int
    text: str
    """Which article, whatever its version."""
    advanced: bool
    """Whether it is the version that is harder to read."""
    t_ms: Array
    """float64[n], of each scroll since the page was opened."""
    at: Array
    """float64[n], how far down, as a share of the page's length."""

    @property
    def reads_on_ms(self) -> float:
        """When the scroll comes that makes the label `read`; infinite if it never does."""
        return float(self.t_ms[READ_SCROLLS - 1]) if self.t_ms.size >= READ_SCROLLS else np.inf

    @property
    def end_ms(self) -> float:
        """When they came to the end; infinite if they never did."""
        there = np.flatnonzero(self.at >= END)
        return float(self.t_ms[there[0]]) if there.size else np.inf


def read(path: Path, skipped: Skipped | None = None) -> list[Reading]:
    """Return everyone's readings in `path`. Raises `InvalidInput` where there is no such file.

    Rows that cannot be read are left out, and counted in `skipped`.
    """
    skipped = Skipped() if skipped is None else skipped
    found: list[_Found] = []
    people = 0
    for file in named(path, *PATTERN):
        made, more = _of_file(file, skipped)
        found += [(person + people, text, which, phase) for person, text, which, phase in made]
        people += more
    length = _lengths(found)
    readings = []
    for person, text, advanced, phase in _once(found):
        order = np.argsort(phase.time_us, kind="stable")
        at = phase.offset_px[order] / length[text, advanced]
        readings.append(Reading(person, text, advanced, phase.time_us[order] / 1000, at))
    return readings


_Found = tuple[int, str, bool, Phase]


def _once(found: list[_Found]) -> list[_Found]:
    """Return each reading once.

    A row is a person, so a copy of one would be judged by what was learned from it.
    """
    different: dict[tuple[str, bool, bytes, bytes], _Found] = {}
    for one in found:
        _, text, advanced, phase = one
        key = text, advanced, phase.time_us.tobytes(), phase.offset_px.tobytes()
        different.setdefault(key, one)
    return list(different.values())


def _of_file(file: Found, skipped: Skipped) -> tuple[list[_Found], int]:
    phases = {
        (one.participant, one.phase): one for one in read_phases(file.data, file.name, skipped)
    }
    columns = [f"{article}_text" for article in ARTICLES]
    sheet = delimited.read(file.data, file.name, columns, Skipped(), wanted=())
    made: list[_Found] = []
    for article, column in zip(ARTICLES, columns, strict=True):
        number = PHASES.index(f"{article}_reading")
        for row, text in enumerate(sheet.texts(column)):
            phase = phases.get((row, number))
            if phase is not None:
                name = text.strip().lower().removesuffix(".txt").rsplit("-", 1)[0]
                made.append((row, name, article == "advanced", phase))
    return made, sheet.rows


def _lengths(found: list[_Found]) -> dict[tuple[str, bool], float]:
    """Return how far each page can be scrolled, which a page knows: here from how far people did.

    Windows differ in height, so not the furthest: three quarters came no further.
    """
    furthest: dict[tuple[str, bool], list[float]] = {}
    for _person, text, advanced, phase in found:
        furthest.setdefault((text, advanced), []).append(float(phase.offset_px.max()))
    return {page: max(float(np.quantile(far, 0.75)), 1.0) for page, far in furthest.items()}


def numbers(reading: Reading, now_ms: float) -> Array:
    """Return float64[len(NAMES)] of what had happened by a time."""
    seen = int(np.searchsorted(reading.t_ms, now_ms, "right"))
    t, at = reading.t_ms[:seen], reading.at[:seen]
    if not seen:
        nothing = np.zeros(len(NAMES))
        nothing[[2, 3, 4, 5]] = _log_s(now_ms)
        return nothing
    stops, steps = np.diff(t, prepend=0.0, append=now_ms), np.diff(at, prepend=0.0)
    down, up = float(steps[steps > 0].sum()), float(-steps[steps < 0].sum())
    furthest = float(at.max())
    where = np.minimum((np.append(0.0, at) / max(furthest, 1e-9) * 4).astype(int), 3)
    share = np.bincount(where, stops, minlength=4) / max(float(stops.sum()), 1.0)
    long = stops[stops >= DWELL_MS]
    return np.array(
        [
            furthest,
            seen,
            _log_s(float(t[0])),
            _log_s(float(stops[-1])),
            _log_s(float(stops.max())),
            _log_s(float(np.median(stops))),
            long.size,
            float(long.sum()) / now_ms,
            down,
            up,
            int((steps < 0).sum()),
            float(at[-1] <= 0.1 * furthest),
            float(np.median(np.abs(steps))),
            float(np.log((down + up) / now_ms * 1000 + 1e-3)),
            float(-(share * np.log(share + 1e-9)).sum()),
        ]
    )


def _log_s(ms: float) -> float:
    return float(np.log(ms / 1000 + 0.1))
