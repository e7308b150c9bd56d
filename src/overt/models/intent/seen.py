"""The numbers of what has been seen of a movement: nothing in them depends on what comes later."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from overt.models.intent.looks import Look
from overt.models.intent.movements import Movement
from overt.models.tensors import Array

WINDOWS_MS = (50.0, 100.0, 200.0)
NAMES = (
    "elapsed_ms",
    "still_ms",
    "samples",
    "way_px",
    "path_px",
    "straightness",
    "speed_50_px_per_s",
    "speed_100_px_per_s",
    "speed_200_px_per_s",
    "speed_peak_px_per_s",
    "since_peak_ms",
    "speed_of_peak",
    "slowing",
    "heading_100_along",
    "heading_100_aside",
    "heading_200_aside",
    "aside_most_px",
    "aside_mean_px",
    "x_px",
    "y_px",
    "direction_x",
    "direction_y",
)
"""Along and aside are of the line from where it set out to where it is."""

TINY = 1e-9


def direction(movement: Movement, look: Look) -> Array:
    """Return float64[2], the unit vector from where it set out to where it is.

    That of its last step where it is back where it set out.
    """
    x, y = movement.x_px[: look.seen], movement.y_px[: look.seen]
    for begin in (0, look.seen - 2):
        way = np.array([x[-1] - x[begin], y[-1] - y[begin]])
        length = float(np.hypot(*way))
        if length > TINY:
            return np.asarray(way / length)
    return np.array([1.0, 0.0])


def velocity(movement: Movement, look: Look, window_ms: float) -> Array:
    """Return float64[2], px a second over the last `window_ms`: 0 where it has been still."""
    t = movement.t_ms[: look.seen]
    begin = max(look.now_ms - window_ms, 0.0)
    took_s = (look.now_ms - begin) / 1000
    if took_s <= 0:
        return np.zeros(2)
    now = np.array([movement.x_px[look.seen - 1], movement.y_px[look.seen - 1]])
    then = np.array(
        [np.interp(begin, t, one[: look.seen]) for one in (movement.x_px, movement.y_px)]
    )
    return np.asarray((now - then) / took_s)


def numbers(movement: Movement, look: Look) -> Array:
    """Return float64[len(NAMES)]."""
    n = look.seen
    t, x, y = movement.t_ms[:n], movement.x_px[:n], movement.y_px[:n]
    path = np.append(0.0, np.cumsum(np.hypot(np.diff(x), np.diff(y))))
    along = direction(movement, look)
    aside = (y - y[0]) * along[0] - (x - x[0]) * along[1]
    way = float(np.hypot(x[-1] - x[0], y[-1] - y[0]))
    recent = {window: velocity(movement, look, window) for window in WINDOWS_MS}
    speed = {window: float(np.hypot(*moved)) for window, moved in recent.items()}
    grid = np.arange(0.0, look.now_ms + TINY, 25.0)
    steps = np.diff(np.interp(grid, t, path)) / 0.025
    peak = float(steps.max(initial=0.0))
    at = float(grid[int(steps.argmax()) + 1]) if steps.size else 0.0
    before = float(np.interp(max(look.now_ms - 100, 0.0), t, path))
    middle = float(np.interp(max(look.now_ms - 50, 0.0), t, path))
    turned = [recent[w] @ np.array([-along[1], along[0]]) for w in (100.0, 200.0)]
    return np.array(
        [
            look.now_ms,
            look.now_ms - t[-1],
            n,
            way,
            path[-1],
            way / max(path[-1], TINY),
            *speed.values(),
            peak,
            look.now_ms - at,
            speed[50.0] / max(peak, 1.0),
            ((path[-1] - middle) - (middle - before)) / 0.05,
            float(recent[100.0] @ along),
            float(turned[0]),
            float(turned[1]),
            aside[np.abs(aside).argmax()],
            aside.mean(),
            x[-1],
            y[-1],
            *along,
        ]
    )


def table(movements: Sequence[Movement], looks: Sequence[Look]) -> Array:
    """Return float64[looks, len(NAMES)]."""
    made = np.empty((len(looks), len(NAMES)))
    for row, look in enumerate(looks):
        made[row] = numbers(movements[look.number], look)
    return made
