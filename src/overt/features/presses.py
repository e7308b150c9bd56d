"""Presses: each key down with its release and the intervals to the press before it.

The end points name an interval: `hold` (down to up of one key), and between a press and the one
before it `down_down`, `up_down` (negative when keys roll over) and `up_up`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from overt.features.kernel import kernel
from overt.features.sums import Events, Room
from overt.schema.event import Kind, Modifier

UNKNOWN = np.iinfo(np.int64).min
"""Stands for a time or an interval that is not known, in the arrays; null in tables."""

_UNKNOWN = int(UNKNOWN)
_DOWN, _UP, _REPEAT = int(Kind.KEY_DOWN), int(Kind.KEY_UP), int(Modifier.REPEAT)

PRESSES = pa.schema(
    [
        pa.field("t_us", pa.int64(), nullable=False),
        pa.field("key_class", pa.int8(), nullable=False),
        pa.field("key_symbol", pa.int32(), nullable=False),
        pa.field("hold_us", pa.int64()),
        pa.field("down_down_us", pa.int64()),
        pa.field("up_down_us", pa.int64()),
        pa.field("up_up_us", pa.int64()),
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class Presses:
    """The presses of one session in order, as arrays of one length; `UNKNOWN` where not known."""

    row: Any
    """int64[n], row of the key down in the events."""
    t_us: Any
    """int64[n], time of the key down."""
    key_class: Any
    """int8[n]"""
    key_symbol: Any
    """int32[n], 0 at `rhythm`."""
    hold_us: Any
    """int64[n], release minus press of the same key, at least 0."""
    down_down_us: Any
    """int64[n], press minus the press before; unknown for the first."""
    up_down_us: Any
    """int64[n], press minus the release of the press before: negative when it was still down."""
    up_up_us: Any
    """int64[n], release minus the release of the press before; may be negative."""

    def __len__(self) -> int:
        return int(self.t_us.shape[0])


@kernel
def pair(
    kind: Any, t_us: Any, slot: Any, modifiers: Any, row: Any, down: Any, up: Any, press_in: Any
) -> int:
    """Note row, down and up of each press; `up` is unknown where no release pairs with it.

    Returns how many there are. `row`, `down` and `up` are int64[events], `press_in` int64[128] of
    -1: the press whose key is down, by slot.

    Repeats of a held key are no presses. A slot that is pressed again without a release in between
    has lost its release.
    """
    made = 0
    for i in range(kind.shape[0]):
        if kind[i] == _DOWN:
            if modifiers[i] & _REPEAT == 0:
                row[made] = i
                down[made] = t_us[i]
                up[made] = _UNKNOWN
                if slot[i] > 0:
                    press_in[slot[i]] = made
                made += 1
        elif kind[i] == _UP and slot[i] > 0 and press_in[slot[i]] >= 0:
            press = press_in[slot[i]]
            press_in[slot[i]] = -1
            if t_us[i] >= down[press]:
                up[press] = t_us[i]
    return made


def paired(events: Events) -> tuple[Any, Any, Any]:
    """Return row, down and up of each press (see `pair`), in arrays of the events' room."""
    columns = [events[name] for name in ("kind", "t_us", "slot", "modifiers")]
    row, down, up = (
        events.room.of(name, len(columns[0]), np.int64) for name in ("row", "down", "up")
    )
    count = pair(*[*columns, row, down, up, np.full(128, -1)])
    return row[:count], down[:count], up[:count]


def presses_of(events: pa.Table) -> Presses:
    """Return the presses of one session (schema `EVENTS`) as arrays."""
    row, down, up = paired(Events(events, Room()))
    down_before, up_before = _before(down), _before(up)
    return Presses(
        row=row,
        t_us=down,
        key_class=events.column("key_class").to_numpy()[row],
        key_symbol=events.column("key_symbol").to_numpy()[row],
        hold_us=_between(down, up),
        down_down_us=_between(down_before, down),
        up_down_us=_between(up_before, down),
        up_up_us=_between(up_before, up),
    )


def _before(times: Any) -> Any:
    return np.concatenate([np.full(min(times.size, 1), _UNKNOWN), times[:-1]])


def _between(start: Any, end: Any) -> Any:
    known = (start != _UNKNOWN) & (end != _UNKNOWN)
    return np.where(known, np.where(known, end, 0) - np.where(known, start, 0), _UNKNOWN)


def presses(events: pa.Table) -> pa.Table:
    """Return the presses of one session as a table of schema `PRESSES`, null where not known.

    Unit: µs. Needs one press; intervals need two. A clock with step d adds an error of up to ±d to
    each interval, and hides the sign of an `up_down_us` shorter than d.
    Source: names after Killourhy & Maxion 2009 (hold, keydown-keydown, keyup-keydown).

    >>> from overt.datasets import rows
    >>> two_keys_rolled_over = rows.table(4, {
    ...     "kind": [1, 1, 2, 2], "t_us": [0, 90, 110, 180], "slot": [1, 2, 1, 2]})
    >>> presses(two_keys_rolled_over).select(["hold_us", "up_down_us"]).to_pydict()
    {'hold_us': [110, 90], 'up_down_us': [None, -20]}
    """
    found = presses_of(events)
    made = []
    for field in PRESSES:
        values = getattr(found, field.name)
        unknown = values == _UNKNOWN if field.nullable else None
        made.append(pa.array(values, field.type, mask=unknown))
    return pa.table(made, schema=PRESSES)
