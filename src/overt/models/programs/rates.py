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
    order = np.argsort(score, kind="stable")
    score, weight, program = score[order], weight[order], program[order]
    person = np.where(program, 0.0, weight)
    found = np.where(program, weight, 0.0)
    starts = np.flatnonzero(np.append(True, score[1:] != score[:-1]))
    people, programs = np.add.reduceat(person, starts), np.add.reduceat(found, starts)
    below = np.cumsum(people) - people
    whole = people.sum() * programs.sum()
    return float((programs * (below + people / 2)).sum() / whole) if whole else float("nan")


def found_at(score: Array, program: Array, weight: Array, share: float = FALSE_POSITIVES) -> float:
    """Return the share of programs above all but `share` of people."""
    people, theirs = score[~program], weight[~program]
    if not theirs.sum() or not weight[program].sum():
        return float("nan")
    order = np.argsort(-people, kind="stable")
    above = np.cumsum(theirs[order]) / theirs.sum()
    # The highest score is the first bound: beyond it there are no people at all.
    number = int(np.searchsorted(above, share + 1e-12, "right"))
    bound = people[order[min(number, order.size - 1)]]
    return float(weight[program & (score > bound)].sum() / weight[program].sum())


def rated(name: str, over: str, score: Array, program: Array, unit: Array) -> list[Score]:
    """Return AUC, and the share of programs found when 1 % of people are taken for one.

    Args:
        name: the method and what was left out.
        over: the length of input, for the name of the metric.
        score: float64[windows], grows with "program".
        program: bool[windows].
        unit: str[windows], people or programs that are independent of each other.
    """
    metrics = {f"AUC, {over}": auc, f"TPR at 1 % FPR, {over}": found_at}
    if score.size == 0 or program.all() or not program.any():
        return [Score(name, metric, *[float("nan")] * 3) for metric in metrics]
    drawn = _drawn(program, unit)
    even = np.ones(score.size)
    made = []
    for metric, of in metrics.items():
        values = [of(score, program, weight) for weight in drawn]
        low, high = np.nanpercentile(values, [2.5, 97.5]).tolist()
        made.append(Score(name, metric, of(score, program, even), low, high))
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
