"""Models taught by halves of people, and how well each foretells everybody: an attack's material.

`Asked` of `overt.audit.membership` wants of each model the mean loss of every person's events.
Every kind of model has one function here (typos: `overt.models.typos.shadows`): people, and which
shard of which model each teaches, in; losses out. A model of another kind, such as a federated one,
needs nothing more to be attacked: see `one_by_one`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from overt.datasets.tokens import Sequences
from overt.models import boosted
from overt.models.config import Config
from overt.models.metrics import mixture_nll
from overt.models.predict import Predicted
from overt.models.scores import Progress
from overt.models.spread import spread
from overt.models.stream import Stream, stream_of
from overt.models.tensors import Array
from overt.models.train import Progress as Fitting
from overt.models.train import Trained, train
from overt.schema.errors import InvalidInput, Missing

Losses = tuple[Array, Array]
"""float64[M, S, people], mean nats an event under each shard alone; float64[M, people], under what
the shards say together."""

Shadows = Callable[[Array, Progress], Losses]
"""int64[M, people], which shard of each model learns from whom (-1: none) → losses."""

ENCODERS_AT_ONCE = 256


def encoders(people: Sequence[Sequences], config: Config, workers: int | None = None) -> Shadows:
    """Return the shadows of the event encoder with these settings.

    On the processor they are fitted as a study's are; on `cuda` side by side, and never certified.
    """
    if config.device == "cuda":
        need_gpu()
    return partial(_encoders, people, config, workers)


def need_gpu() -> None:
    """Raise `Missing` where there is no GPU that torch can use."""
    import torch

    if not torch.cuda.is_available():
        raise Missing(
            "there is no GPU that torch can use",
            where="--device cuda",
            do="Leave it out: the processor does the same, slower.",
        )


def _encoders(
    people: Sequence[Sequences],
    config: Config,
    workers: int | None,
    shard: Array,
    progress: Progress,
) -> Losses:
    from overt.models import many

    models, shards = len(shard), int(shard.max()) + 1
    streams = [stream_of(person.sessions) for person in people]
    members = (
        _fitted_here(people, config, workers, shard, progress)
        if config.device == "cpu"
        else _fitted_at_once(streams, config, shard, progress)
    )
    chunks = many.Chunks(streams, config.chunk, config.device)
    loss = np.empty((models, shards, len(people)))
    together = np.empty((models, len(people)))
    for model in range(models):
        progress("asking everybody's events of each", 0.8 + 0.2 * model / models)
        own = [members[model * shards + part] for part in range(shards)]
        loss[model], together[model] = many.asked(many.Many(own, config), chunks)
    return loss, together


def _fitted_here(
    people: Sequence[Sequences],
    config: Config,
    workers: int | None,
    shard: Array,
    progress: Progress,
) -> dict[int, Any]:
    """Fit all shards of all models as the shards of one, numbered one after the other."""
    shards, done = int(shard.max()) + 1, dict[int, float]()
    copies = [
        replace(person, split="train", shard=model * shards + int(row[place]))
        for model, row in enumerate(shard)
        for place, person in enumerate(people)
        if row[place] >= 0
    ]

    told = _telling(progress)

    def report(state: Fitting) -> None:
        done[state.shard] = state.done / max(state.steps, 1)
        told(0.8 * sum(done.values()) / (shards * len(shard)), 0.8)

    trained = train(copies, config, workers=workers, progress=report)
    return dict(trained.shards)


def _fitted_at_once(
    streams: list[Stream], config: Config, shard: Array, progress: Progress
) -> dict[int, Any]:
    from overt.models import many

    shards = int(shard.max()) + 1
    chunks = many.Chunks(streams, config.chunk, config.device)
    taught = [np.flatnonzero(row == part) for row in shard for part in range(shards)]
    members: dict[int, Any] = {}
    for start in range(0, len(taught), ENCODERS_AT_ONCE):
        mine = range(start, min(start + ENCODERS_AT_ONCE, len(taught)))
        fitted = many.fit(
            chunks,
            [taught[i] for i in mine],
            list(mine),
            config,
            lambda done, start=start: progress(  # type: ignore[misc]
                "training on halves of the people",
                0.8 * (start + done * ENCODERS_AT_ONCE) / len(taught),
            ),
        )
        members.update(zip(mine, fitted.members(), strict=True))
    return members


def _telling(progress: Progress) -> Callable[..., None]:
    """Return what reports the share done of the training, and about how long the rest takes.

    Minutes are told in steps of a half more each, so that where each line stays they are few.
    """
    begun_s = time.monotonic()

    def told(done: float, end: float = 1.0) -> None:
        said = "training on halves of the people"
        if done >= 0.02 * end:
            left_min = (time.monotonic() - begun_s) / done * (end - done) / 60
            steps = round(math.log(max(left_min, 0.5)) / math.log(1.5))
            said += f", about {max(1, round(1.5**steps))} min left"
        progress(said, done)

    return told


def sharded(
    people: Sequence[Any],
    fit: Callable[[list[Any]], Any],
    nats: Callable[[Any, Sequence[Any]], Array],
) -> Shadows:
    """Return the shadows of a sharded model that is quickly taught.

    `fit` makes a model with `shards` and `only` of people who say which shard they teach; `nats`
    asks one about everybody: float64[people].
    """
    return partial(_sharded, people, fit, nats)


def _sharded(
    people: Sequence[Any],
    fit: Callable[[list[Any]], Any],
    nats: Callable[[Any, Sequence[Any]], Array],
    shard: Array,
    progress: Progress,
) -> Losses:
    models, shards = len(shard), int(shard.max()) + 1
    loss = np.empty((models, shards, len(people)))
    together = np.empty((models, len(people)))
    told = _telling(progress)
    for model, row in enumerate(shard):
        told(model / models)
        taught = fit(
            [
                replace(one, split="train", shard=int(own))
                for one, own in zip(people, row, strict=True)
                if own >= 0
            ]
        )
        loss[model], together[model] = under(taught, people, nats)
    return loss, together


def under(
    taught: Any, people: Sequence[Any], nats: Callable[[Any, Sequence[Any]], Array]
) -> Losses:
    """Return float64[S, people] and float64[people]: losses under a sharded model that is there."""
    each = np.stack([nats(taught.only([part]), people) for part in taught.shards])
    return each, nats(taught, people)


def under_encoder(trained: Trained, people: Sequence[Sequences]) -> Losses:
    """Return the same of an event encoder."""
    from overt.models import many

    config = replace(trained.config, device="cpu")
    chunks = many.Chunks([stream_of(one.sessions) for one in people], config.chunk, "cpu")
    return many.asked(many.Many(list(trained.shards.values()), config), chunks)


def one_by_one(
    taught: Callable[[Array, int], Array], people: int, workers: int | None = None
) -> Shadows:
    """Return the shadows of a model without shards: (bool[people], seed) → float64[people], losses.

    `taught`, a function of a module (or a partial of one), trains on those people and asks all.
    """
    return partial(_one_by_one, taught, people, workers)


def _one_by_one(
    taught: Callable[[Array, int], Array],
    people: int,
    workers: int | None,
    shard: Array,
    progress: Progress,
) -> Losses:
    if shard.shape[1] != people or shard.max() > 0:
        raise InvalidInput("this kind of model has no shards", where="shards", do="Ask for one.")
    made = np.stack(
        spread(
            taught,
            [(row >= 0, model) for model, row in enumerate(shard)],
            workers,
            _telling(progress),
        )
    )
    return made[:, None], made


def trees(people: Sequence[Sequences], workers: int | None = None) -> Shadows:
    """Return the shadows of LightGBM, the baseline beside the encoder.

    It learns from at most `boosted.EVENTS_MAX` events, so halves must be smaller.
    """
    streams = [stream_of(person.sessions) for person in people]
    longest = sorted((len(stream) for stream in streams), reverse=True)[: (len(streams) + 1) // 2]
    if sum(longest) >= boosted.EVENTS_MAX:
        raise InvalidInput(
            f"LightGBM reads {boosted.EVENTS_MAX:,} events, and half of these people have more",
            where="people",
            do=f"Ask for {len(streams) * boosted.EVENTS_MAX // (sum(longest) + 1)} or fewer.",
        )
    return one_by_one(partial(_trees, streams), len(streams), workers)


def _trees(streams: list[Stream], member: Array, seed: int) -> Array:
    del seed  # its trees are drawn alike each time
    fitted = boosted.fit([stream for stream, one in zip(streams, member, strict=True) if one])
    if fitted is None:
        raise InvalidInput("half of these people have too few events", where="people")
    return np.array([nats_an_event(fitted.predict(stream)) for stream in streams])


def nats_an_event(predicted: Predicted) -> float:
    """Return the mean loss of one person's events: of what came, and of the pause before it."""
    own = predicted.probability[np.arange(len(predicted.token)), predicted.token]
    timed = ~np.isnan(predicted.log_pause)
    mixture = (predicted.weight[timed], predicted.mean[timed], predicted.sigma[timed])
    pauses = mixture_nll(*mixture, predicted.log_pause[timed]).sum()
    return float((pauses - np.log(own).sum()) / max(len(own), 1))
