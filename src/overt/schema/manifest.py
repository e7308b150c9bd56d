"""What a data set is made of, without saying who is in it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from overt.schema.errors import InvalidInput
from overt.schema.people import ORIGINS

COUNT_BOUNDS = (10, 20, 50)
"""Counts of people are stated as the range between two of these, times powers of ten."""


def bucket(count: int) -> str:
    """Return the range in which a count of people lies, so that one person leaving does not show.

    Ranges begin at 0, 10, 20, 50, 100, 200, 500, 1000 … Raises `ValueError` if negative.

    >>> [bucket(n) for n in (0, 9, 10, 49, 1000)]
    ['<10', '<10', '10–19', '20–49', '1000–1999']
    """
    low, high = bounds(count)
    return f"{low}–{high - 1}" if low else f"<{high}"


def bounds(count: int) -> tuple[int, int]:
    """Return where the range of a count begins, and where the next one does.

    >>> [bounds(n) for n in (9, 13, 1000)]
    [(0, 10), (10, 20), (1000, 2000)]
    """
    if count < 0:
        raise ValueError("a count is not negative")
    low, scale = 0, 1
    while True:
        for bound in COUNT_BOUNDS:
            high = bound * scale
            if count < high:
                return low, high
            low = high
        scale *= 10


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where imported data comes from; empty where it was recorded or made here."""

    name: str
    licence: str
    lawful_basis: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A data set: study, purpose, people by origin and split in ranges, and hashes."""

    study: str
    purpose: str
    transform: str
    """Detail level and version of the de-identification, such as `rhythm/0`."""
    tokens: str
    """Id of the rule that made tokens of events."""
    origins: dict[str, str]
    """Range of the count of people by origin (`live`, `imported`, `synthetic`)."""
    splits: dict[str, str]
    """Range of the count of people by split (`train`, `validation`, `test`)."""
    subjects_root: str
    """Merkle root over salted commitments to the people in it, 64 hexadecimal digits."""
    dataset_sha256: str
    """Of the tokens of the training people in canonical order."""
    sources: tuple[Source, ...] = ()

    @property
    def synthetic(self) -> bool:
        """Whether any of it is made up; then it is labelled so everywhere."""
        return "synthetic" in self.origins

    def to_json(self) -> bytes:
        """Return canonical JSON (sorted keys, no spaces)."""
        return json.dumps(
            asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False
        ).encode()


_TEXTS = ("study", "purpose", "transform", "tokens", "subjects_root", "dataset_sha256")
_COUNTS = ("origins", "splits")


def manifest_from(data: Any) -> Manifest:
    """Return the `Manifest` of parsed JSON. Raises `InvalidInput` naming the field."""
    if type(data) is not dict or data.keys() != {*_TEXTS, *_COUNTS, "sources"}:
        raise InvalidInput("fields differ from those of a Manifest", where="manifest")
    for name in _TEXTS:
        if type(data[name]) is not str:
            raise InvalidInput("is not text", where=f"manifest.{name}")
    for name in _COUNTS:
        value = data[name]
        if type(value) is not dict or any(type(v) is not str for v in value.values()):
            raise InvalidInput("is not a table of texts", where=f"manifest.{name}")
    if not data["origins"].keys() <= set(ORIGINS):
        raise InvalidInput("names an unknown origin", where="manifest.origins")
    try:
        sources = tuple(Source(**source) for source in data["sources"])
    except TypeError as error:
        raise InvalidInput("is not a list of sources", where="manifest.sources") from error
    return Manifest(**{**data, "sources": sources})
