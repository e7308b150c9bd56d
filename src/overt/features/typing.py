"""Sums of typing: holds, intervals, rollover, pauses, per window, in one pass over the presses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from overt.features import presses, sums
from overt.features.kernel import kernel
from overt.features.sums import add

_UNKNOWN = int(presses.UNKNOWN)
_HOLD, _DOWN_DOWN, _LOG = (sums.AT[f"{m}:count"] for m in sums.MEASURES[:3])
_UP_DOWN, _UP_UP, _PAUSE = (sums.AT[f"{m}:count"] for m in sums.MEASURES[3:])
_PRESSES, _ROLLOVERS = sums.AT["presses"], sums.AT["rollovers"]
_FIRST, _LAST = sums.FIRST_PRESS, sums.LAST_PRESS


@kernel
def _add_presses(down: Any, up: Any, start: int, window: int, pause: int, total: Any) -> None:
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


def add_typing(events: pa.Table, start_us: int, window_us: int, pause_us: int, total: Any) -> None:
    """Add the presses of one session to `total`, a matrix of `overt.features.sums`.

    A press and its hold belong to the window in which the key went down, an interval to that of its
    later press. `start_us` is where the first window begins.
    """
    columns = [events.column(name).to_numpy() for name in ("kind", "t_us", "slot", "modifiers")]
    _, down, up = presses.pair(*columns)
    _add_presses(down, up, start_us, window_us, pause_us, total)
