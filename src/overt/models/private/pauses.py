"""The time to the next key as a mixture of three log-normals, small enough to learn privately.

`overt.models.fluency` fits a mixture for each place in the text; here the same states (fluent,
hesitating, stopping to think) are functions of a few numbers, so that a person's update is one
short vector and the noise of private learning does not drown it. A bit over a hundred weights.

```
centre  = own pace so far + a · inputs                  ln ms
state k: weight  softmax(G_k · place),  mean  centre + o_k,  deviation  exp(s_k)
```

Nothing is fitted before learning begins: numbers are brought to a common size by constants that
stand here, and `start` is what the literature says of copying text, not what these people did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from overt.datasets.tokens import VOCABULARY
from overt.models import boosted, fluency
from overt.models.predict import Predicted
from overt.models.stream import Stream
from overt.models.tensors import Array

STATES = 3
PACE_LN_MS = 5.3
"""ln ms between keys of somebody of whom nothing is known: 200 ms (Dhakal et al. 2018: 239 ms on
average, and the mean of ln is lower)."""

HOLD_LN_MS = 4.7
"""ln ms that a key is held down: 110 ms (ibid.)."""

LEANS = 8.0
"""Pauses of their own before a key that weigh as much as the person's pace."""

FAR = 3.0
"""Numbers are cut off here, so that no single pause carries an update."""

PARTS, RATE = 8, 0.1
"""What a person does alone in one step: a step down of this size on each part of their pauses."""

EVENTS_MAX = 1500
"""Pauses of a person that are learned from, the first ones: more cost time and say little."""

LOG_SIGMA = -3.0, 1.5
"""Least and largest logarithm of a state's deviation."""

_KEYS = ("space", "backspace", "shift", "punctuation", "digit", "enter")
_TOKENS = np.array([VOCABULARY.index(f"key:{name}") for name in _KEYS])
_LETTER = VOCABULARY.index("key:letter")
_START_WEIGHTS = np.log([0.70, 0.22, 0.08])
_START_OFFSETS = np.array([-0.25, 0.25, 1.5])
_START_SIGMAS = np.log([0.30, 0.50, 0.80])


@dataclass(frozen=True, eq=False)
class Seen:
    """What is known of a person's n pauses before each of them, and the pauses."""

    inputs: Array
    """float32[n, INPUTS]"""
    place: Array
    """float32[n, PLACES]"""
    own: Array
    """float64[n], ln ms of the person's own pace so far."""
    log_pause: Array
    """float64[n], NaN where there is none."""
    token: Array
    """int64[n], the key that came."""

    def only(self, at: Array | slice) -> Seen:
        """Return some of the pauses."""
        return Seen(*(getattr(self, name)[at] for name in Seen.__dataclass_fields__))


def seen(stream: Stream) -> Seen:
    """Return what is known of each event of a stream: nothing that is known only later."""
    known = boosted.seen(stream)
    before = known.before.astype(np.float64)
    count = before[:, boosted.OWN_COUNT]
    own = np.where(np.isnan(before[:, boosted.OWN_MEAN]), PACE_LN_MS, before[:, boosted.OWN_MEAN])
    own = (own * count + fluency.OWN_LEANS * PACE_LN_MS) / (count + fluency.OWN_LEANS)
    last = boosted.BACK + np.arange(boosted.BACK)
    holds = 2 * boosted.BACK + np.arange(boosted.HOLDS)
    rolls = 2 * boosted.BACK + boosted.HOLDS + np.arange(2)
    recent, spread, hold, rolled = (boosted.OWN_COUNT + 1 + np.arange(4)).tolist()
    width = before.shape[1]
    by_token, tokens, by_pair, pairs = known.given[:, width + 1 : width + 5].astype(np.float64).T
    of_token = _leaning(by_token - own, tokens, 0.0)
    of_pair = _leaning(by_pair - own, pairs, of_token)
    pauses = _known(before[:, last] - own[:, None])
    came = (known.token[:, None] == _TOKENS).astype(np.float64)
    other = (came.sum(1) == 0) & (known.token != _LETTER)
    where = fluency.boundary(known)[:, None] == np.arange(1, 4)
    slow = pauses[:, :2] > fluency.SLOW
    spread_of = _known(before[:, spread])
    inputs = np.column_stack(
        [
            np.ones(own.size),
            own - PACE_LN_MS,
            of_token,
            of_pair,
            _known(before[:, recent] - own),
            spread_of,
            pauses,
            _known(before[:, holds] - HOLD_LN_MS),
            _known(before[:, hold] - HOLD_LN_MS),
            _known(before[:, rolls]),
            _known(before[:, rolled]),
            came,
            other,
            where,
            slow,
        ]
    )
    place = np.column_stack([np.ones(own.size), came, other, where, slow, spread_of, of_pair])
    return Seen(
        np.clip(inputs, -FAR, FAR).astype(np.float32),
        np.clip(place, -FAR, FAR).astype(np.float32),
        own,
        known.log_pause,
        known.token,
    )


def _known(values: Array) -> Array:
    return np.asarray(np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0))


def _leaning(value: Array, count: Array, on: Array | float) -> Array:
    """Return a mean of `count` pauses, leaning on what is less detailed."""
    count = _known(count)
    return np.asarray((_known(value) * count + LEANS * on) / (count + LEANS))


def timed(stream: Stream) -> Seen:
    """Return the first `EVENTS_MAX` events with a pause: what is learned from."""
    known = seen(stream)
    at = np.flatnonzero(np.isfinite(known.log_pause))[:EVENTS_MAX]
    return known.only(at)


_NOBODY = Stream(np.zeros(1, "<i2"), np.zeros(1, "<i8"), np.full(1, -1, "<i8"), np.zeros(1, "|u1"))
INPUTS, PLACES = seen(_NOBODY).inputs.shape[1], seen(_NOBODY).place.shape[1]
SIZE = INPUTS + STATES * PLACES + 2 * STATES
"""Weights in all."""


def start() -> Array:
    """Return the weights nobody has taught yet, float64[SIZE]."""
    weights = np.zeros(SIZE)
    gate, offset, sigma = parts(weights)[1:]
    gate[:, 0], offset[:], sigma[:] = _START_WEIGHTS, _START_OFFSETS, _START_SIGMAS
    return weights


def parts(weights: Array) -> tuple[Array, Array, Array, Array]:
    """Return views: a[INPUTS], G[STATES, PLACES], o[STATES], s[STATES], as above."""
    a, gate, offset, sigma = np.split(
        weights, np.cumsum([INPUTS, STATES * PLACES, STATES]).tolist()
    )
    return a, gate.reshape(STATES, PLACES), offset, sigma


def mixture(weights: Array, known: Seen) -> tuple[Array, Array, Array]:
    """Return weights, means and deviations of ln ms, float64[n, STATES] each."""
    a, gate, offset, log_sigma = parts(weights)
    raw = known.place @ gate.T
    share = np.exp(raw - raw.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    mean = (known.own + known.inputs @ a)[:, None] + offset
    return share, mean, np.broadcast_to(np.exp(np.clip(log_sigma, *LOG_SIGMA)), mean.shape)


def gradient(weights: Array, known: Seen) -> tuple[float, Array]:
    """Return the mean of −ln density of a person's pauses, and its gradient, float64[SIZE]."""
    share, mean, sigma = mixture(weights, known)
    z = (known.log_pause[:, None] - mean) / sigma
    joint = np.log(np.maximum(share, 1e-12)) - np.log(sigma) - 0.5 * z * z
    top = joint.max(axis=1, keepdims=True)
    under = np.exp(joint - top)
    total = under.sum(axis=1, keepdims=True)
    answers = under / total
    n = max(len(z), 1)
    nll = float(-(top + np.log(total)).sum() / n + 0.5 * np.log(2 * np.pi))
    by_mean = -answers * z / sigma / n
    slope = np.zeros(SIZE)
    a, gate, offset, log_sigma = parts(slope)
    a[:] = by_mean.sum(axis=1) @ known.inputs
    gate[:] = ((share - answers) / n).T @ known.place
    offset[:] = by_mean.sum(axis=0)
    log_sigma[:] = (answers * (1 - z * z)).sum(axis=0) / n
    return nll, slope


def learn(weights: Array, known: Seen) -> Array:
    """Return the weights after a person learned alone, on their own pauses."""
    made = np.array(weights, np.float64)
    for part in range(min(PARTS, known.log_pause.size)):
        made -= RATE * gradient(made, known.only(slice(part, None, PARTS)))[1]
    return made


def predict(weights: Array, stream: Stream) -> Predicted:
    """Return the mixture of each pause of a person; tokens are not predicted."""
    known = seen(stream)
    flat = np.full((known.token.size, len(VOCABULARY)), 1 / len(VOCABULARY))
    return Predicted(known.token, flat, known.log_pause, *mixture(weights, known))


def people_of(streams: Sequence[Stream]) -> list[Seen]:
    """Return what is learned from of each person who has pauses."""
    return [known for known in map(timed, streams) if known.log_pause.size]
