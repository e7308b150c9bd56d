"""People of many sources in the common schema, and on which side of the split each of them is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from overt.datasets.formats import (
    aalto,
    balabit,
    cmu,
    cursory,
    monaco,
    mousetrap,
    scroll_readability,
)
from overt.datasets.reading import files
from overt.datasets.reading.imported import ImportedPerson, Skipped
from overt.models.pretrained.frames import Frames, frames_of
from overt.models.programs.sources import places
from overt.models.scores import Progress
from overt.schema.errors import InvalidInput, OvertError, TooFew

TYPING, POINTER, SCROLLING = "typing", "pointer", "scrolling"
EVENTS_MAX = 60_000
"""Of one source, to be learned from and to be judged each: no source outweighs the others."""

PERSON_EVENTS_MAX = 12_000
"""Of one person: the beginning."""

PEOPLE_MAX = 240
RECORDINGS_A_PERSON = 3
BLOCK = 60
"""Movements of a source that does not say who moved that are kept together, as they lie."""

JUDGED = 3
"""One person in so many is judged, by a hash of whose it is."""


@dataclass(frozen=True, eq=False)
class Person:
    """What one person did."""

    source: str
    name: str
    """Within the source."""
    kind: str
    """`TYPING`, `POINTER` or `SCROLLING`."""
    stretches: tuple[Frames, ...] = field(repr=False)

    @property
    def unit(self) -> str:
        """Return who it is over all sources."""
        return f"{self.source}/{self.name}"

    @property
    def events(self) -> int:
        """How many there are."""
        return sum(len(one) - 1 for one in self.stretches)


def judged(unit: str) -> bool:
    """Tell whether somebody (source/name) is judged, and so never learned from."""
    return _hash(unit) % JUDGED == 0


def _hash(unit: str) -> int:
    return int.from_bytes(hashlib.sha256(f"shared encoder\0{unit}".encode()).digest()[:8], "big")


def read(path: Path, progress: Progress) -> list[Person]:
    """Return people of every source that lies in `path`, up to `EVENTS_MAX` a side and source.

    Raises `InvalidInput` where there is none, `TooFew` where nobody is on one of the sides.
    """
    found: list[Person] = []
    for number, (source, (mark, _, _)) in enumerate(_SOURCES.items()):
        for place in places(path, mark):
            progress(f"reading {source}", number / len(_SOURCES))
            found += _people(source, place)
    for source in () if found else _SOURCES:
        # Under another name: whoever finds files of their own in it.
        found = found or _people(source, path)
    if not found:
        raise InvalidInput(
            "holds no recordings of people that are known here",
            where=str(path),
            do=f"Give a folder with one or more of: {', '.join(_SOURCES)}.",
        )
    if len({judged(one.unit) for one in found}) < 2:
        raise TooFew(
            "has people on one side of the split only", where=str(path), do="Add other people."
        )
    return found


def _people(source: str, place: Path) -> list[Person]:
    _, kind, reader = _SOURCES[source]
    try:
        people = [_person(source, name, kind, person) for name, person in reader(place)]
    except OvertError:
        return []
    return _some(people)


def _person(source: str, name: str, kind: str, person: ImportedPerson) -> Person:
    stretches: list[Frames] = []
    count = 0
    for session in person.sessions:
        if count >= PERSON_EVENTS_MAX:
            break
        made = frames_of(session)
        stretches += made
        count += sum(map(len, made))
    return Person(source, name, kind, tuple(stretches))


def _some(people: list[Person]) -> list[Person]:
    """Return people in the order of a hash until a side has enough; nobody without an event."""
    left = {True: EVENTS_MAX, False: EVENTS_MAX}
    kept = []
    for one in sorted(people, key=lambda person: _hash(person.unit)):
        side = judged(one.unit)
        if one.events and left[side] > 0:
            left[side] -= one.events
            kept.append(one)
    return kept


Named = Iterator[tuple[str, ImportedPerson]]


def _aalto(path: Path) -> Named:
    names = sorted(files.paths(path, aalto.PATTERN), key=_hash)
    chosen = set(names[:PEOPLE_MAX])
    return aalto.by_participant(path, skipped=Skipped(), only=lambda name: name in chosen)


def _balabit(path: Path) -> Named:
    taken: dict[str, int] = {}

    def first(place: str) -> bool:
        account = balabit.account_of(place)
        taken[account] = taken.get(account, 0) + balabit.is_training(place)
        return balabit.is_training(place) and taken[account] <= RECORDINGS_A_PERSON

    own: dict[str, list[ImportedPerson]] = {}
    for file in files.named(path, balabit.PATTERN, only=first):
        made = balabit.read_recording(file.data, file.path, Skipped())
        account = PurePosixPath(balabit.account_of(file.path)).name
        own.setdefault(account, []).append(ImportedPerson(balabit.events_of(made)))
    for account, several in own.items():
        yield account, ImportedPerson(tuple(t for one in several for t in one.sessions))


def _cursory(path: Path) -> Named:
    for person in cursory.read(path, skipped=Skipped()):
        for start in range(0, len(person.sessions), BLOCK):
            yield str(start), ImportedPerson(person.sessions[start : start + BLOCK])


def _numbered(read: Callable[..., Iterator[ImportedPerson]]) -> Callable[[Path], Named]:
    def reader(path: Path) -> Named:
        for number, person in enumerate(read(path, skipped=Skipped())):
            if number == PEOPLE_MAX:
                return
            yield str(number), person

    return reader


_SOURCES: dict[str, tuple[str, str, Callable[[Path], Named]]] = {
    "aalto": (r"aalto-desktop", TYPING, _aalto),
    "monaco": (r"monaco", TYPING, _numbered(monaco.read)),
    "cmu": (r"cmu-pass", TYPING, _numbered(cmu.read)),
    "balabit": (r"balabit", POINTER, _balabit),
    "cursory": (r"cursory", POINTER, _cursory),
    "mousetrap": (r"mousetrap", POINTER, _numbered(mousetrap.read)),
    "scroll": (r"scroll-read", SCROLLING, _numbered(scroll_readability.read)),
}
"""Source → how its folder is recognised, what it holds, and who reads it."""
