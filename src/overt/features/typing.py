"""Sums of typing: holds, intervals, rollover, pauses, per window, in one pass over the presses."""

from __future__ import annotations

from math import log
from typing import Any

from overt.features import presses
from overt.features.kernel import kernel
from overt.features.sums import Columns, Cut, Events, Family, add
from overt.schema.coarse import STEP_US

COLUMNS = Columns(
    measures=("hold_us", "down_down_us", "down_down_log", "up_down_us", "up_up_us", "pause_us"),
    counts=("presses", "rollovers"),
    spans=("press_us",),
)
_UNKNOWN = int(presses.UNKNOWN)
_HOLD, _DOWN_DOWN, _LOG, _UP_DOWN, _UP_UP, _PAUSE = (COLUMNS.at(m) for m in COLUMNS.measures)
_PRESSES, _ROLLOVERS, _FIRST = (COLUMNS.at(c) for c in ("presses", "rollovers", "press_us"))
_LAST = _FIRST + 1


@kernel
def add_presses(
    down: Any, up: Any, timed: Any, start: int, window: int, pause: int, total: Any
) -> None:
    """Add presses that follow each other (int64[n], µs; `UNKNOWN` releases) to their windows.

    Of presses that are not `timed` only how many there are, when, and the pauses between them.
    """
    for i in range(down.shape[0]):
        since = down[i] - start
        w = since // window
        total[w, _PRESSES] += 1.0
        if since < total[w, _FIRST]:
            total[w, _FIRST] = since
        if since > total[w, _LAST]:
            total[w, _LAST] = since
        known = up[i] != _UNKNOWN
        if known and timed:
            add(total, w, _HOLD, up[i] - down[i])
        if i == 0:
            continue
        interval = down[i] - down[i - 1]
        if interval >= pause:
            add(total, w, _PAUSE, interval)
        if not timed:
            continue
        add(total, w, _DOWN_DOWN, interval)
        add(total, w, _LOG, log(interval) if interval > 1 else 0.0)
        before = up[i - 1]
        if before != _UNKNOWN:
            add(total, w, _UP_DOWN, down[i] - before)
            if before > down[i]:
                total[w, _ROLLOVERS] += 1.0
            if known:
                add(total, w, _UP_UP, up[i] - before)


def to_the_second(down: Any, up: Any) -> bool:
    """Tell whether presses have no timing: no release is known, and all are at whole seconds.

    So `rhythm/1` has them. Their intervals are steps of a clock, not times of a person.
    """
    if down.size < 2 or (up != _UNKNOWN).any() or (down % STEP_US != 0).any():
        return False
    return bool(down.max() > down.min())


def _add(events: Events, cut: Cut, total: Any) -> None:
    _, down, up = presses.paired(events)
    timed = not to_the_second(down, up)
    add_presses(down, up, timed, cut.start_us, cut.width_us, cut.pause_us, total)


FAMILY = Family(COLUMNS, _add)
"""A press and its hold belong to the window in which the key went down, an interval to that of its
later press. Of presses to the second (`rhythm/1`) only pauses are intervals."""
