"""Another track of the password benchmark: other people's typing as background.

One LightGBM learns, from pairs of an owner and a typing, what telling an owner from others looks
like; then it judges owners it has never met. It is given each timing's distance from the owner's
mean, in the owner's mean absolute deviations, and four of the plain detectors' scores.

Owners are never among those learned from. Impostors are counted twice: all others, most of whom
the model has met in the background (`known`), and only those it has not met either (`unknown`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from overt.audit import detectors
from overt.audit.rates import eer_interpolated

PEOPLE_MIN = 10
FOLDS = 5
NAME = "Background: LightGBM over pairs"
NOTE = (
    "Background rows are another track, not the paper's: they also learn from other people's "
    "typing, never the owner's. Attackers known: most impostors were in that background. "
    "Attackers unknown: only impostors who were not."
)


@dataclass(frozen=True, eq=False)
class Parts:
    """One person's typings, float64[n, timings] each: learned from, genuine, tried on others."""

    learned: Any
    genuine: Any
    first: Any


_SCORES = (
    detectors.manhattan_scaled,
    detectors.nearest_neighbour,
    detectors.outlier_count,
    detectors.one_class_svm,
)
_DEVIATIONS_MAX = 20.0
_SETTINGS: dict[str, Any] = {
    "n_estimators": 300,
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_child_samples": 50,
    "subsample": 0.8,
    "subsample_freq": 1,
    "colsample_bytree": 0.5,
    "class_weight": "balanced",
    "random_state": 0,
    "n_jobs": 1,
    "deterministic": True,
    "verbose": -1,
}


def _pairs(learned: Any) -> Callable[[Any], Any]:
    """Return what turns typings into features of the pair with the owner of `learned`."""
    mean = learned.mean(0)
    spread = np.maximum(np.abs(learned - mean).mean(0), 1e-9)
    half = len(learned) // 2
    scores = []
    for detector in _SCORES:
        apart = detector(learned[:half])(learned[half:])
        low, middle = np.quantile(apart, (0.25, 0.5))
        scores.append((detector(learned), middle, max(middle - low, 1e-9)))

    def features(typed: Any) -> Any:
        away = np.clip((typed - mean) / spread, -_DEVIATIONS_MAX, _DEVIATIONS_MAX)
        plain = [(score(typed) - middle) / scale for score, middle, scale in scores]
        return np.column_stack([away, *plain])

    return features


def rates(people: list[Parts], progress: Callable[[str, float], None]) -> tuple[Any, Any]:
    """Return each person's equal error rate with known and with unknown attackers."""
    from lightgbm import LGBMClassifier

    fold = np.random.default_rng(0).permutation(len(people)) % FOLDS
    first = np.concatenate([person.first for person in people])
    owner = np.repeat(np.arange(len(people)), [len(person.first) for person in people])
    genuine, others = [], []
    for number, person in enumerate(people):
        progress("comparing with other people", 0.7 + 0.1 * number / len(people))
        features = _pairs(person.learned)
        genuine.append(features(person.genuine))
        others.append(features(first))
    known, unknown = np.empty(len(people)), np.empty(len(people))
    for part in range(FOLDS):
        progress("judging owners it has not met", 0.8 + 0.2 * part / FOLDS)
        met = np.flatnonzero(fold != part)
        rows, same = [], []
        for own in met:
            impostors = others[own][np.isin(owner, met) & (owner != own)]
            rows += [genuine[own], impostors]
            same += [np.zeros(len(genuine[own])), np.ones(len(impostors))]
        fitted = LGBMClassifier(**_SETTINGS).fit(np.concatenate(rows), np.concatenate(same))
        for own in np.flatnonzero(fold == part):
            mine = fitted.predict(genuine[own], raw_score=True)
            foreign = fitted.predict(others[own], raw_score=True)
            known[own] = eer_interpolated(mine, foreign[owner != own])
            stranger = ~np.isin(owner, met) & (owner != own)
            unknown[own] = eer_interpolated(mine, foreign[stranger])
    return known, unknown
