"""Sums of typing: holds, intervals, rollover, pauses, per window, in one pass over the presses."""

from __future__ import annotations

from typing import Any

import numpy as np

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
def add_presses(down: Any, up: Any, start: int, window: int, pause: int, total: Any) -> None:
    """Add presses that follow each other (int64[n], µs; `UNKNOWN` releases) to their windows."""
    for i in range(down.shape[0]):
        w = (down[i] - start) // window
        total[w, _PRESSES] += 1.0
        total[w, _FIRST] = min(total[w, _FIRST], down[i] - start)
        total[w, _LAST] = max(total[w, _LAST], down[i] - start)
        if up[i] != _UNKNOWN:
            add(total, w, _HOLD, up[i] - down[i])
        if i == 0:
            continue
        interval = down[i] - down[i - 1]
        add(total, w, _DOWN_DOWN, interval)
        add(total, w, _LOG, np.log(max(interval, 1)))
        if interval >= pause:
            add(total, w, _PAUSE, interval)
        if up[i - 1] != _UNKNOWN:
            add(total, w, _UP_DOWN, down[i] - up[i - 1])
            if up[i - 1] > down[i]:
                total[w, _ROLLOVERS] += 1.0
            if up[i] != _UNKNOWN:
                add(total, w, _UP_UP, up[i] - up[i - 1])


@kernel
def count_presses(down: Any, start: int, window: int, pause: int, total: Any) -> None:
    """Add presses known to the second: how many there are, when, and the pauses between them."""
    for i in range(down.shape[0]):
        w = (down[i] - start) // window
        total[w, _PRESSES] += 1.0
        total[w, _FIRST] = min(total[w, _FIRST], down[i] - start)
        total[w, _LAST] = max(total[w, _LAST], down[i] - start)
        if i > 0 and down[i] - down[i - 1] >= pause:
            add(total, w, _PAUSE, down[i] - down[i - 1])


def to_the_second(down: Any, up: Any) -> bool:
    """Tell whether presses have no timing: no release is known, and all are at whole seconds.

    So `rhythm/1` has them. Their intervals are steps of a clock, not times of a person.
    """
    if down.size < 2 or down.max() == down.min():
        return False
    return bool((up == _UNKNOWN).all() and (down % STEP_US == 0).all())


def _add(events: Events, cut: Cut, total: Any) -> None:
    columns = [events[name] for name in ("kind", "t_us", "slot", "modifiers")]
    _, down, up = presses.pair(*columns)
    if to_the_second(down, up):
        count_presses(down, cut.start_us, cut.width_us, cut.pause_us, total)
        return
    add_presses(down, up, cut.start_us, cut.width_us, cut.pause_us, total)


FAMILY = Family(COLUMNS, _add)
"""A press and its hold belong to the window in which the key went down, an interval to that of its
later press. Of presses to the second (`rhythm/1`) only pauses are intervals."""
