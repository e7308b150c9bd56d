"""People and models for the tests of models, and the vectors of the page's model.

`python tests/models_fixtures.py` writes `spec/vectors/model.json`.
"""

from __future__ import annotations

import json
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np

from overt.datasets import rows
from overt.datasets.split import shard_of, split_of
from overt.datasets.tokens import COLUMNS, VOCABULARY, Sequences, TokenArrays, tokens_of
from overt.models import baselines
from overt.models.config import MIXTURE, Config
from overt.models.encoder import Encoder, encoder_from
from overt.models.metrics import mixture_quantile
from overt.models.page import page
from overt.models.predict import predict_baselines
from overt.models.stream import HABITS, Stream, habits, numbers, stream_of
from overt.models.train import Trained, fitted_tables

VECTORS = Path(__file__).parent.parent / "spec" / "vectors" / "model.json"
TINY = Config(
    hidden=6, embed=3, pause_hidden=4, chunk=16, batch=4, epochs=1, steps_min=3, epochs_max=3
)


def stretch(rng: np.random.Generator, length: int, tokens: int = 6) -> TokenArrays:
    """Return a made-up stretch: tokens repeat in a cycle, pauses follow the token."""
    token = (np.cumsum(rng.random(length) < 0.8) + rng.integers(tokens)) % tokens + 1
    pause = rng.lognormal(4.5 + 0.2 * token, 0.4) * 1000
    hold = np.where(rng.random(length) < 0.7, rng.lognormal(4.5, 0.3, length) * 1000, -1)
    return TokenArrays(
        np.concatenate([[0], token]).astype(np.int16),
        np.concatenate([[0], pause]).astype(np.int64),
        np.concatenate([[-1], hold]).astype(np.int64),
        np.concatenate([[0], rng.random(length) < 0.2]).astype(np.int8),
    )


def person(number: int, shards: int = 2, length: int = 40, origin: str = "synthetic") -> Sequences:
    """Return person `number`, whose tag, split and shard come from the number."""
    rng = np.random.default_rng(number)
    tag = rng.bytes(32)
    made = tuple(stretch(rng, length) for _ in range(2))
    return Sequences(tag, origin, split_of(tag), shard_of(tag, shards), made)


def people(count: int, shards: int = 2) -> list[Sequences]:
    return [person(number, shards) for number in range(count)]


def random_model(config: Config, shards: int = 2) -> Trained:
    """Return a model nobody trained: weights by chance, tables of two people a shard."""
    made = {}
    for shard in range(shards):
        encoder = Encoder(config, len(VOCABULARY))
        encoder.initialise(shard + 1)
        streams = [stream_of(person(10 * shard + i).sessions) for i in range(2)]
        made[shard] = {**encoder.tensors(), **fitted_tables(streams)}
    return Trained(config, {}, made)


def random_events(seed: int, count: int) -> list[dict[str, int]]:
    """Return events of every kind a token may come of, in no meaningful order."""
    rng = np.random.default_rng(seed)
    kinds = [1] * 9 + [2] * 8 + [3] * 6 + [6, 9, 9, 10, 10, 11, 12, 13, 14, 22, 23]
    t_us = np.cumsum(rng.integers(-20_000, 400_000, count))
    return [
        {
            "kind": int(rng.choice(kinds)),
            "t_us": int(t),
            "key_class": int(rng.integers(0, 20)),
            "slot": int(rng.integers(0, 4)),
            "modifiers": int(rng.choice([0, 0, 0, 1, 16])),
            "edit": int(rng.integers(0, 18)),
            "role": int(rng.integers(0, 19)),
            "scroll_y_css_px": int(rng.integers(-3, 4)),
            "value": int(rng.integers(1, 3)),
        }
        for t in t_us
    ]


def tokens_in(events: list[dict[str, int]]) -> list[TokenArrays]:
    table = rows.table(
        len(events), {name: np.array([event[name] for event in events]) for name in COLUMNS}
    )
    return list(tokens_of(table))


def habits_of_all(stream: Stream) -> np.ndarray:
    """Return float32[n, V, HABITS], by `habits` itself: as if each token followed each place."""
    made = np.zeros((len(stream), len(VOCABULARY), HABITS), np.float32)
    for i in range(len(stream)):
        cut = Stream(*(column[: i + 1] for column in astuple(stream)))
        for token in range(len(VOCABULARY)):
            # Before `start` there is no pause: it has the habits of a token never seen.
            made[i, token] = habits(followed(cut, token or len(VOCABULARY)))[i]
    return made


def followed(stream: Stream, token: int) -> Stream:
    """Return the stream and one token more, that came after a while."""
    more = (token, 1_000, -1, 0)
    return Stream(
        *(np.append(c, c.dtype.type(m)) for c, m in zip(astuple(stream), more, strict=True))
    )


def expected(trained: Trained, stretches: list[TokenArrays]) -> list[dict[str, Any]]:
    """Return after each token what torch and the baselines say comes next."""
    import torch

    stream = stream_of(stretches)
    encoders = [encoder_from(t, trained.config, len(VOCABULARY)) for t in trained.shards.values()]
    token = torch.from_numpy(stream.token.astype(np.int64))[:, None]
    number = torch.from_numpy(numbers(stream))[:, None]
    size, n = len(VOCABULARY), len(stream)
    habit = torch.from_numpy(habits_of_all(stream))
    parts: list[list[np.ndarray]] = [[], [], []]
    probability = np.zeros((n, size))
    with torch.inference_mode():
        for encoder in encoders:
            states = encoder.states(token, number)[0][:, 0]
            share = torch.softmax(encoder.token(states).double(), -1).numpy() / len(encoders)
            probability += share
            every = states[:, None, :].expand(n, size, -1)
            weight, mean, sigma = encoder.mixture(every, torch.arange(size).expand(n, size), habit)
            parts[0].append(weight.double().exp().numpy() * share[:, :, None])
            parts[1].append(mean.double().numpy())
            parts[2].append(sigma.double().exp().numpy())
    weight, mean, sigma = (np.stack(p, axis=2).reshape(n, size, -1) for p in parts)
    made = []
    for i in range(n):
        top = int(probability[i].argmax())
        one = [a[i, top][None] for a in (weight / weight.sum(-1, keepdims=True), mean, sigma)]
        every = [a[i].reshape(1, -1) for a in (weight, mean, sigma)]
        made.append(
            {
                "probability": [round(p, 7) for p in probability[i].tolist()],
                "top": VOCABULARY[top],
                "top_pause_ms": _quantiles(one),
                "pause_ms": _quantiles(every),
            }
        )
    return made


def _quantiles(mixture: list[np.ndarray]) -> list[float]:
    return [round(float(np.exp(mixture_quantile(*mixture, q))[0]), 6) for q in (0.1, 0.5, 0.9)]


def guesses(trained: Trained, stretches: list[TokenArrays]) -> list[dict[str, Any]]:
    """Return, where an event follows, what each baseline finds most probable."""
    tables = baselines.baselines((trained.tables(s) for s in trained.shards), len(VOCABULARY))
    rows_of = predict_baselines(tables, stream_of(stretches))
    names = list(rows_of)
    count = len(rows_of[names[0]].token)
    return [
        {
            name: [
                VOCABULARY[int(rows_of[name].probability[i].argmax())],
                round(float(rows_of[name].probability[i].max()), 9),
            ]
            for name in names
        }
        for i in range(count)
    ]


def vectors() -> dict[str, Any]:
    """Return the content of `spec/vectors/model.json`."""
    trained = random_model(TINY)
    assert MIXTURE == 3
    events = random_events(5, 160)
    stretches = tokens_in(events)
    return {
        "what": "events → tokens → what the page's model expects after each token",
        "page": page(trained),
        "events": {name: [event[name] for event in events] for name in COLUMNS},
        "tokens": {
            name: np.concatenate([getattr(s, name) for s in stretches]).tolist()
            for name in ("token", "pause_us", "hold_us", "rollover")
        },
        "expected": expected(trained, stretches),
        "guesses": guesses(trained, stretches),
    }


if __name__ == "__main__":
    VECTORS.write_text(json.dumps(vectors(), separators=(",", ":")) + "\n")
