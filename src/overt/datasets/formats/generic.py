"""Importer of tables that a mapping file describes: CSV or Parquet, one event or key press a row.

See `overt.datasets.formats.mapping` and `docs/how-to/import-your-own-format.md`. Secret rows are
not created; characters are kept only at level `keys`, for which the mapping must say what is
secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa

from overt.datasets.formats.mapping import FILE, FOLDER, Coded, TableMapping
from overt.datasets.reading import delimited, files, keycodes, parquet, sessions
from overt.datasets.reading.files import Found
from overt.datasets.reading.imported import ImportedPerson, Progress, Skipped, taken
from overt.datasets.reading.sheet import POSITION_PX_MAX, SCROLL_PX_MAX, Sheet
from overt.schema.errors import InvalidInput
from overt.schema.event import Kind

SECRET = "row of a secret field"  # noqa: S105
IGNORED = "row of a kind the mapping leaves out"
_POINTER_KINDS = (Kind.POINTER_MOVE, Kind.POINTER_DOWN, Kind.POINTER_UP, Kind.CLICK)
_KEY_KINDS = (Kind.KEY_DOWN, Kind.KEY_UP)


def read(
    path: Path,
    *,
    mapping: TableMapping | None = None,
    progress: Callable[[Progress], None] | None = None,
    skipped: Skipped | None = None,
) -> Iterator[ImportedPerson]:
    """Yield the people in `path`, one at a time, each after the last file they are in."""
    if mapping is None:
        raise InvalidInput(
            "needs a mapping file", where="FORMAT generic", do="Name one: --mapping."
        )
    names = files.paths(path, *mapping.files)
    last = {_place(mapping, name): number for number, name in enumerate(names)}
    waiting: dict[str, dict[str, _Gathered]] = {}
    people = 0
    for number, found in enumerate(files.named(path, *mapping.files)):
        place = _place(mapping, found.path)
        gathered = waiting.setdefault(place, {})
        for name, tables, left_out in taken(
            lambda f: _people_in(f, mapping, skipped), found, skipped
        ):
            gathered.setdefault(name, _Gathered()).add(tables, left_out)
        if last.get(place) == number:
            for one in waiting.pop(place).values():
                if one.tables:
                    people += 1
                    yield ImportedPerson(tuple(one.tables), left_out=one.left_out)
        if progress is not None:
            progress(Progress(people, None, found.bytes_done, found.bytes_total))


class _Gathered:
    """What was found of one person so far."""

    def __init__(self) -> None:
        self.tables: list[pa.Table] = []
        self.left_out: dict[str, int] = {}

    def add(self, tables: tuple[pa.Table, ...], left_out: dict[str, int]) -> None:
        self.tables += tables
        for reason, count in left_out.items():
            self.left_out[reason] = self.left_out.get(reason, 0) + count


def _place(mapping: TableMapping, path: str) -> str:
    """Return what the people of a file share with those of other files: nothing, folder, or all."""
    if mapping.person == (FILE,):
        return path
    return PurePosixPath(path).parent.as_posix() if mapping.person == (FOLDER,) else ""


def read_sheet(found: Found, mapping: TableMapping, skipped: Skipped | None) -> Sheet:
    """Return the columns that the mapping names of a CSV or Parquet file."""
    reader = parquet.read if found.data[:4] == b"PAR1" else delimited.read
    return reader(found.data, found.path, mapping.columns, skipped, wanted=())


def _people_in(
    found: Found, mapping: TableMapping, skipped: Skipped | None
) -> Iterator[tuple[str, tuple[pa.Table, ...], dict[str, int]]]:
    """Yield name, sessions and what was left out of each person in a file."""
    sheet = read_sheet(found, mapping, skipped)
    nobody = np.zeros(sheet.rows, np.int64)
    by_column = mapping.person and mapping.person[0] not in (FILE, FOLDER)
    person, people = sheet.groups(*mapping.person) if by_column else (nobody, 1)
    session = sheet.groups(*mapping.session)[0] if mapping.session else nobody
    made = _Columns(sheet, mapping)
    names = [sheet.encoded(column) for column in mapping.person] if by_column else []
    for number in range(people):
        own = person == number
        mine = np.flatnonzero(own & made.kept)
        row = int(np.argmax(own)) if own.size else 0
        name = "\0".join(texts[int(code[row])] for code, texts in names) if own.any() else ""
        left_out = {reason: int((rows & own).sum()) for reason, rows in made.left_out.items()}
        tables = made.tables(mine, session[mine]) if mine.size else ()
        yield name, tables, {reason: count for reason, count in left_out.items() if count}


class _Columns:
    """Columns of events, one for each row of a sheet."""

    def __init__(self, sheet: Sheet, mapping: TableMapping) -> None:
        self._mapping = mapping
        self._time_us = sheet.times(mapping.time, mapping.time_unit)
        kind = _coded(sheet, mapping.kind)
        made, secret = kind > 0, np.zeros(sheet.rows, np.bool_)
        if mapping.secret:
            code, texts = sheet.encoded(mapping.secret)
            hidden = [not t.strip() or t.strip().lower() in mapping.secret_values for t in texts]
            secret = np.array(hidden or [False])[code]
        is_key = made & ~secret & np.isin(kind, _KEY_KINDS)
        placed = made & ~secret & np.isin(kind, _POINTER_KINDS if mapping.x else ())
        needs_button = made & np.isin(kind, (Kind.POINTER_DOWN, Kind.POINTER_UP, Kind.CLICK))
        self._placed, self._is_key = placed, is_key
        self._key, keys = self._keys(sheet, is_key)
        none = np.zeros(sheet.rows, np.int64)
        self._columns = {
            "kind": kind,
            "key_class": keys[:, 0],
            "key_symbol": keys[:, 1] if mapping.level == "keys" else none,
            "button": _coded(sheet, mapping.button, where=needs_button) * needs_button,
            "pointer": _coded(sheet, mapping.pointer, where=placed) * placed,
            "role": _coded(sheet, mapping.role),
            "value": (kind == Kind.CLICK).astype(np.int64),
        }
        for axis in "xy":
            column = getattr(mapping, axis)
            if column:
                high = POSITION_PX_MAX / abs(mapping.position_px)
                what = "a position"
                at = sheet.numbers(column, what, low=-high, high=high, where=placed)
                self._columns[f"{axis}_8th_css_px"] = sessions.position_8th(
                    at * mapping.position_px
                )
        self._scroll = self._scrolls(sheet, made & np.isin(kind, (Kind.SCROLL, Kind.WHEEL)))
        self._released_us = None
        if mapping.released:
            self._released_us = sheet.times(mapping.released, mapping.time_unit, optional=True)
        self._element = None
        if mapping.element:
            code, texts = sheet.encoded(mapping.element)
            blank = np.array([not text.strip() for text in texts] or [False])[code]
            self._element = np.where(blank, -1, code)
        self.kept = sheet.good & made & ~secret
        self.left_out = {SECRET: sheet.good & secret, IGNORED: sheet.good & ~made & ~secret}

    def _keys(self, sheet: Sheet, is_key: Any) -> tuple[Any, Any]:
        """Return which key each key event is of (-1 on others), and class and symbol."""
        mapping = self._mapping
        if not mapping.key:
            return np.full(sheet.rows, -1), np.zeros((sheet.rows, 3), np.int64)
        code, texts = sheet.encoded(mapping.key)
        empty = np.array([not text for text in texts] or [False])[code]
        sheet.mark(empty & is_key, mapping.key, "is empty")
        if mapping.key_is == "class":
            kinds = sheet.codes(mapping.key, mapping.key_classes, where=is_key)
            keys = np.zeros((sheet.rows, 3), np.int64)
            keys[:, 0] = np.maximum(kinds, 0) * is_key
            return np.where(is_key, code, -1), keys
        if mapping.key_is == "code":
            what = "a JavaScript key code"
            sheet.numbers(mapping.key, what, low=0, high=1e6, where=is_key)
            known = [keycodes.key_of("", _int(text)) for text in texts]
        else:
            known = [keycodes.key_called(text) for text in texts]
        names = [text if len(text) > 1 else text.lower() for text in texts]
        same = {name: number for number, name in enumerate(dict.fromkeys(names))}
        number = np.array([same[name] for name in names] or [0], np.int64)[code]
        keys = np.array(known or [keycodes.key_of("", 0)], np.int64)[code]
        keys[~is_key] = 0
        return np.where(is_key, number, -1), keys

    def _scrolls(self, sheet: Sheet, rows: Any) -> dict[str, Any]:
        made = {}
        for axis in "xy":
            column = getattr(self._mapping, f"scroll_{axis}")
            if column:
                high = SCROLL_PX_MAX / abs(self._mapping.scroll_px)
                what = "a distance scrolled"
                values = sheet.numbers(column, what, low=-high, high=high, where=rows)
                made[f"scroll_{axis}_css_px"] = np.nan_to_num(values) * self._mapping.scroll_px
        return made

    def tables(self, rows: Any, session: Any) -> tuple[pa.Table, ...]:
        """Return the sessions of some rows, in order of the session's number."""
        columns = {name: values[rows] for name, values in self._columns.items()}
        time_us, key, placed = self._time_us[rows], self._key[rows], self._placed[rows]
        element = None if self._element is None else self._element[rows]
        for name, values in self._scroll.items():
            columns[name] = self._moved(values[rows], session, time_us, columns["kind"], element)
        if self._released_us is not None:
            released = self._released_us[rows]
            ups = np.flatnonzero((columns["kind"] == Kind.KEY_DOWN) & (released >= time_us))
            of = np.concatenate([np.arange(rows.size), ups])
            columns = {name: values[of] for name, values in columns.items()}
            columns["kind"][rows.size :] = int(Kind.KEY_UP)
            time_us = np.concatenate([time_us, released[ups]])
            session, key, placed = session[of], key[of], placed[of]
            element = None if element is None else element[of]
        return sessions.tables(
            session,
            time_us,
            columns,
            key=key,
            element=element,
            placed=placed if self._mapping.x else None,
            clicks=not self._mapping.has_clicks,
        )

    def _moved(self, values: Any, session: Any, time_us: Any, kind: Any, element: Any) -> Any:
        """Return how far each row scrolled: as it says, or since the row before in one element."""
        if self._mapping.scroll_is == "change":
            return sessions.whole(values)
        made = np.zeros(values.size, np.int64)
        of = np.zeros(values.size, np.int64) if element is None else element
        scrolls = np.flatnonzero((kind == Kind.SCROLL) | (kind == Kind.WHEEL))
        order = scrolls[np.lexsort((time_us[scrolls], of[scrolls], session[scrolls]))]
        offset = sessions.whole(values[order])
        begins = (np.diff(session[order], prepend=-1) != 0) | (np.diff(of[order], prepend=-2) != 0)
        made[order] = np.where(begins, offset, np.diff(offset, prepend=0))
        return made


def _coded(sheet: Sheet, coded: Coded, where: Any = None) -> Any:
    if not coded.column:
        return np.full(sheet.rows, coded.always)
    # What is left out is -1 in the mapping; 0 here says the same.
    known = {text: max(number, 0) for text, number in coded.values.items()}
    return sheet.codes(coded.column, known, where=where)


def _int(text: str) -> int:
    try:
        return int(float(text))
    except (ValueError, OverflowError):
        return 0
