"""AUC, and programs found at a share of people wronged, with intervals over people and programs."""

from __future__ import annotations

import numpy as np

from overt.models.scores import Score
from overt.models.tensors import Array

RESAMPLES = 400
FALSE_POSITIVES = 0.01


def auc(score: Array, program: Array, weight: Array) -> float:
    """Return the area under the ROC curve of weighted windows; ties count half.

    >>> auc(np.array([0.1, 0.4, 0.4]), np.array([False, False, True]), np.ones(3))
    0.75
    """
    return float(_areas(score, program, weight[None])[0])


def found_at(score: Array, program: Array, weight: Array, share: float = FALSE_POSITIVES) -> float:
    """Return the share of programs above all but `share` of people."""
    return float(_found(score, program, weight[None], share)[0])


def _areas(score: Array, program: Array, weights: Array) -> Array:
    """Return the area for each row of `weights`, float64[draws, windows]."""
    order = np.argsort(score, kind="stable")
    score, program = score[order], program[order]
    starts = np.flatnonzero(np.append(True, score[1:] != score[:-1]))
    people, programs = (
        np.add.reduceat(np.where(side, weights[:, order], 0.0), starts, 1)
        for side in (~program, program)
    )
    below = np.cumsum(people, 1) - people
    whole = people.sum(1) * programs.sum(1)
    return _ratio((programs * (below + people / 2)).sum(1), whole)


def _found(score: Array, program: Array, weights: Array, share: float = FALSE_POSITIVES) -> Array:
    """Return the share of programs found for each row of `weights`."""
    people, programs = np.sort(-score[~program]), np.sort(-score[program])
    theirs = weights[:, ~program][:, np.argsort(-score[~program], kind="stable")]
    found = weights[:, program][:, np.argsort(-score[program], kind="stable")]
    if not people.size or not programs.size:
        return np.full(len(weights), np.nan)
    total = theirs.sum(1)
    above = np.cumsum(theirs, 1) <= (share + 1e-12) * total[:, None]
    # The highest score is the first bound: beyond it there are no people at all.
    bound = people[np.minimum(above.sum(1), people.size - 1)]
    until = np.searchsorted(programs, bound, "left")
    passed = np.append(np.zeros((len(weights), 1)), np.cumsum(found, 1), 1)
    hits = np.take_along_axis(passed, until[:, None], 1)[:, 0]
    return np.where(total > 0, _ratio(hits, passed[:, -1]), np.nan)


def _ratio(part: Array, whole: Array) -> Array:
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), np.nan)


def rated(name: str, over: str, score: Array, program: Array, unit: Array) -> list[Score]:
    """Return AUC, and the share of programs found when 1 % of people are taken for one.

    Args:
        name: the method and what was left out.
        over: the length of input, for the name of the metric.
        score: float64[windows], grows with "program".
        program: bool[windows].
        unit: str[windows], people or programs that are independent of each other.
    """
    metrics = {f"AUC, {over}": _areas, f"TPR at 1 % FPR, {over}": _found}
    if score.size == 0 or program.all() or not program.any():
        return [Score(name, metric, *[float("nan")] * 3) for metric in metrics]
    weights = np.append(np.ones((1, score.size)), _drawn(program, unit), 0)
    made = []
    for metric, of in metrics.items():
        value, *values = of(score, program, weights).tolist()
        low, high = np.nanpercentile(values, [2.5, 97.5]).tolist()
        made.append(Score(name, metric, value, low, high))
    return made


def _drawn(program: Array, unit: Array) -> Array:
    """Return float64[resamples, windows]: how often the unit of each was drawn."""
    rng = np.random.Generator(np.random.PCG64(0))
    weights = np.zeros((RESAMPLES, program.size))
    for side in (False, True):
        mine = np.flatnonzero(program == side)
        names, number = np.unique(unit[mine], return_inverse=True)
        count = rng.multinomial(names.size, np.full(names.size, 1 / names.size), RESAMPLES)
        weights[:, mine] = count[:, number]
    return weights
