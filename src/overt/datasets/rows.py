"""Building event tables from columns: what is not given is 0, slots are allotted as on a device."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from overt.features.kernel import kernel
from overt.schema.event import EVENTS, Kind

SLOT_MAX = 127
_DOWN, _UP = int(Kind.KEY_DOWN), int(Kind.KEY_UP)
_DTYPES = {field.name: field.type.to_pandas_dtype() for field in EVENTS}


def table(count: int, columns: dict[str, Any]) -> pa.Table:
    """Return `count` events of schema `EVENTS`; columns that are not given are all 0."""
    zeros: dict[Any, Any] = {}
    made = []
    for field in EVENTS:
        if field.name in columns:
            values = np.ascontiguousarray(columns[field.name], dtype=_DTYPES[field.name])
            made.append(pa.array(values, field.type))
            continue
        if field.type not in zeros:
            zeros[field.type] = pa.array(np.zeros(count, _DTYPES[field.name]), field.type)
        made.append(zeros[field.type])
    return pa.table(made, schema=EVENTS)


def slots_of(kind: Any, session: Any, press: Any, presses: int) -> Any:
    """Return the slot of each row: lowest free number at key down, the same at its key up.

    `press` says which press (0 … `presses` - 1) a key row belongs to; `session` is not decreasing,
    and a new session begins with all slots free. A press without release keeps its slot.

    Args:
        kind: int8[n], in order of time.
        session: int64[n].
        press: int64[n], -1 on rows that are not key events.
        presses: how many presses there are.

    Returns:
        int8[n]; 0 on rows that are not key events, and when all 127 slots are taken.
    """
    slot = np.zeros(kind.shape[0], np.int8)
    _allot(kind, session, press, np.zeros(presses, np.int8), np.zeros(SLOT_MAX + 1, np.bool_), slot)
    return slot


@kernel
def _allot(kind: Any, session: Any, press: Any, slot_of_press: Any, taken: Any, slot: Any) -> None:
    for i in range(kind.shape[0]):
        if i > 0 and session[i] != session[i - 1]:
            for one in range(SLOT_MAX + 1):
                taken[one] = False
        if kind[i] == _DOWN:
            free = 1
            while free <= SLOT_MAX and taken[free]:
                free += 1
            if free <= SLOT_MAX:
                taken[free] = True
                slot_of_press[press[i]] = free
                slot[i] = free
        elif kind[i] == _UP:
            slot[i] = slot_of_press[press[i]]
            taken[slot[i]] = False
