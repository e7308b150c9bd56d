"""People who type: texts as published, through the importers, each cut to whom it belongs.

Aalto's copied sentences and Monaco's copied and free text; not Monaco's keypad, where eleven digits
are typed over and over. Of each source at most `PEOPLE_MAX` are read, those whose published number
has the least hash: which they are depends on nothing they typed, nor on the order of files.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from overt.datasets.formats import aalto, monaco
from overt.datasets.reading import files
from overt.datasets.reading.imported import ImportedPerson, Skipped, taken
from overt.models.programs.sources import places
from overt.models.programs.typed import Typed, in_a_row, text_of
from overt.schema.errors import InvalidInput

PEOPLE_MAX = 400
"""Of each source; what is usual is learned from people, so more of them find more, in more time."""

TEACHERS_MAX = 800
"""People beside them who teach how presses follow each other, and nothing else."""

_AALTO = "aalto-desktop-subset", r"aalto-desktop"
_TEXTS = ("fixed_text*.csv", "free_text*.csv")


@dataclass(frozen=True)
class Writer:
    """What one person typed, in texts one after the other."""

    source: str
    person: str
    typed: Typed
    named: bool = True


def writers(
    path: Path, progress: Callable[[str, float], None], *, by_content: bool = False
) -> list[Writer]:
    """Return people who type in the folders or archives of known data sets in `path`, perhaps none.

    With `by_content`, `path` itself is tried too, whatever its name.
    """
    found: list[Writer] = []
    for number, (source, (mark, read)) in enumerate(_SOURCES.items()):
        progress(f"reading {source}", number / len(_SOURCES))
        for place in places(path, mark) or ([path] if by_content and not found else []):
            try:
                people = read(place)
            except InvalidInput:
                continue
            made = [in_a_row([text_of(one) for one in person.sessions]) for person in people]
            found += [Writer(source, str(k), typed) for k, typed in enumerate(made) if typed.size]
    return found


def teachers(path: Path, progress: Callable[[str, float], None]) -> list[Writer]:
    """Return Aalto's people in `path` who are not among `writers`, perhaps none."""
    progress("reading those who teach how presses come", 0.0)
    for place in places(path, _AALTO[1]) or [path]:
        try:
            people = _read_aalto(place, slice(PEOPLE_MAX, PEOPLE_MAX + TEACHERS_MAX))
        except InvalidInput:
            continue
        made = [in_a_row([text_of(one) for one in person.sessions]) for _name, person in people]
        return [Writer(_AALTO[0], f"teacher {k}", one) for k, one in enumerate(made) if one.size]
    return []


def _ranked(names: list[str]) -> list[str]:
    return sorted(names, key=lambda name: (zlib.crc32(name.encode()), name))


def _aalto(path: Path) -> list[ImportedPerson]:
    people = dict(enumerate(_read_aalto(path, slice(PEOPLE_MAX))))
    # Where a file holds several people there are more than files were chosen.
    kept = sorted(people, key=lambda k: (zlib.crc32(people[k][0].encode()), k))[:PEOPLE_MAX]
    return [people[k][1] for k in sorted(kept)]


def _read_aalto(path: Path, ranks: slice) -> list[tuple[str, ImportedPerson]]:
    """Return who is in the files of these ranks, each with the published number."""
    below = {one.rpartition("/")[2]: one for one in files.paths(path, aalto.PATTERN)}
    chosen = {below[name] for name in _ranked(list(below))[ranks]}
    if not chosen:
        return []
    return list(aalto.by_participant(path, skipped=Skipped(), only=chosen.__contains__))


def _monaco(path: Path) -> list[ImportedPerson]:
    skipped = Skipped()
    people: dict[str, ImportedPerson] = {}
    for found in files.named(path, *_TEXTS):
        own = taken(
            lambda one: monaco.people_of(monaco.read_presses(one.data, one.name, skipped)),
            found,
            skipped,
        )
        people |= {f"{found.name} {number}": person for number, person in enumerate(own)}
    return [people[name] for name in sorted(_ranked(list(people))[:PEOPLE_MAX])]


_SOURCES: dict[str, tuple[str, Callable[[Path], list[ImportedPerson]]]] = {
    _AALTO[0]: (_AALTO[1], _aalto),
    "monaco-keystroke": (r"monaco", _monaco),
}
"""Data set → how its folder is recognised, and who reads it."""
