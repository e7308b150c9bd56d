"""Mapping files: a table described in a few lines of TOML, for `overt import generic`.

`docs/how-to/import-your-own-format.md` shows two. The parser is strict: an unknown key is refused
with its path and the nearest known one.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from overt.schema.errors import InvalidInput, Missing
from overt.schema.event import MARKS, KeyClass, Kind, Pointer, Role
from overt.schema.purpose import PURPOSES

MAPPING_BYTES_MAX = 64 * 1024
TIME_UNITS = ("s", "ms", "us", "ns", "timestamp")
BUTTONS = {"none": 0, "left": 1, "middle": 2, "right": 3, "back": 4, "forward": 5, "other": 6}
KINDS = {kind.name.lower(): int(kind) for kind in Kind if kind not in MARKS or kind is Kind.TASK}
FILE, FOLDER = "@file", "@folder"
_KEY_IS = ("name", "code", "class")
_SCROLL_IS = ("change", "offset")


@dataclass(frozen=True)
class Coded:
    """A column whose texts stand for numbers of a closed set, or one number for all rows."""

    column: str = ""
    values: Mapping[str, int] = field(default_factory=dict)
    """Text in small letters → number; -1 leaves the row out."""
    always: int = 0


@dataclass(frozen=True, kw_only=True)
class TableMapping:
    """What the columns of a table mean. Names of columns are in small letters."""

    title: str
    publication: str
    licence: str
    files: tuple[str, ...]
    purposes: tuple[str, ...]
    level: str
    person: tuple[str, ...]
    """Columns; or `FILE` or `FOLDER`; empty: everybody is one person nobody knows."""
    session: tuple[str, ...]
    """Columns; empty: a file is one session."""
    time: str
    time_unit: str
    kind: Coded
    x: str
    y: str
    position_px: float
    """CSS px in one unit of the file."""
    scroll_x: str
    scroll_y: str
    scroll_px: float
    scroll_is: str
    button: Coded
    pointer: Coded
    role: Coded
    element: str
    key: str
    key_is: str
    key_classes: Mapping[str, int]
    released: str
    """Column with the time a key was released: each key down then makes a key up."""
    secret: str
    secret_values: tuple[str, ...]

    @property
    def has_clicks(self) -> bool:
        """Whether the file itself says what was a click."""
        return int(Kind.CLICK) in (self.kind.always, *self.kind.values.values())

    @property
    def kinds(self) -> tuple[str, ...]:
        """Names of the kinds of event it can make."""
        found = {self.kind.always, *self.kind.values.values()} - {0, -1}
        if self.released:
            found.add(int(Kind.KEY_UP))
        if {Kind.POINTER_DOWN, Kind.POINTER_UP} <= found:
            found.add(int(Kind.CLICK))
        return tuple(Kind(number).name.lower() for number in sorted(found))

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column it names."""
        people = () if self.person[:1] in ((FILE,), (FOLDER,)) else self.person
        coded = (c.column for c in (self.kind, self.button, self.pointer, self.role))
        one = (self.time, self.x, self.y, self.scroll_x, self.scroll_y, self.element, self.key)
        named = (*people, *self.session, *coded, *one, self.released, self.secret)
        return tuple(dict.fromkeys(name for name in named if name))


_KEYS: dict[str, tuple[str, ...]] = {
    "": (
        *("title", "publication", "licence", "files", "purposes", "level", "person", "session"),
        *("time", "kind", "position", "scroll", "button", "pointer", "role", "element", "key"),
        "secret",
    ),
    "time": ("column", "unit"),
    "kind": ("column", "values", "always"),
    "position": ("x", "y", "px_per_unit"),
    "scroll": ("x", "y", "px_per_unit", "is"),
    "button": ("column", "values", "always"),
    "pointer": ("column", "values", "always"),
    "role": ("column", "values", "always"),
    "key": ("column", "is", "values", "released"),
    "secret": ("column", "values", "none"),
}


def load(path: Path) -> TableMapping:
    """Return the mapping in a TOML file; raises `InvalidInput` with the path of a wrong key."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Missing("cannot be read", where=str(path), do="Name it with --mapping.") from error
    if len(data) > MAPPING_BYTES_MAX:
        raise InvalidInput(f"is longer than {MAPPING_BYTES_MAX} bytes", where=path.name)
    try:
        table = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidInput(f"is not TOML: {error}", where=path.name) from error
    return _mapping(_Reader(path.name, table))


class _Reader:
    """A table of the file, and errors that name it."""

    def __init__(self, file: str, table: Any, path: str = "") -> None:
        self.file, self.path = file, path
        if not isinstance(table, dict):
            raise self.bad("must be a table", "")
        self.table: dict[str, Any] = table
        known = _KEYS[path]
        for name in table:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
                hint = f"Did you mean `{near[0]}`?" if near else f"Known: {', '.join(known)}."
                raise self.bad("is not a key of a mapping", name, hint)

    def bad(self, what: str, name: str, do: str = "") -> InvalidInput:
        place = ".".join(part for part in (self.path, name) if part)
        return InvalidInput(what, where=f"{self.file}, {place}" if place else self.file, do=do)

    def within(self, name: str) -> _Reader:
        return _Reader(self.file, self.table.get(name, {}), name)

    def text(self, name: str, default: str = "") -> str:
        value = self.table.get(name, default)
        if not isinstance(value, str) or (name in self.table and not value.strip()):
            raise self.bad("must be text", name)
        return " ".join(value.split())

    def texts(self, name: str, default: Iterable[str] = ()) -> tuple[str, ...]:
        value = self.table.get(name, list(default))
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not all(isinstance(v, str) and v for v in values):
            raise self.bad("must be text, or a list of texts", name)
        return tuple(values)

    def column(self, name: str) -> str:
        return self.text(name).lower()

    def one_of(self, name: str, allowed: tuple[str, ...], default: str = "") -> str:
        value = self.table.get(name, default)
        if value not in allowed:
            raise self.bad(f"must be one of: {', '.join(allowed)}", name)
        return str(value)

    def scale(self, name: str) -> float:
        value = self.table.get(name, 1.0)
        if type(value) not in (int, float) or not 1e-6 <= abs(value) <= 1e6:
            raise self.bad("must be a number: how many CSS px are one unit of the file", name)
        return float(value)

    def coded(self, members: Mapping[str, int], default: int = 0) -> Coded:
        """Return a column with values, or one value for all rows."""
        if "always" in self.table:
            if len(self.table) > 1:
                raise self.bad("stands alone: with it there is no column", "always")
            return Coded(always=members[self.one_of("always", tuple(members))])
        if not self.table:
            return Coded(always=default)
        values = self.members("values", members)
        if not self.column("column") or not values:
            raise self.bad("must name a column and what its values mean", "column")
        return Coded(self.column("column"), values)

    def members(self, name: str, members: Mapping[str, int]) -> dict[str, int]:
        table = self.table.get(name, {})
        if not isinstance(table, dict):
            raise self.bad("must be a table of the file's values", name)
        made = {}
        for text, meaning in table.items():
            if meaning != "" and meaning not in members:
                do = f"Known: {', '.join(members)}; an empty text leaves such rows out."
                raise self.bad("has an unknown meaning", f"{name}.{text}", do)
            made[text.strip().lower()] = members[meaning] if meaning else -1
        return made


def _names(of: type[KeyClass | Pointer | Role]) -> dict[str, int]:
    return {member.name.lower(): int(member) for member in of}


def _mapping(top: _Reader) -> TableMapping:
    for name in ("title", "time", "kind"):
        if name not in top.table:
            raise top.bad("is missing", name)
    time, kind, position = top.within("time"), top.within("kind"), top.within("position")
    scroll, key, secret = top.within("scroll"), top.within("key"), top.within("secret")
    if not time.column("column"):
        raise time.bad("is missing", "column")
    person = top.texts("person")
    if len(person) > 1 and {FILE, FOLDER} & set(person):
        raise top.bad(f"has {FILE} or {FOLDER} beside columns", "person")
    made = TableMapping(
        title=top.text("title"),
        publication=top.text("publication", "not stated in the mapping"),
        licence=top.text("licence", "not stated in the mapping"),
        files=top.texts("files", ("*.csv", "*.tsv", "*.parquet")),
        purposes=_purposes(top),
        level=top.one_of("level", ("rhythm", "keys"), "rhythm"),
        person=tuple(name.lower() for name in person),
        session=tuple(name.lower() for name in top.texts("session")),
        time=time.column("column"),
        time_unit=time.one_of("unit", TIME_UNITS),
        kind=kind.coded(KINDS),
        x=position.column("x"),
        y=position.column("y"),
        position_px=position.scale("px_per_unit"),
        scroll_x=scroll.column("x"),
        scroll_y=scroll.column("y"),
        scroll_px=scroll.scale("px_per_unit"),
        scroll_is=scroll.one_of("is", _SCROLL_IS, "change"),
        button=top.within("button").coded(BUTTONS),
        pointer=top.within("pointer").coded(_names(Pointer), int(Pointer.MOUSE)),
        role=top.within("role").coded(_names(Role)),
        element=top.column("element"),
        key=key.column("column"),
        key_is=key.one_of("is", _KEY_IS, "name"),
        key_classes=key.members("values", _names(KeyClass)),
        released=key.column("released"),
        secret=secret.column("column"),
        secret_values=tuple(value.strip().lower() for value in secret.texts("values")),
    )
    _check(made, top, secret)
    return made


def _purposes(top: _Reader) -> tuple[str, ...]:
    purposes = top.texts("purposes")
    unknown = [purpose for purpose in purposes if purpose not in PURPOSES]
    if unknown:
        known = ", ".join(PURPOSES)
        raise top.bad("is not in the registry of purposes", "purposes", f"Known: {known}.")
    return purposes


def _check(made: TableMapping, top: _Reader, secret: _Reader) -> None:
    """Refuse a mapping whose parts do not go together."""
    kinds = set(made.kinds)
    if not kinds:
        raise top.bad("makes no event", "kind")
    keys = {"key_down", "key_up"} & kinds
    if keys and not made.key:
        raise top.bad("is missing: there are key events", "key.column")
    if made.key_is == "class" and keys and not made.key_classes:
        raise top.bad("must say which class each value is", "key.values")
    if {"pointer_move", "pointer_down", "pointer_up", "click"} & kinds and not (made.x and made.y):
        raise top.bad("must name x and y: there are pointer events", "position")
    if {"scroll", "wheel"} & kinds and not (made.scroll_x or made.scroll_y):
        raise top.bad("must name x or y: there are scroll or wheel events", "scroll")
    if bool(made.secret) != bool(made.secret_values):
        raise secret.bad("needs a column and its values", "column")
    stated = bool(made.secret) or bool(secret.text("none"))
    if made.level == "keys" and keys and not stated:
        raise top.bad(
            "is missing: level keys keeps characters",
            "secret",
            "Name the column and values of secret fields, or say in `none` why there are none.",
        )
    for purpose in made.purposes:
        if not {Kind[name.upper()] for name in kinds} & PURPOSES[purpose].kinds:
            raise top.bad(f"names {purpose}, which needs none of its kinds", "purposes")
