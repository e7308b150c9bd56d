"""What a log entry is, written and read by the same rule. Reads only.

`{"commitment":hex,"day":"2026-11-22","kind":…,"n":…,"study":…}` as canonical JSON; these bytes
are the leaf of the tree. The day is as fine as time gets, and nothing names a person.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from overt.log.merkle import leaf_hash
from overt.schema.errors import Damaged

KINDS = (
    "consent",
    "withdrawal",
    "read",
    "refusal",
    "import",
    "training",
    "audit",
    "release",
    "erasure",
    "retention",
)
"""All there is to log; anything else is a new version of the log."""

_FIELDS = {"n", "kind", "study", "day", "commitment"}
_STUDY = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_HASH = re.compile(r"[0-9a-f]{64}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@lru_cache(maxsize=4096)
def _is_day(text: str) -> bool:
    try:
        return bool(_DAY.fullmatch(text)) and dt.date.fromisoformat(text) is not None
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its place, what happened, in which study, on which day, and the commitment."""

    n: int
    kind: str
    study: str
    day: str
    commitment: str

    def __post_init__(self) -> None:
        if type(self.n) is not int or self.n < 0:
            raise Damaged("the number of an entry is not a count", where="entry")
        where = f"entry {self.n}"
        if not isinstance(self.kind, str) or self.kind not in KINDS:
            raise Damaged("unknown kind", where=where, do=f"Known: {', '.join(KINDS)}.")
        if not isinstance(self.study, str) or not _STUDY.fullmatch(self.study):
            raise Damaged("not a study id", where=where)
        if not isinstance(self.commitment, str) or not _HASH.fullmatch(self.commitment):
            raise Damaged("not a commitment (64 hex digits)", where=where)
        if not isinstance(self.day, str) or not _is_day(self.day):
            raise Damaged("not a day", where=where)

    def as_dict(self) -> dict[str, Any]:
        """Return the entry as it stands in the log."""
        return {
            "n": self.n,
            "kind": self.kind,
            "study": self.study,
            "day": self.day,
            "commitment": self.commitment,
        }

    def to_bytes(self) -> bytes:
        """Return the leaf data: canonical JSON, spelt out because logs are long."""
        return (
            f'{{"commitment":"{self.commitment}","day":"{self.day}","kind":"{self.kind}",'
            f'"n":{self.n},"study":"{self.study}"}}'
        ).encode()

    def leaf(self) -> bytes:
        """Return the leaf hash, 32 bytes."""
        return leaf_hash(self.to_bytes())


def read_entry(document: Any, n: int) -> Entry:
    """Return the entry that should stand at place `n`; raises `Damaged` if it does not."""
    where = f"entry {n}"
    if not isinstance(document, dict) or set(document) != _FIELDS:
        raise Damaged("not a log entry", where=where)
    entry = Entry(**document)
    if entry.n != n:
        raise Damaged(f"carries the number {entry.n}: removed, doubled or moved", where=where)
    return entry
