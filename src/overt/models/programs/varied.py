"""Programs made unlike themselves, to learn from: noise, haste, a repertoire.

Who has met only a few kinds of program takes what these few have in common for what all have. So
some windows to learn from are of programs that have been varied at random. None of them is asked
about, and where a kind is left out of learning, what was made of it is left out too.
"""

from __future__ import annotations

import numpy as np

from overt.models.programs.generators import DENSE_MS, Mover, Path, noise
from overt.models.tensors import Array

VARIED = "varied "
"""Before the name of the kind a varied program was made of."""

_NOISY, _REPEATS = 0.7, 0.5
_NEAREST = 4


def varied(rng: np.random.Generator, mover: Mover) -> Mover:
    """Return `mover` with noise, a pace of its own, a few strokes that it does over and over."""
    noisy, repeats = rng.random() < _NOISY, rng.random() < _REPEATS
    px, smooth_ms = float(np.exp(rng.uniform(-1.5, 1))), float(rng.choice([0, rng.uniform(4, 60)]))
    most, hasty = int(rng.integers(3, 40)), rng.uniform(0.0, 0.2)
    known: list[tuple[Path, complex]] = []

    def move(dx: float, dy: float) -> Path:
        t, x, y = _one(dx, dy)
        t = t * rng.lognormal(0, hasty)
        if not noisy or t.size < 2:
            return t, x, y
        fine = np.linspace(0.0, t[-1], max(int(t[-1] / DENSE_MS), 2) + 1)
        fade = np.sin(np.pi * fine / max(fine[-1], 1e-9)) if px > 1 else _edges(fine.size)
        x, y = (
            np.interp(fine, t, one) + fade * noise(rng, fine.size, px, smooth_ms) for one in (x, y)
        )
        return fine, x, y

    def _one(dx: float, dy: float) -> Path:
        way = complex(dx, dy)
        if repeats and len(known) >= most and abs(way) > 0:
            far = np.abs(np.log([abs(one) / abs(way) for _path, one in known]))
            (t, x, y), own = known[int(rng.choice(np.argsort(far)[:_NEAREST]))]
            turned = (x + 1j * y) * (way / own)
            return t, turned.real, turned.imag
        path = mover(dx, dy)
        if abs(way) > 0:
            known.append((path, way))
        return path

    return move


def _edges(size: int) -> Array:
    """Return 1 but at both ends, where a program is where it is sent."""
    whole = np.ones(size)
    whole[[0, -1]] = 0
    return whole
