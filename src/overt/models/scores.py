"""What `overt evaluate` answers: figures of models and baselines on what they have not seen.

One row is one figure of one method: `name` says which method (and which part of the data), `metric`
what is measured, `value` with its 95 % interval. Intervals come from a bootstrap over the units
that are independent of each other (people, assignments, words), never over events.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from overt.models.tensors import Array

RESAMPLES = 1000

Progress = Callable[[str, float], None]
"""Called with what is being done, in words, and the share that is done, 0 to 1."""


@dataclass(frozen=True)
class Score:
    """One figure of one method. NaN bounds where there are too few units for an interval."""

    name: str
    metric: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Scores:
    """All figures of one task, in the order in which they are to be read.

    Rows without a value, of what nothing in the data is of, are left out, and a note names them.
    """

    task: str
    protocol: str
    """In a sentence: what was trained on, what was scored, and what kept them apart."""
    counts: dict[str, int]
    """How many people, words, steps … the figures are over."""
    rows: tuple[Score, ...]
    notes: tuple[str, ...] = field(default=())
    """What a reader must know to not misread the figures."""

    def __post_init__(self) -> None:
        known = tuple(row for row in self.rows if np.isfinite(row.value))
        empty = dict.fromkeys(f"{r.name} ({r.metric})" for r in self.rows if r not in known)
        if empty:
            object.__setattr__(self, "rows", known)
            left_out = f"Left out, for want of data: {', '.join(empty)}."
            object.__setattr__(self, "notes", (*self.notes, left_out))

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON; a bound that could not be computed is null."""
        rows = [
            {
                "name": row.name,
                "metric": row.metric,
                **{key: _plain(getattr(row, key)) for key in ("value", "low", "high")},
            }
            for row in self.rows
        ]
        return {
            "task": self.task,
            "protocol": self.protocol,
            "counts": self.counts,
            "rows": rows,
            "notes": list(self.notes),
        }


def _plain(value: float) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None


def shares(
    name: str, metric: str, hits: Array, total: Array, *, seed: int = 0, resamples: int = RESAMPLES
) -> Score:
    """Return the ratio of two sums over units, with its 95 % bootstrap interval over the units.

    Args:
        name: the method.
        metric: what the ratio is.
        hits: float64[units], what is counted, or summed, of each unit.
        total: float64[units], out of how many.
        seed: of the resampling.
        resamples: how many.

    >>> shares("always right", "top1", np.ones(3), np.ones(3))
    Score(name='always right', metric='top1', value=1.0, low=1.0, high=1.0)
    """
    hits, total = np.asarray(hits, np.float64), np.asarray(total, np.float64)
    if hits.size == 0 or total.sum() == 0:
        return Score(name, metric, float("nan"), float("nan"), float("nan"))
    rng = np.random.Generator(np.random.PCG64(seed))
    drawn = np.empty(resamples)
    for number in range(resamples):
        picked = rng.integers(0, hits.size, hits.size)
        below = total[picked].sum()
        drawn[number] = hits[picked].sum() / below if below else np.nan
    low, high = np.nanpercentile(drawn, [2.5, 97.5]).tolist()
    return Score(name, metric, float(hits.sum() / total.sum()), low, high)


def _drawn(unit: Array) -> tuple[Array, Array]:
    """Return int64[RESAMPLES, units], how often each unit was drawn, and each row's unit."""
    of = np.unique(unit, return_inverse=True)[1]
    units = int(of.max(initial=-1)) + 1
    rng = np.random.Generator(np.random.PCG64(0))
    return rng.multinomial(units, np.full(units, 1 / units), RESAMPLES), of


def mean_over(name: str, metric: str, values: Array, unit: Array) -> Score:
    """Return the mean of `values`, float64[n], with its 95 % interval over units.

    `unit`, [n], says whose each value is; units are drawn whole.
    """
    if values.size == 0:
        return Score(name, metric, float("nan"), float("nan"), float("nan"))
    drawn, of = _drawn(unit)
    values = np.asarray(values, np.float64)
    means = (drawn @ np.bincount(of, values)) / (drawn @ np.bincount(of))
    low, high = np.percentile(means, [2.5, 97.5]).tolist()
    return Score(name, metric, float(values.mean()), low, high)


def median_over(name: str, metric: str, values: Array, unit: Array) -> Score:
    """Return the median of `values`, float64[n], with its 95 % interval over units."""
    if values.size == 0:
        return Score(name, metric, float("nan"), float("nan"), float("nan"))
    order = np.argsort(values, kind="stable")
    drawn, of = _drawn(unit[order])
    passed = np.cumsum(drawn[:, of], axis=1)
    place = (passed < passed[:, -1:] / 2).sum(axis=1)
    low, high = np.percentile(values[order][place], [2.5, 97.5]).tolist()
    return Score(name, metric, float(np.median(values)), low, high)


def expected_error(
    name: str, metric: str, hit: Array, confidence: Array, unit: Array, bins: int
) -> Score:
    """Return how far confidence is from how often it is right, with its interval over units.

    Args:
        name: the method.
        metric: what the error is called.
        hit: bool[n] or float64[n], whether each was right.
        confidence: float64[n], 0 to 1.
        unit: [n], whose each is.
        bins: equal steps of confidence; the error is of each, weighed by how many lie in it.
    """
    if not unit.size:
        return Score(name, metric, *[float("nan")] * 3)
    drawn, place = _drawn(unit)
    units = int(place.max()) + 1
    step = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    off = np.bincount(place * bins + step, confidence - hit, units * bins).reshape(units, bins)
    count = np.bincount(place, minlength=units).astype(np.float64)
    errors = np.abs(drawn @ off).sum(axis=1) / (drawn @ count)
    value = float(np.abs(off.sum(axis=0)).sum() / count.sum())
    low, high = np.percentile(centred(errors, value), [2.5, 97.5]).tolist()
    return Score(name, metric, value, min(low, value), max(high, value))


def centred(drawn: Array, value: float) -> Array:
    """Return resampled errors of calibration about their value, none below 0.

    What is resampled is farther off in each step of confidence by the noise of resampling, and an
    error has no sign for it to cancel: so the draws lie above the value by about that much.
    """
    return np.asarray(np.maximum(drawn - drawn.mean() + value, 0.0))
