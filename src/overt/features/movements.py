"""Sums of pointing: movements, drags, presses and what came before them, in one pass a session.

A movement (see `overt.features.pointing`) ends with a press of a button, with a rest, where another
device takes over, and where recording is interrupted or the page hidden. A press or a release is
also the first sample of what follows. What is moved between press and release is a **drag**; so is
every stroke on a touch screen, where nothing is seen between a release and the next press.

A movement is **aimed** if a press follows it where it ended, without another movement between. Its
target counts as a disc around the press, since events do not say how large an element is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from overt.features import pointing
from overt.features.kernel import kernel, typed
from overt.features.pointing import FIGURES, far, measure_all
from overt.features.sums import Columns, Cut, Events, Family, add
from overt.schema.event import MARKS, Kind, Pointer, Role

AIMED_ONLY = ("overshoot_css_px", "undershoot_css_px", "reentries")
"""Figures that compare a movement with its target: of aimed movements only. The last of FIGURES."""
COLUMNS = Columns(
    measures=(
        *FIGURES,
        "drag_us",
        "drag_css_px",
        "hesitation_us",
        "aim_us",
        "aim_css_px",
        "aim_spread_css_px2",
    ),
    counts=("pointer_samples", "pointer_presses"),
)
NARROW_ROLES = (
    Role.BUTTON,
    Role.LINK,
    Role.CHECKBOX,
    Role.RADIO,
    Role.SELECT,
    Role.OPTION,
    Role.MENU_ITEM,
    Role.TAB,
    Role.TARGET,
)
"""Elements one aims at as a whole, so that presses spread around one place of theirs. Not fields,
text and images, which one presses wherever one wants to be in them."""

_ALL = len(FIGURES)
_FREE = _ALL - len(AIMED_ONLY)
_DRAG_US, _DRAG_PX, _HESITATION, _AIM_US, _AIM_PX, _SPREAD, _SAMPLES, _PRESSES = (
    COLUMNS.at(name) for name in (*COLUMNS.measures[len(FIGURES) :], *COLUMNS.counts)
)
_MOVE, _DOWN, _UP = int(Kind.POINTER_MOVE), int(Kind.POINTER_DOWN), int(Kind.POINTER_UP)
_SCROLL, _TOUCH = int(Kind.SCROLL), int(Pointer.TOUCH)
BREAKS = np.zeros(128, np.bool_)
"""bool[128] by kind: marks after which nothing is known of what came before them."""
BREAKS[[*(MARKS - {Kind.TASK}), Kind.VISIBILITY]] = True
_NARROW = np.zeros(128, np.bool_)
_NARROW[[int(role) for role in NARROW_ROLES]] = True
_MOVEMENT_GAP_US, _SAMPLES_MIN = pointing.MOVEMENT_GAP_US, pointing.SAMPLES_MIN
_RADIUS = pointing.TARGET_RADIUS_CSS_PX


@typed("int64(int64, int64, boolean, int64, int64[:, ::1], boolean[::1])")
def _close(begin: int, end: int, held: Any, made: int, bounds: Any, drags: Any) -> int:
    """Note a movement if it has enough samples; return how many there are now."""
    if end - begin < _SAMPLES_MIN:
        return made
    bounds[made, 0], bounds[made, 1] = begin, end
    drags[made] = held
    return made + 1


@typed("int64(int64[::1], float64[::1], float64[::1], int64, int64)")
def _came_at(t: Any, x: Any, y: Any, since: int, end: int) -> int:
    """Return when the pointer came to the place of sample `end` - 1; -1 if it was there `since`."""
    j = end - 1
    while j >= since and far(x[j] - x[end - 1], y[j] - y[end - 1]) <= _RADIUS:
        j -= 1
    return t[j + 1] if j >= since else -1


@kernel
def trail(
    kind: Any, t_us: Any, x8: Any, y8: Any, device: Any, breaks: Any,
    t: Any, x: Any, y: Any, bounds: Any, drags: Any, presses: Any,
    start: int, window: int, total: Any,
) -> Any:  # fmt: skip
    """Note the samples, movements and presses of one session, and add how many moves there are.

    Into `t`, `x`, `y` go the samples (int64, µs; float64, CSS px), into `bounds` (int64[.., 2]) the
    first sample of each movement and one past its last, into `drags` (bool) whether it is one, into
    `presses` (int64[.., 4]) row, aimed movement or -1, when the pointer came there or -1, and how
    many scroll events there were before. All have two rows an event.

    Returns:
        how many samples, movements and presses there are.
    """
    n = kind.shape[0]
    w, next_us = 0, start
    kept, made, pressed, begin, since, rested, moves = 0, 0, 0, 0, 0, -1, 0
    held = False
    last_device = -1
    scrolls = 0
    for i in range(n):
        k = kind[i]
        is_break = False
        if k != _MOVE and k != _DOWN and k != _UP:
            is_break = breaks[k]
            if k == _SCROLL:
                scrolls += 1
            if not is_break:
                continue
        if k == _MOVE:
            if t_us[i] >= next_us or t_us[i] < next_us - window:
                w = (t_us[i] - start) // window
                next_us = start + (w + 1) * window
            total[w, _SAMPLES] += 1.0
            if kept > begin and device[i] == last_device:  # most rows: the movement goes on
                px, py, apart = x8[i] * 0.125, y8[i] * 0.125, t_us[i] - t[kept - 1]
                moved = px != x[kept - 1] or py != y[kept - 1]
                if moved and 0 < apart < _MOVEMENT_GAP_US:
                    t[kept], x[kept], y[kept] = t_us[i], px, py
                    kept += 1
                    moves += 1
                    continue
        if is_break or device[i] != last_device or (k == _DOWN and device[i] == _TOUCH):
            made = _close(begin, kept, held, made, bounds, drags)
            begin, since, rested, moves, held = kept, kept, -1, 0, False
            last_device = -1 if is_break else device[i]
            if is_break:
                continue
        px, py = x8[i] * 0.125, y8[i] * 0.125
        elsewhere = kept == begin or px != x[kept - 1] or py != y[kept - 1]
        if kept > begin and elsewhere and t_us[i] - t[kept - 1] >= _MOVEMENT_GAP_US:
            before = made
            made = _close(begin, kept, held, made, bounds, drags)
            if made > before:
                rested = -1 if held else before
            begin = kept
        if kept > begin and t_us[i] == t[kept - 1]:
            x[kept - 1], y[kept - 1] = px, py
        elif kept == begin or (elsewhere and t_us[i] > t[kept - 1]):
            t[kept], x[kept], y[kept] = t_us[i], px, py
            kept += 1
        if k == _MOVE:
            moves += 1
            continue
        before = made
        made = _close(begin, kept, held, made, bounds, drags)
        if k == _DOWN:
            aimed = -1
            if made > before:
                aimed = -1 if held else before
            elif rested >= 0:
                there = bounds[rested, 1] - 1
                if far(px - x[there], py - y[there]) <= _RADIUS:
                    aimed = rested
            presses[pressed, 0], presses[pressed, 1] = i, aimed
            presses[pressed, 2] = _came_at(t, x, y, since, kept) if moves > 0 else -1
            presses[pressed, 3] = scrolls
            pressed += 1
        held = k == _DOWN
        t[kept], x[kept], y[kept] = t_us[i], px, py
        begin, since, rested, moves = kept, kept, -1, 0
        kept += 1
    made = _close(begin, kept, held, made, bounds, drags)
    return kept, made, pressed


@kernel
def _add_movements(
    t: Any, bounds: Any, drags: Any, figures: Any, start: int, window: int, total: Any
) -> None:
    """Add what every movement has."""
    for number in range(bounds.shape[0]):
        w = (t[bounds[number, 1] - 1] - start) // window
        if drags[number]:
            add(total, w, _DRAG_US, figures[number, 0])
            add(total, w, _DRAG_PX, figures[number, 1])
            continue
        for at in range(_FREE):
            if not np.isnan(figures[number, at]):
                add(total, w, 3 * at, figures[number, at])


@kernel
def _add_presses(
    t_us: Any, x8: Any, y8: Any, role: Any, element: Any, narrow: Any,
    x: Any, y: Any, bounds: Any, figures: Any, presses: Any, last: Any,
    start: int, window: int, total: Any,
) -> None:  # fmt: skip
    """Add what belongs to presses: hesitation, how the aim was reached, how presses spread.

    `last`, int64 by element, is -1 everywhere: its last press.
    """
    for p in range(presses.shape[0]):
        i, number = presses[p, 0], presses[p, 1]
        w = (t_us[i] - start) // window
        total[w, _PRESSES] += 1.0
        if presses[p, 2] >= 0:
            waited = t_us[i] - presses[p, 2]
            add(total, w, _HESITATION, max(waited, 0))
        if number >= 0:
            for at in range(_FREE, _ALL):
                if not np.isnan(figures[number, at]):
                    add(total, w, 3 * at, figures[number, at])
        e = element[i]
        if e <= 0 or not narrow[role[i]]:
            continue
        q = last[e]
        last[e] = p
        if q >= 0 and number >= 0 and presses[p, 3] == presses[q, 3] and figures[number, 2] > 0:
            j, begin, end = presses[q, 0], bounds[number, 0], bounds[number, 1] - 1
            off = (x8[i] - x8[j]) / 8 * (x[end] - x[begin])
            off += (y8[i] - y8[j]) / 8 * (y[end] - y[begin])
            off /= figures[number, 2]
            add(total, w, _SPREAD, off * off / 2)
            add(total, w, _AIM_US, figures[number, 0])
            add(total, w, _AIM_PX, figures[number, 2])


_NAMES = (
    "kind", "t_us", "x_8th_css_px", "y_8th_css_px", "pointer", "role", "element"
)  # fmt: skip


def _add(events: Events, cut: Cut, total: Any) -> None:
    kind, t_us, x8, y8, device, role, element = (events[name] for name in _NAMES)
    told = (kind == _MOVE) & (events["button"] > 0)
    if told.any():  # by the browser that drags, or the page that has locked the pointer
        kind = np.where(told, kind.dtype.type(0), kind)
    room, most = events.room, 2 * len(kind)
    t, x, y = room.of("t", most, np.int64), room.of("x", most), room.of("y", most)
    bounds, drags = room.of("bounds", most, np.int64, 2), room.of("drags", most, np.bool_)
    presses = room.of("presses", most, np.int64, 4)
    where = (cut.start_us, cut.width_us, total)
    kept, made, pressed = trail(
        kind, t_us, x8, y8, device, BREAKS, t, x, y, bounds, drags, presses, *where
    )
    bounds, presses = bounds[:made], presses[:pressed]
    figures = room.of("figures", made, np.float64, _ALL)
    measure_all(t, x, y, bounds, _RADIUS, room.of("speeds", kept), figures)
    _add_movements(t, bounds, drags, figures, *where)
    last = np.full(max(int(element.max()), 0) + 1, -1)
    _add_presses(t_us, x8, y8, role, element, _NARROW, x, y, bounds, figures, presses, last, *where)


FAMILY = Family(COLUMNS, _add)
"""A movement belongs to the window in which it ends, what a press tells to that of the press."""
