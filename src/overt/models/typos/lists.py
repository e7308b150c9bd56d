"""Lists of misspellings: a line `$word`, and after it its misspellings, one a line.

`_` stands for a space, a number after a misspelling is how often it was seen. Text is UTF-8 or else
Latin-1.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from overt.datasets.reading import files
from overt.models.typos.channel import Pair
from overt.schema.errors import InvalidInput


def read(path: Path) -> dict[str, list[Pair]]:
    """Return pairs (typed, meant) of each `.dat` in `path`, by the file's name without its end.

    Lower case; pairs with a space in them and empty lists are left out.
    """
    found: dict[str, list[Pair]] = {}
    for name, pairs in _all(path):
        whole = [pair for pair in pairs if " " not in "".join(pair)]
        if whole:
            found.setdefault(name, []).extend(whole)
    if not found:
        raise InvalidInput("holds no list with a misspelling", where=str(path))
    return found


def spaced(path: Path) -> list[Pair]:
    """Return the pairs of all lists in `path` in which one side is two words and the other one."""
    return [
        pair
        for _, pairs in _all(path)
        for pair in pairs
        if sorted(side.count(" ") for side in pair) == [0, 1]
    ]


def _all(path: Path) -> Iterator[tuple[str, list[Pair]]]:
    for file in files.named(path, "*.dat"):
        yield PurePosixPath(file.path).stem, _pairs(file.data, file.name)


def _pairs(data: bytes, name: str) -> list[Pair]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    meant = ""
    pairs = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip().lower()
        if line.startswith("$"):
            meant = line[1:].replace("_", " ").strip()
        elif line and not meant:
            raise InvalidInput(
                "comes before the first right word",
                where=f"{name}, line {number}",
                do="Right words stand on lines that begin with $.",
            )
        elif line:
            pairs.append((line.split()[0].replace("_", " ").strip(), meant))
    return pairs
