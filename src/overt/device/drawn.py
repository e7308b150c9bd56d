"""Looks at windows as they wait to leave, ready to be drawn for the person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from overt.device.facts import EIGHTHS
from overt.device.picture import rgb
from overt.schema.event import Kind, Role


@dataclass(frozen=True)
class Drawing:
    """A picture of a window, or the outlines of its parts."""

    width: int
    height: int
    is_picture: bool
    boxes: Sequence[tuple[int, int, int, int, str]]
    """x, y, width, height from the window's corner, pixels; colour, or nothing where masked."""


def drawings(rows: Any) -> list[Drawing]:
    """Return what rows (columns of `EVENTS` by name) hold of looks, in order.

    A picture begins with the rectangle of the whole window, a tree with the window itself.
    """
    return [
        *_drawn(rows, Kind.PICTURE, rows["role"] == Role.PAGE),
        *_drawn(rows, Kind.ELEMENT, rows["edit_chars"] == 0),
    ]


def _drawn(rows: Any, kind: Kind, begins: Any) -> list[Drawing]:
    at = np.flatnonzero(rows["kind"] == kind)
    made = []
    for part in np.split(at, np.flatnonzero(begins[at])):
        if not len(part) or not begins[part[0]]:
            continue  # its beginning went in another batch
        x, y = (rows[f"{axis}_8th_css_px"][part] // EIGHTHS for axis in "xy")
        wide, high = (rows[f"scroll_{axis}_css_px"][part] for axis in "xy")
        colours = rows["value"][part]
        is_picture = kind == Kind.PICTURE
        boxes = [
            (int(x), int(y), int(w), int(h), rgb(int(colour)) if is_picture and colour else "")
            for x, y, w, h, colour in zip(x - x[0], y - y[0], wide, high, colours, strict=True)
        ]
        made.append(Drawing(int(wide[0]), int(high[0]), is_picture, boxes))
    return made
