"""Sessions of typing in a text field, from tables with one row a press and its release."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from overt.datasets import rows
from overt.datasets.reading.imported import ImportedPerson
from overt.schema.event import Edit, KeyClass, Kind, Modifier, Role

HOLD_US_MAX = 60_000_000
LOST_RELEASE = "release before its press, or more than a minute after it"
SESSION_GAP_US_MAX = 30 * 60_000_000
_HELD_BITS = (
    (KeyClass.SHIFT, Modifier.SHIFT),
    (KeyClass.CONTROL, Modifier.CONTROL),
    (KeyClass.ALT, Modifier.ALT),
)


def person(
    press_us: Any, release_us: Any, keys: Any, section: Any, *, by_time: bool = True
) -> ImportedPerson:
    """Return one person from their presses in any order.

    A section is a session; so is what follows a gap of half an hour within one. A release before
    its press, or more than a minute after it, is left out and counted.

    Args:
        press_us: float64[n], from any origin.
        release_us: float64[n], from the same.
        keys: int64[n, 3], `overt.datasets.reading.keycodes.Key`.
        section: int64[n], from 0.
        by_time: sections are in order of their first press; else in order of their number.
    """
    first_us = np.full(int(section.max()) + 1, np.inf)
    np.minimum.at(first_us, section, press_us)
    turn = first_us[section] if by_time else section
    order = np.lexsort((press_us, section, turn))
    press_us, release_us, keys = press_us[order], release_us[order], keys[order]
    origin_us = press_us[0]
    press = np.rint(press_us - origin_us).astype(np.int64)
    release = np.rint(release_us - origin_us).astype(np.int64)
    released = (release >= press) & (release - press <= HOLD_US_MAX)
    changes = np.diff(section[order], prepend=section[order[0]]) != 0
    session = np.cumsum(changes | (np.diff(press, prepend=press[0]) > SESSION_GAP_US_MAX))
    lost = int((~released).sum())
    return ImportedPerson(
        sessions=tables(press, release, released, keys, session),
        presses=press.size,
        releases_dropped=lost,
        left_out={LOST_RELEASE: lost} if lost else {},
    )


def _held(at: Any, key_class: Any, press: Any, release: Any, released: Any) -> Any:
    """Return the modifier bits at each time in `at`: a modifier is on from its press on."""
    bits = np.zeros(at.size, np.int64)
    for held, bit in _HELD_BITS:
        own = (key_class == held) & released
        if own.any():
            down = np.searchsorted(np.sort(press[own]), at, side="right")
            bits |= np.where(down > np.searchsorted(np.sort(release[own]), at, "right"), bit, 0)
    return bits


def tables(
    press: Any, release: Any, released: Any, keys: Any, session: Any
) -> tuple[pa.Table, ...]:
    """Return one table of schema `EVENTS` a session: key down, key up, and what each key edited.

    Presses are sorted by session and time. An edit is an inserted or deleted character (with
    Control held, a deleted word), as a text field would report it.

    Args:
        press: int64[n], µs.
        release: int64[n], µs.
        released: bool[n]; False where the release is not known, and `release` means nothing.
        keys: int64[n, 3], `overt.datasets.reading.keycodes.Key`.
        session: int64[n], not decreasing.
    """
    key_class, symbol, inserts = keys[:, 0], keys[:, 1], keys[:, 2] > 0
    at_press = _held(press, key_class, press, release, released)
    at_release = _held(release, key_class, press, release, released)
    shortcut = (at_press & Modifier.CONTROL > 0) & (at_press & Modifier.ALT == 0)
    edit = np.where(inserts & ~shortcut, int(Edit.INSERT_TEXT), 0)
    back, forward = key_class == KeyClass.BACKSPACE, key_class == KeyClass.DELETE
    edit[back] = np.where(shortcut[back], Edit.DELETE_WORD_BACKWARD, Edit.DELETE_CHAR_BACKWARD)
    edit[forward] = np.where(shortcut[forward], Edit.DELETE_WORD_FORWARD, Edit.DELETE_CHAR_FORWARD)
    downs = np.arange(press.size)
    ups, edits = np.flatnonzero(released), np.flatnonzero(edit)
    of = np.concatenate([downs, ups, edits])
    parts = np.repeat([0, 1, 2], [downs.size, ups.size, edits.size])
    kind = np.array([Kind.KEY_DOWN, Kind.KEY_UP, Kind.EDIT], np.int8)[parts]
    t_us = np.where(parts == 1, release[of], press[of])
    rank = np.array([1, 0, 2])[parts]
    rank[(parts == 1) & (release[of] == press[of])] = 3
    order = np.lexsort((rank, t_us, session[of]))
    of, parts, kind, t_us = of[order], parts[order], kind[order], t_us[order]
    starts = np.flatnonzero(np.diff(session[of], prepend=-1))
    lengths = np.diff(starts, append=of.size)
    is_key, is_edit = parts < 2, parts == 2
    edits_of = np.where(is_edit, edit[of], 0)
    single = np.isin(
        edits_of, [Edit.INSERT_TEXT, Edit.DELETE_CHAR_BACKWARD, Edit.DELETE_CHAR_FORWARD]
    )
    columns = {
        "seq": np.arange(of.size) - np.repeat(starts, lengths),
        "t_us": t_us - np.repeat(t_us[starts], lengths),
        "kind": kind,
        "key_class": np.where(is_key, key_class[of], 0),
        "key_symbol": np.where(is_key, symbol[of], 0),
        "slot": rows.slots_of(kind, session[of], np.where(is_key, of, -1), press.size),
        "modifiers": np.where(is_key, np.where(parts == 1, at_release[of], at_press[of]), 0),
        "edit": edits_of,
        "edit_chars": single,
        "role": np.full(of.size, int(Role.TEXT_FIELD)),
        "element": np.ones(of.size),
    }
    whole = rows.table(of.size, columns)
    bounds = [*starts.tolist(), of.size]
    return tuple(whole.slice(start, end - start) for start, end in pairwise(bounds))
