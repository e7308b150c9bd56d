"""Typing and revision, as in `features/1` and in its order."""

from __future__ import annotations

from typing import Any

import numpy as np

from overt.features.catalogue.feature import (
    D_LONG,
    D_NONE,
    R_NONE,
    Column,
    Feature,
    column,
    counted,
    moments,
    share,
)
from overt.features.sums import Sums

_CHARS_PER_WORD = 5
_D_THRESHOLD = "intervals within d of the threshold may fall on either side"
_KILLOURHY = "Killourhy & Maxion 2009"
_DHAKAL = "Dhakal et al. 2018"
_CHENOWETH = "Chenoweth & Hayes 2001"

_MEANINGS = {
    "hold_us": ("release minus press of the same key", _KILLOURHY),
    "down_down_us": ("press minus the press before", _KILLOURHY),
    "up_down_us": ("press minus the release of the press before", _KILLOURHY),
    "up_up_us": ("release minus the release of the press before", _KILLOURHY),
}
_PRESS_COUNT = column("presses")


def _text_chars(total: Sums) -> Any:
    return total["inserted_chars"] - total["deleted_chars"]


def _elapsed_s(total: Sums) -> Any:
    elapsed_us = total["press_us:last"] - total["press_us:first"]
    return np.where(elapsed_us > 0, elapsed_us, np.nan) / 1e6


def _timed(samples: Column) -> Column:
    """Return the samples of a rate: none where no time has passed between two presses."""
    return lambda total: np.where(np.isfinite(_elapsed_s(total)), samples(total), 0)


FEATURES: tuple[Feature, ...] = (
    counted("presses", "key downs; repeats of a held key are not counted", D_NONE, _DHAKAL),
    *(
        feature
        for measure, (meaning, source) in _MEANINGS.items()
        for feature in moments(measure, "µs", meaning, source)
    ),
    *moments(
        "down_down_log",
        "ln µs",
        "the natural log of press minus the press before (0 µs counts as 1)",
        "González et al. 2021 (log-normal intervals)",
    ),
    share(
        "rollover_share",
        "presses while the press before is still down / presses whose predecessor's release is "
        "known",
        column("rollovers"),
        column("up_down_us:count"),
        clock="overlaps shorter than d are missed",
        source=_DHAKAL,
    ),
    Feature(
        "keys_per_s",
        "1/s",
        "(presses - 1) / (last press - first press)",
        2,
        D_LONG,
        R_NONE,
        _DHAKAL,
        _timed(_PRESS_COUNT),
        lambda total: (_PRESS_COUNT(total) - 1) / _elapsed_s(total),
    ),
    Feature(
        "words_per_minute",
        "1/min",
        "(characters typed - deleted - 1) / 5 / minutes from first to last press",
        2,
        D_LONG,
        R_NONE,
        "Soukoreff & MacKenzie 2003; " + _DHAKAL,
        _timed(_text_chars),
        lambda total: (_text_chars(total) - 1) / _CHARS_PER_WORD / (_elapsed_s(total) / 60),
    ),
    share(
        "keys_per_character",
        "presses / (characters typed - deleted) (KSPC); pasted text does not count",
        _PRESS_COUNT,
        _text_chars,
        source="Soukoreff & MacKenzie 2003; " + _DHAKAL,
    ),
    Feature(
        "pauses",
        "1",
        "intervals between presses of at least the pause threshold (2,000 ms)",
        0,
        _D_THRESHOLD,
        R_NONE,
        _CHENOWETH,
        column("pause_us:count"),
        column("pause_us:count"),
    ),
    moments("pause_us", "µs", "intervals of at least the pause threshold", _CHENOWETH)[0],
    counted("inserted_chars", "characters typed, pasted ones not counted", D_NONE, _CHENOWETH),
    counted("pasted_chars", "characters pasted or dropped, as reported", D_NONE, _CHENOWETH),
    counted("deleted_chars", "characters deleted, or typed over", D_NONE, _CHENOWETH),
    counted("revisions", "runs of deletions; typing or a pause ends a run", D_NONE, _CHENOWETH),
    share(
        "deletions_per_press",
        "deletions / presses",
        column("deletions"),
        _PRESS_COUNT,
        source=_DHAKAL,
    ),
    counted(
        "p_bursts",
        "runs of typed characters ended by a pause",
        _D_THRESHOLD,
        _CHENOWETH,
    ),
    share(
        "p_burst_chars_mean",
        "characters in P-bursts / P-bursts",
        column("p_burst_chars"),
        column("p_bursts"),
        clock=_D_THRESHOLD,
        source=_CHENOWETH,
    ),
    counted("r_bursts", "runs of typed characters ended by a deletion", D_NONE, _CHENOWETH),
    share(
        "r_burst_chars_mean",
        "characters in R-bursts / R-bursts",
        column("r_burst_chars"),
        column("r_bursts"),
        clock="as for P-bursts, which share characters with them",
        source=_CHENOWETH,
    ),
)
