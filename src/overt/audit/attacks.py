"""Linkage attacks: scores of every probe against every enrolled person, all at once.

Each returns float32[probes, people], higher is more alike. Scores are then put in units of their
spread over the enrolled (`against_cohort`), which an attacker who has a cohort would do as well.

- `scaled-manhattan`: distance of feature means, each in units of what its count lets one expect;
  enrolled means are shrunk to the person's own average offset (after Killourhy & Maxion 2009).
- `log-normal`: likelihood of each press under a log-normal per pair, with the person's mean shrunk
  to their average offset and the person's own spread.
- `histogram`: likelihood of each press under the person's distribution over population quantiles,
  smoothed by the person's distribution over all pairs; usage of class pairs included.
- `fusion`: the sum of the last two; at `raw` with the `histogram` of the classes added, because
  whoever knows the keys knows their classes too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from overt.audit.profiles import BINS, FAMILIES, Observations, Population
from overt.features.kernel import kernel

ATTACKS = ("scaled-manhattan", "log-normal", "histogram", "fusion")
_OFFSET_SHRINK = 10.0
_SPREAD_SHRINK = 30.0
_HISTOGRAM_PRIOR = 8.0
_FAMILY_PRIOR = 20.0
_ROWS = 512


class Moments:
    """Count, sum and sum of squares of scaled values: float64[owners, features] each."""

    def __init__(self, seen: Observations, common: Population, owners: int) -> None:
        feature, scaled = common.place(seen)
        used = feature >= 0
        cell = seen.owner[used] * common.features + feature[used]
        shape = owners, common.features

        def total(weights: Any) -> Any:
            return np.bincount(cell, weights, owners * common.features).reshape(shape)

        self.count = total(None)
        self.sum = total(scaled[used])
        self.squares = total(scaled[used] ** 2)


class Profiles:
    """Enrolled people: shrunk mean and variance of each feature, float64[people, features]."""

    def __init__(self, gallery: Moments, common: Population) -> None:
        people, features = gallery.count.shape
        count = gallery.count
        self.mean = np.zeros((people, features))
        self.variance = np.ones((people, features))
        self.within = np.ones(features)
        self.between = np.ones(features)
        for family in range(len(FAMILIES)):
            own = np.flatnonzero(common.family == family)
            if not own.size:
                continue
            n, total, squares = count[:, own], gallery.sum[:, own], gallery.squares[:, own]
            mean = total / np.maximum(n, 1)
            offset = total.sum(1) / (n.sum(1) + _OFFSET_SHRINK)
            inside = np.maximum(squares - n * mean**2, 0)
            freedom = np.maximum(n - 1, 0)
            within = inside.sum() / max(freedom.sum(), 1)
            apart = np.where(n > 0, mean - offset[:, None], 0)
            excess = (n * apart**2).sum() - within * (n > 0).sum()
            between = max(excess / max(n.sum(), 1), 0.02 * within)
            spread = (inside.sum(1) + _SPREAD_SHRINK * within) / (
                (freedom.sum(1) + _SPREAD_SHRINK) * within
            )
            trust = n / (n + within / between)
            self.mean[:, own] = offset[:, None] + trust * apart
            self.variance[:, own] = within * spread[:, None] + between * (1 - trust)
            self.within[own], self.between[own] = within, between


@kernel
def _manhattan(start: Any, feature: Any, mean: Any, scale: Any, people: Any) -> Any:
    probes, persons = start.shape[0] - 1, people.shape[1]
    scores = np.zeros((probes, persons), np.float32)
    for probe in range(probes):
        for at in range(start[probe], start[probe + 1]):
            row, middle, weight = people[feature[at]], mean[at], scale[at]
            for person in range(persons):
                scores[probe, person] -= abs(row[person] - middle) * weight
    return scores


def scaled_manhattan(profiles: Profiles, probes: Moments) -> Any:
    """Return the negative distances."""
    owner, feature = np.nonzero(probes.count)
    count = probes.count[owner, feature]
    mean = probes.sum[owner, feature] / count
    scale = 1 / np.sqrt(profiles.within[feature] / count + profiles.between[feature] / 2)
    start = np.searchsorted(owner, np.arange(len(probes.count) + 1))
    people = np.ascontiguousarray(profiles.mean.T, np.float32)
    return _manhattan(start, feature, mean.astype(np.float32), scale.astype(np.float32), people)


def log_normal(profiles: Profiles, probes: Moments) -> Any:
    """Return the log likelihoods; logs of times are normal, so sums of squares suffice."""
    precision = 1 / profiles.variance
    constant = profiles.mean**2 * precision - np.log(precision)
    scores = probes.squares.astype(np.float32) @ precision.T.astype(np.float32)
    scores -= probes.sum.astype(np.float32) @ (2 * profiles.mean * precision).T.astype(np.float32)
    scores += probes.count.astype(np.float32) @ constant.T.astype(np.float32)
    return -0.5 * scores


def _cells(seen: Observations, common: Population) -> tuple[Any, Any, Any]:
    """Return owner, feature and bin of each timed observation that has a feature."""
    feature, scaled = common.place(seen)
    used = feature >= 0
    feature, scaled = feature[used], scaled[used]
    bins = (scaled[:, None] > common.edges[feature]).sum(1)
    return seen.owner[used], feature, bins


def histogram(
    gallery: Observations, probes: Observations, common: Population, people: int, count: int
) -> Any:
    """Return the log likelihood ratios against the population."""
    weights = np.concatenate(
        [_timed_weights(gallery, common, people), _usage_weights(gallery, common, people)]
    )
    owner, feature, bins = _cells(probes, common)
    usage_owner, usage = common.usage_of(probes)
    column = np.concatenate([feature * BINS + bins, common.features * BINS + usage])
    owner = np.concatenate([owner, usage_owner])
    scores = np.empty((count, people), np.float32)
    for start in range(0, count, _ROWS):
        end = min(start + _ROWS, count)
        mine = (owner >= start) & (owner < end)
        cell = (owner[mine] - start) * len(weights) + column[mine]
        counts = np.bincount(cell, minlength=(end - start) * len(weights))
        scores[start:end] = counts.reshape(end - start, -1).astype(np.float32) @ weights
    return scores


def _timed_weights(gallery: Observations, common: Population, people: int) -> Any:
    """Return float32[features * BINS, people]: log of a person's share of a bin over everyone's."""
    owner, feature, bins = _cells(gallery, common)
    size = common.features * BINS
    counts = np.bincount((owner * size) + feature * BINS + bins, minlength=people * size)
    counts = counts.reshape(people, common.features, BINS).astype(np.float32)
    everyone = (counts.sum(0) + 1) / (counts.sum((0, 2)) + BINS)[:, None]
    prior = np.empty_like(counts)
    for family in range(len(FAMILIES)):
        own = common.family == family
        whole = counts[:, own].sum(1)
        share = (whole + _FAMILY_PRIOR / BINS) / (whole.sum(1, keepdims=True) + _FAMILY_PRIOR)
        prior[:, own] = share[:, None, :]
    totals = counts.sum(2, keepdims=True) + _HISTOGRAM_PRIOR
    share = (counts + _HISTOGRAM_PRIOR * prior) / totals
    return np.log(share / everyone).reshape(people, size).T.astype(np.float32)


def _usage_weights(gallery: Observations, common: Population, people: int) -> Any:
    owner, usage = common.usage_of(gallery)
    pairs = common.usage.size + 1
    counts = np.bincount(owner * pairs + usage, minlength=people * pairs).reshape(people, pairs)
    everyone = (counts.sum(0) + 1) / (counts.sum() + pairs)
    strength = 50.0
    share = (counts + strength * everyone) / (counts.sum(1, keepdims=True) + strength)
    return np.log(share / everyone).T.astype(np.float32)


def against_cohort(scores: Any) -> Any:
    """Return each score in deviations from the mean of its row, both taken without it."""
    others = scores.shape[1] - 1
    scores = (scores - scores.mean(axis=1, keepdims=True, dtype=np.float64)).astype(np.float32)
    whole = np.einsum("ij,ij->i", scores, scores, dtype=np.float64)[:, None].astype(np.float32)
    squares = scores**2
    # Without itself the mean is -score / others, and the sum of squares loses its own square.
    variance = (whole - squares) / others - squares / others**2
    return scores * (1 + 1 / others) / np.sqrt(np.maximum(variance, 1e-12))
