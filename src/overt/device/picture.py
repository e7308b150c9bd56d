"""A coarse picture of one window: squares of one colour, everything that may be text masked.

Two rules, each enough for usual text. A square is shown only where accessibility says that what
lies there shows no text; and only if all its pixels are of one colour, which no stroke thinner
than two squares leaves so. What is left goes as rectangles painted over each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from overt.device.elements import STEP_PX, Box

SQUARES_PX = (STEP_PX, 2 * STEP_PX, 4 * STEP_PX, 8 * STEP_PX)
"""Sizes that are tried until a picture has few enough rectangles."""

RECTANGLES_MAX = 400
FLAT = 20
"""A square is of one colour if each channel differs by no more than this, of 255."""

MASKED = 0
_AT_ONCE = 4096
"""Squares looked at together, so that a large window takes little memory."""


class Rectangle(NamedTuple):
    """A part of a picture: place in the window (pixels), colour (15 bits; `MASKED`)."""

    x: int
    y: int
    width: int
    height: int
    colour: int


def picture(
    pixels: Any, drawn: Any, window: Box, bare: Iterable[Box], rest: Iterable[Box]
) -> list[Rectangle] | None:
    """Return a picture of `uint8[h, w, 3]`; the first rectangle is the whole window.

    `drawn`: bool[h, w], the pixels that are the window's own for sure.
    `bare` and `rest`: places on the screen that show no text, and that may. None: nothing of it
    may be shown, or it has too many colours.
    """
    open_ = drawn & shown(pixels.shape[:2], window, bare, rest)
    for side in SQUARES_PX:
        grid = squares(pixels, open_, side)
        if not grid.any():
            return None
        found = [Rectangle(0, 0, window.width, window.height, MASKED), *_rectangles(grid, side)]
        if len(found) <= RECTANGLES_MAX:
            return found
    return None


def shown(shape: tuple[int, int], window: Box, bare: Iterable[Box], rest: Iterable[Box]) -> Any:
    """Return bool[h, w]: the pixels that accessibility says show no text. All else is not shown."""
    found = np.zeros(shape, bool)
    for boxes, value in ((bare, True), (rest, False)):
        for box in boxes:
            left, top = max(0, box.x - window.x), max(0, box.y - window.y)
            right, below = box.x + box.width - window.x, box.y + box.height - window.y
            found[top : max(0, below), left : max(0, right)] = value
    return found


def squares(pixels: Any, open_: Any, side: int) -> Any:
    """Return int16[rows, columns]: each whole square's colour, `MASKED` where it is not shown."""
    high, wide = (size // side for size in open_.shape)
    colours = np.full((high, wide), MASKED, np.int16)
    may = open_[: high * side, : wide * side].reshape(high, side, wide, side).all(axis=(1, 3))
    row, column = np.nonzero(may)  # only these are looked at: of a window of text, few
    cut = pixels[: high * side, : wide * side].reshape(high, side, wide, side, 3)
    for some in np.array_split(np.arange(len(row)), len(row) // _AT_ONCE + 1):
        square = cut[row[some], :, column[some]].reshape(len(some), side * side, 3)
        flat = (square.max(axis=1) - square.min(axis=1) <= FLAT).all(axis=1)
        red, green, blue = (square.mean(axis=1).astype(np.int16) >> 3).T
        colour = np.maximum(red << 10 | green << 5 | blue, 1)
        colours[row[some], column[some]] = np.where(flat, colour, MASKED)
    return colours


def _rectangles(grid: Any, side: int) -> list[Rectangle]:
    """Return equal squares joined: along a row first, then downwards."""
    found: list[Rectangle] = []
    open_: dict[tuple[int, int, int], int] = {}
    for row, colours in enumerate(grid):
        ends = np.flatnonzero(np.diff(colours, append=-1)) + 1
        below: dict[tuple[int, int, int], int] = {}
        for start, end in zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True):
            colour = int(colours[start])
            if colour == MASKED:
                continue
            key = (start, end, colour)
            if key in open_:
                at = below[key] = open_[key]
                found[at] = found[at]._replace(height=found[at].height + side)
            else:
                below[key] = len(found)
                found.append(
                    Rectangle(start * side, row * side, (end - start) * side, side, colour)
                )
        open_ = below
    return found


def rgb(colour: int) -> str:
    """Return a colour as a page writes it.

    >>> rgb(0x7FFF), rgb(1)
    ('#f8f8f8', '#000008')
    """
    return "#" + "".join(f"{(colour >> shift & 31) << 3:02x}" for shift in (10, 5, 0))
