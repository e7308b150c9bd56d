"""JSON and JSON lines as Python values, with the place of what is wrong and limits on size."""

from __future__ import annotations

import json
import zlib
from typing import Any

from overt.datasets.reading.files import FILE_BYTES_MAX
from overt.datasets.reading.imported import Skipped
from overt.schema.errors import InvalidInput


def document(data: bytes, file: str) -> Any:
    """Return the value in a JSON file, which may be gzipped."""
    try:
        return _parsed(unpacked(data, file))
    except ValueError as error:
        raise InvalidInput("is not JSON", where=file) from error


def lines(data: bytes, file: str, skipped: Skipped | None) -> tuple[list[dict[str, Any]], Any]:
    """Return the objects of a JSON-lines file, and the number of the line each is on.

    A line that is no object raises `InvalidInput`, or is counted in `skipped`.
    """
    made, numbers = [], []
    for number, line in enumerate(unpacked(data, file).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            value = _parsed(line)
        except ValueError:
            value = None
        if isinstance(value, dict):
            made.append(value)
            numbers.append(number)
        elif skipped is None:
            raise InvalidInput(
                "is not a JSON object",
                where=f"{file}, line {number}",
                do="Correct the file, or leave such lines out with --skip-bad.",
            )
        else:
            skipped.row("not a JSON object")
    return made, numbers


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except RecursionError as error:
        raise ValueError from error


def unpacked(data: bytes, file: str) -> bytes:
    """Return `data`, inflated if it is gzipped, up to `FILE_BYTES_MAX`."""
    if data[:2] != b"\x1f\x8b":
        return data
    stream = zlib.decompressobj(wbits=31)
    try:
        plain = stream.decompress(data, FILE_BYTES_MAX)
    except zlib.error as error:
        raise InvalidInput("is not a whole gzip file", where=file) from error
    if stream.unconsumed_tail:
        raise InvalidInput(f"is larger than {FILE_BYTES_MAX} bytes", where=file)
    if not stream.eof:
        raise InvalidInput("is not a whole gzip file", where=file)
    return plain


def number(value: Any, low: float, high: float) -> float | None:
    """Return a JSON number within bounds as float; None for anything else."""
    if type(value) in (int, float) and low <= value <= high:
        return float(value)
    return None
