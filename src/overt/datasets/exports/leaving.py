"""What of a person's events goes out, and what the card beside them says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from overt.datasets.transform import to_rhythm0
from overt.schema.event import SYMBOL_NAMED_BASE, KeyClass, Kind


@dataclass(frozen=True, kw_only=True)
class About:
    """What the card of an export says; no person is named, and people are counted in ranges."""

    study: str
    title: str
    purpose: str
    transform: str
    """Detail level and version of the de-identification of what leaves."""
    with_keys: bool
    """Key codes and characters are in it."""
    version: str
    """Of Overt."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """Range of the count of people by origin; empty where a person exports their own."""
    source: str = ""
    licence: str = ""
    lawful_basis: str = ""
    attacks: tuple[str, ...] = ()
    """One sentence for each attack that was run on these people."""

    @property
    def synthetic(self) -> bool:
        """Whether any of it is made up."""
        return "synthetic" in self.origins


@dataclass(frozen=True)
class Leaving:
    """One person as they go out: a number that means nothing elsewhere, and their sessions."""

    name: str
    split: str
    """`train`, `validation` or `test`: whoever is judged on was not learned from."""
    origin: str
    sessions: tuple[pa.Table, ...] = field(repr=False)


@dataclass(frozen=True)
class Counted:
    """What was written."""

    people: int
    sessions: int
    events: int
    files: int

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return dict(vars(self))


def leaving(
    name: str, split: str, origin: str, sessions: Sequence[pa.Table], *, with_keys: bool
) -> Leaving:
    """Return a person without key codes and characters, unless `with_keys`; times begin at 0.

    The time of a session's beginning is not in its events, and so does not leave.
    """
    made = [one if with_keys else to_rhythm0(one) for one in sessions if one.num_rows]
    return Leaving(name, split, origin, tuple(made))


Columns = Mapping[str, Any]
"""Column → int64[n], of one session in order of time."""


def in_time(session: pa.Table) -> dict[str, Any]:
    """Return the columns of a session in order of time, which begins at 0.

    Rows are kept in order of dispatch, where coalesced samples are older than what is before them.
    """
    column = {
        name: session.column(name).to_numpy().astype(np.int64) for name in session.column_names
    }
    order = np.argsort(column["t_us"], kind="stable")
    made = {name: values[order] for name, values in column.items()}
    return {**made, "t_us": made["t_us"] - made["t_us"][:1].min(initial=2**62)}


def size_of(column: Columns) -> tuple[int, int]:
    """Return width and height in px: the window's if it is known, else what was pointed at."""
    view = np.flatnonzero(column["kind"] == int(Kind.VIEW))
    if view.size:
        at = view[0]
        return int(column["scroll_x_css_px"][at]), int(column["scroll_y_css_px"][at])
    across, down = (int(column[f"{axis}_8th_css_px"].max(initial=0) // 8 + 1) for axis in "xy")
    return across, down


def notches(column: Columns, px_a_notch: float) -> tuple[Any, Any]:
    """Return int64[n] steps of the wheel to the right and up, on its events; no turn is lost."""
    turned = column["kind"] == int(Kind.WHEEL)

    def steps(px: Any) -> Any:
        whole = np.rint(np.cumsum(np.where(turned, px, 0)) / px_a_notch).astype(np.int64)
        return np.diff(whole, prepend=0)

    return steps(column["scroll_x_css_px"]), -steps(column["scroll_y_css_px"])


def character(symbol: int) -> str:
    """Return the character of a key's symbol, or nothing where it has none."""
    return chr(symbol) if 0 < symbol < SYMBOL_NAMED_BASE else ""


TYPING = frozenset({KeyClass.LETTER, KeyClass.DIGIT, KeyClass.PUNCTUATION, KeyClass.SPACE})
"""Classes of keys that put a character there."""
