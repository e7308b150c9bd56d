"""How often a test is right where it is rarely wrong: AUC, and true positives at few false ones.

An average over all thresholds hides what an attack does to the few it is sure of, so the true
positive rate is read where false ones are rare (Carlini et al., Membership inference attacks from
first principles, 2022). Intervals are 95 % percentile bootstraps over persons, drawn with all their
trials; the threshold is found anew in each draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np

from overt.audit.rates import Interval, draws

FALSE_MIN = 10
"""So many false alarms must be expected at a rate before a true positive rate is read there."""
_THRESHOLDS = 2_000
"""The strictest thresholds are each looked at; as many more, evenly, where there are more."""
_CURVE_FALSE_MIN, _CURVE_POINTS = 1e-5, 120


@dataclass(frozen=True)
class Needed:
    """What it takes to read a true positive rate at one false positive rate."""

    people: int
    """Distinct people who are in none of what they are looked for in."""
    trials: int


def needed(false_rate: float) -> Needed:
    """Return what a false positive rate needs: one person at least, and ten trials, beyond it.

    >>> needed(0.001)
    Needed(people=1000, trials=10000)
    """
    return Needed(ceil(round(1 / false_rate, 6)), ceil(round(FALSE_MIN / false_rate, 6)))


@dataclass(frozen=True)
class Operating:
    """How good the scores of one attack are."""

    auc: Interval
    true_rates: dict[float, Interval | None]
    """By false positive rate; None where there were too few people or trials to read it."""
    curve: tuple[tuple[float, float], ...]
    """(false positive rate, true positive rate) at even steps of its logarithm, for a plot."""


def operating(
    member: Any, scores: Any, unit: Any, people: int, false_rates: Sequence[float]
) -> Operating:
    """Return AUC and true positive rates of scores; higher says member.

    Args:
        member: bool[n]
        scores: float64[n]
        unit: int64[n], whose trial each is, from 0.
        people: how many people there are.
        false_rates: where true positive rates are to be read.
    """
    order = np.argsort(-scores, kind="stable")
    member, scores, unit = member[order], scores[order], unit[order]
    counts = _counts(member, scores, unit, people)
    outsiders, trials = len(np.unique(unit[~member])), int((~member).sum())
    readable = [
        rate
        for rate in false_rates
        if outsiders >= needed(rate).people and trials >= needed(rate).trials
    ]

    def read(weights: Any) -> tuple[Any, Any, Any, Any]:
        true, false = (_running(weights @ side) for side in counts)
        area = ((true[:, 1:] + true[:, :-1]) / 2 * np.diff(false, axis=1)).sum(1)
        rates = np.array([np.interp(readable, f, t) for f, t in zip(false, true, strict=True)])
        return area, rates.reshape(len(weights), len(readable)), false, true

    area, rates, false, true = read(np.ones((1, people)))
    areas, spread, *_ = read(draws(people, 0))
    read_at = {
        rate: _interval(rates[0, place], spread[:, place]) for place, rate in enumerate(readable)
    }
    return Operating(
        _interval(area[0], areas),
        {rate: read_at.get(rate) for rate in false_rates},
        _points(false[0], true[0], trials),
    )


def _counts(member: Any, scores: Any, unit: Any, people: int) -> tuple[Any, Any]:
    """Return float64[people, thresholds], members and others from one threshold to the next.

    Trials come sorted. Equal scores are one threshold; between two, an attacker may toss a coin.
    """
    ends = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
    if len(ends) > 2 * _THRESHOLDS:
        rest = np.linspace(_THRESHOLDS, len(ends) - 1, _THRESHOLDS).astype(np.int64)
        ends = np.concatenate([ends[:_THRESHOLDS], ends[rest]])
    place = unit * len(ends) + np.searchsorted(ends, np.arange(len(scores)))
    return tuple(
        np.bincount(place[side], minlength=people * len(ends)).reshape(people, -1).astype(float)
        for side in (member, ~member)
    )  # type: ignore[return-value]


def _running(found: Any) -> Any:
    """Return the share found from strict to lenient, [draws, thresholds + 1]."""
    running = np.concatenate([np.zeros((len(found), 1)), np.cumsum(found, axis=1)], axis=1)
    return running / np.maximum(running[:, -1:], 1e-300)


def _interval(value: Any, drawn: Any) -> Interval:
    low, high = np.percentile(drawn, [2.5, 97.5]).tolist()
    return Interval(float(value), low, high)


def _points(false: Any, true: Any, trials: int) -> tuple[tuple[float, float], ...]:
    """Return the curve down to where ten trials are left: below that it is single people."""
    lowest = max(_CURVE_FALSE_MIN, min(FALSE_MIN / max(trials, 1), 1.0))
    at = np.geomspace(lowest, 1.0, _CURVE_POINTS)
    return tuple(
        (round(x, 6), round(y, 6))
        for x, y in zip(at.tolist(), np.interp(at, false, true).tolist(), strict=True)
    )
