"""What waits to leave, told for the person: when, in which application, what, and every field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from overt.device.outbox import Entry
from overt.schema.columns import to_columns
from overt.schema.event import EVENT_SETS, EVENTS_BITS, SYMBOL_NAMED_BASE, KeyClass, Kind, Modifier

UNKNOWN, NONE = -1, 0
"""Applications: begun before what waits; the keyboard was elsewhere, the pointer was not."""

_KEYS = (Kind.KEY_DOWN, Kind.KEY_UP, Kind.COMMAND)
_MOVES = (Kind.POINTER_MOVE,)
_PRESSES = (Kind.POINTER_DOWN, Kind.POINTER_UP, Kind.CLICK, Kind.WHEEL)
GROUPS = {
    "keys": _KEYS,
    "moves": _MOVES,
    "presses": _PRESSES,
    "elements": (Kind.ELEMENT,),
    "patches": (Kind.PICTURE,),
}
"""Kinds of event as the page counts them; what is in none is a mark."""


@dataclass(frozen=True)
class Waiting:
    """One entry of the outbox, opened."""

    entry: Entry
    rows: Any
    """Columns of `EVENTS`, by name."""
    header: Mapping[str, Any]
    application: Any
    """int[n]: which had the keyboard, by its number in the study; `NONE` or `UNKNOWN`."""

    @property
    def id(self) -> str:
        """Its name in an address."""
        return self.entry.name.removeprefix("outbox/")

    @cached_property
    def applications(self) -> tuple[int, ...]:
        """Which applications had the keyboard meanwhile, in order."""
        return tuple(dict.fromkeys(int(one) for one in self.application))

    def counts(self, of: Any = None) -> dict[str, int]:
        """Return how many events of each group it has; what is left over are marks."""
        kinds = self.rows["kind"] if of is None else self.rows["kind"][of]
        found = {name: int(np.isin(kinds, group).sum()) for name, group in GROUPS.items()}
        found["marks"] = len(kinds) - sum(found.values())
        return {name: count for name, count in found.items() if count}

    @property
    def at_ms(self) -> Any:
        """int[n]: when each event was, ms since 1970."""
        return int(self.header["time_origin_ms"]) + self.rows["t_us"] // 1000

    def fields(self) -> list[list[str]]:
        """Return every event as it would leave: names for what has names, and no column left out.

        Columns that are 0 throughout are named by `empty`.
        """
        columns = [self._named(name) for name in self.filled]
        return [list(row) for row in zip(*columns, strict=True)]

    @property
    def filled(self) -> list[str]:
        """Columns that say anything here."""
        return [name for name in EVENTS_BITS if self.rows[name].any() or name in ("seq", "t_us")]

    @property
    def empty(self) -> list[str]:
        """Columns that are 0 in every event."""
        return [name for name in EVENTS_BITS if name not in self.filled]

    def _named(self, column: str) -> list[str]:
        values = self.rows[column].tolist()
        if column == "modifiers":
            return ["+".join(str(one.name).lower() for one in Modifier if one & v) for v in values]
        if column == "key_symbol":
            return [_key(value) for value in values]
        if column not in EVENT_SETS:
            return [str(value) for value in values]
        names = {int(member): str(member.name).lower() for member in EVENT_SETS[column] if member}
        return [names.get(value, "") for value in values]


def _key(symbol: int) -> str:
    """Return which key it was as the person knows it: its character, or its name."""
    if symbol < SYMBOL_NAMED_BASE:
        return chr(symbol).replace(" ", "␣") if symbol > 0 else ""
    named = symbol - SYMBOL_NAMED_BASE
    return KeyClass(named).name.lower() if named <= max(KeyClass) else str(symbol)


def opened(entries: Sequence[Entry]) -> list[Waiting]:
    """Open entries, oldest first, and tell which application had the keyboard at each event."""
    made = []
    for entry in entries:
        header, columns = to_columns(entry.plain)
        made.append((entry, columns, header._asdict()))
    known = _applications([(str(h["session"]), columns) for _, columns, h in made])
    return [
        Waiting(entry, columns, header, application)
        for (entry, columns, header), application in zip(made, known, strict=True)
    ]


def _applications(parts: Sequence[tuple[str, dict[str, Any]]]) -> list[Any]:
    """Return, for each part, which application had the keyboard: the last focus before counts."""
    found = [np.full(len(columns["seq"]), UNKNOWN) for _, columns in parts]
    for session in {name for name, _ in parts}:
        mine = [k for k, (name, _) in enumerate(parts) if name == session]
        part = np.concatenate([np.full(len(found[k]), k) for k in mine])
        seq, kind, value = (
            np.concatenate([parts[k][1][column] for k in mine])
            for column in ("seq", "kind", "value")
        )
        order = np.argsort(seq, kind="stable")
        told = np.isin(kind[order], (Kind.FOCUS, Kind.BLUR))
        says = np.where(kind[order] == Kind.FOCUS, value[order], NONE)
        last = np.maximum.accumulate(np.where(told, np.arange(len(order)), -1))
        application = np.where(last >= 0, says[np.maximum(last, 0)], UNKNOWN)
        back = np.empty_like(application)
        back[order] = application
        for k in mine:
            found[k] = back[part == k]
    return found


@dataclass(frozen=True)
class Bar:
    """A minute of an application in the timeline."""

    minute: int
    """Minutes since 1970."""
    events: int


def timeline(waiting: Sequence[Waiting]) -> dict[int, list[Bar]]:
    """Return application → its minutes with anything in them, in order of time."""
    counts: dict[int, dict[int, int]] = {}
    for one in waiting:
        minutes = one.at_ms // 60_000
        for application in one.applications:
            mine = counts.setdefault(application, {})
            found, times = np.unique(minutes[one.application == application], return_counts=True)
            for minute, count in zip(found.tolist(), times.tolist(), strict=True):
                mine[minute] = mine.get(minute, 0) + count
    return {
        application: [Bar(minute, count) for minute, count in sorted(mine.items())]
        for application, mine in sorted(counts.items())
    }
