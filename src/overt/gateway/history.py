"""What the log says of a study that is about nobody in particular, opened.

Reads as a whole, refusals, imports, trainings and audits: their openings are kept under the
system's key, and hold ranges and hashes, never a person. Entries about one person can be opened by
that person alone; here they are counted, in ranges, by kind and day.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass

from overt.gateway.ledger import log_of
from overt.log.entry import Entry
from overt.log.opening import Opening, read_opening
from overt.schema.manifest import bucket
from overt.store.store import Store


@dataclass(frozen=True)
class Told:
    """An entry and what opens it."""

    entry: Entry
    opening: Opening


def told(store: Store, study: str) -> list[Told]:
    """Return the entries about nobody in particular of a study, oldest first."""
    log = log_of(store)
    log.refresh()
    entries = log.entries()
    openings = [read_opening(json.loads(plain)) for _, plain in store.openings(None)]
    return [
        Told(entries[o.n], o)
        for o in sorted(openings, key=lambda o: o.n)
        if o.n < len(entries) and entries[o.n].study == study
    ]


def counted_by_day(store: Store, study: str) -> dict[str, dict[str, str]]:
    """Return for each day, newest first, the range in which the count of each kind lies."""
    log = log_of(store)
    log.refresh()
    by_day: dict[str, Counter[str]] = {}
    for entry in log.entries():
        if entry.study == study:
            by_day.setdefault(entry.day, Counter())[entry.kind] += 1
    return {
        day: {kind: bucket(count) for kind, count in counts.items()}
        for day, counts in sorted(by_day.items(), reverse=True)
    }
