"""Parquet files as a `Sheet`: whatever types their columns have, named by row."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from overt.datasets.reading.imported import Skipped
from overt.datasets.reading.sheet import Sheet
from overt.schema.errors import InvalidInput


def read(
    data: bytes,
    file: str,
    required: Sequence[str],
    skipped: Skipped | None,
    *,
    wanted: Sequence[str] | None = None,
) -> Sheet:
    """Return the sheet in the bytes of a Parquet file, with columns by lower-case name.

    Only the required columns and those in `wanted` that are there are read (None: all of them).
    Texts may be of any Arrow kind or dictionary-encoded; numbers of any width.
    """
    try:
        opened = pq.ParquetFile(pa.BufferReader(data))
        found = opened.schema_arrow.names
        names = {name.strip().lower(): name for name in reversed(found)}
        missing = [name for name in required if name not in names]
        if missing:
            raise InvalidInput(
                f"has no column {' and no column '.join(missing)}",
                where=file,
                do="Columns may stand in any order, but must have these names.",
            )
        kept = [
            name.strip().lower()
            for name in found
            if wanted is None or name.strip().lower() in {*required, *wanted}
        ]
        table = opened.read(columns=[names[name] for name in kept])
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise InvalidInput("is not a whole Parquet file", where=file) from error
    columns = {name: table.column(names[name]) for name in kept}
    numbered = {name: found.index(names[name]) + 1 for name in kept}
    return Sheet(file, columns, numbered, lambda row: f"row {row + 1}", skipped, table.num_rows)
