"""One movement of a synthetic hand to a place: strokes that overlap, miss and are put right.

The shape is that of the kinematic theory of rapid movement (Plamondon 1995): every stroke's speed
is a log-normal bump, faster up than down, and strokes overlap. How many there are and how far the
first one gets follows optimised submovements (Meyer et al. 1988): the first falls short or aside in
proportion to its length, then one or two others put it right. On top lie motor noise in proportion
to speed (Harris & Wolpert 1998) and the tremor of a resting hand, 8 to 12 Hz. Nobody's recordings
are behind the numbers; they are round ones of the order that those papers report.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, log
from typing import Any, Self

import numpy as np

STEP_MS = 2.0
_NORMAL = np.vectorize(lambda z: 0.5 * (1 + erf(z / 2**0.5)), otypes=[np.float64])
_LAST = 2.33
"""Standard normal quantile of 99 %: where a stroke counts as over."""


@dataclass(frozen=True)
class Hand:
    """What stays the same in how one person moves a pointer."""

    skew: float
    """σ of a stroke's log-normal speed; more is a longer braking."""
    reach: float
    """Mean share of the way that the first stroke covers."""
    miss: float
    """Standard deviation of where it ends, as a share of the way."""
    bow: float
    """Mean sideways arc of a stroke, as a share of its way; most people have a side."""
    unsteady: float
    """Motor noise: relative standard deviation of speed."""
    tremor_css_px: float
    tremor_hz: float

    @classmethod
    def drawn(cls, rng: np.random.Generator, tremor_css_px: float) -> Self:
        """Draw one person's hand."""
        return cls(
            skew=float(rng.uniform(0.25, 0.45)),
            reach=float(rng.normal(0.93, 0.03)),
            miss=float(rng.uniform(0.03, 0.08)),
            bow=float(rng.normal(0, 0.04)),
            unsteady=float(rng.uniform(0.08, 0.25)),
            tremor_css_px=tremor_css_px,
            tremor_hz=float(rng.uniform(8, 12)),
        )

    def path(
        self, dx: float, dy: float, took_ms: float, rng: np.random.Generator
    ) -> tuple[Any, Any, Any]:
        """Return times in ms, and x and y in CSS px from the start, of a movement by (dx, dy)."""
        t = np.arange(0, took_ms + STEP_MS, STEP_MS)
        z = np.zeros(t.size, complex)
        left, start, over = complex(dx, dy), 0.0, took_ms * float(rng.uniform(0.5, 0.8))
        strokes = 1 + int(rng.random() < 0.75) + int(rng.random() < 0.3)
        for number in range(strokes):
            last = number == strokes - 1
            share = 1.0 if last else float(rng.normal(self.reach, self.miss))
            aside = 0.0 if last else float(rng.normal(0, self.miss / 2))
            way = left * complex(share, aside)
            z += way * self._stroke(t, start, over, rng)
            left -= way
            start = min(over + float(rng.normal(-0.15, 0.12)) * (over - start), took_ms * 0.9)
            start, over = max(start, 0.0), took_ms
        z += self._shaken(t, z, rng)
        z *= complex(dx, dy) / z[-1] if abs(z[-1]) > 1 else 1
        return t, z.real, z.imag

    def _stroke(self, t: Any, start: float, over: float, rng: np.random.Generator) -> Any:
        """Return how far a stroke is, 0 to 1, along its way and (imaginary) aside of it."""
        skew = self.skew * float(rng.lognormal(0, 0.15))
        since = np.maximum(t - start, 1e-9)
        u = _NORMAL((np.log(since) - (log(max(over - start, 30.0)) - _LAST * skew)) / skew)
        u /= max(float(u[-1]), 1e-9)
        pace = np.exp(self.unsteady * _drift(t.size, 35.0, rng))
        step = np.diff(u, prepend=0.0) * pace
        u = np.cumsum(step) / max(float(step.sum()), 1e-12)
        bow = self.bow + float(rng.normal(0, 0.04))
        return u + 1j * bow * 4 * u * (1 - u) * (1 + float(rng.normal(0, 0.5)) * (2 * u - 1))

    def _shaken(self, t: Any, z: Any, rng: np.random.Generator) -> Any:
        speed = np.abs(np.diff(z, prepend=0)) / STEP_MS
        moving = speed / max(float(speed.max()), 1e-9)
        turn = 2 * np.pi * self.tremor_hz * t / 1000
        wave = np.exp(1j * (turn + 0.8 * _drift(t.size, 80.0, rng) + rng.uniform(0, 6.28)))
        noise = _drift(t.size, 25.0, rng) + 1j * _drift(t.size, 25.0, rng)
        shaken = self.tremor_css_px * (0.4 * wave + (0.3 + 1.5 * moving) * noise)
        return shaken - shaken[0]


def _drift(size: int, forgets_ms: float, rng: np.random.Generator) -> Any:
    """Return noise of standard deviation 1 that forgets itself smoothly in `forgets_ms`."""
    width = max(int(forgets_ms / STEP_MS / 2), 1)
    kernel = np.hanning(4 * width + 1)
    drawn = np.convolve(rng.normal(0, 1, size + kernel.size - 1), kernel, "valid")
    return drawn / np.sqrt((kernel**2).sum())
