"""The event encoder as ONNX: what comes next, and after what pause, from the tokens so far.

The same formulas as `spec/model.md`, all shards at once. What goes in and comes out:

| name | type | shape | |
|---|---|---|---|
| `token` | int64 | n, batch | number of each token in `vocabulary` |
| `numbers` | float32 | n, batch, 10 | `overt.models.stream.numbers` |
| `following` | int64 | n, batch | the token that the pause is asked for |
| `habits` | float32 | n, batch, 6 | `overt.models.stream.habits` of it |
| `state` | float32 | shards, batch, hidden | zeros at a person's beginning |
| `probability` | float32 | n, batch, V | of each token to come |
| `weight`, `mean`, `sigma` | float32 | n, batch, 3 · shards | mixture of ln(pause in ms) |
| `state_after` | float32 | shards, batch, hidden | to go on from |
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from overt.datasets.tokens import TOKENS_ID, VOCABULARY
from overt.models.config import LOG_PAUSE_CENTRE, LOG_SIGMA_MAX, LOG_SIGMA_MIN, MIXTURE, Config
from overt.models.onnx.wire import FLOAT, INT64, Graph
from overt.models.stream import HABITS, NUMBERS
from overt.models.tensors import Array
from overt.models.train import Trained, weights_hash
from overt.schema.errors import InvalidInput

FORMAT_ID = "onnx-model/3"

ABOUT = (
    "Next token and pause before it, of a sequence of tokens; token and pause are one joint "
    "prediction. See spec/model.md of Overt for the formulas, spec/tokens.md for the tokens."
)


def onnx(trained: Trained, card: Mapping[str, Any], version: str) -> bytes:
    """Return a model with at least one shard as an ONNX file, its card inside.

    `version` is that of Overt.
    """
    if not trained.shards:
        raise InvalidInput("has no shard that anyone taught", where="model")
    config, size = trained.config, len(VOCABULARY)
    graph = Graph("overt event encoder")
    graph.takes("token", INT64, ("n", "batch"))
    graph.takes("numbers", FLOAT, ("n", "batch", NUMBERS))
    graph.takes("following", INT64, ("n", "batch"))
    graph.takes("habits", FLOAT, ("n", "batch", HABITS))
    held = (len(trained.shards), "batch", config.hidden)
    graph.takes("state", FLOAT, held)
    for name, value in (
        ("centre", LOG_PAUSE_CENTRE),
        ("low", LOG_SIGMA_MIN),
        ("high", LOG_SIGMA_MAX),
    ):
        graph.constant(name, np.array(value, "<f4"))
    graph.constant("last", np.array([-1], "<i8"))
    graph.constant("pace of", np.array([[1]] * 3 + [[0]] * (HABITS - 3), "<f4"))
    graph.node("MatMul", ("habits", "pace of"), "beyond centre")
    graph.node("Add", ("beyond centre", "centre"), "pace")
    graph.node("Unsqueeze", ("following", "last"), "asked")
    made = [
        _shard(graph, at, tensors, config) for at, tensors in enumerate(trained.shards.values())
    ]
    share, weight, mean, sigma, state = zip(*made, strict=True)
    graph.node("Mean", share, "probability")
    graph.node("Concat", weight, "weights", axis=-1)
    graph.node("ReduceSum", ("weights", "last"), "whole", keepdims=1)
    graph.node("Div", ("weights", "whole"), "weight")
    graph.node("Concat", mean, "mean", axis=-1)
    graph.node("Concat", sigma, "sigma", axis=-1)
    graph.node("Concat", state, "state_after", axis=0)
    graph.gives("probability", FLOAT, ("n", "batch", size))
    for name in ("weight", "mean", "sigma"):
        graph.gives(name, FLOAT, ("n", "batch", MIXTURE * len(made)))
    graph.gives("state_after", FLOAT, held)
    facts = {
        "format": FORMAT_ID,
        "sha256": weights_hash(trained),
        "tokens": TOKENS_ID,
        "vocabulary": json.dumps(VOCABULARY),
        "card": json.dumps(card, sort_keys=True, ensure_ascii=False),
    }
    return graph.model(version, ABOUT, facts)


def _shard(
    graph: Graph, at: int, tensors: Mapping[str, Array], config: Config
) -> tuple[str, str, str, str, str]:
    """Add what one shard computes; return its share, weight, mean, sigma and state after."""

    def name(what: str) -> str:
        return f"{at}/{what}"

    def const(what: str, array: Array) -> str:
        kind = "<i8" if array.dtype.kind == "i" else "<f4"
        return graph.constant(name(what), np.ascontiguousarray(array, kind))

    def linear(what: str, of: str) -> str:
        weight = const(f"{what}.weight", tensors[f"{what}.weight"].T)
        bias = const(f"{what}.bias", tensors[f"{what}.bias"])
        product = graph.node("MatMul", (of, weight), name(f"{what}.product"))
        return graph.node("Add", (product, bias), name(f"{what}.out"))

    embed = const("embed", tensors["embed.weight"])
    seen = graph.node("Gather", (embed, "token"), name("seen"), axis=0)
    inputs = graph.node("Concat", (seen, "numbers"), name("inputs"), axis=-1)
    gates = [const(what, array) for what, array in _gru(tensors, config.hidden).items()]
    before = graph.node("Gather", ("state", const("own", np.array([at]))), name("before"), axis=0)
    states, after = name("states4"), name("after")
    graph.node(
        "GRU",
        (inputs, *gates, "", before),
        states,
        after,
        hidden_size=config.hidden,
        linear_before_reset=1,
    )
    states = graph.node("Squeeze", (states, const("one", np.array([1]))), name("states"))
    share = graph.node("Softmax", (linear("token", states),), name("share"), axis=-1)
    following = graph.node(
        "Gather", (const("next", tensors["pause_next.weight"]), "following"), name("led"), axis=0
    )
    habit = const("pause_habit", tensors["pause_habit.weight"].T)
    own = graph.node("MatMul", ("habits", habit), name("habit"))
    led = graph.node("Add", (following, own), name("led by"))
    mixed = graph.node("Add", (linear("pause_state", states), led), name("mixed"))
    hidden = graph.node("Tanh", (mixed,), name("hidden"))
    thirds = [name(f"third{k}") for k in range(3)]
    graph.node("Split", (linear("pause_out", hidden),), *thirds, axis=-1)
    own = graph.node("GatherElements", (share, "asked"), name("own share"), axis=-1)
    parts = graph.node("Softmax", (thirds[0],), name("parts"), axis=-1)
    weight = graph.node("Mul", (parts, own), name("weight"))
    mean = graph.node("Add", (thirds[1], "pace"), name("mean"))
    clipped = graph.node("Clip", (thirds[2], "low", "high"), name("clipped"))
    return share, weight, mean, graph.node("Exp", (clipped,), name("sigma")), after


def _gru(tensors: Mapping[str, Array], hidden: int) -> dict[str, Array]:
    """Return weights in ONNX's order of gates, z, r, n; ours is r, z, n."""

    def turned(array: Array) -> Array:
        reset, update, new = np.split(array, (hidden, 2 * hidden))
        return np.concatenate([update, reset, new])

    bias = [turned(tensors["gates.bias"]), turned(tensors["recall.bias"])]
    return {
        "W": turned(tensors["gates.weight"])[None],
        "R": turned(tensors["recall.weight"])[None],
        "B": np.concatenate(bias)[None],
    }
