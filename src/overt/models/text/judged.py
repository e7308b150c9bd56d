"""Ratios over texts, with intervals over people and over sentences at once.

The same sentence is typed by many people and each person types many, so neither alone is what is
independent: both are drawn anew, and a text counts as often as its person and its sentence were
drawn (Owen, The pigeonhole bootstrap, 2007). That is wider than over people alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from overt.models.scores import RESAMPLES, Score
from overt.models.tensors import Array
from overt.models.text.typed import Written


@dataclass(frozen=True)
class Draws:
    """How often each text counts in each resample."""

    times: Array = field(repr=False)
    """float32[resamples, texts]"""

    @classmethod
    def of(cls, texts: Sequence[Written], *, seed: int = 0, resamples: int = RESAMPLES) -> Draws:
        """Draw people and sentences of some texts."""
        rng = np.random.Generator(np.random.PCG64(seed))
        times = np.ones((resamples, len(texts)), np.float32)
        for name in ("person", "asked"):
            known, which = np.unique([getattr(one, name) for one in texts], return_inverse=True)
            if len(known) > 1:
                drawn = rng.multinomial(len(known), np.full(len(known), 1 / len(known)), resamples)
                times *= drawn.astype(np.float32)[:, which]
        return cls(times)

    def ratio(self, name: str, metric: str, above: Array, below: Array) -> Score:
        """Return the ratio of two sums over texts."""
        return self.gain(name, metric, above, np.zeros_like(above), below)

    def gain(self, name: str, metric: str, one: Array, other: Array, below: Array) -> Score:
        """Return by how much one ratio is above another with the same denominator."""
        difference = np.asarray(one, np.float64) - other
        total = float(below.sum())
        if total == 0:
            return Score(name, metric, float("nan"), float("nan"), float("nan"))
        drawn = (self.times @ difference) / np.maximum(self.times @ below, 1e-9)
        low, high = np.percentile(drawn, [2.5, 97.5]).tolist()
        return Score(name, metric, float(difference.sum() / total), low, high)
