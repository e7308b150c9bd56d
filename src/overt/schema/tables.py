"""Reading tables of a `study.toml` strictly: each error names the key path and what to do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from overt.schema.errors import InvalidInput

_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")


def bad(what: str, where: str, do: str = "") -> InvalidInput:
    """Return the error for a value: what is wrong, at which key path, what to do."""
    return InvalidInput(what, where=where, do=do)


def refuse_unknown(table: Mapping[str, Any], known: Iterable[str], path: str) -> None:
    """Raise for a key that is not known, naming the nearest one that is."""
    known = tuple(known)
    for name in table:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"Did you mean `{near[0]}`?" if near else f"Known: {', '.join(known)}."
            raise bad("is not a key of a study", f"{path}{name}", hint)


def text(table: Mapping[str, Any], name: str, path: str = "") -> str:
    """Return a text of at most 2000 printable characters, white space made single."""
    value = table[name]
    if not isinstance(value, str) or not value.strip():
        raise bad("must be text", f"{path}{name}")
    if len(value) > 2000 or any(ord(c) < 0x20 and c not in "\n\t" for c in value):
        raise bad("must be at most 2000 printable characters", f"{path}{name}")
    return " ".join(value.split())


def texts(
    table: Mapping[str, Any], name: str, *, required: bool = False, path: str = ""
) -> tuple[str, ...]:
    """Return a list of at most 50 such texts."""
    value = table.get(name, [])
    if not isinstance(value, list):
        raise bad("must be a list of texts", f"{path}{name}")
    if required and not value:
        raise bad("must name at least one", f"{path}{name}")
    if len(value) > 50:
        raise bad("must have at most 50 items", f"{path}{name}")
    items = {f"{name}[{k}]": item for k, item in enumerate(value)}
    return tuple(text(items, key, path) for key in items)


def number(table: Mapping[str, Any], name: str, bounds: tuple[int, int]) -> int:
    """Return a whole number within bounds, both included."""
    value = table[name]
    low, high = bounds
    if type(value) is not int or not low <= value <= high:
        raise bad(f"must be a whole number from {low} to {high}", name)
    return value


def one_of(table: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    """Return a value of a closed set."""
    value = table.get(name)
    if value not in allowed:
        raise bad(f"must be one of: {', '.join(allowed)}", name)
    return str(value)


def identifier(table: Mapping[str, Any], path: str = "") -> str:
    """Return an id: lower-case letters, digits and dashes."""
    value = table["id"]
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise bad("must be lower-case letters, digits and dashes, at most 64", f"{path}id")
    return value
