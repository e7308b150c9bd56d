"""Everything that decides what a model becomes, besides the people in it. All of it is fixed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from overt.schema.errors import InvalidInput

ENCODER_ID = "encoder/3"
"""Names the formulas of `spec/model.md` and the course of training there; weights of another kind
are not taken for these, nor gone on from: a shard fitted anew must equal one that never changed."""

MIXTURE = 3
"""Log-normal components of a shard's distribution of the next pause."""

PAUSE_MIN_MS, PAUSE_MAX_MS = 1.0, 60_000.0
"""Pauses are clipped to this range before their logarithm: a clock of 1 ms yields zeros, and a
pause of an hour says no more than one of a minute. Fixed, so that nothing is fitted."""

LOG_PAUSE_CENTRE, LOG_PAUSE_SCALE = 5.0, 1.0
"""ln(ms) is shifted and scaled by these before it enters the network; 5.0 is 148 ms."""

LOG_SIGMA_MIN, LOG_SIGMA_MAX = -3.0, 1.5
"""Bounds of a component's ln σ; the lower keeps a repeated pause from becoming a spike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Shape of the encoder and course of its training; part of every hash and card."""

    hidden: int = 64
    """Width of the recurrent state."""
    embed: int = 16
    """Width of a token's embedding."""
    pause_hidden: int = 32
    """Width of the layer between state and pause mixture."""
    chunk: int = 24
    """Tokens in one training sequence; longer streams are cut. Short, since what lasts longer is in
    a person's habits and in the state a sequence begins with, and many steps teach more than few
    long ones for the same time."""
    batch: int = 32
    """Sequences in one step."""
    epochs: int = 26
    """Passes over a shard. With 8, 15 and 20 it had not yet learned what a hundred people teach."""
    steps_min: int = 300
    """A small shard is passed over more often, until it has seen this many steps."""
    epochs_max: int = 60
    """But never more often than this."""
    learning_rate: float = 1e-2
    weight_decay: float = 1e-4
    seed: int = 1
    device: str = "cpu"
    """`cpu`, or `cuda`, whose models are never certified."""

    def to_json(self) -> str:
        """Return the fields as canonical JSON (sorted keys, no spaces)."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))


def config_from(data: Any) -> Config:
    """Return the `Config` of parsed JSON; `InvalidInput` names the field that is wrong."""
    known = asdict(Config())
    if type(data) is not dict or data.keys() != known.keys():
        raise InvalidInput("fields differ from those of a Config", where="config")
    for name, value in data.items():
        if type(value) is not type(known[name]) or (type(value) is not str and value < 0):
            raise InvalidInput("has the wrong type or is negative", where=f"config.{name}")
    if data["device"] not in ("cpu", "cuda"):
        raise InvalidInput("is neither cpu nor cuda", where="config.device")
    return Config(**data)
