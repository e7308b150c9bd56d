"""Importer of the Aalto typing logs: one TSV file a participant, one key press a line.

Dhakal, Feit, Kristensson, Oulasvirta: Observations on Typing from 136 Million Keystrokes, CHI 2018.
Columns used: PARTICIPANT_ID, TEST_SECTION_ID, PRESS_TIME and RELEASE_TIME (epoch ms), LETTER and/or
KEYCODE. The prompt and the submitted text are not read into anything.

One prompted sentence becomes one session of events at `raw/0`: a key down and a key up a press, and
an edit for each character put in or taken out, as a browser would report them. Lines are sorted by
press time. A release before its press, or more than a minute after it, is left out and counted:
the press is right, its hold is unknown. A gap of half an hour within a sentence begins a session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from overt.datasets import files, keycodes, rows, tsv
from overt.datasets.imported import ImportedPerson, Progress, Skipped
from overt.schema.errors import InvalidInput
from overt.schema.event import Edit, KeyClass, Kind, Modifier, Role

HOLD_US_MAX = 60_000_000
LOST_RELEASE = "release before its press, or more than a minute after it"
SESSION_GAP_US_MAX = 30 * 60_000_000
TIME_MS_MAX = 2.0**53 / 1000
_REQUIRED = ("PARTICIPANT_ID", "TEST_SECTION_ID", "PRESS_TIME", "RELEASE_TIME")
_HELD_BITS = (
    (KeyClass.SHIFT, Modifier.SHIFT),
    (KeyClass.CONTROL, Modifier.CONTROL),
    (KeyClass.ALT, Modifier.ALT),
)


def read(
    path: Path,
    *,
    progress: Callable[[Progress], None] | None = None,
    skipped: Skipped | None = None,
) -> Iterator[ImportedPerson]:
    """Yield the participants in `path`, one at a time.

    Args:
        path: a directory of `*_keystrokes.txt`, one such file, or a `.tar.zst` of them.
        progress: called after each participant.
        skipped: if given, bad rows and files are left out and counted here; if not, the first one
            raises `InvalidInput` with file, line, column and what was expected.
    """
    people = 0
    for found in files.named(path, "*_keystrokes.txt"):
        try:
            made = list(_people_in(found.data, found.name, skipped))
        except InvalidInput as error:
            if skipped is None:
                raise
            skipped.file(error.what)
            continue
        for person in made:
            people += 1
            yield person
        if progress is not None:
            progress(Progress(people, found.files_total, found.bytes_done, found.bytes_total))


def _milliseconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < TIME_MS_MAX:
        raise ValueError(text)
    return value


def _code(text: str) -> float:
    return float(int(float(text))) if text else 0.0


def _people_in(data: bytes, file: str, skipped: Skipped | None) -> Iterator[ImportedPerson]:
    sheet = tsv.read(data, file, _REQUIRED, skipped)
    if not {"LETTER", "KEYCODE"} & sheet.columns.keys():
        raise InvalidInput("has neither column LETTER nor KEYCODE", where=f"{file}, line 1")
    count = len(sheet.line)
    milliseconds = "a time in milliseconds"
    press: list[Any] = sheet.numbers("PRESS_TIME", milliseconds, _milliseconds, skipped)
    release: list[Any] = sheet.numbers("RELEASE_TIME", milliseconds, _milliseconds, skipped)
    codes: list[Any] = [0] * count
    if "KEYCODE" in sheet.columns:
        codes = sheet.numbers("KEYCODE", "a key code", _code, skipped)
    letters = sheet.columns.get("LETTER", [""] * count)
    known: dict[tuple[str, float], keycodes.Key] = {}
    keys = []
    for pair in zip(letters, codes, strict=True):
        if pair not in known:
            known[pair] = keycodes.key_of(pair[0], int(pair[1] or 0))
        keys.append(known[pair])
    table = np.array([*zip(press, release, codes, strict=True)], np.float64).reshape(count, 3)
    key_table = np.array(keys, np.int64).reshape(count, 3)
    person, section = (
        _numbered(sheet.columns["PARTICIPANT_ID"]),
        _numbered(sheet.columns["TEST_SECTION_ID"]),
    )
    good = ~np.isnan(table).any(axis=1)
    for number in range(int(person.max(initial=-1)) + 1):
        mine = good & (person == number)
        if mine.any():
            yield _person(table[mine, 0], table[mine, 1], key_table[mine], section[mine])


def _numbered(names: list[str]) -> Any:
    """Return equal numbers for equal names, from 0 in order of first appearance."""
    seen: dict[str, int] = {}
    return np.array([seen.setdefault(name, len(seen)) for name in names], np.int64)


def _person(press_ms: Any, release_ms: Any, keys: Any, section: Any) -> ImportedPerson:
    first_ms = np.full(int(section.max()) + 1, np.inf)
    np.minimum.at(first_ms, section, press_ms)
    order = np.lexsort((press_ms, section, first_ms[section]))
    press_ms, release_ms, keys = press_ms[order], release_ms[order], keys[order]
    origin_ms = press_ms[0]
    press = np.rint((press_ms - origin_ms) * 1000).astype(np.int64)
    release = np.rint((release_ms - origin_ms) * 1000).astype(np.int64)
    released = (release >= press) & (release - press <= HOLD_US_MAX)
    changes = np.diff(section[order], prepend=section[order[0]]) != 0
    session = np.cumsum(changes | (np.diff(press, prepend=press[0]) > SESSION_GAP_US_MAX))
    return ImportedPerson(
        sessions=_sessions(press, release, released, keys, session),
        presses=press.size,
        releases_dropped=int((~released).sum()),
        left_out={LOST_RELEASE: lost} if (lost := int((~released).sum())) else {},
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


def _sessions(
    press: Any, release: Any, released: Any, keys: Any, session: Any
) -> tuple[pa.Table, ...]:
    """Return one table a session from presses sorted by session and time."""
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
