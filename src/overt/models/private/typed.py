"""Pauses of people who copied sentences (Aalto), for the curve of ε."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from overt.datasets.tokens import VOCABULARY
from overt.models import boosted, fluency, typists
from overt.models import pauses as judging
from overt.models.baselines import baselines, tables
from overt.models.metrics import mixture_crps, mixture_nll
from overt.models.predict import Predicted, predict_baselines
from overt.models.private import pauses
from overt.models.private.curve import Sums
from overt.models.private.rounds import Rounds
from overt.models.scores import Progress
from overt.models.stream import Stream, stream_of
from overt.models.tensors import Array

NLL, CRPS, R2 = "pause_nll", "crps_ms", "r2"


@dataclass(frozen=True, eq=False)
class Pauses:
    """The task; see `overt.models.private.curve.Task`."""

    learned: list[Stream] = field(repr=False)
    unseen: list[Stream] = field(repr=False)
    people: list[pauses.Seen] = field(repr=False)
    rounds: Rounds = field(default_factory=Rounds)
    name: str = "pause"
    title: str = "Time to the next key, learned privately"
    metrics: tuple[str, ...] = (NLL, CRPS, R2)
    notes: tuple[str, ...] = (
        "pause_nll and r2 are of ln ms. All are given the key that came.",
        (
            f"The model has {pauses.SIZE} weights: three log-normal states, functions of a few "
            "numbers known before the key."
        ),
    )

    @property
    def judged(self) -> int:
        """Return how many people are judged."""
        return len(self.unseen)

    def start(self) -> Array:
        """Return the weights nobody has taught."""
        return pauses.start()

    def learn(self, weights: Array, person: pauses.Seen) -> Array:
        """Return them after a person learned alone."""
        return pauses.learn(weights, person)

    def judge(self, weights: Array) -> Sums:
        """Return what they are good for."""
        return sums([pauses.predict(weights, stream) for stream in self.unseen])

    def plain(self, places: Sequence[int]) -> dict[str, Sums]:
        """Return what methods without privacy are good for."""
        some = [self.learned[at] for at in places]
        made: dict[str, list[Predicted]] = {}
        trees = boosted.fit(some) if boosted.installed() else None
        if trees is not None:
            made[boosted.NAME] = [trees.predict(stream) for stream in self.unseen]
        fluent, line = fluency.fit(some), judging.linear(some)
        made[fluency.NAME] = [fluent.predict(stream) for stream in self.unseen]
        made["linear regression"] = [line.predict(stream) for stream in self.unseen]
        counted = baselines([tables(some, len(VOCABULARY))], len(VOCABULARY))
        rows = [predict_baselines(counted, stream) for stream in self.unseen]
        made["digraph median"] = [one["digraph"] for one in rows]
        made["one log-normal"] = [one["most frequent"] for one in rows]
        return {name: sums(predicted) for name, predicted in made.items()}


def read(path: Path, progress: Progress) -> Pauses:
    """Return the task over the people in `path`; at most 200 of them are judged."""
    people = typists.read(path, progress, learned_max=None)
    learned, kept = [], []
    for person in people.learned:
        stream = stream_of(person.sessions)
        known = pauses.timed(stream)
        if known.log_pause.size:
            learned.append(stream)
            kept.append(known)
    return Pauses(learned, [stream_of(person.sessions) for person in people.unseen], kept)


def sums(people: Sequence[Predicted]) -> Sums:
    """Return the sums of predictions of each person judged."""
    each = [_timed(one) for one in people]
    middle = float(np.concatenate([at for *_, at in each]).mean())
    rows = np.array([_sums(*one, middle) for one in each])
    count, nll, crps, explained, spread = rows.T
    return {NLL: (nll, count), CRPS: (crps, count), R2: (explained, spread)}


def _timed(one: Predicted) -> tuple[Array, Array, Array, Array]:
    there = ~np.isnan(one.log_pause)
    return one.weight[there], one.mean[there], one.sigma[there], one.log_pause[there]


def _sums(weight: Array, mean: Array, sigma: Array, at: Array, middle: float) -> tuple[float, ...]:
    off = ((at - (weight * mean).sum(axis=1)) ** 2).sum()
    spread = ((at - middle) ** 2).sum()
    return (
        float(at.size),
        float(mixture_nll(weight, mean, sigma, at).sum()),
        float(mixture_crps(weight, mean, sigma, at).sum()),
        float(spread - off),
        float(spread),
    )
