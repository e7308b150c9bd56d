"""Comma-, semicolon- or tab-separated text with a header line, read as a `Sheet` of texts.

Columns may stand in any order, in any case and quoted; further columns, a byte order mark, CR LF,
blank lines and separators at the end of a line change nothing. Arrow reads what is regular; a file
that is not is read line by line, so that an error names the line.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.csv as pacsv

from overt.datasets.reading.imported import Skipped
from overt.datasets.reading.sheet import Sheet
from overt.schema.errors import InvalidInput

SEPARATORS = ",\t;"
_BLOCK_BYTES = 16 * 1024 * 1024
_ROWS_AT_ONCE = 65_536
_TEXT = pa.large_string()

csv.field_size_limit(1 << 24)


def read(
    data: bytes,
    file: str,
    required: Sequence[str],
    skipped: Skipped | None,
    *,
    wanted: Sequence[str] | None = None,
) -> Sheet:
    """Return the sheet in `data`, with columns by lower-case name.

    Args:
        data: the bytes of the file: UTF-8, UTF-16 with a byte order mark, else latin-1.
        file: its name, for errors.
        required: lower-case names of columns that must be there.
        skipped: counts lines with another number of fields than the header; else they raise.
        wanted: lower-case names of the columns to keep; None keeps all.
    """
    data, encoding = _decodable(data)
    start, line, header = _header(data, encoding, file)
    separator = max(SEPARATORS, key=_unquoted(header).count)
    names = _names(header, separator)
    doubled = sorted({name for name in names if name and names.count(name) > 1} & set(required))
    missing = [name for name in required if name not in names]
    if missing or doubled:
        what = f"has no column {' and no column '.join(missing)}"
        if doubled:
            what = f"has two columns {' and two columns '.join(doubled)}"
        raise InvalidInput(
            what,
            where=f"{file}, line {line}",
            do="The first line names the columns, separated by commas, semicolons or tabs.",
        )
    body = data[start:]
    reader = _Body(body, encoding, separator, len(names), file, line)
    table = reader.regular()
    if table is None:
        table = reader.irregular(skipped)
    columns = {
        name: table.column(number)
        for number, name in reversed(list(enumerate(names)))
        if name and (wanted is None or name in wanted or name in required)
    }
    ordered = {name: columns[name] for name in dict.fromkeys(names) if name in columns}
    numbered = {name: names.index(name) + 1 for name in ordered}
    return Sheet(file, ordered, numbered, reader.place, skipped, table.num_rows)


def _decodable(data: bytes) -> tuple[bytes, str]:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return data.decode("utf-16").encode(), "utf-8"
        except UnicodeDecodeError:
            return data, "latin-1"
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        pa.array([data], pa.large_binary()).cast(_TEXT)
    except pa.ArrowInvalid:
        return data, "latin-1"
    return data, "utf-8"


def _header(data: bytes, encoding: str, file: str) -> tuple[int, int, str]:
    """Return where the body begins, the number of the header line, and its text."""
    start, line = 0, 0
    while start < len(data):
        ends = [at for at in (data.find(b"\n", start), data.find(b"\r", start)) if at >= 0]
        end = min(ends, default=len(data))
        line += 1
        text = data[start:end].decode(encoding)
        after = end + 2 if data[end : end + 2] == b"\r\n" else end + 1
        if text.strip(SEPARATORS + " \t\x00"):
            return min(after, len(data)), line, text
        start = after
    raise InvalidInput("is empty", where=file, do="Leave the file out.")


def _unquoted(header: str) -> str:
    return "".join(header.split('"')[::2])


def _names(header: str, separator: str) -> list[str]:
    try:
        cells = next(csv.reader([header], delimiter=separator), [])
    except csv.Error:
        cells = header.split(separator)
    return [cell.strip().strip('"').lower() for cell in cells]


class _Body:
    """The lines below the header, and where the rows made of them stand."""

    def __init__(
        self, data: bytes, encoding: str, separator: str, width: int, file: str, line: int
    ) -> None:
        self._data, self._encoding, self._separator = data, encoding, separator
        self._width, self._file, self._line = width, file, line

    def regular(self) -> pa.Table | None:
        """Return the table, all texts, or None if a line has another number of fields."""
        names = [str(number) for number in range(self._width)]
        if not self._data.strip():
            return pa.table({name: pa.array([], _TEXT) for name in names})
        if self._encoding != "utf-8" or self._width == 1:
            return None
        try:
            return pacsv.read_csv(
                io.BytesIO(self._data),
                pacsv.ReadOptions(
                    use_threads=False,
                    block_size=min(_BLOCK_BYTES, len(self._data) + 1),
                    column_names=names,
                ),
                pacsv.ParseOptions(
                    delimiter=self._separator, newlines_in_values=b'"' in self._data
                ),
                pacsv.ConvertOptions(
                    column_types=dict.fromkeys(names, _TEXT),
                    strings_can_be_null=False,
                    quoted_strings_can_be_null=False,
                ),
            )
        except pa.ArrowException:
            return None

    def irregular(self, skipped: Skipped | None) -> pa.Table:
        """Return the table read line by line; lines that do not fit raise or are counted."""
        parts: list[pa.RecordBatch] = []
        rows: list[list[str]] = []
        names = [str(number) for number in range(self._width)]

        def flush() -> None:
            columns = list(zip(*rows, strict=True)) if rows else [()] * self._width
            made = [pa.array(column, _TEXT) for column in columns]
            parts.append(pa.record_batch(made, names=names))
            rows.clear()

        for line, found in self._rows():
            row = found
            if len(row) > self._width and not any(row[self._width :]):
                row = row[: self._width]
            if len(row) == self._width:
                rows.append(row)
                if len(rows) == _ROWS_AT_ONCE:
                    flush()
            elif skipped is None:
                raise InvalidInput(
                    f"has {len(row)} fields where the header has {self._width}",
                    where=f"{self._file}, line {line}, column {min(len(row), self._width) + 1}",
                    do="Correct the file, or leave such rows out with --skip-bad.",
                )
            else:
                skipped.row("another number of fields than the header")
        flush()
        return pa.Table.from_batches(parts)

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        text = io.TextIOWrapper(io.BytesIO(self._data), self._encoding, newline="")
        reader = csv.reader(text, delimiter=self._separator)
        first = self._line + 1
        try:
            for row in reader:
                if any(cell.strip() for cell in row):
                    yield first, row
                first = self._line + reader.line_num + 1
        except csv.Error as error:
            raise InvalidInput(
                "has quotation marks that do not pair", where=f"{self._file}, line {first}"
            ) from error

    def place(self, row: int) -> str:
        """Return the line on which a row begins, in words."""
        number = -1
        for line, cells in self._rows():
            fits = len(cells) == self._width or not any(cells[self._width :])
            number += fits and len(cells) >= self._width
            if number == row:
                return f"line {line}"
        return f"row {row + 1}"
