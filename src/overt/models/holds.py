"""How long a key is held (dwell), told when it goes down, on unseen people.

The streams of `overt.models.stream` keep the hold of the key that was released last. It is that of
the key before where no other was down at either press, so these are asked about: a key that is
still down when the next one comes (rollover) is left out, and holds are shorter without them. What
comes after the press, the next key and the pause before it, is told to nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from overt.datasets.tokens import VOCABULARY
from overt.models import boosted
from overt.models.metrics import Figure, figures_of, sums
from overt.models.predict import Predicted
from overt.models.scores import Score
from overt.models.stream import Stream, log_ms, targets, totals_before
from overt.models.tensors import Array

METRICS = {
    "pause_nll": "dwell nll",
    "pause_crps_ms": "dwell crps_ms",
    "pause_mae_ms": "dwell mae_ms",
    "pause_r2": "dwell r2",
}
"""Figures of `overt.models.metrics`, which are of any duration, and what their rows are called."""
HOLDS_MIN = 1_000
"""Holds to learn from, below which there is nothing to say."""
KEY_HOLDS_MIN = 50
"""With fewer holds of a key, it is taken for any key."""
LINE, KEY, EVERY = "linear regression", "mean of the key", "one log-normal"
NOTE = (
    "dwell: how long a key is held, told when it goes down; keys held into the next one are left "
    "out. nll and r2 are of ln ms."
)
_RIDGE = 1.0


@dataclass(frozen=True, eq=False)
class Held:
    """The n holds of a person that are asked about."""

    key: Array
    """int64[n], its token."""
    before: Array
    """float32[n, f], known when it went down."""
    log_ms: Array
    """float64[n], ln ms."""


def held(stream: Stream) -> Held:
    """Return the holds of a person's stream, and what was known before each."""
    known = boosted.seen(stream)
    place = np.flatnonzero(targets(stream).token >= 0)
    key = stream.token[place].astype(np.int64)
    is_key = np.array([name.startswith("key:") for name in VOCABULARY])[key]
    after = place + 1
    asked = is_key & (stream.hold_us[after] >= 0)
    asked &= (stream.rollover[place] == 0) & (stream.rollover[after] == 0)
    log_hold = np.where(asked, log_ms(np.maximum(stream.hold_us[after], 0)), np.nan)
    total, count = totals_before(log_hold, key)
    own = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    before = np.column_stack([known.before, key, own, count]).astype(np.float32)
    return Held(key[asked], before[asked], log_hold[asked])


def rows(
    learned: Sequence[Stream],
    unseen: Sequence[Stream],
    scores: Callable[[str, dict[str, Figure], dict[str, str]], list[Score]],
) -> list[Score]:
    """Return the figures of every method; none where there are too few holds.

    Args:
        learned: of people to learn from, one stream a person.
        unseen: of people to judge.
        scores: makes rows of a method's name, its figures and `METRICS`.
    """
    teach = [held(stream) for stream in learned]
    asked = [one for one in map(held, unseen) if one.key.size]
    if sum(one.key.size for one in teach) < HOLDS_MIN or not asked:
        return []
    made = {name: [_predicted(one, *tell(one)) for one in asked] for name, tell in _told(teach)}
    summed = {name: sums(one) for name, one in made.items()}
    found = [
        row for name, table in summed.items() for row in scores(name, figures_of(table), METRICS)
    ]
    if boosted.NAME in summed:
        less = figures_of(summed[boosted.NAME], less=summed[LINE])
        found += scores(f"{boosted.NAME} less {LINE}, paired", less, METRICS)
    return found


Told = Callable[[Held], tuple[Array, Array, Array]]
"""Returns weight, mean and deviation, float64[n, c] each, of the log-normals of ln ms."""


def _told(teach: Sequence[Held]) -> list[tuple[str, Told]]:
    key, before, aim = (
        np.concatenate([getattr(one, name) for one in teach])
        for name in ("key", "before", "log_ms")
    )
    often = np.bincount(key, minlength=len(VOCABULARY)) >= KEY_HOLDS_MIN
    of_key = [aim[key == at] if often[at] else aim for at in range(len(VOCABULARY))]
    mean = np.array([values.mean() for values in of_key])
    sigma = np.array([values.std() for values in of_key])
    slope = _slope(_inputs(before), aim)
    left = float((aim - _inputs(before) @ slope).std())
    found: list[tuple[str, Told]] = []
    if boosted.installed():
        lengths = [one.key.size for one in teach]
        categories = [*range(boosted.BACK), before.shape[1] - 3]
        grown = boosted.durations(lengths, before, aim, categories)
        found.append((boosted.NAME, lambda x: grown.predict(x.before)))
    return [
        *found,
        (LINE, lambda x: _single(_inputs(x.before) @ slope, np.full(x.key.size, left))),
        (KEY, lambda x: _single(mean[x.key], sigma[x.key])),
        (EVERY, lambda x: _single(*(np.full(x.key.size, f(aim)) for f in (np.mean, np.std)))),
    ]


def _single(mean: Array, sigma: Array) -> tuple[Array, Array, Array]:
    return np.ones((mean.size, 1)), mean[:, None], np.maximum(sigma, 1e-2)[:, None]


def _predicted(one: Held, weight: Array, mean: Array, sigma: Array) -> Predicted:
    """Return the holds as durations to be judged; no token is predicted."""
    flat = np.full((one.key.size, len(VOCABULARY)), 1 / len(VOCABULARY))
    return Predicted(one.key, flat, one.log_ms, weight, mean, sigma)


def _inputs(before: Array) -> Array:
    """Return float64[n, c]: numbers, whether each is known, and the key as one of all tokens."""
    tokens = [*range(boosted.BACK), before.shape[1] - 3]
    numbers = np.delete(before, tokens, axis=1).astype(np.float64)
    there = ~np.isnan(numbers)
    key = before[:, tokens[-1]].astype(np.int64)[:, None] == np.arange(len(VOCABULARY))
    parts = [np.ones((len(numbers), 1)), np.where(there, numbers, 0.0), there, key]
    return np.concatenate([np.asarray(part, np.float64) for part in parts], axis=1)


def _slope(inputs: Array, aim: Array) -> Array:
    ridge = _RIDGE * np.eye(inputs.shape[1])
    return np.asarray(np.linalg.solve(inputs.T @ inputs + ridge, inputs.T @ aim))
