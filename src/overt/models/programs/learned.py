"""A learned program: it draws new strokes from what strokes of real people have in common.

Fitted when it is run, on the strokes it is given; nothing of it is kept.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from overt.models.programs.generators import Library, Mover, Path, onto
from overt.models.tensors import Array

POINTS = 32
"""Points of a stroke at equal times, after turning and scaling it to go from (0, 0) to (1, 0)."""

KEPT = 0.999
"""Share of the variance of strokes that its principal movements carry."""

STRAIGHT_MIN = 0.5
"""Only strokes that get this far (chord over path) are learned from."""


def learned(library: Library) -> Callable[[np.random.Generator, Library], Mover]:
    """Return the maker of a program that has learned from `library`.

    Principal movements (Sanger 2000) of the strokes' shape over time, coefficients drawn from a
    normal distribution fitted among strokes of like length; durations as those of such strokes.
    """
    shapes, lengths, took = _normalised(library)
    mean = shapes.mean(0)
    _u, size, axes = np.linalg.svd(shapes - mean, full_matrices=False)
    share = np.cumsum(size**2) / max(float((size**2).sum()), 1e-12)
    axes = axes[: int(np.searchsorted(share, KEPT)) + 1]
    weights = (shapes - mean) @ axes.T

    def maker(rng: np.random.Generator, _library: Library) -> Mover:
        few = rng.permutation(len(lengths))[: max(int(rng.uniform(0.3, 1) * len(lengths)), 2)]
        speed = rng.lognormal(0, 0.1)

        def move(dx: float, dy: float) -> Path:
            apart = np.abs(np.log(lengths[few] / max(float(np.hypot(dx, dy)), 1.0)))
            near = few[np.argsort(apart)[: max(40, few.size // 10)]]
            middle, spread = weights[near].mean(0), weights[near].std(0)
            drawn = mean + (middle + spread * rng.normal(0, 1, spread.size)) @ axes
            x, y = drawn[:POINTS], drawn[POINTS:]
            t = np.linspace(0, took[rng.choice(near)] * speed, POINTS)
            x, y = _pinned(x, 1.0), _pinned(y, 0.0)
            return _smooth(t, x * dx - y * dy, x * dy + y * dx)

        return move

    return maker


def _normalised(library: Library) -> tuple[Array, Array, Array]:
    shapes, lengths, took = [], [], []
    for stroke in library:
        t, x, y = onto(stroke, 1.0, 0.0)
        if 1 / max(np.hypot(np.diff(x), np.diff(y)).sum(), 1e-9) < STRAIGHT_MIN:
            continue
        at = np.linspace(0, t[-1], POINTS)
        shapes.append(np.concatenate([np.interp(at, t, x), np.interp(at, t, y)]))
        lengths.append(np.hypot(stroke.x_px[-1] - stroke.x_px[0], stroke.y_px[-1] - stroke.y_px[0]))
        took.append(t[-1])
    return np.array(shapes), np.array(lengths), np.array(took)


def _pinned(values: Array, end: float) -> Array:
    ramp = np.linspace(0, 1, POINTS)
    return np.asarray(values - values[0] * (1 - ramp) - (values[-1] - end) * ramp)


def _smooth(t: Array, x: Array, y: Array) -> Path:
    """Return the path through the points with a continuous speed (Catmull-Rom), four to one."""
    fine = np.linspace(0, POINTS - 1, 4 * (POINTS - 1) + 1)
    k = np.minimum(fine.astype(int), POINTS - 2)
    u = fine - k

    def between(p: Array) -> Array:
        m = np.gradient(p)
        a, b, c, d = p[k], p[k + 1], m[k], m[k + 1]
        here, there = (2 * u**3 - 3 * u**2 + 1) * a, (3 * u**2 - 2 * u**3) * b
        return np.asarray(here + (u**3 - 2 * u**2 + u) * c + there + (u**3 - u**2) * d)

    made: Path = (np.interp(fine, np.arange(POINTS), t), between(x), between(y))
    return made
