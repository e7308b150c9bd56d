"""Judges of person or program taught by halves of people, and how well each tells everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from overt.models.programs.fitted import judge, train
from overt.models.programs.sample import Sample
from overt.models.scores import Progress
from overt.models.shadows import Losses, Shadows
from overt.models.tensors import Array


def judges(people: Sequence[Sample]) -> Shadows:
    """Return the shadows; a loss is of a person's windows and of programs in their place."""
    return partial(_judges, people)


def _judges(people: Sequence[Sample], shard: Array, progress: Progress) -> Losses:
    models, shards = len(shard), int(shard.max()) + 1
    loss = np.empty((models, shards, len(people)))
    together = np.empty((models, len(people)))
    for model, row in enumerate(shard):
        progress("training on halves of the people", model / models)
        taught = train(
            replace(one, split="train", shard=int(own))
            for one, own in zip(people, row, strict=True)
            if own >= 0
        )
        for place, one in enumerate(people):
            for part, fitted in taught.shards.items():
                loss[model, part, place] = _nats(judge([fitted], one.rows).odds, one.kind)
            odds = judge(list(taught.shards.values()), one.rows).odds
            together[model, place] = _nats(odds, one.kind)
    return loss, together


def _nats(odds: Array, kind: Array) -> float:
    """Return the mean of minus ln of the probability given to what it was."""
    sign = np.where(kind > 0, -1.0, 1.0)
    return float(np.logaddexp(0.0, sign * odds).mean())
