"""A learned ranker: looks again at the best candidates of the trees, beside each other.

```
best of the trees    figures, words of text and names, what of the instruction they are   → row
what was             the rows pressed, the pages and the instruction → GRU over all steps
                     of the assignment, so also earlier episodes                          → state
second look          rows look at one another and at the state; trees' share × e^score    → share
```

Candidates beyond the best `RIVALS` keep the share that the trees gave them. For teachers that share
is of trees that did not learn from them, or the ranker would trust the trees too far. The order of
the candidates changes nothing but the figures that tell it. Words are hashed and rare ones are one,
so that no list of words is kept. Repeats bit for bit for one seed and one number of threads.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from overt.models.elements.places import (
    BUCKETS,
    FIGURES,
    NAME_WORDS,
    TEXT_WORDS,
    Given,
    scaled,
)
from overt.models.tensors import Array

if TYPE_CHECKING:
    import torch

_BUILT = Lock()
"""Weights begin from torch's one source of chance, which two threads would share."""


@dataclass(frozen=True)
class Settings:
    """How the ranker is trained; chosen inside the training part."""

    epochs: int = 8
    steps_a_batch: int = 600
    rate: float = 3e-3
    decay: float = 3e-2
    warm_share: float = 0.15
    """Share of the training in which the rate grows; then it falls to nothing."""
    seed: int = 1


def trained(
    data: Given,
    teachers: Array,
    settings: Settings,
    progress: Callable[[float], None] = lambda _done: None,
) -> torch.nn.Module:
    """Train on the steps of `teachers`; other steps of their assignments only went before."""
    import torch

    from overt.models.descent import Adam
    from overt.models.elements.network import Ranker

    torch.set_num_threads(1)  # repeats, and leaves the other core to others
    rng = np.random.Generator(np.random.PCG64(settings.seed))
    data = replace(data, hit=np.where(teachers, data.hit, -1))
    with _BUILT:
        torch.manual_seed(settings.seed)
        model = Ranker(FIGURES, BUCKETS, settings.seed)
    spans = _spans(data, teachers)
    batches = max(1, round(sum(high - low for low, high in spans) / settings.steps_a_batch))
    total = batches * settings.epochs
    optimiser = Adam(model.parameters(), settings.decay)
    model.train()
    done = 0
    for _ in range(settings.epochs):
        order = rng.permutation(len(spans))
        for part in np.array_split(order, batches):
            if len(part):
                batch = _batch(data, [spans[place] for place in part])
                _descend(model, batch, optimiser, _rate(settings, done / total))
            done += 1
            progress(done / total)
    model.eval()
    return model


def _descend(model: Any, batch: Batch, optimiser: Any, rate: float) -> None:
    known = batch.hit >= 0
    if not known.any():
        return
    share = model(batch)[known].gather(1, batch.hit[known][:, None])
    (-share.mean()).backward()
    optimiser.step(rate)


def _rate(settings: Settings, done: float) -> float:
    """Return the rate at a share of the training: up along a cosine, and down along another."""
    warm = settings.warm_share
    way = math.pi * (done / warm - 1 if done < warm else (done - warm) / (1 - warm))
    return settings.rate * max(0.02, (1 + math.cos(way)) / 2)


def ranked(model: torch.nn.Module, data: Given, prior: Array, steps: Array) -> Array:
    """Return float32[rows]: log share of each candidate of `steps`; NaN in the rows of others.

    `prior` is what `given` was given.
    """
    import torch

    out = np.full(len(data.text), np.nan, np.float32)
    mine = np.repeat(steps, np.diff(data.first))
    out[mine] = prior[mine]
    spans = _spans(data, steps)
    with torch.no_grad():
        for at in range(0, len(spans), 32):
            part = spans[at : at + 32]
            share = model(_batch(data, part)).numpy()
            within = np.concatenate([np.arange(low, high) for low, high in part])
            rows, best = data.rows[within, :-1], data.prior[within]
            whole = np.logaddexp.reduce(np.where(rows >= 0, best, -np.inf), axis=1)
            there = (rows >= 0) & steps[within][:, None]
            out[rows[there]] = (share + whole[:, None])[there]
    return out


def _spans(data: Given, steps: Array) -> list[tuple[int, int]]:
    """Return the first step and the one after the last of each assignment among `steps`."""
    edges = np.flatnonzero(np.diff(data.who, prepend=-1, append=-1))
    pairs = zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    return [(low, high) for low, high in pairs if steps[low:high].any()]


@dataclass(frozen=True)
class Batch:
    """Steps of some assignments, end to end, as tensors. Places: the best, then the pressed."""

    figures: torch.Tensor
    """float32[steps, places, FIGURES]."""
    prior: torch.Tensor
    """float32[steps, RIVALS]."""
    there: torch.Tensor
    """bool[steps, places]: there is a row."""
    hit: torch.Tensor
    """int64[steps]."""
    text: torch.Tensor
    names: torch.Tensor
    """int64[steps, places, words]: vectors of the row's words; 0 for none."""
    asked: torch.Tensor
    """int64[instructions, words]."""
    which: torch.Tensor
    """int64[steps]: the step's instruction."""
    match_text: torch.Tensor
    match_names: torch.Tensor
    """float32[steps, places, words of the instruction, …], as in `Given`."""
    before: torch.Tensor
    """int64[steps]: step pressed last in the episode; -1: none."""
    begins: torch.Tensor
    """int64[steps]: first step of the episode."""
    cell: torch.Tensor
    """int64[steps]: place of the step in a matrix of assignments by steps."""
    shape: tuple[int, int]
    """Of that matrix."""


def _batch(data: Given, spans: list[tuple[int, int]]) -> Batch:
    import torch

    steps = np.concatenate([np.arange(low, high) for low, high in spans])
    rows = data.rows[steps]
    there = rows >= 0
    asked, which = np.unique(data.asked[steps], return_inverse=True)
    tokens = data.words[asked]
    wide_asked = max(1, int((tokens > 0).sum(axis=1).max(initial=0)))
    tokens = tokens[:, :wide_asked]
    text = np.where(there[..., None], data.words[data.text[rows], :TEXT_WORDS], 0)
    names = np.where(there[..., None], data.words[data.names[rows], : 3 * NAME_WORDS], 0)
    begins = np.flatnonzero(np.diff(data.episode[steps], prepend=-1))
    begin = begins[np.cumsum(np.diff(data.episode[steps], prepend=-1) != 0) - 1]
    lengths = [high - low for low, high in spans]
    wide = max(lengths)
    cell = np.concatenate([np.arange(length) + at * wide for at, length in enumerate(lengths)])
    made = torch.from_numpy
    return Batch(
        figures=made(scaled(data, rows)),
        prior=made(data.prior[steps]),
        there=made(there),
        hit=made(data.hit[steps]),
        text=made(data.measure.known[text]),
        names=made(data.measure.known[names]),
        asked=made(data.measure.known[tokens]),
        which=made(which.astype(np.int64)),
        match_text=made(data.match_text[steps][:, :, :wide_asked].astype(np.float32)),
        match_names=made(data.match_names[steps][:, :, :wide_asked].astype(np.float32)),
        before=made(_pressed_before(there[:, -1], begin)),
        begins=made(begin),
        cell=made(cell),
        shape=(len(spans), wide),
    )


def _pressed_before(pressed: Array, begin: Array) -> Array:
    """Return the last step before each at which something was pressed, in the same episode."""
    latest = np.maximum.accumulate(np.where(pressed, np.arange(len(pressed)), -1))
    before = np.concatenate([[-1], latest[:-1]])
    last: Array = np.where(before >= begin, before, -1)
    return last
