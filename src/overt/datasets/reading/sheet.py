"""A published table as columns, whatever file it came in, with the place of every value.

A `Sheet` gives columns as numbers, codes of a closed set or texts. A value that is not as expected
raises `InvalidInput` with file, line (or row) and column, and what was expected; the value itself
is never repeated. Where `skipped` counts, such rows are marked in `good` instead.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from overt.datasets.reading.imported import Skipped
from overt.schema.errors import InvalidInput

POSITION_PX_MAX = 2.0**20
"""A million pixels: far beyond any screen or page, and safe in every column."""
SCROLL_PX_MAX = 2.0**30
TIME_UNITS_US = {"s": 1_000_000.0, "ms": 1000.0, "us": 1.0, "ns": 0.001}
TIME_US_MAX = 2.0**52
"""The year 2112 in µs since 1970: a time in a smaller unit than was declared lies beyond it."""
_UNIT_WORDS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
Column = Any
"""A `pyarrow.ChunkedArray` of any type; published stubs know too little of compute on them."""
_TRUTH = {"true": 1, "false": 0, "1": 1, "0": 0, "yes": 1, "no": 0}


@dataclass
class Sheet:
    """Columns by lower-case name, all of the same length."""

    file: str
    columns: Mapping[str, Column]
    numbered: Mapping[str, int]
    """Number of each column in the file, from 1."""
    place: Callable[[int], str]
    """Where a row stands, in words: `line 7`."""
    skipped: Skipped | None
    rows: int
    good: Any = field(init=False)
    """bool[rows]; False where something was wrong and `skipped` counted it."""

    def __post_init__(self) -> None:
        self.good = np.ones(self.rows, np.bool_)

    def __contains__(self, name: str) -> bool:
        return name in self.columns

    def need(self, *names: str) -> None:
        """Raise `InvalidInput` naming those of the columns that are not there."""
        missing = [name for name in names if name not in self.columns]
        if missing:
            raise InvalidInput(
                f"has no column {' and no column '.join(missing)}",
                where=self.file,
                do="Columns may stand in any order, but must have these names.",
            )

    def mark(self, bad: Any, name: str, what: str) -> None:
        """Refuse the rows in `bad` (bool[rows]), or count them; a row is counted once."""
        bad = bad & self.good
        if not bad.any():
            return
        if self.skipped is None:
            column = f", column {self.numbered[name]} ({name})"
            raise InvalidInput(
                what,
                where=f"{self.file}, {self.place(int(np.argmax(bad)))}{column}",
                do="Correct the file, or leave such rows out with --skip-bad.",
            )
        self.skipped.row(f"{name} {what}", int(bad.sum()))
        self.good &= ~bad

    def numbers(
        self,
        name: str,
        what: str = "a number",
        *,
        low: float = -np.inf,
        high: float = np.inf,
        where: Any = None,
        optional: bool = False,
    ) -> Any:
        """Return a column as float64[rows], NaN where there is no good number.

        Args:
            name: the column.
            what: what is expected, in words, for the error.
            low: least number that is right.
            high: greatest number that is right.
            where: bool[rows]; rows outside are not looked at and come back as NaN.
            optional: an empty value is right, and comes back as NaN.
        """
        values, blank = _numbers(self.columns[name])
        with np.errstate(invalid="ignore"):
            bad = ~(np.isfinite(values) & (values >= low) & (values <= high))
        values[bad] = np.nan
        if optional:
            bad &= ~blank
        if where is not None:
            bad &= where
            values[~where] = np.nan
        self.mark(bad, name, f"is not {what}")
        return values

    def positions(self, name: str, *, where: Any = None, optional: bool = False) -> Any:
        """Return a column of pixels as float64[rows]."""
        return self.numbers(
            name,
            "a position in pixels",
            low=-POSITION_PX_MAX,
            high=POSITION_PX_MAX,
            where=where,
            optional=optional,
        )

    def times(self, name: str, unit: str, *, optional: bool = False) -> Any:
        """Return a column of times as float64[rows] in µs.

        `unit` is one of `TIME_UNITS_US`, or `timestamp` for Arrow timestamps and ISO 8601 texts.
        """
        column = self.columns[name]
        if unit == "timestamp":
            values, blank = _timestamps(column)
            what = "a timestamp (ISO 8601)"
        else:
            values, blank = _numbers(column)
            values *= TIME_UNITS_US[unit]
            what = f"a time in {_UNIT_WORDS[unit]}"
        with np.errstate(invalid="ignore"):
            bad = ~(np.abs(values) <= TIME_US_MAX)
        values[bad] = np.nan
        self.mark(bad & ~blank if optional else bad, name, f"is not {what}")
        return values

    def codes(
        self, name: str, of: Mapping[str, int], what: str = "", *, where: Any = None, other: int = 0
    ) -> Any:
        """Return a column from a closed set of texts as int64[rows]; capitals do not matter.

        Where `other` is given (not 0), it stands for every text that is not in the set.
        """
        code, uniques = _encoded(self.columns[name])
        known = np.array([of.get(text.strip().lower(), -1) for text in uniques] or [-1], np.int64)
        values = known[code]
        if other:
            return np.where(values < 0, other, values)
        bad = values < 0
        values[bad] = 0
        expected = what or f"one of {', '.join(of)}"
        self.mark(bad if where is None else bad & where, name, f"is not {expected}")
        return values

    def truths(self, name: str, *, where: Any = None) -> Any:
        """Return a column of true and false as bool[rows]."""
        return self.codes(name, _TRUTH, "true or false", where=where) > 0

    def encoded(self, name: str) -> tuple[Any, Sequence[str]]:
        """Return the number of each value (int64[rows]) among the unique texts, and these."""
        return _encoded(self.columns[name])

    def texts(self, name: str) -> list[str]:
        """Return a column as texts; what is missing is the empty text."""
        code, uniques = _encoded(self.columns[name])
        return [uniques[i] for i in code.tolist()]

    def groups(self, *names: str) -> tuple[Any, int]:
        """Return equal numbers for equal values of the columns, from 0 in order of appearance.

        The second value is how many there are. An empty value is refused. Rows that are not `good`
        have a number too.
        """
        group = np.zeros(self.rows, np.int64)
        for name in names:
            code, uniques = _encoded(self.columns[name])
            empty = np.array([not text.strip() for text in uniques] or [False])[code]
            self.mark(empty, name, "is empty")
            group = group * (len(uniques) + 1) + code
            group = first_come(group)
        return group, int(group.max(initial=-1)) + 1


def first_come(values: Any) -> Any:
    """Return dense numbers from 0 for the values of an array, in order of first appearance.

    >>> first_come(np.array([7, 7, 2, 9, 2])).tolist()
    [0, 0, 1, 2, 1]
    """
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    rank = np.empty(first.size, np.int64)
    rank[np.argsort(first)] = np.arange(first.size)
    return rank[inverse]


def _plain(column: Column) -> Column:
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    return column


def is_text(kind: pa.DataType) -> bool:
    """Tell whether an Arrow type holds text."""
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def _numbers(column: Column) -> tuple[Any, Any]:
    """Return the column as float64 (NaN where it is no number) and which values are empty."""
    column = _plain(column)
    kind = column.type
    blank = np.asarray(column.is_null())
    nothing = np.full(len(column), np.nan)
    if is_text(kind):
        column = pc.utf8_trim_whitespace(column.cast(pa.large_string()))
        empty: Any = pc.equal(column, pa.scalar("", pa.large_string()))
        blank = blank | np.asarray(empty.fill_null(True))  # noqa: FBT003
        if blank.any():
            column = pc.if_else(pa.array(~blank), column, pa.scalar(None, pa.large_string()))
        try:
            return _floats(column.cast(pa.float64())), blank
        except pa.ArrowInvalid:
            code, uniques = _encoded(column)
            parsed = np.array([_float(text) for text in uniques] or [np.nan])
            return parsed[code], blank
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _floats(column.cast(pa.float64(), safe=False)), blank
    return nothing, blank


def _floats(column: Column) -> Any:
    return np.array(column.to_numpy(), np.float64)


def _float(text: str) -> float:
    try:
        return float(pc.cast(pa.scalar(text), pa.float64()).as_py())
    except (pa.ArrowInvalid, TypeError):
        return float("nan")


def _timestamps(column: Column) -> tuple[Any, Any]:
    column = _plain(column)
    blank = np.asarray(column.is_null())
    if pa.types.is_timestamp(column.type):
        counted = column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(pa.int64())
        return _floats(counted.cast(pa.float64(), safe=False)), blank
    if not is_text(column.type):
        return np.full(len(column), np.nan), blank
    code, uniques = _encoded(column)
    empty = np.array([not text.strip() for text in uniques] or [True])[code]
    return np.array([_instant_us(text) for text in uniques] or [np.nan])[code], blank | empty


def _instant_us(text: str) -> float:
    try:
        at = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        return float("nan")
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return (at.replace(tzinfo=at.tzinfo or dt.UTC) - epoch) / dt.timedelta(microseconds=1)


def _encoded(column: Column) -> tuple[Any, Sequence[str]]:
    """Return the number of each value among the unique texts, and these texts."""
    column = _plain(column)
    kind = column.type
    if pa.types.is_floating(kind):
        values = np.array(column.to_numpy(), np.float64)
        unknown = ~np.isfinite(values)
        if (unknown | (np.rint(values) == values) & (np.abs(values) < 2.0**53)).all():
            counted = np.where(unknown, 0, values).astype(np.int64)
            column = pa.chunked_array([pa.array(counted, mask=unknown)])
    try:
        column = column.cast(pa.large_string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        column = pa.chunked_array([pa.nulls(len(column), pa.large_string())])
    encoded = column.fill_null("").combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices, dtype=np.int64), encoded.dictionary.to_pylist()
