"""A study's model of person or program: sharded logistic regression that repeats bit for bit.

Small enough for a page, and trained by a computation in a fixed order without BLAS and threads, so
that a shard trained again without a person equals one that never met them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from overt.models.kept import Kept
from overt.models.programs.features import NAMES, along_axes
from overt.models.programs.sample import KINDS, SAMPLE_ID, Sample
from overt.models.tensors import Array

RIDGE = 1.0
STEPS = 12
"""Newton steps; it has long converged by then."""

Z_MAX = 4.0
"""A standardised number is clipped here, so that one odd number does not decide alone."""

WRONGED, MISSED = 0.03, 0.05
"""Share of people's windows that may be called a program's, and of programs' a person's."""

STRANGE = 0.01
"""Share of what was learned from that is as far off the middle as what is called strange."""

FOLDS = 2
SLOPE_MIN, OFFSET_MAX = 0.1, 3.0


class Fitted(Kept):
    """For each shard that has people: how to standardise, weights, calibration, bounds.

    Tensors of a shard, all float32: `centre` and `scale` [features]; `weights` [features + 3]
    (numbers, no stroke, too few strokes for a spread, always 1); `platt` [slope, offset];
    `people` and `programs`, sorted: log odds of windows by weights that had met neither that person
    nor that kind of program; `strange` [1], how far off the middle a window may be.
    """

    rule = SAMPLE_ID

    def named(self) -> dict[str, Any]:
        """Return what besides the shards names the model: rule, numbers, kinds."""
        return {
            "sample": SAMPLE_ID,
            "names": NAMES,
            "kinds": KINDS,
            "config": configuration(),
        }


def configuration() -> dict[str, float]:
    """Return what decides what becomes of the same people."""
    return {
        "ridge": RIDGE,
        "steps": STEPS,
        "z_max": Z_MAX,
        "wronged": WRONGED,
        "missed": MISSED,
        "strange": STRANGE,
    }


def train(
    samples: Iterable[Sample],
    *,
    shards: Collection[int] | None = None,
    before: Fitted | None = None,
    progress: Callable[[float], None] = lambda _done: None,
) -> Fitted:
    """Return the model of all people of the split `train`, or of some shards of it.

    With `shards` only those are fitted; all others are taken from `before` as they are.
    """
    return Fitted.grown(samples, _fit, shards=shards, before=before, progress=progress)


def _fit(samples: list[Sample]) -> dict[str, Array]:
    """Return one shard's tensors: weights from all of it, bounds from halves that have not met."""
    rows = np.concatenate([one.rows for one in samples])
    kind = np.concatenate([one.kind for one in samples])
    person = np.repeat(np.arange(len(samples)), [one.kind.size for one in samples])
    shard = _learned(rows, kind)
    odds = np.full(kind.size, np.nan)
    for fold in range(FOLDS):
        learn = (person % FOLDS != fold) & ((kind == 0) | (kind % FOLDS != fold))
        ask = (person % FOLDS == fold) & ((kind == 0) | (kind % FOLDS == fold))
        if (kind[learn] == 0).any() and (kind[learn] > 0).any():
            odds[ask] = _odds(_learned(rows[learn], kind[learn]), rows[ask])[0]
    asked = np.isfinite(odds)
    program = kind[asked] > 0
    slope, offset = _calibrated(odds[asked], kind[asked])
    calibrated = np.sort(slope * odds[asked] + offset)
    order = np.argsort(slope * odds[asked] + offset, kind="stable")
    shard["platt"] = np.array([slope, offset], "<f4")
    shard["people"] = calibrated[~program[order]].astype("<f4")
    shard["programs"] = calibrated[program[order]].astype("<f4")
    off = np.sort(design(shard, rows)[1])
    shard["strange"] = off[[int((off.size - 1) * (1 - STRANGE))]].astype("<f4")
    return shard


def _calibrated(odds: Array, kind: Array) -> tuple[float, float]:
    """Return slope and offset of log odds (Platt 1999); never more certain than the weights are."""
    program = kind > 0
    if program.all() or not program.any():
        return 1.0, 0.0
    columns = np.stack([odds, np.ones(odds.size)], 1)
    slope, offset = _newton(columns, program, _even(kind), RIDGE).tolist()
    return min(max(slope, SLOPE_MIN), 1.0), min(max(offset, -OFFSET_MAX), OFFSET_MAX)


def _even(kind: Array) -> Array:
    """Return weights by which person and program, and all kinds of program, count alike."""
    names, number, count = np.unique(kind, return_inverse=True, return_counts=True)
    programs = max(int((names > 0).sum()), 1)
    each = np.where(names == 0, 0.5, 0.5 / programs) / count
    return np.asarray(each[number] * kind.size)


def _learned(rows: Array, kind: Array) -> dict[str, Array]:
    known = np.isfinite(rows)
    count = np.maximum(known.sum(0), 1)
    centre = np.where(known, rows, 0).sum(0) / count
    scale = np.sqrt((np.where(known, rows - centre, 0) ** 2).sum(0) / count)
    scale = np.where(scale > 1e-6, scale, 1.0)
    shard = {"centre": centre.astype("<f4"), "scale": scale.astype("<f4")}
    columns, _strange = design(shard, rows)
    shard["weights"] = _newton(columns, kind > 0, _even(kind), RIDGE).astype("<f4")
    return shard


def design(shard: Mapping[str, Array], rows: Array) -> tuple[Array, Array]:
    """Return float64[windows, features + 3] to be weighted, and how far off the middle each is."""
    known = np.isfinite(rows)
    centre, scale = shard["centre"].astype(np.float64), shard["scale"].astype(np.float64)
    z = np.where(known, (np.where(known, rows, 0) - centre) / scale, 0.0)
    off = np.minimum(np.abs(z), 2 * Z_MAX).sum(1) / np.maximum(known.sum(1), 1)
    flags = [~known[:, 0], ~known[:, len(NAMES) // 2 - 1], np.ones(len(rows))]
    columns = np.concatenate([np.clip(z, -Z_MAX, Z_MAX), np.stack(flags, 1)], 1)
    return columns, off


def _odds(shard: Mapping[str, Array], rows: Array) -> tuple[Array, Array]:
    columns, off = design(shard, rows)
    return (columns * shard["weights"].astype(np.float64)).sum(1), off


def _newton(columns: Array, program: Array, weight: Array, ridge: float) -> Array:
    """Return the weights of a ridge logistic regression, by a fixed number of Newton steps."""
    beta = np.zeros(columns.shape[1])
    penalty = np.full(columns.shape[1], ridge)
    penalty[-1] = 1e-6
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip((columns * beta).sum(1), -30, 30)))
        pull = (columns * (weight * (program - p))[:, None]).sum(0) - penalty * beta
        bend = weight * np.maximum(p * (1 - p), 1e-6)
        curve = np.stack([(columns * (bend * one)[:, None]).sum(0) for one in columns.T])
        step = _solved(curve + np.diag(penalty), pull)
        beta = beta + np.clip(step, -2.0, 2.0)
    return beta


def _solved(matrix: Array, right: Array) -> Array:
    """Return the solution of a symmetric positive system, by Cholesky in a fixed order."""
    n = right.size
    low = np.zeros((n, n))
    for j in range(n):
        column = matrix[j:, j] - (low[j:, :j] * low[j, :j]).sum(1)
        low[j:, j] = column / math.sqrt(max(float(column[0]), 1e-12))
    half = np.zeros(n)
    for i in range(n):
        half[i] = (right[i] - float((low[i, :i] * half[:i]).sum())) / low[i, i]
    out = np.zeros(n)
    for i in range(n - 1, -1, -1):
        out[i] = (half[i] - float((low[i + 1 :, i] * out[i + 1 :]).sum())) / low[i, i]
    return out


@dataclass(frozen=True)
class Verdict:
    """What a model says of windows; arrays of their number."""

    odds: Array
    """Log odds of "program", calibrated, mean over shards."""
    low: Array
    high: Array
    """The lowest and the highest of the shards'."""
    as_person: Array
    as_program: Array
    """Share of people's windows that look as much like a program, and of programs' windows that
    look as much like a person: p-values, on windows that the weights had not met."""
    said: Array
    """0 person, 1 program, -1 cannot tell."""


def judge(shards: Collection[Mapping[str, Array]], rows: Array) -> Verdict:
    """Return what shards say together of windows (`features.NAMES`).

    "Program" where it would be rare among people, "person" where it would be rare among programs.
    Both, or neither, or unlike anything that was learned from, or perhaps moved by keys: cannot
    tell.
    """
    each, strange = [], []
    for shard in shards:
        odds, off = _odds(shard, rows)
        slope, offset = shard["platt"].astype(np.float64).tolist()
        each.append(slope * odds + offset)
        strange.append(off > float(shard["strange"][0]))
    stacked = np.stack(each)
    odds = stacked.sum(0) / len(each)
    people, programs = (
        np.sort(np.concatenate([shard[name].astype(np.float64) for shard in shards]))
        for name in ("people", "programs")
    )
    as_person = (people.size - np.searchsorted(people, odds, "left") + 1) / (people.size + 1)
    as_program = (np.searchsorted(programs, odds, "right") + 1) / (programs.size + 1)
    program, person = as_person <= WRONGED, as_program <= MISSED
    said = np.where(program & ~person, 1, np.where(person & ~program, 0, -1))
    unlike = np.stack(strange).all(0) | ~np.isfinite(rows).any(1)
    said = np.where(unlike | along_axes(rows), -1, said)
    return Verdict(odds, stacked.min(0), stacked.max(0), as_person, as_program, said)
