"""De-identifying transforms, by the name that every batch carries in its header."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from overt.schema.coarse import COARSE, STEP_US, TOUCHED, TYPED, left_out, timed
from overt.schema.event import EVENTS, KeyClass, Kind

_SYMBOL = EVENTS.get_field_index("key_symbol")


def to_rhythm0(events: pa.Table) -> pa.Table:
    """Return the events as `rhythm/0` has them: which key is gone, its class and timing stay.

    Shape and order of the rows do not change. Timing is left untouched on purpose: what that
    leaves to an attacker is measured by `overt.audit.linkage`.
    """
    none = pa.array(np.zeros(events.num_rows, np.int32), pa.int32())
    return events.set_column(_SYMBOL, EVENTS.field(_SYMBOL), none)


def to_rhythm1(events: pa.Table) -> pa.Table:
    """Return the events as `rhythm/1` has them (`overt.schema.coarse`): keys to the second.

    Rows that do not exist there are left out, and the rest is numbered anew. Seconds are those of
    the session's clock, `t_us` = 0 being one. Doing it twice changes nothing.

    >>> from overt.datasets import rows
    >>> typed = rows.table(2, {"kind": [1, 2], "t_us": [1_400_000, 1_490_000], "key_class": [2, 2]})
    >>> to_rhythm1(typed).select(["kind", "t_us", "key_class"]).to_pydict()
    {'kind': [1], 't_us': [1000000], 'key_class': [1]}
    """
    column = {name: events.column(name).to_numpy() for name in EVENTS.names}
    kept = ~left_out(column["kind"], column["key_class"], column["modifiers"])
    made = {name: values[kept] for name, values in column.items()}
    typed = np.isin(made["key_class"], [int(c) for c in TYPED])
    by_key = timed(made["kind"], made["pointer"])
    moves = made["kind"] == Kind.POINTER_MOVE
    made |= {name: np.where(moves, 0, made[name]) for name in TOUCHED}
    nothing = np.zeros(int(kept.sum()), np.int64)
    made |= {
        "seq": np.arange(nothing.size),
        "t_us": np.where(by_key, made["t_us"] // STEP_US * STEP_US, made["t_us"]),
        "key_class": np.where(typed, int(KeyClass.LETTER), made["key_class"]),
        "key_symbol": nothing,
        "slot": nothing,
        "modifiers": nothing,
    }
    return pa.table([pa.array(made[f.name], f.type) for f in EVENTS], schema=EVENTS)


TRANSFORMS = {"rhythm/0": to_rhythm0, COARSE: to_rhythm1}
"""Transforms of level `rhythm` by name."""


def transform_of(level: str) -> str:
    """Return the transform that a detail level means: a level's own version, or version 0."""
    return level if "/" in level else f"{level}/0"
