"""Tab-separated text with a header line, read as columns of strings with the line each came from.

Bytes become text as UTF-8, else latin-1. Only tab, LF and CR LF separate; other control characters
belong to the data, because published logs hold what the keyboard said. Quotation marks are data
too, unless the header line is quoted or a line only fits when they are taken as quoting.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from overt.datasets.reading.imported import Skipped
from overt.schema.errors import InvalidInput

csv.field_size_limit(1 << 24)


@dataclass(frozen=True)
class Sheet:
    """Columns by upper-case name, all of the same length; `line[i]` is where row i stands."""

    file: str
    columns: dict[str, list[str]]
    place: dict[str, int]
    """Number of each column in the file, from 1."""
    line: Sequence[int]

    def bad(self, row: int, column: str, what: str) -> InvalidInput:
        """Return the error for one value. The value itself is not repeated."""
        return InvalidInput(
            what,
            where=f"{self.file}, line {self.line[row]}, column {self.place[column]} ({column})",
            do="Correct the file, or leave such rows out with skip-bad.",
        )

    def numbers(
        self, column: str, expectation: str, parse: Callable[[str], float], skipped: Skipped | None
    ) -> list[float | None]:
        """Return a column as numbers. `parse` raises `ValueError` for what is not as expected.

        Without `skipped` the first bad value raises `InvalidInput`; with it, bad values are counted
        and come back as None.
        """
        texts = self.columns[column]
        try:
            return list(map(parse, texts))
        except (ValueError, OverflowError):
            pass
        made: list[float | None] = []
        for row, text in enumerate(texts):
            try:
                made.append(parse(text.strip().strip('"')))
            except (ValueError, OverflowError):
                if skipped is None:
                    raise self.bad(row, column, f"is not {expectation}") from None
                skipped.row(f"{column} is not {expectation}")
                made.append(None)
        return made


def read(data: bytes, file: str, required: Sequence[str], skipped: Skipped | None) -> Sheet:
    """Return the sheet in `data`; columns may stand in any order, further ones are kept aside.

    Raises `InvalidInput` for a header without the required columns and, unless `skipped` counts
    them, for lines with another number of fields than the header. A line that is a copy of another
    in every field is left out: no key goes down twice at once, and doubled keys pause for nothing.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    text = text.replace("\r\n", "\n")
    lines = text.split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is None:
        raise InvalidInput("is empty", where=file, do="Leave the file out.")
    quoted = '"' in lines[first]
    names = [name.strip().strip('"').upper() for name in lines[first].split("\t")]
    missing = [name for name in required if name not in names]
    if missing:
        raise InvalidInput(
            f"has no column {' and no column '.join(missing)}",
            where=f"{file}, line {first + 1}",
            do="The first line names the columns, separated by tabs.",
        )
    if quoted:
        rows, numbers = _quoted_rows(lines, first + 1, file)
    else:
        numbers = [n for n in range(first + 1, len(lines)) if lines[n] and not lines[n].isspace()]
        rows = [lines[n].split("\t") for n in numbers]
        numbers = [n + 1 for n in numbers]
    if not all(len(row) == len(names) for row in rows):
        rows, numbers = _fitting(rows, numbers, len(names), file, skipped)
    rows, numbers = _once(rows, numbers, skipped)
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    place = {name: number for number, name in reversed(list(enumerate(names, start=1)))}
    return Sheet(file, {name: list(columns[at - 1]) for name, at in place.items()}, place, numbers)


def _once(
    rows: list[list[str]], numbers: list[int], skipped: Skipped | None
) -> tuple[list[list[str]], list[int]]:
    """Return each row once, and where it stands first."""
    seen = {tuple(row): at for at, row in reversed(list(enumerate(rows)))}
    copies = len(rows) - len(seen)
    if not copies:
        return rows, numbers
    if skipped is not None:
        skipped.row("a copy of another row", copies)
    kept = sorted(seen.values())
    return [rows[at] for at in kept], [numbers[at] for at in kept]


def _quoted_rows(lines: list[str], start: int, file: str) -> tuple[list[list[str]], list[int]]:
    """Return rows of a file written with quotation marks, and the line on which each ends."""
    reader = csv.reader((line + "\n" for line in lines[start:]), delimiter="\t")
    rows, numbers = [], []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append(row)
                numbers.append(start + reader.line_num)
    except csv.Error as error:
        raise InvalidInput(
            "has quotation marks that do not pair", where=f"{file}, line {start + reader.line_num}"
        ) from error
    return rows, numbers


def _fitting(
    rows: list[list[str]], numbers: list[int], width: int, file: str, skipped: Skipped | None
) -> tuple[list[list[str]], list[int]]:
    """Return the rows that have `width` fields, after another try at reading those that do not."""
    kept, where = [], []
    for found, number in zip(rows, numbers, strict=True):
        row = found
        if len(row) > width and not any(row[width:]):
            row = row[:width]
        if len(row) != width and '"' in "\t".join(row):
            with suppress(csv.Error):
                row = next(csv.reader(["\t".join(row)], delimiter="\t"))
        if len(row) == width:
            kept.append(row)
            where.append(number)
        elif skipped is None:
            raise InvalidInput(
                f"has {len(row)} fields where the header has {width}",
                where=f"{file}, line {number}, column {min(len(row), width) + 1}",
                do="Correct the file, or leave such rows out with skip-bad.",
            )
        else:
            skipped.row("another number of fields than the header")
    return kept, where
