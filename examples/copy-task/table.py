"""Pauses and revisions of a copy task by sentence, as CSV, over at least ten people a line.

    python examples/copy-task/table.py --data-dir overt-data > pauses.csv

Each figure is a mean over people, with the quarters of the distribution beside it; how many people
it rests on comes as a range. Fewer than ten people make no line: it would be about persons.
"""

import argparse
import csv
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from overt.features.windows import features
from overt.gateway.door import Door
from overt.schema.errors import OvertError, TooFew
from overt.schema.event import Kind
from overt.schema.manifest import bucket
from overt.store.store import Store

PEOPLE_MIN = 10
FIGURES = ("presses", "words_per_minute", "pauses", "pause_us_mean", "p_burst_chars_mean",
           "revisions", "deleted_chars", "deletions_per_press")  # fmt: skip


def trials(session: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    """Yield (number of the task, its events) from the marks that the page set."""
    kind = session.column("kind").to_numpy()
    marks = np.flatnonzero(kind == int(Kind.TASK)).tolist()
    for start, end in zip(marks, [*marks[1:], session.num_rows], strict=True):
        yield session.column("value")[start].as_py(), session.slice(start, end - start)


def by_trial(store: Store, study: str) -> dict[tuple[str, int], list[list[float]]]:
    """Return, for each origin and task, one list of figures a person."""
    found: dict[tuple[str, int], list[list[float]]] = defaultdict(list)
    door = Door(store, "copy task table", "researcher")
    for person in door.people(study, "typing-assist", "features"):
        own: dict[int, list[pa.Table]] = defaultdict(list)
        for session in person.sessions:
            for number, events in trials(session):
                own[number].append(events)
        for number, tables in own.items():
            made = features(tables)
            means = [_mean(made.column(name).to_numpy()) for name in FIGURES]
            found[person.origin, number].append(means)
    return found


def _mean(values: Any) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")


def write(store: Store, study: str) -> None:
    """Write the table to standard output. Raises `TooFew` when no line rests on ten people."""
    lines = []
    for (origin, number), people in sorted(by_trial(store, study).items()):
        for name, column in zip(FIGURES, np.array(people).T, strict=True):
            known = column[np.isfinite(column)]
            if known.size >= PEOPLE_MIN:
                quarters = np.percentile(known, [25, 50, 75]).round(3).tolist()
                figures = [round(float(known.mean()), 3), *quarters]
                lines.append([number, name, origin, bucket(known.size), *figures])
    if not lines:
        raise TooFew(f"no sentence was copied by {PEOPLE_MIN} people yet", where=f"study {study}")
    sheet = csv.writer(sys.stdout)
    sheet.writerow(["sentence", "figure", "origin", "people", "mean", "q25", "median", "q75"])
    sheet.writerows(lines)


def main() -> None:
    """Read the options and write the table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data-dir", type=Path, default=Path("overt-data"))
    options.add_argument("--study", default="copy-task")
    chosen = options.parse_args()
    try:
        with Store.open(chosen.data_dir) as store:
            write(store, chosen.study)
    except OvertError as error:
        sys.exit(f"table: {error}")


if __name__ == "__main__":
    main()
