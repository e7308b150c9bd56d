"""Key presses of synthetic people, for the comparison that a page makes in its own memory.

The page sends nothing for it: everybody gets the same made-up people, whoever asks.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pyarrow as pa

from overt.datasets import synthetic
from overt.schema.event import Kind, Modifier

PEOPLE = 24
SEED = 20_26
MINUTES = 4.0
PRESSES_MAX = 1200


@cache
def profiles() -> dict[str, Any]:
    """Return `{label, people}`; per person a list of [symbol, class, down µs, up µs] in order."""
    made = synthetic.people(PEOPLE, SEED, sessions=1, minutes=MINUTES, pointer_moves=False)
    return {"label": "synthetic", "people": [presses(person.sessions[0]) for person in made]}


def presses(events: pa.Table) -> list[list[int]]:
    """Return the presses of one session (schema `EVENTS`, `raw/0`) that were released.

    Each is [key symbol, key class, down µs, up µs]; repeats of a held key are left out.
    """
    names = ("kind", "t_us", "key_symbol", "key_class", "slot", "modifiers")
    rows = zip(*(events.column(name).to_pylist() for name in names), strict=True)
    found: list[list[int]] = []
    held: dict[int, list[int]] = {}
    for kind, t_us, symbol, key_class, slot, modifiers in rows:
        if kind == Kind.KEY_DOWN and not modifiers & Modifier.REPEAT:
            held[slot] = [symbol, key_class, t_us, 0]
            found.append(held[slot])
        elif kind == Kind.KEY_UP and slot in held:
            held.pop(slot)[3] = t_us
    return [press for press in found if press[3]][:PRESSES_MAX]
