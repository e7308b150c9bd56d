"""Importer of the MiniWoB human demonstrations: people who do small tasks in web pages.

Liu, Guu, Pasupat, Shi, Liang: Reinforcement Learning on Web Interfaces Using Workflow-Guided
Exploration, ICLR 2018. Three Parquet files: `episodes` (episode, assignment, demo), `events`
(episode, t_ms, type, x, y, key_code, target_ref) and `elements` (episode, ref, tag), which says
what the elements are.

A person is an assignment, a session an episode, in the order they were done. Keys pressed in a
password field, or where the field is not known, do not become events. Scrolls are left out: how
far was not recorded. A character that a key put into a text field, or a deletion there, becomes an
edit, as in a browser; which button was pressed was not recorded and is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from overt.datasets.reading import files, keycodes, parquet, roles, sessions
from overt.datasets.reading.imported import ImportedPerson, Progress, Skipped
from overt.datasets.reading.sheet import Sheet
from overt.schema.errors import InvalidInput
from overt.schema.event import Edit, KeyClass, Kind, Pointer, Role

PATTERN = ("*episodes.parquet", "*events.parquet", "*elements.parquet")
TYPES = {
    name: number
    for number, name in enumerate(
        ("mousedown", "mouseup", "click", "dblclick", "keydown", "keyup", "keypress", "scroll"),
        start=1,
    )
}
SECRET = "key in a password field, or in a field that is not known"  # noqa: S105
SCROLLED = "scroll, whose distance was not recorded"
INSTRUCTION_REF = 0
_KIND = np.zeros(9, np.int64)
for _name, _kind in (
    ("mousedown", Kind.POINTER_DOWN),
    ("mouseup", Kind.POINTER_UP),
    ("click", Kind.CLICK),
    ("keydown", Kind.KEY_DOWN),
    ("keyup", Kind.KEY_UP),
    ("keypress", Kind.EDIT),
):
    _KIND[TYPES[_name]] = int(_kind)


@dataclass(frozen=True)
class Episodes:
    """One row an episode, in the order of the file. All of length m."""

    episode: Any = field(repr=False)
    """int64[m], the file's number."""
    assignment: Any = field(repr=False)
    """int64[m], from 0 in order of first appearance."""
    demo: Any = field(repr=False)
    """float64[m], order of doing within the assignment."""


@dataclass(frozen=True)
class Actions:
    """One recorded event a row, in the order of the file. All of length n."""

    episode: Any = field(repr=False)
    """int64[n], the file's number of the episode."""
    time_us: Any = field(repr=False)
    """float64[n], from the start of the episode."""
    type: Any = field(repr=False)
    """int64[n], value of `TYPES`."""
    x_px: Any = field(repr=False)
    """float64[n], NaN on events without a position."""
    y_px: Any = field(repr=False)
    """float64[n], NaN on events without a position."""
    key_code: Any = field(repr=False)
    """int64[n], key code (key down, up) or code point (key press); 0 on others."""
    ref: Any = field(repr=False)
    """int64[n], element that received the event, -1 where not recorded."""


@dataclass(frozen=True)
class Elements:
    """What is known of the elements: k of them, sorted by episode and ref."""

    episode: Any = field(repr=False)
    """int64[k]"""
    ref: Any = field(repr=False)
    """int64[k]"""
    role: Any = field(repr=False)
    """int64[k], `Role`."""
    plain: Any = field(repr=False)
    """bool[k], a field that takes plain text."""
    secret: Any = field(repr=False)
    """bool[k], a password field, or one of an unknown type."""


def read(
    path: Path,
    *,
    progress: Callable[[Progress], None] | None = None,
    skipped: Skipped | None = None,
) -> Iterator[ImportedPerson]:
    """Yield the assignments in `path`, one at a time."""
    sheets: dict[str, Any] = {}
    size = 0
    for found in files.named(path, *PATTERN):
        end = next((end for end in _READERS if found.name.endswith(end)), "")
        if not end:
            break
        if end in sheets:
            raise InvalidInput("is there twice", where=found.path, do="Import one set at a time.")
        sheets[end] = _READERS[end](found.data, found.name, skipped)
        if progress is not None:
            progress(Progress(0, None, found.bytes_done // 2, found.bytes_total))
        size = found.bytes_total
    episodes, actions, elements = (sheets.get(end) for end in _READERS)
    if episodes is None or actions is None:
        raise InvalidInput(
            "holds no episodes.parquet and events.parquet side by side",
            where=str(path),
            do="Import the folder they lie in; elements.parquet belongs to them.",
        )
    for number, person in enumerate(people_of(episodes, actions, elements, skipped)):
        yield person
        if progress is not None:
            progress(Progress(number + 1, None, size, size))


def read_episodes(data: bytes, file: str, skipped: Skipped | None = None) -> Episodes:
    """Return the episodes in the bytes of `episodes.parquet`."""
    required = ("episode", "assignment")
    sheet = parquet.read(data, file, required, skipped, wanted=("demo",))
    episode = _whole(sheet, "episode", "the number of an episode")
    assignment, _ = sheet.groups("assignment")
    demo = sheet.numbers("demo") if "demo" in sheet else np.zeros(sheet.rows)
    _, first = np.unique(episode, return_index=True)
    again = np.ones(sheet.rows, np.bool_)
    again[first] = False
    sheet.mark(again, "episode", "is there twice")
    good = sheet.good
    return Episodes(episode[good], assignment[good], demo[good])


def read_actions(data: bytes, file: str, skipped: Skipped | None = None) -> Actions:
    """Return the events in the bytes of `events.parquet`.

    Raises `InvalidInput` with row and column at the first value that is wrong, unless `skipped`
    counts such rows.
    """
    required = ("episode", "t_ms", "type", "x", "y", "key_code", "target_ref")
    sheet = parquet.read(data, file, required, skipped, wanted=())
    episode = _whole(sheet, "episode", "the number of an episode")
    time_us = sheet.times("t_ms", "ms")
    kind = sheet.codes("type", TYPES)
    pointer = (kind > 0) & (kind <= TYPES["dblclick"])
    is_key = (kind >= TYPES["keydown"]) & (kind <= TYPES["keypress"])
    x_px = sheet.positions("x", where=pointer)
    y_px = sheet.positions("y", where=pointer)
    code = sheet.numbers("key_code", "a key code", low=0, high=0x10FFFF, where=is_key)
    ref = sheet.numbers("target_ref", "the number of an element", low=0, high=1e9, optional=True)
    good = sheet.good
    return Actions(
        episode[good],
        time_us[good],
        kind[good],
        x_px[good],
        y_px[good],
        sessions.whole(code[good]),
        np.where(np.isnan(ref), -1, sessions.whole(ref))[good],
    )


def read_elements(data: bytes, file: str, skipped: Skipped | None = None) -> Elements:
    """Return the elements in the bytes of `elements.parquet`; a secret copy makes one secret."""
    required = ("episode", "ref", "tag")
    sheet = parquet.read(data, file, required, skipped, wanted=("id",))
    episode = _whole(sheet, "episode", "the number of an episode")
    ref = _whole(sheet, "ref", "the number of an element")
    tag, tags = sheet.encoded("tag")
    name, names = sheet.encoded("id") if "id" in sheet else (np.zeros_like(tag), [""])
    pair, which = np.unique(tag * len(names) + name, return_inverse=True)
    known = [_known(tags[p // len(names)], names[p % len(names)]) for p in pair.tolist()]
    kept = np.flatnonzero(sheet.good)
    found = np.array(known, np.int64).reshape(-1, 3)[which[kept]]
    key = episode[kept] * _REFS + ref[kept]
    unique, inverse = np.unique(key, return_inverse=True)
    role = np.zeros(unique.size, np.int64)
    role[inverse[::-1]] = found[::-1, 0]
    secret = np.zeros(unique.size, np.bool_)
    np.logical_or.at(secret, inverse, found[:, 2] > 0)
    plain = np.ones(unique.size, np.bool_)
    np.logical_and.at(plain, inverse, found[:, 1] > 0)
    return Elements(unique // _REFS, unique % _REFS, role, plain & ~secret, secret)


_REFS = 2**31
_READERS: dict[str, Callable[..., Any]] = {
    "episodes.parquet": read_episodes,
    "events.parquet": read_actions,
    "elements.parquet": read_elements,
}


def _whole(sheet: Sheet, name: str, what: str) -> Any:
    return sessions.whole(sheet.numbers(name, what, low=0, high=1e9))


def _known(tag: str, name: str) -> tuple[int, bool, bool]:
    """Return role, plain and secret of an element such as `INPUT_text`."""
    base, _, kind = tag.partition("_")
    return (
        int(roles.role_of(base, kind)),
        roles.is_plain(base, kind, name=name),
        roles.is_secret(base, kind, name=name),
    )


def people_of(
    episodes: Episodes, actions: Actions, elements: Elements | None, skipped: Skipped | None = None
) -> Iterator[ImportedPerson]:
    """Yield each assignment's episodes, a session each; without elements, without keys."""
    order = np.argsort(episodes.episode)
    place = np.searchsorted(episodes.episode[order], actions.episode)
    place = np.minimum(place, max(order.size - 1, 0))
    known = np.zeros(actions.episode.size, np.bool_)
    if order.size:
        known = episodes.episode[order][place] == actions.episode
    if not known.all():
        if skipped is None:
            raise InvalidInput(
                "names an episode that episodes.parquet does not have",
                where=f"events.parquet, good row {int(np.argmin(known)) + 1}, column episode",
                do="Import files that belong together, or use --skip-bad.",
            )
        skipped.row("episode is not in episodes.parquet", int((~known).sum()))
    if not known.any():
        return
    turn = np.lexsort((episodes.episode, episodes.demo, episodes.assignment))
    session = np.empty(turn.size, np.int64)
    session[turn] = np.arange(turn.size)
    mine = np.flatnonzero(known)
    made, lost = _events(actions, mine, session[order[place[mine]]], turn.size, elements)
    assignment = episodes.assignment[turn]
    for person in range(int(assignment.max()) + 1):
        own = np.flatnonzero(assignment == person).tolist()
        left_out = {reason: int(count[own].sum()) for reason, count in lost.items()}
        yield ImportedPerson(
            sessions=tuple(made[number] for number in own if number in made),
            left_out={reason: count for reason, count in left_out.items() if count},
        )


def _looked_up(actions: Actions, elements: Elements | None) -> tuple[Any, Any, Any]:
    """Return role, plain and secret of the element of each event; unknown ones are secret."""
    count = actions.episode.size
    role = np.full(count, int(Role.OTHER))
    plain, secret = np.zeros(count, np.bool_), np.ones(count, np.bool_)
    role[actions.ref == INSTRUCTION_REF] = int(Role.TEXT)
    if elements is None or not elements.ref.size:
        return role, plain, secret
    key = actions.episode * _REFS + np.maximum(actions.ref, 0)
    all_keys = elements.episode * _REFS + elements.ref
    at = np.minimum(np.searchsorted(all_keys, key), all_keys.size - 1)
    known = (all_keys[at] == key) & (actions.ref > INSTRUCTION_REF)
    role[known] = elements.role[at[known]]
    plain[known] = elements.plain[at[known]]
    secret[known] = elements.secret[at[known]]
    return role, plain, secret


def _events(
    actions: Actions, mine: Any, session: Any, count: int, elements: Elements | None
) -> tuple[dict[int, pa.Table], dict[str, Any]]:
    """Return the events of each session that has some, and what each of `count` lost by reason."""
    role, plain, secret = (column[mine] for column in _looked_up(actions, elements))
    kind, code = actions.type[mine], actions.key_code[mine]
    is_key = (kind >= TYPES["keydown"]) & (kind <= TYPES["keypress"])
    is_named = (kind == TYPES["keydown"]) | (kind == TYPES["keyup"])
    unread = is_key & secret
    keys = _keys(np.where(is_named & ~unread, code, 0))
    edit = np.where((kind == TYPES["keypress"]) & plain & (code >= 32), int(Edit.INSERT_TEXT), 0)
    down = (kind == TYPES["keydown"]) & plain
    edit[down & (keys[:, 0] == KeyClass.BACKSPACE)] = int(Edit.DELETE_CHAR_BACKWARD)
    edit[down & (keys[:, 0] == KeyClass.DELETE)] = int(Edit.DELETE_CHAR_FORWARD)
    made = (_KIND[kind] > 0) & (_KIND[kind] != Kind.EDIT) & ~unread
    # A deletion is a row after its key down; an insertion takes the place of its key press.
    rows = np.concatenate([np.flatnonzero(made), np.flatnonzero((edit > 0) & ~unread)])
    is_edit = np.arange(rows.size) >= made.sum()
    order = np.lexsort((is_edit, rows))
    rows, is_edit = rows[order], is_edit[order]
    pointer = ~is_key[rows]
    is_named = is_named[rows] & ~is_edit
    columns = {
        "kind": np.where(is_edit, int(Kind.EDIT), _KIND[kind[rows]]),
        "key_class": np.where(is_named, keys[rows, 0], 0),
        "key_symbol": np.where(is_named, keys[rows, 1], 0),
        "edit": np.where(is_edit, edit[rows], 0),
        "edit_chars": is_edit,
        "role": role[rows],
        "pointer": np.where(pointer, int(Pointer.MOUSE), 0),
        "value": _click_counts(kind, session)[rows],
        "x_8th_css_px": sessions.position_8th(actions.x_px[mine][rows]),
        "y_8th_css_px": sessions.position_8th(actions.y_px[mine][rows]),
    }
    tables = sessions.tables(
        session[rows],
        actions.time_us[mine][rows],
        columns,
        key=np.where(is_named, code[rows], -1),
        element=actions.ref[mine][rows],
        placed=pointer,
    )
    lost = {
        reason: np.bincount(session[out], minlength=count)
        for reason, out in ((SECRET, unread), (SCROLLED, kind == TYPES["scroll"]))
    }
    return dict(zip(np.unique(session[rows]).tolist(), tables, strict=True)), lost


def _keys(code: Any) -> Any:
    unique, inverse = np.unique(code, return_inverse=True)
    return np.array([keycodes.key_of("", int(c)) for c in unique], np.int64).reshape(-1, 3)[inverse]


def _click_counts(kind: Any, session: Any) -> Any:
    """Return 1 on clicks, 2 on the click that a double click followed, 0 elsewhere."""
    count = (kind == TYPES["click"]).astype(np.int64)
    clicks = np.flatnonzero(count)
    for row in np.flatnonzero(kind == TYPES["dblclick"]).tolist():
        before = int(np.searchsorted(clicks, row)) - 1
        if before >= 0 and session[clicks[before]] == session[row]:
            count[clicks[before]] = 2
    return count
