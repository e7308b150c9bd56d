"""Importer of the trajectories in the Python package cursory: mouse movements from point to point.

cursory 2.x, `cursory/trajectories.json.gz`: a list of movements with `points` ([x, y], px) and
`timing` (ms since the movement began, one a point).

The file does not say who moved, nor when: a session is a movement, and all of them are put under
one person who stands for nobody in particular. So no figure over people can be made of this set,
and whoever erases it erases all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from overt.datasets.reading import jsonfile, sessions
from overt.datasets.reading.files import Found
from overt.datasets.reading.imported import ByFile, ImportedPerson, Skipped
from overt.datasets.reading.sheet import POSITION_PX_MAX
from overt.schema.errors import InvalidInput
from overt.schema.event import Kind, Pointer

PATTERN = ("*trajectories*.json.gz", "*trajectories*.json")
TIME_MS_MAX = 3_600_000
"""A movement from point to point does not take an hour."""


@dataclass(frozen=True)
class Movements:
    """Points of all movements, by movement and then as in the file. All of length n."""

    movement: Any = field(repr=False)
    """int64[n], from 0 in the order of the file."""
    time_us: Any = field(repr=False)
    """float64[n], since the movement began."""
    x_px: Any = field(repr=False)
    """float64[n]"""
    y_px: Any = field(repr=False)
    """float64[n]"""


def read_movements(data: bytes, file: str, skipped: Skipped | None = None) -> Movements:
    """Return the points in the bytes of the file, gzipped or not.

    Raises `InvalidInput` with the number of the movement (from 0) that is wrong, unless `skipped`
    counts it.
    """
    found = jsonfile.document(data, file)
    if not isinstance(found, list):
        raise InvalidInput("is not a list of movements", where=file)
    parts = []
    for number, item in enumerate(found):
        part, wrong = _movement(item)
        if part is not None:
            parts.append((np.full(len(part), number), part))
        elif skipped is None:
            raise InvalidInput(
                wrong,
                where=f"{file}, movement {number}",
                do="Correct the file, or leave such movements out with --skip-bad.",
            )
        else:
            skipped.row(f"movement {wrong}")
    if not parts:
        return Movements(np.zeros(0, np.int64), np.zeros(0), np.zeros(0), np.zeros(0))
    points = np.concatenate([part for _, part in parts])
    movement = np.concatenate([number for number, _ in parts])
    return Movements(movement, points[:, 0] * 1000, points[:, 1], points[:, 2])


def _movement(item: Any) -> tuple[Any, str]:
    """Return time (ms), x and y (px) as float64[n, 3], or None and what is wrong."""
    if not isinstance(item, dict):
        return None, "is not an object"
    points, timing = item.get("points"), item.get("timing")
    if not isinstance(points, list) or not isinstance(timing, list) or not points:
        return None, "has no lists points and timing"
    if len(points) != len(timing):
        return None, "has another number of points than of times"
    made = np.full((len(points), 3), np.nan)
    for row, (point, time) in enumerate(zip(points, timing, strict=True)):
        if not isinstance(point, list) or len(point) != 2:
            return None, "has a point that is not two numbers"
        at = jsonfile.number(time, 0, TIME_MS_MAX)
        x, y = (jsonfile.number(value, -POSITION_PX_MAX, POSITION_PX_MAX) for value in point)
        if at is None:
            return None, "has a time that is not in milliseconds since its beginning"
        if x is None or y is None:
            return None, "has a point that is not a position in pixels"
        made[row] = at, x, y
    return made, ""


def _people_in(found: Found, skipped: Skipped | None) -> Iterator[ImportedPerson]:
    """Yield one person, whose sessions are the movements in the file."""
    movements = read_movements(found.data, found.name, skipped)
    count = movements.movement.size
    columns = {
        "kind": np.full(count, int(Kind.POINTER_MOVE)),
        "pointer": np.full(count, int(Pointer.MOUSE)),
        "x_8th_css_px": sessions.position_8th(movements.x_px),
        "y_8th_css_px": sessions.position_8th(movements.y_px),
    }
    yield ImportedPerson(sessions.tables(movements.movement, movements.time_us, columns))


read = ByFile(PATTERN, _people_in)
