"""Strict reading of questions: what is missing, wrong or too much is refused with its place."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import numpy as np

from overt.models.tensors import Array
from overt.schema.errors import InvalidInput

TEXT_MAX = 20_000
ROWS_MAX = 20_000
_MISSING = object()


class Question:
    """A JSON object with the names that a task knows, and no others."""

    def __init__(self, raw: Any, names: Collection[str], where: str = "") -> None:
        if not isinstance(raw, dict):
            raise InvalidInput("is not a JSON object", where=where or "question")
        unknown = sorted(set(raw) - set(names))
        if unknown:
            raise InvalidInput(
                f"has {len(unknown)} names that are not known",
                where=where or "question",
                do=f"Known: {', '.join(names)}.",
            )
        self._raw, self._where = raw, where

    @property
    def where(self) -> str:
        """Where in the question this stands."""
        return self._where or "question"

    def has(self, name: str) -> bool:
        """Return whether something was given under a name."""
        return self._raw.get(name) not in (None, [], "")

    def _get(self, name: str, default: Any) -> tuple[Any, str]:
        where = f"{self._where}.{name}" if self._where else name
        found = self._raw.get(name, default)
        if found is _MISSING:
            raise InvalidInput("is missing", where=where)
        return found, where

    def text(self, name: str, default: Any = _MISSING) -> str:
        """Return a string of at most `TEXT_MAX` characters."""
        found, where = self._get(name, default)
        if not isinstance(found, str) or not _is_text(found):
            raise InvalidInput("is not a string", where=where)
        if len(found) > TEXT_MAX:
            raise InvalidInput(f"has more than {TEXT_MAX:,} characters", where=where)
        return found

    def texts(self, name: str, most: int, default: Any = _MISSING) -> list[str]:
        """Return a list of at most `most` strings."""
        found, where = self._get(name, default)
        if not isinstance(found, list) or not all(
            isinstance(one, str) and _is_text(one) for one in found
        ):
            raise InvalidInput("is not a list of strings", where=where)
        if len(found) > most or sum(map(len, found)) > TEXT_MAX:
            raise InvalidInput(
                f"has more than {most:,} strings or {TEXT_MAX:,} characters", where=where
            )
        return list(found)

    def whole(self, name: str, low: int, high: int, default: Any = _MISSING) -> int:
        """Return a whole number from low to high."""
        found, where = self._get(name, default)
        if not isinstance(found, int) or isinstance(found, bool) or not low <= found <= high:
            raise InvalidInput(f"is not a whole number from {low} to {high}", where=where)
        return found

    def one_of(self, name: str, known: Collection[str], default: Any = _MISSING) -> str:
        """Return one of some words."""
        found, where = self._get(name, default)
        if not isinstance(found, str) or found not in known:
            raise InvalidInput("is not known", where=where, do=f"Known: {', '.join(known)}.")
        return found

    def questions(self, name: str, names: Collection[str]) -> list[Question]:
        """Return a list of objects."""
        found, where = self._get(name, _MISSING)
        if not isinstance(found, list):
            raise InvalidInput("is not a list", where=where)
        if len(found) > ROWS_MAX:
            raise InvalidInput(f"has more than {ROWS_MAX:,} entries", where=where)
        return [Question(one, names, f"{where}[{at}]") for at, one in enumerate(found)]

    def number(self, name: str, default: Any = _MISSING) -> float:
        """Return a finite number."""
        found, where = self._get(name, default)
        return _finite(found, where)

    def table(self, name: str, columns: int) -> Array:
        """Return float64[rows, columns] of a list of lists of finite numbers."""
        found, where = self._get(name, _MISSING)
        if not isinstance(found, list) or len(found) > ROWS_MAX:
            raise InvalidInput(f"is not a list of at most {ROWS_MAX:,} rows", where=where)
        for at, row in enumerate(found):
            if not isinstance(row, list) or len(row) != columns:
                raise InvalidInput(f"is not a list of {columns} numbers", where=f"{where}[{at}]")
        rows = [[_finite(one, f"{where}[{at}]") for one in row] for at, row in enumerate(found)]
        return np.array(rows, np.float64).reshape(len(rows), columns)


def _is_text(found: str) -> bool:
    """Tell whether a string can be written: JSON may hold halves of characters."""
    try:
        found.encode()
    except UnicodeEncodeError:
        return False
    return True


def _finite(found: Any, where: str) -> float:
    if not isinstance(found, int | float) or isinstance(found, bool) or abs(found) > 1e15:
        raise InvalidInput("is not a number that can be", where=where)
    if not math.isfinite(found):
        raise InvalidInput("is not a finite number", where=where)
    return float(found)
