"""Sessions of events from the columns of a published table: in order, numbered, keys paired.

What a browser does as events happen is done here afterwards and by the same rules: a key's release
gets the slot of its press, a repeat keeps it, modifiers are on from their press on, and a press and
release of the pointer in one place is a click.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from overt.datasets import rows
from overt.datasets.reading.sheet import first_come
from overt.features.kernel import kernel
from overt.schema.event import KeyClass, Kind, Modifier

POSITION_8TH_PER_PX = 8
REPEAT_US_MAX = 1_100_000
"""Longest delay before a held key repeats that systems offer, with a little over."""
HELD_US_MAX = 60_000_000
"""A modifier whose release was never recorded does not stay down for longer."""
CLICK_8TH_MAX = 4 * POSITION_8TH_PER_PX
"""A pointer that went further than 4 px between press and release has dragged, not clicked."""
CLICK_GAP_US_MAX = 500_000
"""Clicks in one place within half a second are counted together."""
ELEMENT_MAX = 2**15 - 1
"""Elements beyond this many in one session share the last number."""

_DOWN, _UP = int(Kind.KEY_DOWN), int(Kind.KEY_UP)
_PRESS, _RELEASE = int(Kind.POINTER_DOWN), int(Kind.POINTER_UP)
_REPEAT = int(Modifier.REPEAT)
_BIT_OF = np.zeros(128, np.int8)
_BIT_OF[int(KeyClass.SHIFT)] = int(Modifier.SHIFT)
_BIT_OF[int(KeyClass.CONTROL)] = int(Modifier.CONTROL)
_BIT_OF[int(KeyClass.ALT)] = int(Modifier.ALT)
_BIT_OF[int(KeyClass.META)] = int(Modifier.META)


def position_8th(position_px: Any) -> Any:
    """Return positions in px as eighths of a CSS pixel (int64); NaN becomes 0."""
    return np.rint(np.nan_to_num(position_px) * POSITION_8TH_PER_PX).astype(np.int64)


def whole(values: Any) -> Any:
    """Return numbers rounded to int64; NaN becomes 0."""
    return np.rint(np.nan_to_num(values)).astype(np.int64)


def tables(
    session: Any,
    time_us: Any,
    columns: dict[str, Any],
    *,
    key: Any = None,
    element: Any = None,
    placed: Any = None,
    clicks: bool = False,
) -> tuple[pa.Table, ...]:
    """Return one table of schema `EVENTS` a session, in order of its number.

    Events of a session are put in order of time; those of equal time keep theirs. Time counts from
    the session's first event.

    Args:
        session: int64[n], whose number also orders them.
        time_us: float64[n], µs from any origin.
        columns: columns of `EVENTS` but `seq`, `t_us`, each of length n; those left out are 0.
        key: int64[n], which key a key event is of. If given, slots, repeats and held modifiers
            are worked out from it.
        element: int64[n], which element an event went to, by any number, or -1. If given, they are
            numbered in order of first contact.
        placed: bool[n], which events have a position. If given, the others are where the one
            before was, as `event/1` has it.
        clicks: add a click where the pointer was pressed and released in one place.
    """
    if not len(session):
        return ()
    order = np.lexsort((time_us, session))
    session, time_us = session[order], time_us[order]
    columns = {name: np.asarray(values)[order] for name, values in columns.items()}
    starts = np.flatnonzero(np.diff(session, prepend=session[0] - 1))
    lengths = np.diff(starts, append=session.size)
    t_us = np.rint(time_us - np.repeat(time_us[starts], lengths)).astype(np.int64)
    if key is not None:
        made = _paired(columns["kind"], session, t_us, key[order], columns["key_class"], _BIT_OF)
        columns["slot"], columns["modifiers"] = made
    if element is not None:
        columns["element"] = _numbered(session, element[order])
    if placed is not None:
        _carry(columns, placed[order], starts, lengths)
    if clicks:
        t_us, session, columns = _with_clicks(t_us, session, columns)
        starts = np.flatnonzero(np.diff(session, prepend=session[0] - 1))
        lengths = np.diff(starts, append=session.size)
    columns |= {"seq": np.arange(session.size) - np.repeat(starts, lengths), "t_us": t_us}
    everything = rows.table(session.size, columns)
    bounds = [*starts.tolist(), session.size]
    return tuple(everything.slice(start, end - start) for start, end in pairwise(bounds))


def _numbered(session: Any, element: Any) -> Any:
    """Return elements numbered from 1 in each session in order of first contact; -1 becomes 0."""
    made = np.zeros(session.size, np.int64)
    known = np.flatnonzero(element >= 0)
    if not known.size:
        return made
    names = np.unique(element[known], return_inverse=True)[1]
    dense = np.cumsum(np.diff(session[known], prepend=session[known][0]) != 0)
    number = first_come(dense * (int(names.max()) + 1) + names)
    begins = np.flatnonzero(np.diff(dense, prepend=-1))
    made[known] = number - number[begins][dense] + 1
    return np.minimum(made, ELEMENT_MAX)


def _carry(columns: dict[str, Any], placed: Any, starts: Any, lengths: Any) -> None:
    """Give events without a position that of the one before, or of the session's first."""
    row = np.where(placed, np.arange(placed.size), -1)
    start = np.repeat(starts, lengths)
    last = np.maximum.accumulate(row)
    following = np.minimum.accumulate(np.where(placed, row, placed.size)[::-1])[::-1]
    end = start + np.repeat(lengths, lengths)
    source = np.where(last >= start, last, np.where(following < end, following, -1))
    for name in ("x_8th_css_px", "y_8th_css_px"):
        columns[name] = np.where(source >= 0, columns[name][source], 0)


def _with_clicks(
    t_us: Any, session: Any, columns: dict[str, Any]
) -> tuple[Any, Any, dict[str, Any]]:
    none = np.zeros(session.size, np.int64)
    x, y = (columns.get(f"{axis}_8th_css_px", none) for axis in "xy")
    count = _clicks(columns["kind"], session, t_us, columns["button"], x, y)
    of = np.repeat(np.arange(session.size), 1 + (count > 0))
    is_click = np.diff(of, prepend=-1) == 0
    columns = {name: values[of] for name, values in columns.items()}
    columns["kind"] = np.where(is_click, int(Kind.CLICK), columns["kind"])
    columns["value"] = np.where(is_click, count[of], columns.get("value", none[of]))
    return t_us[of], session[of], columns


@kernel
def _paired(
    kind: Any, session: Any, t_us: Any, key: Any, key_class: Any, bit_of: Any
) -> tuple[Any, Any]:
    """Return slot and modifiers of each row (int8[n] each); rows are in order of time.

    A key that goes down while it is down, within `REPEAT_US_MAX` of its last time and with no other
    key going down between, is a repeat; else its release was lost, and it is a new press.
    """
    n = kind.shape[0]
    slot = np.zeros(n, np.int8)
    modifiers = np.zeros(n, np.int8)
    held = np.full(128, -1, np.int64)
    since = np.zeros(128, np.int64)
    bit = np.zeros(128, np.int8)
    last = -1
    top = 0
    for i in range(n):
        if i > 0 and session[i] != session[i - 1]:
            held[:] = -1
            last = -1
            top = 0
        if kind[i] != _DOWN and kind[i] != _UP:
            continue
        mine = 0
        free = 0
        for s in range(1, top + 1):
            if held[s] == key[i]:
                mine = s
            elif held[s] < 0 and free == 0:
                free = s
        mark = 0
        if kind[i] == _DOWN:
            if mine and last == key[i] and t_us[i] - since[mine] <= REPEAT_US_MAX:
                mark = _REPEAT
            else:
                if mine and (free == 0 or mine < free):
                    free = mine
                if mine:
                    held[mine] = -1
                if free == 0 and top < 127:
                    top += 1
                    free = top
                mine = free
            if mine:
                held[mine] = key[i]
                since[mine] = t_us[i]
                bit[mine] = bit_of[key_class[i]]
            last = key[i]
        elif mine:
            held[mine] = -1
        slot[i] = mine
        for s in range(1, top + 1):
            if held[s] >= 0 and t_us[i] - since[s] <= HELD_US_MAX:
                mark |= bit[s]
        modifiers[i] = mark
    return slot, modifiers


@kernel
def _clicks(kind: Any, session: Any, t_us: Any, button: Any, x: Any, y: Any) -> Any:
    """Return int64[n]: how many clicks in a row a release makes, 0 where it makes none."""
    n = kind.shape[0]
    made = np.zeros(n, np.int64)
    pressed = np.full(128, -1, np.int64)
    count = 0
    last = -1
    for i in range(n):
        if i > 0 and session[i] != session[i - 1]:
            pressed[:] = -1
            last = -1
        if kind[i] == _PRESS:
            pressed[button[i]] = i
        elif kind[i] == _RELEASE and pressed[button[i]] >= 0:
            start = pressed[button[i]]
            pressed[button[i]] = -1
            if abs(x[i] - x[start]) > CLICK_8TH_MAX or abs(y[i] - y[start]) > CLICK_8TH_MAX:
                last = -1
                continue
            again = (
                last >= 0
                and button[last] == button[i]
                and t_us[start] - t_us[last] <= CLICK_GAP_US_MAX
                and abs(x[start] - x[last]) <= CLICK_8TH_MAX
                and abs(y[start] - y[last]) <= CLICK_8TH_MAX
            )
            count = min(count + 1, 32767) if again else 1
            last = i
            made[i] = count
    return made
