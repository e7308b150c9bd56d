"""The icon in the tray, as pixels: a red disc while recording, two grey bars while paused.

A red ring: it records, but not in the window that has the keyboard.
"""

from __future__ import annotations

from functools import cache
from math import hypot

from overt.device.signs import ELSEWHERE

SIZES = (22, 44)
RED, GREY, WHITE = (0xB3, 0x26, 0x1E), (0x3C, 0x40, 0x43), (0xFF, 0xFF, 0xFF)
_CLEAR = (0, 0, 0, 0)
_FINE = 4
"""Samples a side of each pixel, for soft edges."""


@cache
def icons(look: str) -> list[tuple[int, int, bytes]]:
    """Return width, height and pixels (alpha, red, green, blue) in each size, by the look."""
    return [(size, size, _drawn(size, look)) for size in SIZES]


def _drawn(size: int, look: str) -> bytes:
    """Draw without numpy: the process that shows the icon is not worth its memory."""
    fine = [(k + 0.5) / (size * _FINE) - 0.5 for k in range(size * _FINE)]
    found = bytearray()
    for row in range(size):
        for column in range(size):
            some = [
                _at(x, y, look)
                for y in fine[row * _FINE : (row + 1) * _FINE]
                for x in fine[column * _FINE : (column + 1) * _FINE]
            ]
            shown = [one for one in some if one[0]] or [_CLEAR]
            found.append(sum(one[0] for one in some) // len(some))
            found += bytes(sum(one[k] for one in shown) // len(shown) for k in (1, 2, 3))
    return bytes(found)


def _at(x: float, y: float, look: str) -> tuple[int, ...]:
    """Return alpha and colour at a point, from -½ to ½: a white rim shows it on any ground."""
    far = hypot(x, y)
    if far >= 0.48:
        return _CLEAR
    if look == ELSEWHERE:
        return (255, *(RED if 0.28 < far < 0.42 else WHITE))
    paused = look == "paused"
    mark = abs(abs(x) - 0.13) < 0.06 and abs(y) < 0.2 if paused else far < 0.18
    return (255, *(WHITE if mark or far > 0.42 else GREY if paused else RED))
