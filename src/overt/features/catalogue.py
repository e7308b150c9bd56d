"""Every feature: what it is, how it is computed, what it needs, and what a coarse clock does to it.

The catalogue is what computes them (`overt.features.windows`), what `spec/features.md` is written
from, and what a data set's manifest refers to by id and version.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from overt.features import sums

FEATURES_ID = "features/1"
_CHARS_PER_WORD = 5


@dataclass(frozen=True)
class Feature:
    """One column of figures.

    `value` maps a matrix of sums to float64[windows]; `samples` counts what it rests on, and below
    `samples_min` the value is null.
    """

    name: str
    unit: str
    formula: str
    samples_min: int
    clock: str
    """What a clock with step d does to it."""
    source: str
    samples: Callable[[Any], Any]
    value: Callable[[Any], Any]


_D_EACH = "each value is off by up to ±d; the mean by less, once values differ by more than d"
_D_SPREAD = "adds about d²/6 to the variance: a deviation near d says nothing"
_D_NONE = "none"
_KILLOURHY = "Killourhy & Maxion 2009"
_DHAKAL = "Dhakal et al. 2018"
_CHENOWETH = "Chenoweth & Hayes 2001"


def _column(name: str) -> Callable[[Any], Any]:
    at = sums.AT[name]
    return lambda total: total[:, at]


_MEANINGS = {
    "hold_us": ("release minus press of the same key", _KILLOURHY),
    "down_down_us": ("press minus the press before", _KILLOURHY),
    "up_down_us": ("press minus the release of the press before", _KILLOURHY),
    "up_up_us": ("release minus the release of the press before", _KILLOURHY),
}


def _moments(measure: str, unit: str, meaning: str, source: str) -> tuple[Feature, Feature]:
    count, mean = _column(f"{measure}:count"), _column(f"{measure}:mean")
    squares = _column(f"{measure}:squares")

    def deviation(total: Any) -> Any:
        return np.sqrt(squares(total) / np.maximum(count(total) - 1, 1))

    return (
        Feature(f"{measure}_mean", unit, f"mean of {meaning}", 1, _D_EACH, source, count, mean),
        Feature(
            f"{measure}_sd",
            unit,
            f"sample deviation (n - 1) of {meaning}",
            2,
            _D_SPREAD,
            source,
            count,
            deviation,
        ),
    )


def _count(name: str, formula: str, clock: str, source: str) -> Feature:
    column = _column(name)
    return Feature(name, "1", formula, 0, clock, source, column, column)


def _share(
    name: str, formula: str, top: Callable[[Any], Any], below: Callable[[Any], Any], **rest: Any
) -> Feature:
    def value(total: Any) -> Any:
        return top(total) / np.maximum(below(total), 1)

    return Feature(name=name, formula=formula, samples=below, value=value, **rest)


def _text_chars(total: Any) -> Any:
    return total[:, sums.AT["inserted_chars"]] - total[:, sums.AT["deleted_chars"]]


def _elapsed_s(total: Any) -> Any:
    elapsed_us = total[:, sums.LAST_PRESS] - total[:, sums.FIRST_PRESS]
    return np.where(elapsed_us > 0, elapsed_us, np.nan) / 1e6


def _timed(column: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return the samples of a rate: none where no time has passed between two presses."""
    return lambda total: np.where(np.isfinite(_elapsed_s(total)), column(total), 0)


_PRESS_COUNT = _column("presses")
_UP_DOWN_COUNT = _column("up_down_us:count")

CATALOGUE: tuple[Feature, ...] = (
    _count("presses", "key downs; repeats of a held key are not counted", _D_NONE, _DHAKAL),
    *(
        feature
        for measure, (meaning, source) in _MEANINGS.items()
        for feature in _moments(measure, "µs", meaning, source)
    ),
    *_moments(
        "down_down_log",
        "ln µs",
        "the natural log of press minus the press before (0 µs counts as 1)",
        "González et al. 2021 (log-normal intervals)",
    ),
    _share(
        "rollover_share",
        "presses while the press before is still down / presses whose predecessor's release is "
        "known",
        _column("rollovers"),
        _UP_DOWN_COUNT,
        unit="1",
        samples_min=1,
        clock="overlaps shorter than d are missed",
        source=_DHAKAL,
    ),
    Feature(
        "keys_per_s",
        "1/s",
        "(presses - 1) / (last press - first press)",
        2,
        "negligible over a second or more",
        _DHAKAL,
        _timed(_PRESS_COUNT),
        lambda total: (_PRESS_COUNT(total) - 1) / _elapsed_s(total),
    ),
    Feature(
        "words_per_minute",
        "1/min",
        "(characters typed - deleted - 1) / 5 / minutes from first to last press",
        2,
        "negligible over a second or more",
        "Soukoreff & MacKenzie 2003; " + _DHAKAL,
        _timed(_text_chars),
        lambda total: (_text_chars(total) - 1) / _CHARS_PER_WORD / (_elapsed_s(total) / 60),
    ),
    _share(
        "keys_per_character",
        "presses / (characters typed - deleted) (KSPC); pasted text does not count",
        _PRESS_COUNT,
        _text_chars,
        unit="1",
        samples_min=1,
        clock=_D_NONE,
        source="Soukoreff & MacKenzie 2003; " + _DHAKAL,
    ),
    Feature(
        "pauses",
        "1",
        "intervals between presses of at least the pause threshold (2,000 ms)",
        0,
        "intervals within d of the threshold may fall on either side",
        _CHENOWETH,
        _column("pause_us:count"),
        _column("pause_us:count"),
    ),
    _moments("pause_us", "µs", "intervals of at least the pause threshold", _CHENOWETH)[0],
    _count("inserted_chars", "characters typed, pasted ones not counted", _D_NONE, _CHENOWETH),
    _count("pasted_chars", "characters pasted or dropped, as reported", _D_NONE, _CHENOWETH),
    _count("deleted_chars", "characters deleted", _D_NONE, _CHENOWETH),
    _count("revisions", "runs of deletions; typing or a pause ends a run", _D_NONE, _CHENOWETH),
    _share(
        "deletions_per_press",
        "deletions / presses",
        _column("deletions"),
        _PRESS_COUNT,
        unit="1",
        samples_min=1,
        clock=_D_NONE,
        source=_DHAKAL,
    ),
    _count(
        "p_bursts",
        "runs of typed characters ended by a pause",
        "intervals within d of the threshold may fall on either side",
        _CHENOWETH,
    ),
    _share(
        "p_burst_chars_mean",
        "characters in P-bursts / P-bursts",
        _column("p_burst_chars"),
        _column("p_bursts"),
        unit="1",
        samples_min=1,
        clock="intervals within d of the threshold may fall on either side",
        source=_CHENOWETH,
    ),
    _count("r_bursts", "runs of typed characters ended by a deletion", _D_NONE, _CHENOWETH),
    _share(
        "r_burst_chars_mean",
        "characters in R-bursts / R-bursts",
        _column("r_burst_chars"),
        _column("r_bursts"),
        unit="1",
        samples_min=1,
        clock="as for P-bursts, which share characters with them",
        source=_CHENOWETH,
    ),
)
"""In the order of the columns."""


def markdown() -> str:
    """Return `spec/features.md`."""
    head = (
        "# Features of typing and revision\n\n"
        f"Version `{FEATURES_ID}`, written from `overt.features.catalogue`; a test compares.\n"
        "One row a window (or a session). Below the fewest samples a value is null. A press and its"
        " hold\nbelong to the window in which the key went down, an interval to that of its later"
        " press, a burst to\nthe window in which it ends. `d` is the step of the clock, which every"
        " batch names.\n\n"
        "| feature | unit | formula | fewest samples | a clock with step d | source |\n"
        "|---|---|---|---|---|---|\n"
    )
    lines = [
        f"| `{f.name}` | {f.unit} | {f.formula} | {f.samples_min} | {f.clock} | {f.source} |\n"
        for f in CATALOGUE
    ]
    return head + "".join(lines)
