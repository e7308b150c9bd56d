"""What a sharded model, or a baseline, predicts for a person's stream: one row for each event.

The prediction of several shards is the mean of their probabilities. For the pause that is a
mixture of all shards' mixtures, each weighted by what its shard gave the token that came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from overt.datasets.tokens import VOCABULARY
from overt.models.baselines import Baselines
from overt.models.config import Config
from overt.models.stream import NUMBERS, Stream, habits, numbers, targets
from overt.models.tensors import Array, Tensors

if TYPE_CHECKING:
    from torch import Tensor

    from overt.models.encoder import Encoder


@dataclass(frozen=True, eq=False)
class Predicted:
    """Predictions of one model for the n events of one person. V tokens, C components.

    `log_pause` is NaN where there is no pause; the mixture is that of ln(pause in ms) given the
    token that came.
    """

    token: Array
    """int64[n], the token that came."""
    probability: Array
    """float64[n, V], of each token to come."""
    log_pause: Array
    """float64[n], ln ms of the pause before it."""
    weight: Array
    mean: Array
    sigma: Array
    """float64[n, C], of the log-normal components."""
    point: Array | None = None
    """float64[n], ln ms: the median to be judged, where it is not the mixture's own."""


BATCH = 64
"""Streams predicted at once."""

Members = Sequence[Mapping[str, Array]]


def predict(members: Members, config: Config, streams: Sequence[Stream]) -> list[Predicted]:
    """Return the mean prediction of some shards' weights for each stream, at least one shard."""
    from overt.models.encoder import encoder_from

    encoders = [encoder_from(_weights(m), config, len(VOCABULARY)) for m in members]
    order = sorted(range(len(streams)), key=lambda i: len(streams[i]))
    made: dict[int, Predicted] = {}
    for start in range(0, len(order), BATCH):
        part = order[start : start + BATCH]
        made |= zip(part, _predict(encoders, [streams[i] for i in part]), strict=True)
    return [made[i] for i in range(len(streams))]


def _weights(tensors: Tensors) -> dict[str, Array]:
    return {name: array for name, array in tensors.items() if not name.startswith("tables.")}


def _predict(encoders: Sequence[Encoder], streams: Sequence[Stream]) -> list[Predicted]:
    """Predict for streams of similar length at once."""
    import torch

    longest = max(map(len, streams))
    token = torch.zeros(longest, len(streams), dtype=torch.int64)
    number = torch.zeros(longest, len(streams), NUMBERS)
    for column, stream in enumerate(streams):
        token[: len(stream), column] = torch.from_numpy(stream.token.astype(np.int64))
        number[: len(stream), column] = torch.from_numpy(numbers(stream))
    with torch.inference_mode():
        states = [encoder.states(token, number)[0] for encoder in encoders]
        return [
            _joined(encoders, [s[:, column] for s in states], stream)
            for column, stream in enumerate(streams)
        ]


def _joined(encoders: Sequence[Encoder], states: Sequence[Tensor], stream: Stream) -> Predicted:
    """Return the mean over encoders for one stream, from the states of each (at least n)."""
    import torch

    aim = targets(stream)
    there = np.flatnonzero(aim.token >= 0)
    came = aim.token[there]
    habit = torch.from_numpy(habits(stream)[there])
    probability = np.zeros((len(there), len(VOCABULARY)))
    weights, means, sigmas = [], [], []
    for encoder, all_states in zip(encoders, states, strict=True):
        at = all_states[torch.from_numpy(there)]
        share = torch.softmax(encoder.token(at).double(), -1).numpy()
        probability += share / len(encoders)
        log_weight, mean, log_sigma = encoder.mixture(at, torch.from_numpy(came), habit)
        own = share[np.arange(len(there)), came]
        weights.append(log_weight.double().exp().numpy() * own[:, None])
        means.append(mean.double().numpy())
        sigmas.append(log_sigma.double().exp().numpy())
    weight = np.concatenate(weights, axis=1)
    return Predicted(
        came,
        probability,
        aim.log_pause[there],
        weight / weight.sum(1, keepdims=True),
        np.concatenate(means, axis=1),
        np.concatenate(sigmas, axis=1),
    )


def pooled(*ones: Predicted) -> Predicted:
    """Return what several models say together of one stream, each as much: tokens and pauses."""
    return Predicted(
        ones[0].token,
        np.mean([one.probability for one in ones], axis=0),
        ones[0].log_pause,
        np.concatenate([one.weight for one in ones], axis=1) / len(ones),
        np.concatenate([one.mean for one in ones], axis=1),
        np.concatenate([one.sigma for one in ones], axis=1),
    )


BASELINES = ("most frequent", "Markov-2", "digraph")
"""The names of the rows of `predict_baselines`; each has a token part and a pause part."""


def predict_baselines(tables: Baselines, stream: Stream) -> dict[str, Predicted]:
    """Return what the baselines predict for one stream.

    - `most frequent`: frequencies of tokens; one log-normal for all pauses
    - `Markov-2`: by the two tokens before; one log-normal by the token that came
    - `digraph`: by the token before; median and log-normal by the pair of tokens
    """
    aim = targets(stream)
    there = np.flatnonzero(aim.token >= 0)
    last, came = stream.token[there].astype(int), aim.token[there]
    before = np.concatenate([[len(VOCABULARY)], stream.token[:-1]])[there].astype(int)
    n = len(there)

    def row(probability: Array, mean: Array, sigma: Array, median: Array) -> Predicted:
        return Predicted(
            came,
            probability,
            aim.log_pause[there],
            np.ones((n, 1)),
            mean.reshape(n, 1),
            sigma.reshape(n, 1),
            median,
        )

    return {
        "most frequent": row(
            np.broadcast_to(tables.unigram, (n, len(VOCABULARY))),
            np.full(n, tables.all_log_mean),
            np.full(n, tables.all_log_sigma),
            np.full(n, tables.all_log_median),
        ),
        "Markov-2": row(
            tables.markov[before, last],
            tables.next_log_mean[came],
            tables.next_log_sigma[came],
            tables.next_log_median[came],
        ),
        "digraph": row(
            tables.pairs[last],
            tables.pause_log_mean[last, came],
            tables.pause_log_sigma[last, came],
            tables.pause_log_median[last, came],
        ),
    }
