"""The whole of what is learned: trees that choose some candidates, and a second look at these.

Trees see each candidate alone. What they cannot see is left to the network of `ranker`: the others
beside it, the way the person went through earlier steps and episodes, and the instruction as a run
of words of which some are dealt with.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from overt.models.elements import boosted, places, ranker
from overt.models.elements.features import Seen
from overt.models.tensors import Array

if TYPE_CHECKING:
    import torch

TREES_SHARE = 0.4
"""Of the training, for the progress told."""


@dataclass(frozen=True)
class Settings:
    """How both are trained."""

    trees: boosted.Settings = field(default_factory=lambda: boosted.Settings(trees=240))
    network: ranker.Settings = field(default_factory=ranker.Settings)
    seeds: int = 2
    """Networks, of which the mean share counts; trained beside each other."""

    def scaled(self, effort: float) -> Settings:
        """Return settings for a share of the effort."""
        trees = replace(self.trees, trees=max(20, round(self.trees.trees * effort)))
        epochs = max(2, round(self.network.epochs * effort))
        seeds = max(1, round(self.seeds * effort))
        return Settings(trees, replace(self.network, epochs=epochs), seeds)


@dataclass(frozen=True)
class Learned:
    """Trees without each part of the teachers, and the networks over them."""

    trees: list[Any]
    networks: list[torch.nn.Module]
    measure: places.Measure

    def ranked(self, seen: Seen, table: Array, teachers: Array, steps: Array) -> Array:
        """Return float32[rows]: log share of each candidate of `steps`; NaN in the rows of others.

        `teachers` are those that were learned from; `table` is of the pages seen.
        """
        whole = _whole(seen, steps)
        prior = boosted.unbiased(self.trees, seen.pages, table, teachers, whole)
        data = places.given(seen.pages, seen.words, table, prior, teachers, self.measure)
        return boosted.mean([ranker.ranked(one, data, prior, steps) for one in self.networks])


def learned(
    seen: Seen,
    table: Array,
    teachers: Array,
    settings: Settings,
    progress: Callable[[float], None] = lambda _done: None,
) -> Learned:
    """Train on the steps of `teachers`, bool[steps]; `table` is `features.made` with the same."""

    def growing(done: float) -> None:
        progress(TREES_SHARE * done)

    trees = boosted.parted(seen.pages, table, teachers, settings.trees, growing)
    prior = boosted.unbiased(trees, seen.pages, table, teachers, _whole(seen, teachers))
    data = places.given(seen.pages, seen.words, table, prior, teachers)

    done = [0.0] * settings.seeds

    def network(number: int) -> torch.nn.Module:
        def trains(share: float) -> None:
            done[number] = share
            progress(TREES_SHARE + (1 - TREES_SHARE) * sum(done) / settings.seeds)

        mine = replace(settings.network, seed=settings.network.seed + number)
        return ranker.trained(data, teachers, mine, trains)

    with ThreadPoolExecutor(2) as pool:
        networks = list(pool.map(network, range(settings.seeds)))
    return Learned(trees, networks, data.measure)


def _whole(seen: Seen, steps: Array) -> Array:
    """Return bool[steps]: all steps of the assignments that any of `steps` is of."""
    who = seen.pages.who
    return np.isin(who, np.unique(who[steps]))
