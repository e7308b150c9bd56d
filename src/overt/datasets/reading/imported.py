"""What every importer gives back: people without their published names, progress, and counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from overt.datasets.reading import files
from overt.datasets.reading.files import Found
from overt.schema.errors import InvalidInput

_T = TypeVar("_T")


@dataclass(frozen=True)
class ImportedPerson:
    """One person of a published data set, without the name or number they have there.

    `sessions` are tables of schema `EVENTS` in order of time (transform `raw/0`).
    """

    sessions: tuple[pa.Table, ...] = field(repr=False)
    presses: int = 0
    """Key presses, where the format says how many there are."""
    releases_dropped: int = 0
    """Presses whose hold is unknown."""
    clock_resolution_us: int = 1000
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Rows the format's own rules leave out, by reason; they are no errors."""


@dataclass(frozen=True)
class Progress:
    """How far an import is. `people_total` is None where it is not known before the end."""

    people: int
    people_total: int | None
    bytes: int
    bytes_total: int


@dataclass
class Skipped:
    """What an import with `skip_bad` left out, by reason."""

    rows: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)

    def row(self, reason: str, count: int = 1) -> None:
        """Count `count` rows left out for `reason`."""
        self.rows[reason] = self.rows.get(reason, 0) + count

    def file(self, reason: str) -> None:
        """Count one file left out for `reason`."""
        self.files[reason] = self.files.get(reason, 0) + 1

    def add(self, other: Skipped) -> None:
        """Count what another left out as well."""
        for reason, count in other.rows.items():
            self.row(reason, count)
        for reason, count in other.files.items():
            self.files[reason] = self.files.get(reason, 0) + count

    def told(self) -> tuple[str, ...]:
        """Return what was left out, in words, one sentence a reason.

        >>> Skipped(files={"is empty": 2}).told()
        ('Left out, files: 2 (is empty).',)
        """
        both = (("files", self.files), ("rows", self.rows))
        return tuple(
            f"Left out, {what}: {count} ({reason})."
            for what, counts in both
            for reason, count in sorted(counts.items())
        )


@dataclass(frozen=True)
class ByFile:
    """Reads a format in which nobody is in two files.

    A file that cannot be read raises `InvalidInput`, or is counted in `skipped` with nobody of it.
    """

    patterns: tuple[str, ...]
    """Names of the files, as `files.named` takes them."""
    people_in: Callable[[Found, Skipped | None], Iterator[ImportedPerson]]
    """Yields the people of one file."""

    def __call__(
        self,
        path: Path,
        *,
        progress: Callable[[Progress], None] | None = None,
        skipped: Skipped | None = None,
    ) -> Iterator[ImportedPerson]:
        """Yield the people in `path`, one at a time."""
        people = 0
        for found in files.named(path, *self.patterns):
            for person in taken(lambda file: self.people_in(file, skipped), found, skipped):
                people += 1
                yield person
            if progress is not None:
                total = 1 if found.files_total == 1 else None
                progress(Progress(people, total, found.bytes_done, found.bytes_total))


def taken(
    made_of: Callable[[Found], Iterator[_T]], found: Found, skipped: Skipped | None
) -> list[_T]:
    """Return what is made of a file; a file that is wrong as a whole is counted in `skipped`."""
    try:
        return list(made_of(found))
    except InvalidInput as error:
        if skipped is None:
            raise
        skipped.file(error.what)
        return []
