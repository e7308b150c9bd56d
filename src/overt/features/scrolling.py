"""Sums of scrolling: bursts, turns back, rests between bursts, in one pass over the events.

What counts is what moved (scroll events: change of offset), by wheel, keys, finger or scroll bar. A
**burst** is a run of scroll events without `SCROLL_GAP_US` between two of them. Vertical only:
sideways steps keep a burst going and count nothing. Which element scrolls is not told apart.
"""

from __future__ import annotations

from typing import Any

from overt.features.kernel import kernel, part
from overt.features.movements import BREAKS
from overt.features.sums import Columns, Cut, Events, Family, add
from overt.schema.event import Kind

SCROLL_GAP_US = 500_000
"""A scroll event this long after the one before begins a new burst, and a token (`spec/tokens.md`):
longer than a finger needs to reach for the wheel again; ours."""
COLUMNS = Columns(
    measures=(
        "scroll_burst_css_px",
        "scroll_burst_us",
        "scroll_speed_css_px_per_s",
        "scroll_dwell_us",
    ),
    counts=("scroll_steps", "scroll_reversals", "scroll_regressions", "scroll_css_px", "up_css_px"),
)
_PX, _US, _SPEED, _DWELL, _STEPS, _REVERSALS, _REGRESSIONS, _WAY, _WAY_UP = (
    COLUMNS.at(name) for name in (*COLUMNS.measures, *COLUMNS.counts)
)
_SCROLL = int(Kind.SCROLL)


@part
def _add_burst(first: int, last: int, way: float, start: int, window: int, total: Any) -> None:
    w = (last - start) // window
    add(total, w, _PX, way)
    add(total, w, _US, last - first)
    if last > first:
        add(total, w, _SPEED, way / ((last - first) / 1e6))


@kernel
def _add_scrolls(
    kind: Any, t_us: Any, scroll_y: Any, breaks: Any, start: int, window: int, total: Any
) -> None:
    first, last = t_us[0], t_us[0]
    way, heading = 0.0, 0
    scrolling = False
    for i in range(kind.shape[0]):
        if breaks[kind[i]]:
            if scrolling:
                _add_burst(first, last, way, start, window, total)
            scrolling, heading = False, 0
        if kind[i] != _SCROLL:
            continue
        w = (t_us[i] - start) // window
        if not scrolling:
            first, last, way = t_us[i], t_us[i], 0.0
        elif t_us[i] - last >= SCROLL_GAP_US:
            _add_burst(first, last, way, start, window, total)
            add(total, w, _DWELL, t_us[i] - last)
            first, way = t_us[i], 0.0
        scrolling = True
        if t_us[i] > last:
            last = t_us[i]
        step = abs(float(scroll_y[i]))
        way += step
        total[w, _STEPS] += 1.0
        total[w, _WAY] += step
        if scroll_y[i] != 0:
            now = 1 if scroll_y[i] > 0 else -1
            if now * heading < 0:
                total[w, _REVERSALS] += 1.0
                if now < 0:
                    total[w, _REGRESSIONS] += 1.0
            heading = now
            if now < 0:
                total[w, _WAY_UP] += step
    if scrolling:
        _add_burst(first, last, way, start, window, total)


def _add(events: Events, cut: Cut, total: Any) -> None:
    columns = [events[name] for name in ("kind", "t_us", "scroll_y_css_px")]
    _add_scrolls(*[*columns, BREAKS, cut.start_us, cut.width_us, total])


FAMILY = Family(COLUMNS, _add)
"""A burst belongs to the window in which it ends, a rest to that in which it ends, too, a turn to
that of the step that turns."""
