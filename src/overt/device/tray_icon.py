"""The icon in the tray, as pixels: a red disc while recording, two grey bars while paused."""

from __future__ import annotations

from functools import cache

import numpy as np

SIZES = (22, 44)
RED, GREY, WHITE = (0xB3, 0x26, 0x1E), (0x3C, 0x40, 0x43), (0xFF, 0xFF, 0xFF)
_FINE = 4
"""Samples a side of each pixel, for soft edges."""


@cache
def icons(*, paused: bool) -> list[tuple[int, int, bytes]]:
    """Return width, height and pixels (alpha, red, green, blue) in each size."""
    return [(size, size, _drawn(size, paused=paused)) for size in SIZES]


def _drawn(size: int, *, paused: bool) -> bytes:
    at = (np.arange(size * _FINE) + 0.5) / (size * _FINE) - 0.5
    x, y = np.meshgrid(at, at)
    disc = np.hypot(x, y) < 0.46
    dot = np.hypot(x, y) < 0.2
    bars = (np.abs(np.abs(x) - 0.13) < 0.06) & (np.abs(y) < 0.2)
    mark = bars if paused else dot
    colour = np.where(mark[..., None], WHITE, GREY if paused else RED)
    soft = np.concatenate([(disc * 255)[..., None], colour], axis=2)
    cells = soft.reshape(size, _FINE, size, _FINE, 4).mean(axis=(1, 3))
    return bytes(cells.round().astype(np.uint8).tobytes())
