"""Events of several devices on one clock, the server's, with how far off each may be.

A device that asked the server for its time begins its session by that time, if its own clock is set
wrong, and says with each mark how far the server's clock has got ahead of the session's since, and
to within how many milliseconds it knows (`spec/event.md`). Between two marks clocks drift; where a
clock mark says that the session's clock stood in sleep or the wall clock was set, what was known
before is not known after.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from overt.schema.event import MARKS, Kind

DRIFT = 1e-4
"""Two clocks get apart by at most so much of the time that passes: quartz by a third of it."""

TELLING = MARKS - {Kind.TASK}
"""Marks that may say how the clocks stand."""

TOLD = ("scroll_x_css_px", "scroll_y_css_px")
"""Columns of these marks: ms that the server is ahead, and to within how many (0: not known)."""

UNKNOWN = -1


class Aligned(NamedTuple):
    """Times on the server's clock."""

    t_us: Any
    """int64[n]: µs since 1970."""
    within_us: Any
    """int64[n]: each is right to within so much; `UNKNOWN` where nobody asked the server."""


def aligned(time_origin_ms: int, events: Any) -> Aligned:
    """Return when each event of one session happened, on the server's clock.

    Args:
        time_origin_ms: of the header of the session's batches.
        events: the session (schema `EVENTS`): a table, or columns by name.
    """
    column = {name: np.asarray(events[name]) for name in ("kind", "t_us", *TOLD)}
    t_us = column["t_us"].astype(np.int64)
    ahead_us, within_us = np.zeros(len(t_us)), np.full(len(t_us), float(UNKNOWN))
    cuts = np.sort(t_us[column["kind"] == Kind.CLOCK])
    part = np.searchsorted(cuts, t_us, side="right")
    told = np.isin(column["kind"], [int(kind) for kind in TELLING]) & (column[TOLD[1]] > 0)
    for number in np.unique(part[told]).tolist():
        mine, marks = part == number, np.flatnonzero(told & (part == number))
        ahead_us[mine], within_us[mine] = _between(
            t_us[mine], t_us[marks], *(1000.0 * column[name][marks] for name in TOLD)
        )
    at_us = time_origin_ms * 1000 + t_us + np.rint(ahead_us).astype(np.int64)
    return Aligned(at_us, np.ceil(within_us).astype(np.int64))


def _between(t_us: Any, told_us: Any, ahead_us: Any, within_us: Any) -> tuple[Any, Any]:
    """Return how far the server is ahead at each time and to within what: what all marks allow.

    Where two marks allow nothing in common, a clock drifted by more than `DRIFT`, and all that any
    of them allows is possible.
    """
    low, high = np.full(len(t_us), -np.inf), np.full(len(t_us), np.inf)
    least, most = -low, -high
    for at_us, ahead, within in zip(told_us, ahead_us, within_us, strict=True):
        off = within + DRIFT * np.abs(t_us - at_us)
        low, high = np.maximum(low, ahead - off), np.minimum(high, ahead + off)
        least, most = np.minimum(least, ahead - off), np.maximum(most, ahead + off)
    agree = low <= high
    low, high = np.where(agree, low, least), np.where(agree, high, most)
    return (low + high) / 2, (high - low) / 2
