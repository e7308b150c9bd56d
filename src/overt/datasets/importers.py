"""Registry of importers: the FORMAT of `overt import FORMAT PATH`.

To add one, write a module with a function of type `Reader`, and name it here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from overt.datasets import aalto
from overt.datasets.aalto import ImportedPerson, Progress
from overt.datasets.tsv import Skipped
from overt.schema.errors import InvalidInput


class Reader(Protocol):
    """Yields the people in a file, directory or archive. See `overt.datasets.aalto.read`."""

    def __call__(
        self,
        path: Path,
        *,
        progress: Callable[[Progress], None] | None = None,
        skipped: Skipped | None = None,
    ) -> Iterator[ImportedPerson]:
        """Yield people one at a time; strict unless `skipped` counts what is left out."""
        ...


@dataclass(frozen=True)
class Importer:
    """A public format: its name on the command line, what it reads, where it was published."""

    name: str
    title: str
    reads: str
    publication: str
    licence: str
    read: Reader


IMPORTERS: dict[str, Importer] = {
    importer.name: importer
    for importer in (
        Importer(
            name="aalto",
            title="Aalto 136M Keystrokes",
            reads="a directory of *_keystrokes.txt (TSV), one such file, or a .tar.zst of them",
            publication="Dhakal et al., CHI 2018, doi:10.1145/3173574.3174220",
            licence="free for non-commercial use in own research or projects, with attribution",
            read=aalto.read,
        ),
    )
}


def importer(name: str) -> Importer:
    """Return the importer of a format; raises `InvalidInput` naming those there are."""
    if name not in IMPORTERS:
        known = ", ".join(sorted(IMPORTERS))
        raise InvalidInput("is not a known format", where="FORMAT", do=f"Known: {known}.")
    return IMPORTERS[name]
