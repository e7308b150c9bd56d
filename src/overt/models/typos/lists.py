"""Lists of misspellings: a line `$word`, and after it its misspellings, one a line.

`_` stands for a space, a number after a misspelling is how often it was seen. Text is UTF-8 or else
Latin-1.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from overt.datasets.reading import files
from overt.models.typos.channel import Pair
from overt.schema.errors import InvalidInput


def read(path: Path) -> dict[str, list[Pair]]:
    """Return pairs (typed, meant) of each `.dat` in `path`, by the file's name without its end.

    Lower case; pairs with a space in them and empty lists are left out.
    """
    found: dict[str, list[Pair]] = {}
    for file in files.named(path, "*.dat"):
        pairs = _pairs(file.data, file.name)
        if pairs:
            name = PurePosixPath(file.path).stem
            found.setdefault(name, []).extend(pairs)
    if not found:
        raise InvalidInput("holds no list with a misspelling", where=str(path))
    return found


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
            meant = line[1:].strip()
        elif line and not meant:
            raise InvalidInput(
                "comes before the first right word",
                where=f"{name}, line {number}",
                do="Right words stand on lines that begin with $.",
            )
        elif line:
            typed = line.split()[0]
            if "_" not in typed and "_" not in meant and " " not in meant:
                pairs.append((typed, meant))
    return pairs
