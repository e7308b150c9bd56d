"""Importer of rrweb logs: recordings of a page in a browser, of its 2018 and its present schema.

rrweb, github.com/rrweb-io/rrweb. One JSON file a recording: a list of events, an object with a
list `events`, or JSON lines; an event has type, data and timestamp (ms since 1970). Incremental
snapshots (type 3) become events: mouse, touch and drag movements (sources 1, 6, 12; a position's
own time is timestamp + timeOffset), interactions (2), scrolls (3) and inputs (5). Positions and
offsets are CSS px; a scroll is the change of an element's offset, from where the full snapshot
(type 2) says it was.

The files do not say who was recorded: PATH is one person; a session is a file, or a sessionId in
it. Of an input only how much longer or shorter the text became is read, never the text, and
nothing at all unless snapshots show a field that takes plain text: a password field makes no event,
nor does one that is not known. What the page looked like is not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from overt.datasets.reading import files, jsonfile, roles, sessions
from overt.datasets.reading.imported import ImportedPerson, Progress, Skipped, taken
from overt.datasets.reading.sheet import POSITION_PX_MAX, SCROLL_PX_MAX, TIME_US_MAX
from overt.schema.errors import InvalidInput
from overt.schema.event import Edit, Kind, Pointer, Role

PATTERN = "*.json"
FULL_SNAPSHOT, INCREMENTAL = 2, 3
MUTATION, MOUSE_MOVE, INTERACTION, SCROLL, INPUT, TOUCH_MOVE, DRAG = 0, 1, 2, 3, 5, 6, 12
TOUCHES = (7, 8, 9, 10)
INTERACTIONS: dict[int, tuple[Kind, int]] = {
    0: (Kind.POINTER_UP, 0),
    1: (Kind.POINTER_DOWN, 0),
    2: (Kind.CLICK, 1),
    5: (Kind.FOCUS, 0),
    6: (Kind.BLUR, 0),
    7: (Kind.POINTER_DOWN, 0),
    9: (Kind.POINTER_UP, 0),
    10: (Kind.POINTER_UP, 0),
}
"""Type of interaction → kind and value. Left out: context menu (3), departing touch (8)."""
DOUBLE_CLICK = 4
POINTERS = (Pointer.MOUSE, Pointer.PEN, Pointer.TOUCH)
UNREAD = "input into a field that is secret or not known"
OTHER = "event of a type that is not read"
TIME_MS_MAX = TIME_US_MAX / 1000
_COLUMNS = ("kind", "pointer", "x", "y", "scroll_x", "scroll_y", "value", "edit", "chars", "role")


class _Wrong(Exception):
    """An event that is not as the schema says: the field, and what was expected there."""

    def __init__(self, where: str, what: str) -> None:
        self.where, self.what = where, what
        super().__init__(what)


@dataclass
class _Page:
    """What is known of a page's elements by their id; no content."""

    role: dict[int, Role] = field(default_factory=dict)
    secret: set[int] = field(default_factory=set)
    """Ids that ever were a secret field; "show password" does not make them plain."""
    plain: set[int] = field(default_factory=set)
    length: dict[int, int] = field(default_factory=dict)
    offset: dict[int, tuple[float, float]] = field(default_factory=dict)

    def add(self, top: Any) -> None:
        """Learn the element nodes of a serialised tree."""
        waiting = [top]
        while waiting:
            node = waiting.pop()
            if not isinstance(node, dict):
                continue
            children = node.get("childNodes")
            waiting += children if isinstance(children, list) else []
            number, tag = node.get("id"), node.get("tagName")
            if type(number) is not int:
                continue
            self.forget(number)
            if not isinstance(tag, str):
                # Text and document nodes are no fields; the document scrolls.
                continue
            given = node.get("attributes")
            attributes = given if isinstance(given, dict) else {}
            kind, complete, *names = (
                str(attributes.get(name) or "") for name in ("type", "autocomplete", "name", "id")
            )
            self.role[number] = roles.role_of(tag, kind)
            name = " ".join(names)
            if roles.is_secret(tag, kind, name):
                self.secret.add(number)
            if number not in self.secret and roles.is_plain(tag, kind, complete, name):
                self.plain.add(number)
                self.length[number] = len(str(attributes.get("value") or ""))

    def forget(self, number: int) -> None:
        """Forget what an id stood for."""
        self.plain.discard(number)
        self.role.pop(number, None)
        self.length.pop(number, None)
        self.offset.pop(number, None)

    def mutate(self, data: dict[str, Any]) -> None:
        """Learn what was added, and no longer trust a field whose type or name was changed."""
        adds, changes = data.get("adds"), data.get("attributes")
        for added in adds if isinstance(adds, list) else ():
            self.add(added.get("node") if isinstance(added, dict) else None)
        for change in changes if isinstance(changes, list) else ():
            attributes = change.get("attributes") if isinstance(change, dict) else None
            if isinstance(attributes, dict) and attributes.keys() & _TELLING:
                number = change.get("id")
                if type(number) is int:
                    self.plain.discard(number)
                    self.secret.add(number)


_TELLING = {"type", "autocomplete", "name", "id"}


@dataclass(frozen=True)
class Log:
    """What was read of one file; rows in the order of the file, all of length n."""

    session: Any = field(repr=False)
    """int64[n], from 0 in order of first appearance."""
    time_us: Any = field(repr=False)
    """float64[n], since 1970."""
    element: Any = field(repr=False)
    """int64[n], id of the element in the page, -1 where there is none."""
    columns: dict[str, Any] = field(repr=False)
    """float64[n] each: kind, pointer, x, y, scroll_x, scroll_y, value, edit, chars, role."""
    left_out: dict[str, int]


def read(
    path: Path,
    *,
    progress: Callable[[Progress], None] | None = None,
    skipped: Skipped | None = None,
) -> Iterator[ImportedPerson]:
    """Yield the one person at `path`, whose sessions are the recordings in it."""
    tables: list[Any] = []
    left_out: dict[str, int] = {}
    any_here = False
    for found in files.named(path, PATTERN):
        if found.files_total != 1 and not is_log(found.data):
            continue
        any_here = True
        for log in taken(lambda f: iter([read_log(f.data, f.path, skipped)]), found, skipped):
            tables += events_of(log)
            for reason, count in log.left_out.items():
                left_out[reason] = left_out.get(reason, 0) + count
        if progress is not None:
            progress(Progress(0, 1, found.bytes_done, found.bytes_total))
    if not any_here:
        raise InvalidInput("holds no rrweb log", where=str(path), do="Check the path.")
    if tables:
        yield ImportedPerson(tuple(tables), left_out=left_out)


def is_log(data: bytes) -> bool:
    """Tell whether a JSON file looks like an rrweb log: other JSON may lie beside it."""
    return b'"timestamp"' in data and b'"type"' in data


def read_log(data: bytes, file: str, skipped: Skipped | None = None) -> Log:
    """Return what the bytes of a log say of the person's actions.

    Raises `InvalidInput` with the number of the event (from 0) and its field at the first that is
    wrong, unless `skipped` counts such events.
    """
    page = _Page()
    names: dict[str, int] = {}
    rows: list[tuple[float, ...]] = []
    left_out: dict[str, int] = {}
    for number, event in enumerate(_events(data, file)):
        try:
            made = _rows(event, page, left_out)
            if made:
                session = names.setdefault(str(event.get("sessionId", "")), len(names))
                rows += [(session, *row) for row in made]
        except _Wrong as wrong:
            if skipped is None:
                raise InvalidInput(
                    wrong.what,
                    where=f"{file}, event {number}, {wrong.where}",
                    do="Correct the file, or leave such events out with --skip-bad.",
                ) from None
            skipped.row(f"{wrong.where} {wrong.what}")
    table = np.array(rows, np.float64).reshape(len(rows), 13).T
    columns = dict(zip(_COLUMNS, table[3:], strict=True))
    return Log(sessions.whole(table[0]), table[1], sessions.whole(table[2]), columns, left_out)


def _events(data: bytes, file: str) -> list[Any]:
    try:
        found = jsonfile.document(data, file)
    except InvalidInput:
        # Several values on lines of their own.
        return list(jsonfile.lines(data, file, None)[0])
    if isinstance(found, dict):
        found = found.get("events")
    if not isinstance(found, list):
        raise InvalidInput("is not a list of events", where=file)
    return found


def _rows(event: Any, page: _Page, left_out: dict[str, int]) -> list[tuple[float, ...]]:
    """Return what an event becomes: time, element and the columns of `_COLUMNS`."""
    if isinstance(event, str):
        raise _Wrong("data", "is packed; unpack it with rrweb's packer")
    if not isinstance(event, dict):
        raise _Wrong("event", "is not an object")
    kind, data = event.get("type"), event.get("data")
    time_ms = jsonfile.number(event.get("timestamp"), 0, TIME_MS_MAX)
    if type(kind) is not int:
        raise _Wrong("type", "is not a number of a type")
    if time_ms is None:
        raise _Wrong("timestamp", "is not a time in milliseconds")
    if kind not in (FULL_SNAPSHOT, INCREMENTAL):
        return []
    if not isinstance(data, dict):
        raise _Wrong("data", "is not an object")
    if kind == FULL_SNAPSHOT:
        _snapshot(data, page)
        return []
    source = data.get("source")
    if type(source) is not int:
        raise _Wrong("data.source", "is not a number of a source")
    if source == MUTATION:
        page.mutate(data)
        return []
    reader = _SOURCES.get(source)
    if reader is None:
        left_out[OTHER] = left_out.get(OTHER, 0) + 1
        return []
    return reader(data, time_ms * 1000, page, left_out)


def _snapshot(data: dict[str, Any], page: _Page) -> None:
    page.add(data.get("node"))
    offset, node = data.get("initialOffset"), data.get("node")
    if isinstance(offset, dict) and isinstance(node, dict) and type(node.get("id")) is int:
        left, top = (
            jsonfile.number(offset.get(name), -SCROLL_PX_MAX, SCROLL_PX_MAX) or 0.0
            for name in ("left", "top")
        )
        page.offset[node["id"]] = (left, top)


def _place(data: dict[str, Any], where: str, high: float, what: str) -> tuple[float, float]:
    x, y = (jsonfile.number(data.get(name), -high, high) for name in ("x", "y"))
    if x is None or y is None:
        raise _Wrong(f"{where}.{'x' if x is None else 'y'}", f"is not {what}")
    return x, y


def _element(data: dict[str, Any], where: str) -> int:
    number = data.get("id")
    if type(number) is not int or not -1 <= number < 2**53:
        raise _Wrong(f"{where}.id", "is not the number of an element")
    return number


def _moves(
    data: dict[str, Any], time_us: float, page: _Page, left_out: dict[str, int]
) -> list[tuple[float, ...]]:
    del left_out
    positions = data.get("positions")
    if not isinstance(positions, list):
        raise _Wrong("data.positions", "is not a list")
    pointer = Pointer.TOUCH if data["source"] == TOUCH_MOVE else Pointer.MOUSE
    made: list[tuple[float, ...]] = []
    for number, position in enumerate(positions):
        where = f"data.positions[{number}]"
        if not isinstance(position, dict):
            raise _Wrong(where, "is not an object")
        x, y = _place(position, where, POSITION_PX_MAX, "a position in pixels")
        offset = jsonfile.number(position.get("timeOffset", 0), -TIME_MS_MAX, TIME_MS_MAX)
        if offset is None or abs(time_us + offset * 1000) > TIME_US_MAX:
            raise _Wrong(f"{where}.timeOffset", "is not a time in milliseconds")
        element = _element({"id": position.get("id", -1)}, where)
        role = page.role.get(element, Role.OTHER)
        at = time_us + offset * 1000
        made.append((at, element, Kind.POINTER_MOVE, pointer, x, y, 0, 0, 0, 0, 0, role))
    return made


def _interaction(
    data: dict[str, Any], time_us: float, page: _Page, left_out: dict[str, int]
) -> list[tuple[float, ...]]:
    what = data.get("type")
    if type(what) is not int:
        raise _Wrong("data.type", "is not a number of an interaction")
    element = _element(data, "data")
    role = page.role.get(element, Role.OTHER)
    kind, value = INTERACTIONS.get(what, (None, 0))
    if what == DOUBLE_CLICK:
        # The browser sent both clicks before: this only says that they belong together.
        return []
    if kind is None:
        left_out[OTHER] = left_out.get(OTHER, 0) + 1
        return []
    if kind in (Kind.FOCUS, Kind.BLUR):
        return [(time_us, element, kind, 0, np.nan, np.nan, 0, 0, 0, 0, 0, role)]
    x, y = _place(data, "data", POSITION_PX_MAX, "a position in pixels")
    pointer = Pointer.TOUCH if what in TOUCHES else Pointer.MOUSE
    given = data.get("pointerType")
    if type(given) is int and 0 <= given < len(POINTERS):
        pointer = POINTERS[given]
    return [(time_us, element, kind, pointer, x, y, 0, 0, value, 0, 0, role)]


def _scroll(
    data: dict[str, Any], time_us: float, page: _Page, left_out: dict[str, int]
) -> list[tuple[float, ...]]:
    del left_out
    element = _element(data, "data")
    x, y = _place(data, "data", SCROLL_PX_MAX, "an offset in pixels")
    before = page.offset.get(element, (0.0, 0.0))
    page.offset[element] = (x, y)
    role = page.role.get(element, Role.PAGE)
    step = (x - before[0], y - before[1])
    return [(time_us, element, Kind.SCROLL, 0, np.nan, np.nan, *step, 0, 0, 0, role)]


def _input(
    data: dict[str, Any], time_us: float, page: _Page, left_out: dict[str, int]
) -> list[tuple[float, ...]]:
    element = _element(data, "data")
    if element not in page.plain:
        toggles = (Role.CHECKBOX, Role.RADIO, Role.SELECT, Role.SLIDER, Role.BUTTON)
        reason = OTHER if page.role.get(element) in toggles else UNREAD
        left_out[reason] = left_out.get(reason, 0) + 1
        return []
    text = data.get("text")
    if not isinstance(text, str):
        raise _Wrong("data.text", "is not a text")
    length = len(text)
    more = length - page.length.get(element, 0)
    page.length[element] = length
    edit, chars = Edit.OTHER, 0
    if more == 1:
        edit, chars = Edit.INSERT_TEXT, 1
    elif more == -1:
        edit, chars = Edit.DELETE_CHAR_BACKWARD, 1
    elif more:
        # How much is put in or taken out at once is kept to a power of two, as live capture does.
        edit = Edit.OTHER if more > 0 else Edit.DELETE_OTHER
        chars = min(1 << (abs(more).bit_length() - 1), 1 << 14)
    role = page.role.get(element, Role.OTHER)
    return [(time_us, element, Kind.EDIT, 0, np.nan, np.nan, 0, 0, 0, edit, chars, role)]


_SOURCES: dict[int, Callable[..., list[tuple[float, ...]]]] = {
    MOUSE_MOVE: _moves,
    TOUCH_MOVE: _moves,
    DRAG: _moves,
    INTERACTION: _interaction,
    SCROLL: _scroll,
    INPUT: _input,
}


def events_of(log: Log) -> tuple[Any, ...]:
    """Return one table of events a session of the log."""
    found = log.columns
    columns = {
        "kind": sessions.whole(found["kind"]),
        "edit": sessions.whole(found["edit"]),
        "edit_chars": sessions.whole(found["chars"]),
        "role": sessions.whole(found["role"]),
        "pointer": sessions.whole(found["pointer"]),
        "x_8th_css_px": sessions.position_8th(found["x"]),
        "y_8th_css_px": sessions.position_8th(found["y"]),
        "scroll_x_css_px": sessions.whole(found["scroll_x"]),
        "scroll_y_css_px": sessions.whole(found["scroll_y"]),
        "value": sessions.whole(found["value"]),
    }
    placed = ~np.isnan(found["x"])
    return sessions.tables(log.session, log.time_us, columns, element=log.element, placed=placed)
