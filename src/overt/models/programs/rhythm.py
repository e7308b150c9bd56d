"""A window of typing as one row of numbers: from key classes, presses and holds alone.

Means and deviations are those of the catalogue (`overt.features.catalogue.writing`); added is what
an imitation forgets: that an interval depends on the keys and on the interval before, that a word
begins slower than it goes on, that holds and intervals belong together, that nothing repeats. What
is left of times after their keys' usual ones goes on from key to key and drifts; texts differ, and
so do the places in a word.

Not covered: which key it was (not known at `rhythm`), modifiers, corrections, and whether a text
makes sense. Nothing here finds a replay of one whole text of a real person, in its order.
"""

from __future__ import annotations

import itertools

import numpy as np

from overt.features.catalogue.writing import FEATURES
from overt.features.presses import UNKNOWN
from overt.features.sums import Sums
from overt.features.typing import COLUMNS, add_presses
from overt.models.programs.typed import Typed
from overt.models.tensors import Array
from overt.schema.event import KeyClass

_TAKEN = (
    *(f"{name}_us_{what}" for name in ("hold", "down_down", "up_down") for what in ("mean", "sd")),
    "down_down_log_mean",
    "down_down_log_sd",
    "rollover_share",
)
_CATALOGUE = tuple(feature for feature in FEATURES if feature.name in _TAKEN)

_OWN = (
    "interval_variation",
    "hold_log_sd",
    "interval_skew",
    "interval_repeats",
    "hold_repeats",
    "up_down_at_once",
    "interval_follows",
    "interval_follows_second",
    "hold_follows",
    "hold_with_interval",
    "interval_by_classes",
    "hold_by_class",
    "word_start",
    "word_end",
    "rest_follows",
    "rest_follows_second",
    "hold_rest_follows",
    "hold_rest_follows_second",
    "rest_with_hold_before",
    "rest_with_hold",
    "rest_drifts",
    "hold_rest_drifts",
    "interval_by_text",
    "hold_by_text",
    "interval_by_place",
    "hold_by_place",
)
NAMES = (*(feature.name for feature in _CATALOGUE), *_OWN)
"""Order of the numbers in a row."""

TRIVIAL = ("on_1_ms", "on_2_ms", "on_5_ms", "on_8_ms")
"""What the clock alone gives away, with no rhythm in it: press times on multiples of a step."""

_REMAINDERS_MS = (1.0, 2.0, 5.0, 8.0)
_ON_A_STEP_MS = 0.01
_TRIVIAL_PRESSES = 10

_SPACE, _LETTER = int(KeyClass.SPACE), int(KeyClass.LETTER)
_FEWEST = 8
_FEWEST_OF_A_KIND = 2
_WINDOW_US = 1 << 50
_PAUSE_US = 2_000_000
_NEAR_MS = 1.0
_BELIEVED = 3.0
"""A group so large has half the say in what is usual for it, all keys together the other half."""
_RUN = 8
"""Keys whose mean is compared with that of the next as many."""
_PLACES = 6
"""Places in a word that are told apart; later ones are the last."""
_TIMED = True


def row_of(typed: Typed) -> Array:
    """Return float64[len(NAMES)] for one window; NaN where there is not enough to say."""
    return np.concatenate([_catalogue(typed), _own(typed)])


def _catalogue(typed: Typed) -> Array:
    total = COLUMNS.empty(1)
    down = np.rint(typed.down_ms * 1000).astype(np.int64)
    held = np.nan_to_num(typed.hold_ms) * 1000
    up = np.where(np.isnan(typed.hold_ms), UNKNOWN, down + np.rint(held).astype(np.int64))
    edges = sorted({0, *np.flatnonzero(typed.begins).tolist(), typed.size})
    for a, b in itertools.pairwise(edges):
        add_presses(down[a:b], up[a:b], _TIMED, int(down[a]), _WINDOW_US, _PAUSE_US, total)
    sums = Sums(((COLUMNS, total),))
    return np.array(
        [
            float(one.value(sums)[0]) if one.samples(sums)[0] >= one.samples_min else np.nan
            for one in _CATALOGUE
        ]
    )


def _own(typed: Typed) -> Array:
    interval = typed.interval_ms()
    log = np.log(np.maximum(interval, 0.5))
    held = np.log(np.maximum(typed.hold_ms, 0.5))
    before = np.append(0, typed.key_class[:-1]).astype(np.int64)
    pair = before * 32 + typed.key_class
    up_down = interval - np.append(np.nan, typed.hold_ms[:-1])
    fine = interval[np.isfinite(interval)]
    inside = (before == _LETTER) & (typed.key_class == _LETTER)
    start, end = (before == _SPACE), (before == _LETTER) & (typed.key_class == _SPACE)
    return np.array(
        [
            np.log(fine.std() / max(fine.mean(), 0.5) + 1e-3) if fine.size >= _FEWEST else np.nan,
            _spread(held),
            _skew(log),
            _repeats(interval),
            _repeats(typed.hold_ms),
            _share(np.abs(up_down) <= _NEAR_MS, np.isfinite(up_down)),
            _correlation(log[1:], log[:-1]),
            _correlation(log[2:], log[:-2]),
            _correlation(held[1:], held[:-1]),
            _correlation(held, log),
            _explained(log, pair),
            _explained(held, typed.key_class.astype(np.int64)),
            _later(log, start & ~inside, inside),
            _later(log, end, inside),
            *_going_on(typed, log, held, pair),
        ]
    )


def _going_on(typed: Typed, log: Array, held: Array, pair: Array) -> list[float]:
    """Return how times go on beyond what the classes of keys explain."""
    classes = typed.key_class.astype(np.int64)
    rest, hold_rest = _rest(log, pair), _rest(held, classes)
    text = np.cumsum(typed.begins)
    letter = classes == _LETTER
    at = np.arange(typed.size)
    place = np.minimum(at - np.maximum.accumulate(np.where(letter, -1, at)), _PLACES)
    inside = letter & np.append(False, letter[:-1])[: typed.size]
    return [
        _correlation(rest[1:], rest[:-1]),
        _correlation(rest[2:], rest[:-2]),
        _correlation(hold_rest[1:], hold_rest[:-1]),
        _correlation(hold_rest[2:], hold_rest[:-2]),
        _correlation(hold_rest[:-1], rest[1:]),
        _correlation(hold_rest, rest),
        _drift(rest),
        _drift(hold_rest),
        _explained(log, text),
        _explained(held, text),
        _explained(np.where(inside, log, np.nan), place),
        _explained(np.where(letter, held, np.nan), place),
    ]


def _rest(values: Array, group: Array) -> Array:
    """Return values less what is usual for their group, of which a small one says little."""
    fine = np.isfinite(values)
    rest = np.full(values.size, np.nan)
    if fine.sum() >= _FEWEST:
        known = values[fine]
        _names, number, count = np.unique(group[fine], return_inverse=True, return_counts=True)
        usual = (np.bincount(number, known) + _BELIEVED * known.mean()) / (count + _BELIEVED)
        rest[fine] = known - usual[number]
    return rest


def _drift(values: Array) -> float:
    """Return ln of how much more means of runs vary than if order meant nothing (ln 1 = 0)."""
    fine = values[np.isfinite(values)]
    runs = fine.size // _RUN
    if runs < 3 or fine.std() < 1e-6:
        return np.nan
    means = fine[: runs * _RUN].reshape(runs, _RUN).mean(1)
    return float(np.log(means.var(ddof=1) * _RUN / fine.var() + 1e-2))


def _spread(values: Array) -> float:
    fine = values[np.isfinite(values)]
    return float(np.log(fine.std() + 1e-3)) if fine.size >= _FEWEST else np.nan


def _skew(values: Array) -> float:
    fine = values[np.isfinite(values)]
    if fine.size < _FEWEST or fine.std() < 1e-6:
        return np.nan
    return float((((fine - fine.mean()) / fine.std()) ** 3).mean())


def _share(hits: Array, among: Array) -> float:
    return float(hits[among].mean()) if among.sum() >= _FEWEST else np.nan


def _repeats(values: Array) -> float:
    """Return the share of neighbours in size that are nearer than a hundredth of the median."""
    fine = np.sort(values[np.isfinite(values)])
    if fine.size < _FEWEST:
        return np.nan
    near = max(_NEAR_MS, float(np.median(fine)) / 100)
    return float(
        (np.searchsorted(fine, fine + near, "right") - np.arange(fine.size) - 1).mean()
    ) / ((fine.size - 1) / 2)


def _correlation(a: Array, b: Array) -> float:
    fine = np.isfinite(a) & np.isfinite(b)
    a, b = a[fine], b[fine]
    if a.size < _FEWEST or a.std() < 1e-6 or b.std() < 1e-6:
        return np.nan
    return float(((a - a.mean()) * (b - b.mean())).mean() / (a.std() * b.std()))


def _explained(values: Array, group: Array) -> float:
    """Return the share of variance that groups explain beyond chance (ω² as by Hays 1963)."""
    fine = np.isfinite(values)
    values = values[fine]
    _names, number, count = np.unique(group[fine], return_inverse=True, return_counts=True)
    if values.size < _FEWEST + count.size or count.size < _FEWEST_OF_A_KIND:
        return np.nan
    whole = float(((values - values.mean()) ** 2).sum())
    if whole < 1e-9:
        return np.nan
    mean = np.bincount(number, values) / count
    within = float(((values - mean[number]) ** 2).sum())
    error = within / (values.size - count.size)
    return (whole - within - (count.size - 1) * error) / (whole + error)


def _later(log: Array, here: Array, there: Array) -> float:
    """Return by how much ln intervals of one kind exceed those of another."""
    fine = np.isfinite(log)
    if (here & fine).sum() < _FEWEST_OF_A_KIND or (there & fine).sum() < _FEWEST_OF_A_KIND:
        return np.nan
    return float(log[here & fine].mean() - log[there & fine].mean())


def trivial_of(typed: Typed) -> Array:
    """Return float64[len(TRIVIAL)] of the first presses, as many of each window; NaN of fewer."""
    if typed.size < _TRIVIAL_PRESSES:
        return np.full(len(TRIVIAL), np.nan)
    t = typed.down_ms[:_TRIVIAL_PRESSES] - typed.down_ms[0]
    return np.array(
        [float((np.abs(t - n * np.round(t / n)) < _ON_A_STEP_MS).mean()) for n in _REMAINDERS_MS]
    )
