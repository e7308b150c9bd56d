"""Sums of clicks: how long a button is held, and how fast a double click is."""

from __future__ import annotations

from typing import Any

import numpy as np

from overt.features.kernel import kernel
from overt.features.movements import BREAKS
from overt.features.sums import Columns, Cut, Events, Family, add
from overt.schema.event import Kind

COLUMNS = Columns(measures=("click_hold_us", "double_click_us"), counts=("clicks",))
_HOLD, _DOUBLE, _CLICKS = (COLUMNS.at(name) for name in (*COLUMNS.measures, *COLUMNS.counts))
_BUTTONS = 128
_MOVE = int(Kind.POINTER_MOVE)
_DOWN, _UP, _CLICK = int(Kind.POINTER_DOWN), int(Kind.POINTER_UP), int(Kind.CLICK)


@kernel
def _add_clicks(
    kind: Any, t_us: Any, button: Any, value: Any, breaks: Any,
    down: Any, pressed: Any, pressed_before: Any, start: int, window: int, total: Any,
) -> None:  # fmt: skip
    for i in range(kind.shape[0]):
        k = kind[i]
        if k == _MOVE:
            continue
        if breaks[k]:
            for b in range(_BUTTONS):
                down[b], pressed[b], pressed_before[b] = -1, -1, -1
            continue
        if k != _DOWN and k != _UP and k != _CLICK:
            continue
        b = button[i]
        if b < 0:
            continue
        if k == _DOWN:
            down[b] = t_us[i]
            pressed_before[b] = pressed[b]
            pressed[b] = t_us[i]
        elif k == _UP and down[b] >= 0:
            if t_us[i] >= down[b]:
                add(total, (down[b] - start) // window, _HOLD, t_us[i] - down[b])
            down[b] = -1
        elif k == _CLICK:
            total[(t_us[i] - start) // window, _CLICKS] += 1.0
            if value[i] == 2 and pressed_before[b] >= 0 and pressed[b] >= pressed_before[b]:
                apart = float(pressed[b] - pressed_before[b])
                add(total, (pressed[b] - start) // window, _DOUBLE, apart)


def _add(events: Events, cut: Cut, total: Any) -> None:
    columns = [events[name] for name in ("kind", "t_us", "button", "value")]
    times = np.full((3, _BUTTONS), -1)
    _add_clicks(*[*columns, BREAKS, *times, cut.start_us, cut.width_us, total])


FAMILY = Family(COLUMNS, _add)
"""A hold belongs to the window of its press, a double click to that of its second press."""
