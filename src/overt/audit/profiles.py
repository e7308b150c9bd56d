"""Typing profiles for linkage: what an attacker keeps of a person, and what a probe shows.

Every press gives up to four observations: its hold by key, its interval to the press before by pair
of keys, the gap from the release before to it by pair of key classes, and which pair of classes it
is. At `raw` a key is its symbol (capitals folded), and pairs too rare among the enrolled fall back
to their classes; at `rhythm` only classes are there. Values are logs (gaps: asinh), scaled by the
enrolled population of the pair and cut off at three deviations.

At `rhythm/1`, where single intervals say next to nothing, two more kinds of observation sum them
up: how long a word takes for each of its letters, and how many keys come between two pauses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from overt.datasets.transform import TRANSFORMS, transform_of
from overt.features.presses import UNKNOWN, Presses, presses_of
from overt.schema.coarse import COARSE
from overt.schema.event import KeyClass

FAMILIES = ("hold", "down_down", "up_down", "usage", "word", "burst")
LEVELS = ("raw", "rhythm", COARSE)
BINS = 8
_Z_MAX = 3.0
_GAP_SCALE_US = 30_000.0
_CLASSES = 32
_WORD_MAX = 20
_PAUSE_US = 1_000_000
_USAGE = FAMILIES.index("usage")


@dataclass(frozen=True, slots=True, eq=False)
class Half:
    """Presses of one person's first or second half, at one level. Arrays of one length."""

    key: Any
    key_class: Any
    before: Any
    """Key of the press before in the same session, -1 if there is none."""
    class_before: Any
    hold_us: Any
    down_down_us: Any
    up_down_us: Any

    def __len__(self) -> int:
        return int(self.key.shape[0])

    def part(self, start: int, end: int) -> Half:
        """Return presses `start` to `end` - 1."""
        return Half(*(getattr(self, name)[start:end] for name in self.__slots__))


def halves(sessions: Sequence[pa.Table], level: str) -> tuple[Half, Half]:
    """Return a person's first and second half by sessions; of one session, by presses."""
    if level != "raw":
        transform = TRANSFORMS[transform_of(level)]
        sessions = [transform(events) for events in sessions]
    made = [_half([presses_of(events)], level) for events in sessions]
    made = [half for half in made if len(half)]
    if not made:
        return _half([], level), _half([], level)
    if len(made) == 1:
        middle = len(made[0]) // 2
        return made[0].part(0, middle), made[0].part(middle, len(made[0]))
    middle = (len(made) + 1) // 2
    return _joined(made[:middle]), _joined(made[middle:])


def _joined(parts: list[Half]) -> Half:
    return Half(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in Half.__slots__)
    )


def _half(found: list[Presses], level: str) -> Half:
    if not found:
        return Half(*(np.zeros(0, np.int64) for _ in Half.__slots__))
    presses = found[0]
    key_class = presses.key_class.astype(np.int64)
    symbol = presses.key_symbol.astype(np.int64)
    capital = (symbol >= ord("A")) & (symbol <= ord("Z"))
    key = np.where(capital, symbol + 32, symbol) if level == "raw" else key_class
    first = np.full(min(len(presses), 1), -1)
    return Half(
        key=key,
        key_class=key_class,
        before=np.concatenate([first, key[:-1]]),
        class_before=np.concatenate([first, key_class[:-1]]),
        hold_us=presses.hold_us,
        down_down_us=presses.down_down_us,
        up_down_us=presses.up_down_us,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """Observations of many owners (people or probes), not yet scaled. Arrays of one length."""

    owner: Any
    family: Any
    fine: Any
    """Number that stands for family and key or pair of keys."""
    coarse: Any
    """The same by class."""
    value: Any


_PAIR = 1 << 24


def observations(parts: Sequence[Half], level: str = "rhythm") -> Observations:
    """Return the observations in each part; part i is owner i."""
    owners, families, fines, coarses, values = [], [], [], [], []
    for owner, half in enumerate(parts):
        has_pair = half.before >= 0
        pair_class = (half.class_before + 1) * _CLASSES + half.key_class
        pair = (half.before + 1) * _PAIR + half.key
        for family, name in enumerate(FAMILIES if level == COARSE else FAMILIES[:4]):
            if name in ("word", "burst"):
                fine, value = _words(half) if name == "word" else _bursts(half)
                coarse = fine
            elif name == "hold":
                known = half.hold_us != UNKNOWN
                value = np.log(np.maximum(half.hold_us[known], 1000))
                fine, coarse = half.key[known], half.key_class[known]
            elif name == "down_down":
                known = has_pair & (half.down_down_us != UNKNOWN)
                value = np.log(np.maximum(half.down_down_us[known], 1000))
                fine, coarse = pair[known], pair_class[known]
            elif name == "up_down":
                known = has_pair & (half.up_down_us != UNKNOWN)
                value = np.arcsinh(half.up_down_us[known] / _GAP_SCALE_US)
                fine, coarse = pair_class[known], pair_class[known]
            else:
                known = has_pair
                value = pair_class[known].astype(np.float64)
                fine = coarse = np.zeros(value.size, np.int64)
            owners.append(np.full(value.size, owner))
            families.append(np.full(value.size, family))
            fines.append(fine * 8 + family)
            coarses.append(coarse * 8 + family)
            values.append(value)
    if not owners:
        empty = np.zeros(0, np.int64)
        return Observations(empty, empty, empty, empty, np.zeros(0))
    return Observations(
        *(np.concatenate(parts) for parts in (owners, families, fines, coarses, values))
    )


def _clock(half: Half) -> tuple[Any, Any]:
    """Return the time of each press, µs, and where a session begins."""
    begins = (half.before < 0) | (half.down_down_us == UNKNOWN)
    return np.cumsum(np.where(begins, 0, half.down_down_us)), begins


def _words(half: Half) -> tuple[Any, Any]:
    """Return length (at most 10) and log of µs a press of each run between two spaces."""
    t_us, begins = _clock(half)
    edge = np.flatnonzero(begins | (half.key_class == KeyClass.SPACE))
    if edge.size < 2:
        return np.zeros(0, np.int64), np.zeros(0)
    length, took_us = np.diff(edge), np.diff(t_us[edge])
    whole = (length > 1) & (length < _WORD_MAX) & ~begins[edge[1:]]
    pace = np.log(np.maximum(took_us[whole], _GAP_SCALE_US) / length[whole])
    return np.minimum(length[whole], 10), pace


def _bursts(half: Half) -> tuple[Any, Any]:
    """Return 0 and log of how many presses lie between two pauses of a second or more."""
    _, begins = _clock(half)
    edge = np.flatnonzero(begins | (half.down_down_us >= _PAUSE_US))
    length = np.diff(edge)
    return np.zeros(length.size, np.int64), np.log(length)


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """What the enrolled have in common: the features in use, their scales and bins."""

    fine: Any
    coarse: Any
    """Sorted numbers of the features in use; fine ones come first in the numbering."""
    family: Any
    """Family of each feature."""
    centre: Any
    spread: Any
    edges: Any
    """float64[features, BINS - 1], in scaled values."""
    usage: Any
    """Sorted class pairs that are counted one by one."""

    @property
    def features(self) -> int:
        """How many features there are (without usage)."""
        return int(self.centre.shape[0])

    def place(self, seen: Observations) -> tuple[Any, Any]:
        """Return the feature of each observation (-1 if none) and its scaled value."""
        feature = _find(self.fine, seen.fine)
        again = _find(self.coarse, seen.coarse)
        feature = np.where(feature >= 0, feature, np.where(again >= 0, again + self.fine.size, -1))
        feature = np.where(seen.family == _USAGE, -1, feature)
        at = np.maximum(feature, 0)
        scaled = np.clip((seen.value - self.centre[at]) / self.spread[at], -_Z_MAX, _Z_MAX)
        return feature, scaled

    def usage_of(self, seen: Observations) -> tuple[Any, Any]:
        """Return owner and number of the class pair of each press; the last number is `other`."""
        mine = seen.family == _USAGE
        found = _find(self.usage, seen.value[mine].astype(np.int64))
        return seen.owner[mine], np.where(found >= 0, found, self.usage.size)


def _find(known: Any, wanted: Any) -> Any:
    at = np.minimum(np.searchsorted(known, wanted), max(known.size - 1, 0))
    return np.where(known[at] == wanted, at, -1) if known.size else np.full(wanted.size, -1)


def population(seen: Observations, people: int) -> Population:
    """Return what the enrolled have in common. Nothing of a probe is used."""
    people_min = max(3, int(0.03 * people))
    timed = seen.family != _USAGE
    fine = _common(seen.fine[timed], seen.owner[timed], people_min)
    coarse = _common(seen.coarse[timed], seen.owner[timed], people_min)
    rough = Population(
        fine,
        coarse,
        np.concatenate([fine % 8, coarse % 8]),
        np.zeros(fine.size + coarse.size),
        np.ones(fine.size + coarse.size),
        np.zeros((0, BINS - 1)),
        _common(seen.value[~timed].astype(np.int64), seen.owner[~timed], people_min),
    )
    # A coarse feature is scaled by everything of its class, not by the rare pairs that fall back.
    for numbers, offset in ((coarse, fine.size), (fine, 0)):
        at = _find(numbers, (seen.coarse if offset else seen.fine))
        used = (at >= 0) & timed
        cuts = _quantiles(at[used], seen.value[used], numbers.size, (0.25, 0.5, 0.75))
        rough.centre[offset : offset + numbers.size] = cuts[:, 1]
        spread = (cuts[:, 2] - cuts[:, 0]) / 1.349
        rough.spread[offset : offset + numbers.size] = np.maximum(spread, 0.02)
    feature, scaled = rough.place(seen)
    used = feature >= 0
    edges = _quantiles(
        feature[used], scaled[used], rough.features, tuple(b / BINS for b in range(1, BINS))
    )
    return Population(
        rough.fine, rough.coarse, rough.family, rough.centre, rough.spread, edges, rough.usage
    )


def _common(numbers: Any, owner: Any, people_min: int) -> Any:
    """Return the sorted numbers that at least `people_min` owners have."""
    found, number = np.unique(numbers, return_inverse=True)
    owners = int(owner.max(initial=0)) + 1
    cells = np.unique(number * owners + owner)
    return found[np.bincount(cells // owners, minlength=found.size) >= people_min]


def _quantiles(group: Any, value: Any, groups: int, cuts: tuple[float, ...]) -> Any:
    """Return float64[groups, len(cuts)]: nearest-rank quantiles of the values in each group."""
    order = np.lexsort((value, group))
    group, value = group[order], value[order]
    start = np.searchsorted(group, np.arange(groups))
    count = np.searchsorted(group, np.arange(groups), side="right") - start
    made = np.zeros((groups, len(cuts)))
    for column, cut in enumerate(cuts):
        at = np.minimum(start + (count * cut).astype(np.int64), max(value.size - 1, 0))
        if value.size:
            made[:, column] = np.where(count > 0, value[at], 0)
    return made
