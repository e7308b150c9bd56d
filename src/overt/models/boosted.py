"""LightGBM beside the encoder: the next token from the tokens and times before, and the pause.

What any neural model of these events must beat. It is fitted for a judgement only and is kept
nowhere, so that nothing made from a person outlives the card it was fitted for.

- token: multiclass over the tokens that were seen, mixed with a little of their frequencies, so
  that a token nobody taught it has some probability
- pause: regression of ln(pause in ms), given the token that came as all models are; its residuals
  on people (or stretches) that the trees have not seen become a normal mixture, by size of the
  prediction

All that the encoder is given is here too, such as how far the last pause was beyond habit, and what
it could carry in its state is given as running means: the pauses, holds and rollovers of the person
so far, and their pauses before this token and between these two so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from overt.datasets.tokens import START, VOCABULARY
from overt.models.predict import Predicted
from overt.models.repeatable import REPEATABLE
from overt.models.stream import BEYOND, Stream, log_ms, numbers, targets, totals_before
from overt.models.tensors import Array

NAME = "LightGBM"
EVENTS_MIN = 200
"""With fewer events there is nothing to grow a tree from."""
EVENTS_MAX = 300_000
"""Whole people are taken, in the order of their tags, until so many events are there."""
BACK = 5
"""Tokens, and pauses before them, that are seen as they were."""
HOLDS = 3
RECENT = 8
"""Pauses in the mean of the last ones."""
OWN_MEAN, OWN_COUNT = 2 * BACK + HOLDS + 5, 2 * BACK + HOLDS + 6
"""Columns of `Seen.before`: mean and number of the person's pauses so far."""
TREES_MAX = 150
UNSEEN = 1e-3
"""Share of a token's probability that is its frequency."""
COMPONENTS = 3
_HELD_OUT = 5
"""One in so many is held out of the trees: people, or blocks of events where they are few."""
_BLOCK = 50
_SETTINGS: dict[str, Any] = {
    "learning_rate": 0.1,
    "num_leaves": 31,
    "feature_fraction": 0.8,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "max_bin": 127,
    "min_sum_hessian_in_leaf": 1.0,
    "lambda_l2": 5.0,
    "max_cat_to_onehot": 64,
    **REPEATABLE,
}
"""From early stopping on a fifth of people who taught it. Rare tokens need the damping: without it
leaves with a handful of events make the trees sure of what is not."""
_FEW = 20_000
_QUICK: dict[str, Any] = {"learning_rate": 0.2, "num_leaves": 15}
"""With fewer events than `_FEW`, as when somebody waits in the page: coarser, and done sooner."""
_SPACE, _BACK = VOCABULARY.index("key:space"), VOCABULARY.index("key:backspace")


def installed() -> bool:
    """Tell whether LightGBM can be used here."""
    return find_spec("lightgbm") is not None


@dataclass(frozen=True, eq=False)
class Seen:
    """What is known when an event is to be predicted, for the n events of a person."""

    token: Array
    """int64[n], the token that came."""
    log_pause: Array
    """float64[n], ln ms of the pause before it, NaN where there is none."""
    before: Array
    """float32[n, f], known before it came."""
    given: Array
    """float32[n, f + 6], with the token that came and what is known of the pauses before it."""


def _earlier(values: Array, steps: int) -> Array:
    """Return the values `steps` places before, NaN where there is none."""
    made = np.full(len(values), np.nan)
    made[steps:] = values[: max(len(values) - steps, 0)]
    return made


def _since(there: Array) -> Array:
    """Return how long ago, in places, `there` last held; NaN before the first time."""
    last = np.maximum.accumulate(np.where(there, np.arange(len(there)), -1))
    return np.asarray(np.where(last < 0, np.nan, np.arange(len(there)) - last))


def _so_far(values: Array, group: Array | None = None) -> tuple[Array, Array]:
    """Return mean and count of the values up to and with each place, of its group; NaN is none."""
    group = np.zeros(len(values), np.int64) if group is None else group
    order = np.argsort(group, kind="stable")
    known = ~np.isnan(values[order])
    count = np.cumsum(known)
    total = np.cumsum(np.where(known, values[order], 0.0))
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    lengths = np.diff(starts, append=len(values))
    count = count - np.repeat(count[starts] - known[starts], lengths)
    total = total - np.repeat(total[starts] - np.where(known, values[order], 0.0)[starts], lengths)
    mean, counted = np.empty(len(values)), np.empty(len(values))
    mean[order] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    counted[order] = count
    return mean, counted


def _before(values: Array, group: Array) -> tuple[Array, Array]:
    """Return mean and count of a group's values before each place."""
    total, count = totals_before(values, group)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan), count


def seen(stream: Stream) -> Seen:
    """Return what the trees see of a person's stream: nothing that is known only later."""
    aim = targets(stream)
    there = aim.token >= 0
    token = stream.token.astype(np.int64)
    pause = np.where(stream.pause_known(), log_ms(stream.pause_us), np.nan)
    hold = np.where(stream.hold_us >= 0, log_ms(np.maximum(stream.hold_us, 0)), np.nan)
    mean, count = _so_far(pause)
    recent = np.column_stack([_earlier(pause, back) for back in range(RECENT)])
    some = ~np.isnan(recent)
    counted = np.maximum(some.sum(1), 1)
    recent_mean = np.where(some, recent, 0).sum(1) / counted
    away = np.where(some, recent - recent_mean[:, None], 0)
    columns = [
        *(_earlier(token, back) for back in range(BACK)),
        *(_earlier(pause, back) for back in range(BACK)),
        *(_earlier(hold, back) for back in range(HOLDS)),
        *(_earlier(stream.rollover, back) for back in range(2)),
        *(_since(token == which) for which in (START, _SPACE, _BACK)),
        mean,
        np.minimum(count, 1000),
        np.where(some.any(1), recent_mean, np.nan),
        np.sqrt((away**2).sum(1) / counted),
        _so_far(hold)[0],
        _so_far(np.where(token == START, np.nan, stream.rollover))[0],
        np.where(np.isnan(pause), np.nan, numbers(stream)[:, BEYOND]),
    ]
    before = np.column_stack(columns).astype(np.float32)[there]
    came = aim.token[there]
    last = token[there]
    log_pause = aim.log_pause[there]
    by_token, tokens = _before(log_pause, came)
    by_pair, pairs = _before(log_pause, last * len(VOCABULARY) + came)
    given = [came, by_token, tokens, by_pair, pairs, by_token - mean[there]]
    return Seen(came, log_pause, before, np.column_stack([before, *given]).astype(np.float32))


@dataclass(frozen=True, eq=False)
class Boosted:
    """Fitted trees, for as long as a judgement takes."""

    tokens: Any
    classes: Array
    """int64[k], the tokens that were seen."""
    frequency: Array
    """float64[V]"""
    pauses: Any
    bounds: Array
    """float64[b - 1], ends of the predictions that share a mixture."""
    weight: Array
    offset: Array
    sigma: Array
    """float64[b, COMPONENTS], mixtures of what is left of ln(pause)."""
    events: int
    """How many it was fitted on."""

    def predict(self, stream: Stream) -> Predicted:
        """Return what it predicts for a person's stream."""
        known = seen(stream)
        n = len(known.token)
        probability = np.tile(UNSEEN * self.frequency, (n, 1))
        if n:
            raw = np.asarray(self.tokens.predict(known.before, num_threads=1)).reshape(n, -1)
            shares = raw if raw.shape[1] > 1 else np.hstack([1 - raw, raw])
            probability[:, self.classes] += (1 - UNSEEN) * shares
        mean = np.asarray(self.pauses.predict(known.given, num_threads=1)) if n else np.zeros(0)
        place = np.searchsorted(self.bounds, mean)
        return Predicted(
            known.token,
            probability,
            known.log_pause,
            self.weight[place],
            mean[:, None] + self.offset[place],
            self.sigma[place],
        )


def fit(streams: Sequence[Stream]) -> Boosted | None:
    """Return trees grown on the people whose streams these are, or None if there is too little.

    Deterministic: each forest grows on one thread, the two side by side. Raises
    `ModuleNotFoundError` without LightGBM.
    """
    people: list[Seen] = []
    events = 0
    for stream in streams:
        if events >= EVENTS_MAX:
            break
        people.append(seen(stream))
        events += len(people[-1].token)
    if events < EVENTS_MIN:
        return None
    token = np.concatenate([p.token for p in people])
    log_pause = np.concatenate([p.log_pause for p in people])
    held = _held_out([len(p.token) for p in people])
    classes = np.unique(token)
    timed = ~np.isnan(log_pause)
    if len(classes) < 2 or (timed & held).sum() < COMPONENTS or not (timed & ~held).any():
        return None
    frequency = np.bincount(token, minlength=len(VOCABULARY)) + 1.0
    before = np.concatenate([p.before for p in people])
    given = np.concatenate([p.given for p in people])
    kinds = {"objective": "multiclass", "num_class": len(classes)}
    if len(classes) == 2:
        kinds = {"objective": "binary"}
    own = [*range(BACK), before.shape[1]]
    with ThreadPoolExecutor(2) as pool:
        growing = pool.submit(
            _grown, before, np.searchsorted(classes, token), held, kinds, [*range(BACK)]
        )
        pauses = _grown(
            given[timed], log_pause[timed], held[timed], {"objective": "regression"}, own
        )
        tokens = growing.result()
    kept = timed & held
    mean = np.asarray(pauses.predict(given[kept], num_threads=1))
    return Boosted(
        tokens,
        classes,
        frequency / frequency.sum(),
        pauses,
        *_left_over(mean, log_pause[kept] - mean),
        events,
    )


@dataclass(frozen=True, eq=False)
class Durations:
    """Fitted trees of one duration, and the mixtures of what they leave."""

    trees: Any
    bounds: Array
    weight: Array
    offset: Array
    sigma: Array

    def predict(self, rows: Array) -> tuple[Array, Array, Array]:
        """Return weight, mean and deviation, float64[n, COMPONENTS], of ln(ms) of each row."""
        mean = np.asarray(self.trees.predict(rows, num_threads=1))
        place = np.searchsorted(self.bounds, mean)
        return self.weight[place], mean[:, None] + self.offset[place], self.sigma[place]


def durations(
    lengths: list[int], rows: Array, log_ms_of: Array, categories: list[int]
) -> Durations:
    """Return trees of a duration: `rows` and `log_ms_of` of people one after the other.

    `lengths` says how many rows each person has, `categories` which columns are tokens.
    """
    held = _held_out(lengths)
    trees = _grown(rows, log_ms_of, held, {"objective": "regression"}, categories)
    mean = np.asarray(trees.predict(rows[held], num_threads=1))
    return Durations(trees, *_left_over(mean, log_ms_of[held] - mean))


def _held_out(lengths: list[int]) -> Array:
    """Return bool[events]: every fifth person, or every fifth block where people are few."""
    if len(lengths) >= 2 * _HELD_OUT:
        return np.repeat(np.arange(len(lengths)) % _HELD_OUT == _HELD_OUT - 1, lengths)
    return np.asarray(np.arange(sum(lengths)) // _BLOCK % _HELD_OUT == _HELD_OUT - 1)


def _grown(
    rows: Array,
    aim: Array,
    held: Array,
    kinds: dict[str, Any],
    categories: list[int],
) -> Any:
    import lightgbm

    settings = {
        **_SETTINGS,
        **(_QUICK if len(rows) < _FEW else {}),
        **kinds,
        "min_data_in_leaf": int(np.clip(len(rows) // 1000, 5, 100)),
    }
    learned = lightgbm.Dataset(
        rows[~held], aim[~held], categorical_feature=categories, params={"verbose": -1}
    )
    check = lightgbm.Dataset(rows[held], aim[held], reference=learned)
    stop = lightgbm.early_stopping(5 if len(rows) < _FEW else 10, verbose=False)
    grown: Any = lightgbm.train(settings, learned, TREES_MAX, [check], callbacks=[stop])
    return grown


_BINS = 8
_BIN_MIN = 250


def _left_over(mean: Array, rest: Array) -> tuple[Array, Array, Array, Array]:
    """Return ends of ranges of the prediction, and of each the mixture of what is left."""
    count = int(np.clip(len(rest) // _BIN_MIN, 1, _BINS))
    bounds = np.quantile(mean, np.arange(1, count) / count)
    place = np.searchsorted(bounds, mean)
    fitted = [mixture(rest[place == b] if (place == b).any() else rest) for b in range(count)]
    weight, offset, sigma = (np.stack(part) for part in zip(*fitted, strict=True))
    return bounds, weight, offset, sigma


def mixture(
    values: Array, components: int = COMPONENTS, rounds: int = 60
) -> tuple[Array, Array, Array]:
    """Return weights, means and deviations of a normal mixture, by expectation-maximisation."""
    floor = 0.05
    mean = np.quantile(values, (np.arange(components) + 0.5) / components)
    sigma = np.full(components, max(float(values.std()), floor))
    weight = np.full(components, 1 / components)
    for _ in range(rounds):
        log = np.log(weight) - np.log(sigma) - 0.5 * ((values[:, None] - mean) / sigma) ** 2
        share = np.exp(log - log.max(1, keepdims=True))
        share /= share.sum(1, keepdims=True)
        size = share.sum(0) + 1e-6
        weight = size / size.sum()
        mean = (share * values[:, None]).sum(0) / size
        sigma = np.sqrt((share * (values[:, None] - mean) ** 2).sum(0) / size + floor**2)
    return weight, mean, sigma
