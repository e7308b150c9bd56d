"""Rates of an attack from its scores: rank-1, CMC, ROC, two equal error rates, with intervals.

Intervals are 95 % percentile bootstraps over persons: whole persons are drawn with their probes,
the gallery stays. Global and per-subject equal error rates differ by a factor of several and are
never mixed: the global one has a single threshold for everyone, the other one threshold a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

RESAMPLES = 1000
_BINS = 1024
_CURVE_POINTS = 200
_AT_ONCE = 100
"""Resamples of an AUC computed at once."""


@dataclass(frozen=True)
class Interval:
    """A figure with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def _percentiles(value: float, resampled: Any) -> Interval:
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Interval(float(value), float(low), float(high))


def draws(people: int, seed: int) -> Any:
    """Return float64[RESAMPLES, people]: how often each person is drawn in each resample."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(people, np.full(people, 1 / people), RESAMPLES).astype(np.float64)


def ranks(scores: Any, owner: Any) -> Any:
    """Return the rank of each probe's own person, from 1; ties count against the attack by half."""
    own = scores[np.arange(len(scores)), owner][:, None]
    above = (scores > own).sum(1)
    ties = (scores == own).sum(1) - 1
    return 1 + above + ties / 2


def _per_person(values: Any, person: Any, people: int) -> Any:
    count = np.bincount(person, minlength=people)
    return np.bincount(person, values, people) / np.maximum(count, 1)


def rank1(rank: Any, person: Any, weights: Any) -> Interval:
    """Return the share of probes in first place, each person counting once."""
    hit = _per_person((rank <= 1).astype(np.float64), person, weights.shape[1])
    return _percentiles(hit.mean(), weights @ hit / weights.sum(1))


def cmc(rank: Any, person: Any, people: int, upto: int) -> list[float]:
    """Return for 1 … `upto` the share of probes whose person is among so many first places."""
    return [
        float(_per_person((rank <= place).astype(np.float64), person, people).mean())
        for place in range(1, upto + 1)
    ]


@dataclass(frozen=True, eq=False)
class Histograms:
    """Counts of genuine and impostor scores by person and score bin: float64[people, bins]."""

    edges: Any
    genuine: Any
    impostor: Any


def histograms(scores: Any, owner: Any, person: Any, people: int) -> Histograms:
    """Count scores: `owner` is a probe's column in `scores`, `person` its row in the counts."""
    low, high = float(scores.min()), float(scores.max())
    width = max(high - low, 1e-9) / _BINS
    genuine = np.zeros((people, _BINS))
    everyone = np.zeros((people, _BINS))
    for row in range(len(scores)):
        bins = np.minimum(((scores[row] - low) / width).astype(np.int64), _BINS - 1)
        genuine[person[row], bins[owner[row]]] += 1
        everyone[person[row]] += np.bincount(bins, minlength=_BINS)
    return Histograms(low + width * np.arange(_BINS + 1), genuine, everyone - genuine)


def error_rates(genuine: Any, impostor: Any) -> tuple[Any, Any]:
    """Return false acceptance and false rejection at each threshold, for counts by score bin.

    Arrays have one more column than there are bins: accepted is what lies in bins from there on.
    """
    none = np.zeros((*genuine.shape[:-1], 1))
    rejected = np.concatenate([none, np.cumsum(genuine, axis=-1)], axis=-1)
    below = np.concatenate([none, np.cumsum(impostor, axis=-1)], axis=-1)
    accepted = 1 - below / np.maximum(below[..., -1:], 1)
    return accepted, rejected / np.maximum(rejected[..., -1:], 1)


def eer_global(counts: Histograms, weights: Any) -> Interval:
    """Return the equal error rate of one threshold for everyone (staircase crossing)."""

    def at(genuine: Any, impostor: Any) -> Any:
        return np.maximum(*error_rates(genuine, impostor)).min(axis=-1)

    value = at(counts.genuine.sum(0), counts.impostor.sum(0))
    return _percentiles(value, at(weights @ counts.genuine, weights @ counts.impostor))


def eer_subjects(scores: Any, owner: Any) -> Any:
    """Return each probed person's own equal error rate, in the order of their numbers.

    Genuine are the person's probes, impostors everyone else's, against that person's profile. With
    a single genuine probe it is the share of impostors that score at least as high.
    """
    by_person = np.ascontiguousarray(scores.T)
    made = []
    for person in np.unique(owner):
        genuine = by_person[person][owner == person]
        higher = (by_person[person][None, :] >= genuine[:, None]).sum(1)
        own_higher = (genuine[None, :] >= genuine[:, None]).sum(1)
        accepted = (higher - own_higher) / max(len(owner) - genuine.size, 1)
        rejected = (genuine.size - own_higher) / genuine.size
        made.append(np.maximum(rejected, accepted).min())
    return np.array(made)


def eer_subject_mean(each: Any, weights: Any) -> Interval:
    """Return the mean of the persons' own equal error rates."""
    return _percentiles(each.mean(), weights @ each / weights.sum(1))


def roc(counts: Histograms) -> list[tuple[float, float]]:
    """Return (false acceptance, true acceptance) from strict to lenient, thinned for a plot."""
    accepted, rejected = error_rates(counts.genuine.sum(0), counts.impostor.sum(0))
    points = sorted(
        {
            (round(float(f), 5), round(float(1 - r), 5))
            for f, r in zip(accepted, rejected, strict=True)
        }
    )
    step = max(len(points) // _CURVE_POINTS, 1)
    return [*points[::step], points[-1]]


def eer_interpolated(genuine: Any, impostor: Any) -> float:
    """Return one person's equal error rate; higher scores are less like the person.

    False alarms and misses are walked from the strictest threshold to the most lenient; where they
    cross, both are interpolated linearly (as Killourhy and Maxion do).

    >>> eer_interpolated([0.1, 0.2], [0.7, 0.9])
    0.0
    >>> eer_interpolated([0.1, 0.9], [0.7, 0.9])
    0.5
    """
    scores = np.concatenate([genuine, impostor])
    order = np.argsort(-scores, kind="stable")
    is_impostor = (np.arange(len(scores)) >= len(genuine))[order]
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    caught = np.append(0, np.cumsum(is_impostor)[last]) / len(impostor)
    alarms = np.append(0, np.cumsum(~is_impostor)[last]) / len(genuine)
    apart = (1 - caught) - alarms
    before = int(np.flatnonzero(apart >= 0)[-1])
    share = apart[before] / (apart[before] - apart[before + 1])
    return float(alarms[before] + share * (alarms[before + 1] - alarms[before]))


def auc(positive: Any, scores: Any, unit: Any, stratum: Any) -> Interval:
    """Return the area under the ROC curve: a positive outscores a negative; ties count by half.

    Args:
        positive: bool[n]
        scores: float64[n]
        unit: int64[n], which of the units that are drawn again a score belongs to.
        stratum: int64[units]; units are drawn again within their stratum.
    """
    order = np.argsort(scores, kind="stable")
    positive, unit = np.asarray(positive)[order], np.asarray(unit)[order]
    starts = np.append(0, np.flatnonzero(np.diff(scores[order])) + 1)

    def area(weight: Any) -> Any:
        above, below = weight * positive, weight * ~positive
        up, down = np.add.reduceat(above, starts, -1), np.add.reduceat(below, starts, -1)
        wins = (up * (np.cumsum(down, -1) - down / 2)).sum(-1)
        with np.errstate(invalid="ignore"):
            return wins / (above.sum(-1) * below.sum(-1))

    value = float(area(np.ones(len(positive))))
    if not np.isfinite(value):
        return Interval(value, value, value)
    rng = np.random.default_rng(0)
    times = np.zeros((RESAMPLES, len(stratum)))
    for one in np.unique(stratum):
        own = np.flatnonzero(stratum == one)
        times[:, own] = rng.multinomial(own.size, np.full(own.size, 1 / own.size), RESAMPLES)
    drawn = [area(part[:, unit]) for part in np.array_split(times, RESAMPLES // _AT_ONCE)]
    return Interval(value, *np.nanpercentile(np.concatenate(drawn), [2.5, 97.5]).tolist())
