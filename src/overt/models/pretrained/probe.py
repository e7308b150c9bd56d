"""Can the source be told from the states? A linear probe, on people who taught neither.

A model of mixed sources that knows where somebody is from can answer by source and not by what
people do. Asked is only among sources of one kind of input: keys and pointers differ anyway. Each
source counts alike; chance is one over their number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from overt.models.pretrained.frames import seen
from overt.models.pretrained.heads import logistic, pooled
from overt.models.pretrained.sources import Person, judged
from overt.models.scores import RESAMPLES, Score
from overt.models.tensors import Array

WINDOW = 64
"""Events of one window."""
WINDOWS_MAX = 40
"""Windows of one person, the first ones."""

Encode = Callable[[Sequence[tuple[Array, Array]]], list[Array]]
"""Stretches as the encoder sees them → states; or, for the inputs alone, these."""


def inputs(stretches: Sequence[tuple[Array, Array]]) -> list[Array]:
    """Return the numbers themselves: what could be told without any encoder."""
    return [numbers for _, numbers in stretches]


def told(name: str, people: Sequence[Person], view: str, encode: Encode) -> list[Score]:
    """Return how often the source is told of a window, for each kind of input with several.

    Twice: of the mean of its states, which is what is linear in them; and of their spread as well.
    """
    made = []
    for kind in dict.fromkeys(one.kind for one in people):
        mine = [one for one in people if one.kind == kind]
        sources = sorted({one.source for one in mine})
        if len(sources) > 1:
            found = _told(mine, sources, view, encode)
            chance = f"{kind}, chance {1 / len(sources):.2f}"
            for what, figure in zip(("mean state", "mean and spread"), found, strict=False):
                made.append(Score(name, f"source told by {what}, {chance}", *figure))
    return made


def _told(
    people: Sequence[Person], sources: Sequence[str], view: str, encode: Encode
) -> list[tuple[float, float, float]]:
    rows, source, person = [], [], []
    for number, one in enumerate(people):
        cut = windows(one, view)
        rows.append(pooled(encode(cut)) if cut else np.zeros((0, 0)))
        source += [sources.index(one.source)] * len(cut)
        person += [number] * len(cut)
    kept = [row for row in rows if row.size]
    if not kept:
        return []
    x, of, who = np.concatenate(kept), np.array(source), np.array(person)
    asked = np.array([judged(one.unit) for one in people])[who]
    if len(set(of[~asked].tolist())) < len(sources) or len(set(of[asked].tolist())) < len(sources):
        return []
    share = 1.0 / np.bincount(of[~asked])[of[~asked]]
    made = []
    for columns in (slice(0, x.shape[1] // 2), slice(None)):
        seen_of, ask = x[~asked][:, columns], x[asked][:, columns]
        odds = logistic(seen_of, of[~asked], share * len(share) / share.sum())(ask)
        best = odds.argmax(1) if odds.ndim > 1 else (odds > 0).astype(int)
        made.append(_balanced(best == of[asked], of[asked], who[asked], len(sources)))
    return made


def _balanced(hits: Array, source: Array, who: Array, sources: int) -> tuple[float, float, float]:
    """Return the mean over sources of the share of hits, people drawn anew within each."""
    rng = np.random.Generator(np.random.PCG64(0))
    value = np.zeros(sources)
    drawn = np.zeros((RESAMPLES, sources))
    for number in range(sources):
        mine = source == number
        unit = np.unique(who[mine], return_inverse=True)[1]
        good, all_of = np.bincount(unit, hits[mine]), np.bincount(unit)
        value[number] = good.sum() / all_of.sum()
        times = rng.multinomial(len(all_of), np.full(len(all_of), 1 / len(all_of)), RESAMPLES)
        drawn[:, number] = (times @ good) / (times @ all_of)
    low, high = np.percentile(drawn.mean(1), [2.5, 97.5]).tolist()
    return float(value.mean()), low, high


def windows(person: Person, view: str) -> list[tuple[Array, Array]]:
    """Return windows of a person's events; short stretches are read on into the next."""
    stretches = seen(person.stretches, view)
    if not stretches:
        return []
    token = np.concatenate([one for one, _ in stretches])
    numbers = np.concatenate([one for _, one in stretches])
    count = min(len(token) // WINDOW, WINDOWS_MAX)
    return [
        (token[at * WINDOW : (at + 1) * WINDOW], numbers[at * WINDOW : (at + 1) * WINDOW])
        for at in range(count)
    ]
