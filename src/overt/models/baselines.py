"""What any model must beat: tables of counts, fitted shard by shard, so that they can be unfitted.

Counts are integers, so the tables of several shards add up exactly to those fitted on all their
people, and erasing a person rebuilds the tables of one shard only.

- next token: most frequent (unigram), by the token before, and Markov of order 2 with backoff
- pause: one log-normal for all; by the token it leads to; by the pair of tokens around it
  (digraph). The median is that of the counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from overt.models.config import PAUSE_MAX_MS, PAUSE_MIN_MS
from overt.models.stream import Stream, targets
from overt.models.tensors import Array, Tensors

BINS = 256
"""Bins of ln(pause in ms), equally wide (0.043) from PAUSE_MIN_MS to PAUSE_MAX_MS."""

BACKOFF = 8.0
"""Weight of the shorter context, in events: (count + BACKOFF · shorter) / (total + BACKOFF)."""

PAIR_MIN = 20
"""Pairs seen less often use the pauses before the next token, then those of all pairs."""

_LOW, _HIGH = np.log(PAUSE_MIN_MS), np.log(PAUSE_MAX_MS)
_WIDTH = (_HIGH - _LOW) / BINS
_CENTRES = _LOW + _WIDTH * (np.arange(BINS) + 0.5)


def tables(streams: Iterable[Stream], vocabulary: int) -> dict[str, Array]:
    """Return the counts of one shard, int32.

    `markov[a, b, c]`: c followed a, b (a = `vocabulary` where b was the first of its stream);
    `pause[b, c, bin]`: pauses between b and c.
    """
    markov = np.zeros((vocabulary + 1, vocabulary, vocabulary), "<i4")
    pause = np.zeros((vocabulary, vocabulary, BINS), "<i4")
    for stream in streams:
        aim = targets(stream)
        before = np.concatenate([[vocabulary], stream.token[:-1]])[: len(stream)]
        there = aim.token >= 0
        np.add.at(markov, (before[there], stream.token[there], aim.token[there]), 1)
        timed = ~np.isnan(aim.log_pause)
        place = np.clip(((aim.log_pause[timed] - _LOW) / _WIDTH).astype(int), 0, BINS - 1)
        np.add.at(pause, (stream.token[timed], aim.token[timed], place), 1)
    return {"markov": markov, "pause": pause}


def sparse(dense: Array) -> dict[str, Array]:
    """Return an int32 array as `shape`, and `at` and `count` of what is not 0."""
    flat = dense.ravel()
    at = np.flatnonzero(flat)
    return {
        "shape": np.array(dense.shape, "<i4"),
        "at": at.astype("<i4"),
        "count": flat[at].astype("<i4"),
    }


def dense(parts: Tensors) -> Array:
    """Return the inverse of `sparse`."""
    flat = np.zeros(int(np.prod(parts["shape"])), "<i4")
    flat[parts["at"]] = parts["count"]
    return flat.reshape(parts["shape"])


@dataclass(frozen=True, eq=False)
class Baselines:
    """Predictions from summed tables. V tokens in the vocabulary."""

    unigram: Array
    """float64[V], probability."""
    markov: Array
    """float64[V + 1, V, V], probability of the last given the two before."""
    pairs: Array
    """float64[V, V], probability of the second given the first."""
    pause_log_mean: Array
    pause_log_sigma: Array
    pause_log_median: Array
    """float64[V, V], of ln ms, by pair, backed off where the pair is rare."""
    next_log_mean: Array
    next_log_sigma: Array
    next_log_median: Array
    """float64[V], of ln ms, by the token the pause leads to."""
    all_log_mean: float
    all_log_sigma: float
    all_log_median: float


def _shape(counts: Array) -> tuple[Array, Array, Array]:
    """Return mean, σ, median of ln ms of histograms (..., BINS) with at least one count each."""
    total = counts.sum(-1)
    mean = counts @ _CENTRES / total
    variance = np.maximum(counts @ _CENTRES**2 / total - mean**2, 0) + _WIDTH**2
    half = total[..., None] / 2
    running = counts.cumsum(-1)
    place = (running >= half).argmax(-1)[..., None]
    inside = np.take_along_axis(counts, place, -1)
    below = np.take_along_axis(running, place, -1) - inside
    median = _LOW + _WIDTH * (place + (half - below) / inside)
    return mean, np.sqrt(variance), median[..., 0]


def baselines(parts: Iterable[Tensors], vocabulary: int) -> Baselines:
    """Return the predictions fitted to the people of all `parts`, the tables of shards."""
    markov = np.zeros((vocabulary + 1, vocabulary, vocabulary), np.int64)
    pause = np.zeros((vocabulary, vocabulary, BINS), np.int64)
    for part in parts:
        markov += part["markov"]
        pause += part["pause"]
    ones = np.full(vocabulary, 1.0 / vocabulary)
    unigram = _backed(markov.sum((0, 1)), ones)
    pairs = _backed(markov.sum(0), unigram)
    triples = _backed(markov, pairs[None])
    whole = pause.sum((0, 1)) + (0 if pause.any() else 1)
    by_next = np.where((pause.sum((0, 2)) >= PAIR_MIN)[:, None], pause.sum(0), whole)
    return Baselines(
        unigram,
        triples,
        pairs,
        *_shape(np.where((pause.sum(-1) >= PAIR_MIN)[..., None], pause, by_next[None])),
        *_shape(by_next),
        *(float(value) for value in _shape(whole)),
    )


def _backed(counts: Array, shorter: Array) -> Array:
    return np.asarray((counts + BACKOFF * shorter) / (counts.sum(-1, keepdims=True) + BACKOFF))
