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

from overt.datasets.tokens import START, VOCABULARY, TokenArrays
from overt.models.config import (
    LOG_PAUSE_CENTRE,
    LOG_PAUSE_SCALE,
    PAUSE_MAX_MS,
    PAUSE_MIN_MS,
)
from overt.models.tensors import Array, Tensors

MARKS = (START, VOCABULARY.index("key:space"), VOCABULARY.index("key:backspace"))
"""Tokens that it is told how long ago the last of each came."""

FAR = 60
"""Tokens further back than this, or none at all, are as far."""

NUMBERS = 7 + len(MARKS)
"""Numeric inputs: scaled log pause, is it known, scaled log hold, is it known, rollover; what the
pause is beyond the person's own pace between these two tokens, and their pace in all; how far back
the last of each of `MARKS` is."""

BEYOND, PACE = 5, 6
"""Columns of them: of the pause beyond habit, and of the pace."""

HABITS = 6
"""What a person's own pauses so far say of the one to come: `habits`."""

LEAN_ALL, LEAN_OWN = 10.0, 2.0
"""Pauses that a wider mean counts for: everybody's against the person's own, and theirs against
those before one token, and those against those between two."""

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
    """Return the numeric inputs, float32[n, NUMBERS]; unknown durations are 0.

    A person's pace is that of the pauses before: `habits`.
    """
    out = np.zeros((len(stream), NUMBERS), np.float32)
    for column, us, known in (
        (0, stream.pause_us, stream.pause_known()),
        (2, stream.hold_us, stream.hold_us >= 0),
    ):
        scaled = (log_ms(np.where(known, us, 0)) - LOG_PAUSE_CENTRE) / LOG_PAUSE_SCALE
        out[:, column] = np.where(known, scaled, 0)
        out[:, column + 1] = known
    out[:, 4] = stream.rollover
    own = habits(stream)[:-1]
    out[1:, BEYOND] = np.where(out[1:, 1], out[1:, 0] - own[:, :3].sum(1) / LOG_PAUSE_SCALE, 0)
    out[1:, PACE] = own[:, 0] / LOG_PAUSE_SCALE
    for column, mark in enumerate(MARKS, PACE + 1):
        out[:, column] = np.log1p(_back(stream.token == mark)) / 2
    return out


def _back(there: Array) -> Array:
    """Return how many places back it last held, at most `FAR`."""
    at = np.arange(len(there))
    return np.asarray(np.minimum(at - np.maximum.accumulate(np.where(there, at, -FAR)), FAR))


def habits(stream: Stream) -> Array:
    """Return float32[n, HABITS], of the pause to the token that follows each; 0 where none does.

    The person's own pace in ln ms against `LOG_PAUSE_CENTRE`; what their pauses before that token
    are beyond it, and what those between these two tokens are beyond that, each leaning on the
    wider mean where few are known; then ln(1 + count) / 5 of the three. All of it from pauses that
    have come, so nothing is known before its time.
    """
    aim = targets(stream)
    there = np.flatnonzero(aim.token >= 0)
    last, came = stream.token[there].astype(np.int64), aim.token[there]
    lean = np.full(len(there), LOG_PAUSE_CENTRE)
    means, counts = [lean], []
    # The pauses between events are those of the rows that are there, so earlier rows have all.
    for group, weight in (
        (np.zeros(len(there), np.int64), LEAN_ALL),
        (came, LEAN_OWN),
        (last * (int(stream.token.max(initial=0)) + 1) + came, LEAN_OWN),
    ):
        total, count = totals_before(aim.log_pause[there], group)
        means.append((total + weight * means[-1]) / (count + weight))
        counts.append(np.log1p(count) / 5)
    out = np.zeros((len(stream), HABITS), np.float32)
    out[there] = np.column_stack([*np.diff(means, axis=0), *counts])
    return out


def totals_before(values: Array, group: Array) -> tuple[Array, Array]:
    """Return sum and count of the known values of each place's group before it; NaN is unknown."""
    order = np.argsort(group, kind="stable")
    known = ~np.isnan(values[order])
    held = np.where(known, values[order], 0.0)
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    lengths = np.diff(starts, append=len(values))
    total, count = np.empty(len(values)), np.empty(len(values))
    for made, each in ((total, held), (count, known)):
        running = np.cumsum(each) - each
        made[order] = running - np.repeat(running[starts], lengths)
    return total, count


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
