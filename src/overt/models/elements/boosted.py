"""LightGBM on the same figures: trees boosted on the choice of one candidate among those shown.

The loss is that of the learned ranker: −ln of the softmax share of the pressed candidate. So both
give shares that need no calibration after, and differ only in what they can express.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from overt.features.kernel import kernel
from overt.models.elements import features, lifts
from overt.models.elements.pages import Pages
from overt.models.tensors import Array

PARTS = 3
"""Groups of teachers that are judged by trees of the others."""


@dataclass(frozen=True)
class Settings:
    """How the trees are grown; chosen inside the training part."""

    trees: int = 300
    rate: float = 0.2
    leaves: int = 31
    rows_in_leaf: int = 30
    columns: float = 0.5
    rivals: int = 12
    """Candidates beside the pressed one that a step trains on, drawn evenly."""
    seed: int = 1
    threads: int = 1


def trained(
    pages: Pages,
    table: Array,
    teachers: Array,
    settings: Settings,
    progress: Callable[[float], None] = lambda _done: None,
) -> Any:
    """Grow trees on the steps of `teachers`; `table` is float32[rows, features]."""
    import lightgbm

    steps = np.flatnonzero(teachers & (pages.target >= 0))
    rows, edges = _drawn(pages, steps, settings)
    pressed = np.isin(rows, pages.target[steps]).astype(np.float64)

    def loss(score: Array, _data: Any) -> tuple[Array, Array]:
        share = np.exp(log_shares(score, edges))
        return share - pressed, np.maximum(2 * share * (1 - share), 1e-6)

    data = lightgbm.Dataset(
        table[rows],
        label=pressed,
        feature_name=list(features.NAMES),
        params={"max_bin": 127, "verbose": -1, "num_threads": settings.threads},
    )
    return lightgbm.train(
        {
            "objective": loss,
            "learning_rate": settings.rate,
            "num_leaves": settings.leaves,
            "min_data_in_leaf": settings.rows_in_leaf,
            "min_sum_hessian_in_leaf": 1.0,
            "feature_fraction": settings.columns,
            "num_threads": settings.threads,
            "deterministic": True,
            "force_row_wise": True,
            "max_bin": 127,
            "seed": settings.seed,
            "verbose": -1,
        },
        data,
        settings.trees,
        callbacks=[lambda now: progress((now.iteration + 1) / settings.trees)],
    )


def ranked(model: Any, pages: Pages, table: Array, steps: Array, *, threads: int = 1) -> Array:
    """Return float32[rows]: log share of each candidate of `steps`; NaN in the rows of others."""
    out = np.full(len(table), np.nan, np.float32)
    rows = np.flatnonzero(np.repeat(steps, pages.candidates))
    edges = np.concatenate([[0], np.cumsum(pages.candidates[steps])])
    if len(rows):
        score = model.predict(table[rows], raw_score=True, num_threads=threads)
        out[rows] = log_shares(score, edges)
    return out


def mean(several: list[Array]) -> Array:
    """Return float32[rows]: log of the mean share of several models; NaN where theirs is."""
    with np.errstate(invalid="ignore"):
        share: Array = np.logaddexp.reduce(several) - np.float32(np.log(len(several)))
    return share


def parted(
    pages: Pages,
    table: Array,
    teachers: Array,
    settings: Settings,
    progress: Callable[[float], None] = lambda _done: None,
) -> list[Any]:
    """Grow trees `PARTS` times, each time without the teachers of one part."""
    part = lifts.folds(pages.who, teachers, PARTS)
    done = [0.0] * PARTS

    def grown(number: int) -> Any:
        def grows(share: float) -> None:
            done[number] = share
            progress(sum(done) / PARTS)

        return trained(pages, table, teachers & (part != number), settings, grows)

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(grown, range(PARTS)))


def unbiased(
    models: list[Any], pages: Pages, table: Array, teachers: Array, needed: Array
) -> Array:
    """Return float32[rows]: log shares by those of `parted` that did not learn from the person.

    Who is no teacher is judged by the mean of all. NaN in the rows of steps that are not `needed`,
    bool[steps].
    """
    part = lifts.folds(pages.who, teachers, PARTS)
    total = np.full(len(table), -np.inf, np.float32)
    count = np.repeat(np.where(part == PARTS, PARTS, 1), pages.candidates)
    for number, model in enumerate(models):
        mine = needed & ((part == number) | (part == PARTS))
        rows = np.repeat(mine, pages.candidates)
        total[rows] = np.logaddexp(total[rows], ranked(model, pages, table, mine)[rows])
    share: Array = total - np.log(count).astype(np.float32)
    share[np.repeat(~needed, pages.candidates)] = np.nan
    return share


def _drawn(pages: Pages, steps: Array, settings: Settings) -> tuple[Array, Array]:
    """Return the rows to train on and where each step's begin, int64."""
    rng = np.random.Generator(np.random.PCG64(settings.seed))
    taken = []
    for step in steps.tolist():
        low, high = pages.first[step], pages.first[step + 1]
        rows = np.arange(low, high)
        if len(rows) > settings.rivals + 1:
            others = rows[rows != pages.target[step]]
            picked = rng.choice(others, settings.rivals, replace=False, shuffle=False)
            rows = np.sort(np.append(picked, pages.target[step]))
        taken.append(rows)
    edges = np.concatenate([[0], np.cumsum([len(rows) for rows in taken])])
    return np.concatenate(taken), edges.astype(np.int64)


def log_shares(score: Array, edges: Array) -> Array:
    """Return log softmax of each run of scores, float64[rows].

    >>> log_shares(np.array([0.0, 0.0, 5.0]), np.array([0, 2, 3])).round(3).tolist()
    [-0.693, -0.693, 0.0]
    """
    out = np.empty(len(score), np.float64)
    _log_shares(np.asarray(score, np.float64), edges, out)
    return out


@kernel
def _log_shares(score: Any, edges: Any, out: Any) -> Any:
    for step in range(len(edges) - 1):
        low, high = edges[step], edges[step + 1]
        top = -np.inf
        for row in range(low, high):
            top = max(top, score[row])
        total = 0.0
        for row in range(low, high):
            total += np.exp(score[row] - top)
        for row in range(low, high):
            out[row] = score[row] - top - np.log(total)
