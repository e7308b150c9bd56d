"""Where bursts of typing end: who can tell that a pause of two seconds or more comes?

A burst ends with such a pause (Chenoweth & Hayes 2001 count two seconds). What a model of pauses
holds probable is the mass of its mixture beyond; nobody fits anything for this question.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from overt.models.metrics import Figure, ndtr
from overt.models.predict import Predicted
from overt.models.scores import RESAMPLES
from overt.models.tensors import Array

END_MS = 2_000.0
BINS = 400
"""AUC is taken from scores in so many bins of equal count."""


def ends(predicted: Predicted) -> tuple[Array, Array]:
    """Return float64[m], how probable the end of a burst is, and bool[m], whether it came."""
    timed = ~np.isnan(predicted.log_pause)
    weight, mean, sigma = (
        one[timed] for one in (predicted.weight, predicted.mean, predicted.sigma)
    )
    beyond = (weight * (1 - ndtr((np.log(END_MS) - mean) / sigma))).sum(1)
    return np.clip(beyond, 1e-6, 1 - 1e-6), predicted.log_pause[timed] >= np.log(END_MS)


def figures(people: Sequence[Predicted], seed: int = 0) -> dict[str, Figure]:
    """Return AUC and log loss (nats an event) over people, with intervals over them."""
    each = [ends(one) for one in people]
    each = [(p, came) for p, came in each if p.size]
    if not each or not any(came.any() for _p, came in each):
        return dict.fromkeys(("burst_auc", "burst_nll"), Figure(np.nan, np.nan, np.nan))
    edges = np.unique(np.quantile(np.concatenate([p for p, _ in each]), np.linspace(0, 1, BINS)))
    place = [np.searchsorted(edges, p) for p, _ in each]
    counts = np.array(
        [
            [np.bincount(at[came == side], minlength=edges.size + 1) for side in (False, True)]
            for at, (_p, came) in zip(place, each, strict=True)
        ]
    ).astype(np.float64)
    loss = np.array([-np.log(np.where(came, p, 1 - p)).sum() for p, came in each])
    size = np.array([float(p.size) for p, _ in each])
    random = np.random.Generator(np.random.PCG64(seed))
    drawn = random.multinomial(len(each), np.full(len(each), 1 / len(each)), RESAMPLES)
    drawn = np.concatenate([np.ones((1, len(each))), drawn])
    auc = _auc(np.einsum("rp,psb->rsb", drawn, counts))
    nll = (drawn @ loss) / (drawn @ size)
    return {"burst_auc": _figure(auc), "burst_nll": _figure(nll)}


def _auc(counts: Array) -> Array:
    """Return float64[r] of counts by resample, side and bin of rising score; ties count half."""
    other, came = counts[:, 0], counts[:, 1]
    below = np.cumsum(other, axis=1) - other
    whole = other.sum(1) * came.sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((came * (below + other / 2)).sum(1) / whole)


def _figure(values: Array) -> Figure:
    low, high = np.nanquantile(values[1:], (0.025, 0.975))
    return Figure(float(values[0]), float(low), float(high))
