r"""How good predictions are, with 95 % intervals from a bootstrap over persons.

Every figure is a ratio of sums over events, so a person with more events weighs more; persons are
resampled whole, because events of one person resemble each other.

| figure | unit | meaning |
|---|---|---|
| `top1`, `top3` | share | the token that came is the most probable one, or among the three |
| `nll` | nats an event | −ln p(token) |
| `ece` | share | \|confidence − accuracy\| of the most probable token, 15 equal bins |
| `pause_nll` | nats an event | −ln density of ln(pause in ms) |
| `pause_crps_ms` | ms | continuous ranked probability score of the pause |
| `pause_mae_ms` | ms | \|pause − predicted median\| |
| `pause_r2` | share | of the variance of ln(pause in ms); prediction is the mean of ln |

Pause figures are given the token that came, as the digraph's are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from overt.models.predict import Predicted
from overt.models.scores import centred
from overt.models.tensors import Array

ECE_BINS = 15
RESAMPLES = 1000
PERSONS_MIN = 5
"""With fewer persons an interval over persons says nothing; figures are flagged as too few."""

FIGURES = (
    "top1",
    "top3",
    "nll",
    "ece",
    "pause_nll",
    "pause_crps_ms",
    "pause_mae_ms",
    "pause_r2",
)
_BLOCK = 4096
"""Rows of the pairwise part of the CRPS held in memory at once."""


@dataclass(frozen=True)
class Figure:
    """A value and its 95 % interval; NaN where nothing could be computed."""

    value: float
    low: float
    high: float


def ndtr(x: Array) -> Array:
    """Return the normal distribution function, float64."""
    import torch

    return np.asarray(torch.special.ndtr(torch.as_tensor(x, dtype=torch.float64)))


def mixture_quantile(weight: Array, mean: Array, sigma: Array, share: float = 0.5) -> Array:
    """Return the `share` quantiles of normal mixtures (n, C), by bisection; shape (n,)."""
    low, high = (mean - 9 * sigma).min(1), (mean + 9 * sigma).max(1)
    for _ in range(40):
        middle = (low + high) / 2
        below = (weight * ndtr((middle[:, None] - mean) / sigma)).sum(1) < share
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray((low + high) / 2)


def mixture_nll(weight: Array, mean: Array, sigma: Array, at: Array) -> Array:
    """Return −ln density of normal mixtures (n, C) at `at` (n,)."""
    z = (at[:, None] - mean) / sigma
    with np.errstate(divide="ignore"):
        parts = np.log(weight) - 0.5 * (z * z + np.log(2 * np.pi)) - np.log(sigma)
    top = parts.max(1)
    return np.asarray(-(top + np.log(np.exp(parts - top[:, None]).sum(1))))


def mixture_crps(weight: Array, mean: Array, sigma: Array, at: Array) -> Array:
    """Return the CRPS of log-normal mixtures at exp(`at`), in the unit of exp(`mean`); shape (n,).

    Closed form of E|X − y| − E|X − X'| / 2 with log-normal X, X' of the mixture.
    """
    crps = np.empty(len(at))
    for start in range(0, len(at), _BLOCK):
        part = slice(start, start + _BLOCK)
        w, m, s = weight[part], mean[part], sigma[part]
        y, log_y = np.exp(at[part])[:, None], at[part][:, None]
        expected = np.exp(m + s * s / 2)
        z = (log_y - m) / s
        to_y = (w * (y * (2 * ndtr(z) - 1) + expected * (1 - 2 * ndtr(z - s)))).sum(1)
        between = np.sqrt(s[:, :, None] ** 2 + s[:, None, :] ** 2)
        gap = (m[:, :, None] - m[:, None, :] + s[:, :, None] ** 2) / between
        # E|X − X'| = 2 E max − E X − E X', and E max(X_i, X_j) = a_i Φ(gap_ij) + a_j Φ(gap_ji)
        larger = 2 * np.einsum("ni,nj,nij->n", w * expected, w, ndtr(gap))
        crps[part] = to_y - (2 * larger - 2 * (w * expected).sum(1)) / 2
    return crps


def _sums(predicted: Predicted) -> dict[str, Array]:
    """Return one person's sums, from which all figures are ratios."""
    n = len(predicted.token)
    own = predicted.probability[np.arange(n), predicted.token]
    better = (predicted.probability > own[:, None]).sum(1)
    top = predicted.probability.argmax(1)
    confidence = predicted.probability.max(1)
    bins = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)
    gap = np.bincount(bins, confidence - (top == predicted.token), ECE_BINS)
    timed = ~np.isnan(predicted.log_pause)
    at = predicted.log_pause[timed]
    mixture = (predicted.weight[timed], predicted.mean[timed], predicted.sigma[timed])
    median = mixture_quantile(*mixture) if predicted.point is None else predicted.point[timed]
    mean = (mixture[0] * mixture[1]).sum(1)
    return {
        "events": np.array([n]),
        "top1": np.array([(top == predicted.token).sum()]),
        "top3": np.array([(better < 3).sum()]),
        "nll": np.array([-np.log(own).sum()]),
        "gap": gap,
        "pauses": np.array([len(at)]),
        "pause_nll": np.array([mixture_nll(*mixture, at).sum()]),
        "pause_crps_ms": np.array([mixture_crps(*mixture, at).sum()]),
        "pause_mae_ms": np.array([np.abs(np.exp(at) - np.exp(median)).sum()]),
        "pause_error": np.array([((at - mean) ** 2).sum()]),
        "pause_square": np.array([(at**2).sum()]),
        "pause_sum": np.array([at.sum()]),
    }


def _ratios(sums: Mapping[str, Array]) -> dict[str, Array]:
    """Return all figures from sums whose first axis is resamples."""

    def per(name: str, count: str) -> Array:
        return (sums[name] / sums[count])[:, 0]

    with np.errstate(divide="ignore", invalid="ignore"):
        spread = sums["pause_square"] - sums["pause_sum"] ** 2 / sums["pauses"]
        return {
            **{name: per(name, "events") for name in ("top1", "top3", "nll")},
            "ece": np.abs(sums["gap"]).sum(1) / sums["events"][:, 0],
            **{
                name: per(name, "pauses") for name in ("pause_nll", "pause_crps_ms", "pause_mae_ms")
            },
            "pause_r2": 1 - (sums["pause_error"] / spread)[:, 0],
        }


def figures(people: Sequence[Predicted], seed: int = 0) -> dict[str, Figure]:
    """Return every figure of `FIGURES` over `people` (one `Predicted` a person), with intervals.

    Intervals are the 2.5 % and 97.5 % quantiles over 1,000 resamples of persons.
    """
    kept = [person for person in people if len(person.token)]
    if not kept:
        return dict.fromkeys(FIGURES, Figure(np.nan, np.nan, np.nan))
    return figures_of(sums(kept), seed)


def sums(people: Sequence[Predicted]) -> dict[str, Array]:
    """Return each person's sums, float64[people, …]; those of several models may be added up.

    Everybody has at least one event.
    """
    each = [_sums(person) for person in people]
    return {name: np.stack([one[name] for one in each]).astype(float) for name in each[0]}


def figures_of(
    table: Mapping[str, Array], seed: int = 0, less: Mapping[str, Array] | None = None
) -> dict[str, Figure]:
    """Return the figures of people's sums; with `less`, theirs less those of the same people."""
    count = len(table["events"])
    random = np.random.Generator(np.random.PCG64(seed))
    drawn = random.multinomial(count, np.full(count, 1 / count), RESAMPLES)
    point, spread = _point_and_spread(table, drawn)
    if less is not None:
        for own, other in zip((point, spread), _point_and_spread(less, drawn), strict=True):
            for name in own:
                own[name] = own[name] - other[name]
    made = {}
    for name in FIGURES:
        there = spread[name][np.isfinite(spread[name])]
        if name == "ece" and less is None and len(there):
            there = centred(there, float(point[name][0]))
        low, high = np.quantile(there, (0.025, 0.975)) if len(there) else (np.nan, np.nan)
        made[name] = Figure(float(point[name][0]), float(low), float(high))
    return made


def _point_and_spread(
    table: Mapping[str, Array], drawn: Array
) -> tuple[dict[str, Array], dict[str, Array]]:
    point = _ratios({name: column.sum(0, keepdims=True) for name, column in table.items()})
    return point, _ratios({name: drawn @ column for name, column in table.items()})
