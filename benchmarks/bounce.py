"""What the coach's wait for bounces does to typing it was not chosen from.

    python benchmarks/bounce.py PATH [--people 400] [--json]

PATH holds the published files of Aalto 136M Keystrokes. For each person the wait is chosen from the
first half of their sentences as `overt coach` chooses it, and replayed on the second half: slips
that it spares, and letters that were meant and would have been swallowed. Beside it stands one wait
for everybody, as systems offer it. Nobody's own figure is printed.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from itertools import islice
from pathlib import Path

import numpy as np

from overt.datasets.formats import aalto
from overt.datasets.reading.imported import ImportedPerson, Skipped
from overt.device.advice import bounce
from overt.device.facts import FACTS
from overt.device.practice import Day, Practice, edge_ms
from overt.models.scores import shares

FOR_ALL_MS = (40.0, 80.0)
COLUMNS = ("kind", "t_us", "key_class", "key_symbol", "modifiers", "slot")


def half(person: ImportedPerson, which: int) -> Day:
    """Return the sums of every other sentence."""
    practice = Practice(Day())
    for table in person.sessions[which::2]:
        rows = np.zeros(len(table), FACTS)
        for name in COLUMNS:
            rows[name] = table.column(name).to_numpy()
        practice.take(rows)
        practice.rest()
    return practice.day


def tried(day: Day, up_to_ms: float) -> tuple[int, int]:
    """Return how many slips a wait would have spared, and how many meant letters swallowed."""
    places = [place for place in range(len(day.doubles_undone)) if edge_ms(place) <= up_to_ms]
    spared = sum(day.doubles_undone[place] for place in places)
    doubles = day.doubles()
    return spared, sum(doubles[place] for place in places) - spared


def main() -> None:
    """Measure, print."""
    asked = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    asked.add_argument("path", type=Path)
    asked.add_argument("--people", type=int, default=400)
    asked.add_argument("--json", action="store_true")
    args = asked.parse_args()
    of: dict[str, list[tuple[int, int]]] = {}
    keys, slips = [], []
    advised = 0
    for person in islice(aalto.read(args.path, skipped=Skipped()), args.people):
        before, after = half(person, 0), half(person, 1)
        keys.append(after.keys)
        slips.append(sum(after.doubles_undone))
        wait = bounce(before)
        advised += wait is not None
        of.setdefault("the coach's", []).append(tried(after, wait.ms if wait else 0.0))
        for wait_ms in FOR_ALL_MS:
            of.setdefault(f"{wait_ms:.0f} ms for all", []).append(tried(after, wait_ms))
    rows = []
    for name, found in of.items():
        spared, meant = np.array(found).T
        rows.append(shares(name, "spared of such slips", spared, np.array(slips)))
        rows.append(shares(name, "swallowed of 1,000 keys", 1000 * meant, np.array(keys)))
    counts = {"people": len(keys), "keys": sum(keys), "slips": sum(slips), "advised": advised}
    if args.json:
        print(json.dumps({"counts": counts, "rows": [asdict(row) for row in rows]}, indent=2))
        return
    print(", ".join(f"{count:,} {name}" for name, count in counts.items()))
    for row in rows:
        print(f"{row.name:15} {row.metric:24} {row.value:.3f} [{row.low:.3f}, {row.high:.3f}]")


if __name__ == "__main__":
    main()
