"""People's own strokes, altered, to learn from: smoothed, bent, or retimed.

Who has met only a few kinds of program knows what these few lack. A person's own stroke, computed
anew, lacks what any program may lack, on the same errand and the same device, so that neither can
tell the two apart: smoothed, it has none of a hand's unsteadiness; bent, it is as unsteady as it
was, but no hand and no sensor ever took that way; retimed, it goes the hand's way in a time that
is drawn. Each pulls a judge another way, so each has one of its own (`classifiers.Trees`). Nobody
is asked about them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from overt.models.programs.generators import DENSE_MS, Mover, Path
from overt.models.programs.trace import Trace
from overt.models.tensors import Array

ALTERED = "altered "
"""Before the name of what was done to a person's own strokes."""

Altering = Callable[[Array], Array]
"""Takes places (x + iy) every `DENSE_MS`, the first at 0; both ends stay where they are."""

_LEAST_MS = 4.0


def smoothed(rng: np.random.Generator) -> Altering:
    """Return what smooths over time (Gaussian, 15 to 70 ms, the same for every stroke)."""
    return _smoothing(rng.uniform(15, 70))


def _smoothing(ms: float) -> Altering:
    wide = ms / DENSE_MS
    half = int(3 * wide)
    kernel = np.exp(-0.5 * (np.arange(-half, half + 1) / wide) ** 2)
    kernel /= kernel.sum()

    def alter(z: Array) -> Array:
        # Mirrored through its ends, so that they stay.
        around = np.pad(z, half, mode="reflect", reflect_type="odd")
        return np.asarray(np.convolve(around, kernel, "valid"))

    return alter


def bent(rng: np.random.Generator) -> Altering:
    """Return what makes each stroke's way aside larger or smaller, or turns it to the other side.

    By a factor drawn anew from a normal distribution; along, and in time, all is as it was.
    """

    def alter(z: Array) -> Array:
        way = z[-1] / abs(z[-1])
        turned = z * np.conj(way)
        return np.asarray((turned.real + 1j * turned.imag * rng.normal()) * way)

    return alter


def retimed(rng: np.random.Generator) -> Altering:
    """Return what takes the same way in the same time, by a course of speed of its own.

    Speed over time has the shape of a beta distribution, drawn anew for each stroke: from even to
    a bell, early or late.
    """
    smooth = _smoothing(15.0)

    def alter(z: Array) -> Array:
        z = smooth(z)
        gone = np.append(0.0, np.cumsum(np.abs(np.diff(z))))
        at = (np.arange(z.size - 1) + 0.5) / (z.size - 1)
        a, b = rng.uniform(1, 4, 2)
        speed = at ** (a - 1) * (1 - at) ** (b - 1)
        then = np.append(0.0, np.cumsum(speed)) * (gone[-1] / speed.sum())
        return np.asarray(np.interp(then, gone, z.real) + 1j * np.interp(then, gone, z.imag))

    return alter


ALTERATIONS: dict[str, Callable[[np.random.Generator], Altering]] = {
    "bent": bent,
    "retimed": retimed,
    "smoothed": smoothed,
}

LIKE: dict[str, tuple[str, ...]] = {"retimed": ("Bézier", "minimum jerk")}
"""Kinds of program that do much the same as an alteration: where one of these is left out of
learning, so is what was altered so. (None adds noise, fits curves or exchanges strokes.)"""


def again(strokes: Sequence[Trace], alter: Altering) -> Mover:
    """Return what does a person's own strokes again, altered: asked for their errands in order.

    `strokes` are those of `sessions.errand_strokes`; after the last comes the first.
    """
    turn = -1

    def move(_dx: float, _dy: float) -> Path:
        nonlocal turn
        turn = (turn + 1) % len(strokes)
        one = strokes[turn]
        took = max(float(one.t_ms[-1] - one.t_ms[0]), _LEAST_MS)
        t = np.linspace(0.0, took, int(took / DENSE_MS) + 1)
        x, y = (np.interp(t, one.t_ms - one.t_ms[0], v - v[0]) for v in (one.x_px, one.y_px))
        z = alter(x + 1j * y)
        return t, z.real, z.imag

    return move
