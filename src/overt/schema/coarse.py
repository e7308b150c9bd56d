"""`rhythm/1`: keys without their rhythm. The rule, and the check that a batch keeps to it.

What `rhythm/0` leaves is enough to recognise most people. This version keeps what was done and in
which order, but of typing only about when:

- releases of keys, repeats of a held key, presses of modifier keys, and commands do not exist:
  a command would say again which key went down with which modifier;
- nor does the size of the window, by which a device is told from others;
- digits and punctuation are letters; slots and modifiers are 0;
- of finger and pen (`TOUCHED`, on moves) neither pressure nor size of the contact: they are the
  body's, not the movement's;
- whatever a key does (`TIMED`: presses, edits, composition, selection, focus, and clicks without a
  pointer) happens at a whole second of the session.

Pointer and scrolling keep their times: they are another habit, with attacks of its own. What is
left to an attacker is measured by `overt audit linkage --level rhythm/1`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from overt.schema.errors import InvalidInput
from overt.schema.event import KeyClass, Kind, Modifier, Pointer

if TYPE_CHECKING:
    import pyarrow as pa

COARSE = "rhythm/1"
STEP_US = 1_000_000

TIMED = (
    Kind.KEY_DOWN,
    Kind.EDIT,
    Kind.COMPOSITION_START,
    Kind.COMPOSITION_END,
    Kind.SELECTION,
    Kind.FOCUS,
    Kind.BLUR,
    Kind.NAVIGATION,
)
HELD = (KeyClass.SHIFT, KeyClass.CONTROL, KeyClass.ALT, KeyClass.META, KeyClass.CAPS_LOCK)
"""Modifier keys: their presses do not exist at `rhythm/1`."""

GONE = (Kind.KEY_UP, Kind.COMMAND, Kind.VIEW)
"""Kinds that do not exist at `rhythm/1`."""

TOUCHED = ("value", "scroll_x_css_px", "scroll_y_css_px")
"""Columns that are 0 on pointer moves at `rhythm/1`."""

TYPED = (KeyClass.DIGIT, KeyClass.PUNCTUATION)
"""Classes that are letters at `rhythm/1`."""


def timed(kind: Any, pointer: Any) -> Any:
    """Return bool[n]: the rows whose time is kept to the second."""
    by_key = (kind == Kind.CLICK) & (pointer == Pointer.NONE)
    return np.isin(kind, [int(k) for k in TIMED]) | by_key


def left_out(kind: Any, key_class: Any, modifiers: Any) -> Any:
    """Return bool[n]: the rows that do not exist at `rhythm/1`."""
    held = np.isin(key_class, [int(c) for c in HELD]) | (modifiers & Modifier.REPEAT > 0)
    gone = np.isin(kind, [int(k) for k in GONE])
    return gone | ((kind == Kind.KEY_DOWN) & held)


def check(rows: pa.RecordBatch, t0_us: int) -> None:
    """Raise `InvalidInput` for rows (schema `WIRE`) that say more than `rhythm/1` may."""
    column = {
        name: rows.column(name).to_numpy()
        for name in ("kind", "dt_us", "key_class", "slot", "modifiers", "pointer", *TOUCHED)
    }
    if left_out(column["kind"], column["key_class"], column["modifiers"]).any():
        raise _more("kind")
    for name in ("slot", "modifiers"):
        if column[name].any():
            raise _more(name)
    moves = column["kind"] == Kind.POINTER_MOVE
    for name in TOUCHED:
        if column[name][moves].any():
            raise _more(name)
    if np.isin(column["key_class"], [int(c) for c in TYPED]).any():
        raise _more("key_class")
    t_us = t0_us + np.cumsum(column["dt_us"], dtype=np.int64)
    if (t_us[timed(column["kind"], column["pointer"])] % STEP_US).any():
        raise _more("dt_us")


def _more(name: str) -> InvalidInput:
    return InvalidInput(f"says more than {COARSE} may", where=f"rows.{name}")
