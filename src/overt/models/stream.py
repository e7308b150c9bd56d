"""A person's stretches of tokens as one stream: what the network sees at each token, and when.

At token i everything known the moment it happens goes in, and nothing that is known only later:
which token it is, the pause before it, whether another key was still down (rollover), and the hold
of the key most recently released. The hold of the key of token i itself is not yet known: it lasts
into the pause that is to be predicted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from overt.datasets.tokens import START, TokenArrays
from overt.models.config import (
    LOG_PAUSE_CENTRE,
    LOG_PAUSE_SCALE,
    PAUSE_MAX_MS,
    PAUSE_MIN_MS,
)
from overt.models.tensors import Array, Tensors

NUMBERS = 5
"""Numeric inputs: scaled log pause, is it known, scaled log hold, is it known, rollover."""

_COLUMNS = {"token": "<i2", "pause_us": "<i8", "hold_us": "<i8", "rollover": "|u1"}


@dataclass(frozen=True, eq=False)
class Stream:
    """All stretches of one person, one after the other; arrays of length n.

    Each stretch begins with the token `start`; columns as in `TokenArrays`.
    """

    token: Array
    pause_us: Array
    hold_us: Array
    rollover: Array

    def __len__(self) -> int:
        """Return the number of tokens, `start` counted."""
        return len(self.token)

    def pause_known(self) -> Array:
        """Return bool[n]: the pause before this token is one between two events."""
        known = self.token != START
        known[1:] &= known[:-1].copy()
        known[:1] = False
        return np.asarray(known)


def stream_of(stretches: Sequence[TokenArrays]) -> Stream:
    """Return the stretches of one person, in order, as one stream."""
    return Stream(
        **{
            name: np.concatenate(
                [np.zeros(0, kind), *(getattr(s, name) for s in stretches)]
            ).astype(kind)
            for name, kind in _COLUMNS.items()
        }
    )


def log_ms(us: Array) -> Array:
    """Return ln(ms) of durations in µs, float64, clipped to the range of `config`."""
    return np.asarray(np.log(np.clip(us / 1000.0, PAUSE_MIN_MS, PAUSE_MAX_MS)))


def numbers(stream: Stream) -> Array:
    """Return the numeric inputs, float32[n, NUMBERS]; unknown durations are 0."""
    out = np.zeros((len(stream), NUMBERS), np.float32)
    for column, us, known in (
        (0, stream.pause_us, stream.pause_known()),
        (2, stream.hold_us, stream.hold_us >= 0),
    ):
        scaled = (log_ms(np.where(known, us, 0)) - LOG_PAUSE_CENTRE) / LOG_PAUSE_SCALE
        out[:, column] = np.where(known, scaled, 0)
        out[:, column + 1] = known
    out[:, 4] = stream.rollover
    return out


@dataclass(frozen=True, eq=False)
class Targets:
    """What comes after each token; arrays of length n.

    `token` is -1 where nothing follows in the stretch; `log_pause` is NaN where the pause to the
    next token is not one between two events.
    """

    token: Array
    log_pause: Array


def targets(stream: Stream) -> Targets:
    """Return the next token (int64) and ln(ms) of the pause before it, at each token."""
    token = np.full(len(stream), -1, np.int64)
    pause = np.full(len(stream), np.nan)
    token[:-1] = np.where(stream.token[1:] == START, -1, stream.token[1:])
    pause[:-1] = np.where(stream.pause_known()[1:], log_ms(stream.pause_us[1:]), np.nan)
    return Targets(token, pause)


def pack(streams: Sequence[Stream]) -> dict[str, Array]:
    """Return the streams as tensors, to be hashed or sent to another process."""
    packed = {
        name: np.concatenate([np.zeros(0, kind), *(getattr(s, name) for s in streams)]).astype(kind)
        for name, kind in _COLUMNS.items()
    }
    packed["length"] = np.array([len(s) for s in streams], "<i8")
    return packed


def unpack(tensors: Tensors) -> list[Stream]:
    """Return the inverse of `pack`."""
    lengths = tensors["length"]
    return [
        Stream(**{name: tensors[name][end - length : end] for name in _COLUMNS})
        for end, length in zip(np.cumsum(lengths).tolist(), lengths.tolist(), strict=True)
    ]
