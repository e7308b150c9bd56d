"""Lists of misspellings: a line `$word`, and after it its misspellings, one a line (Mitton).

Or a line `word: misspelling misspelling …` a word (Norvig). `_` stands for a space; a number after
a misspelling (` 3`, `*3`) is how often it was seen. Text is UTF-8 or else Latin-1. Lists end in
`.dat`, or in `.txt` where a folder's file is nothing but one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from overt.datasets.reading import files
from overt.models.typos.channel import Pair
from overt.schema.errors import InvalidInput


def read(path: Path) -> dict[str, list[Pair]]:
    """Return pairs (typed, meant) of each list in `path`, by the file's name without its end.

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
    for file in files.named(path, "*.dat", "*.txt"):
        name = PurePosixPath(file.path)
        try:
            yield name.stem, _pairs(file.data, file.name)
        except InvalidInput:
            if name.suffix.lower() != ".txt" or file.files_total == 1:
                raise  # else a text beside the lists


_IN_A_LINE = re.compile(r"([^\s:$]+):(?:\s+\S+)+")


def _pairs(data: bytes, name: str) -> list[Pair]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    lines = [line.strip().lower() for line in text.splitlines()]
    if all(_IN_A_LINE.fullmatch(line) for line in lines if line) and any(lines):
        return [
            (_plain(typed.partition("*")[0].strip(",")), _plain(meant))
            for meant, _, rest in (line.partition(":") for line in lines if line)
            for typed in rest.split()
        ]
    meant = ""
    pairs = []
    for number, line in enumerate(lines, 1):
        if line.startswith("$"):
            meant = _plain(line[1:])
        elif line and not meant:
            raise InvalidInput(
                "comes before the first right word",
                where=f"{name}, line {number}",
                do="Right words stand on lines that begin with $, or before a colon on each line.",
            )
        elif line:
            pairs.append((_plain(line.split()[0]), meant))
    return pairs


def _plain(word: str) -> str:
    return word.replace("_", " ").strip()
