"""Where a movement ends, from what has been seen of it: methods, and the baselines they must beat.

All but LightGBM put the end on the line from where it set out through where it is.

- `stays where it is`: here and now
- `straight line, usual way`: as far as half of those go that went further than this one has
- `straight line, present speed`: at the speed of the last 100 ms, for the time that movements
  usually still take, times one factor
- `minimum jerk`: the course of Flash & Hogan (1985) that fits what has been seen best; its length
- `kinematic template`: what was still to come in movements that began with these speeds
- `LightGBM`: how far is left along that line and aside of it, from the numbers of `seen` and what
  the two before say
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from overt.models.intent.looks import Look
from overt.models.intent.movements import Movement
from overt.models.intent.profiles import (
    NEAREST,
    Templates,
    beginnings,
    places,
    some,
    templates,
)
from overt.models.intent.seen import direction, table, velocity
from overt.models.repeatable import REPEATABLE
from overt.models.tensors import Array

BOOSTED = "LightGBM"
ROUNDS = 200
TREES: dict[str, Any] = {
    "num_leaves": 15,
    "learning_rate": 0.05,
    "min_data_in_leaf": 30,
    "lambda_l2": 5.0,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "max_bin": 63,
    **REPEATABLE,
}
"""Small trees, chosen by the number of movements, not by trying."""

_FAR_PX = 4_000.0
"""No screen is larger: a fit that says further says nothing."""

_DURATIONS_MS = np.geomspace(250.0, 1500.0, 24)
_STRETCH = np.geomspace(1.0, 1.5, 6)
"""Durations that are tried in the fit of minimum jerk: usual ones that are not over yet, and for
what takes longer a little more than it has taken."""

_WAY_PX, _OFF_PX = 400.0, 10.0
"""The fit leans to a way of 400 ± 400 px, as a fit to a few samples alone says anything; and takes
10 px for how far a hand is from such a course."""

_BEGUN = np.array([0.0, 0.05, 0.1, 0.15])
"""Shares of the movement that may have passed before it was seen: it begins below a pixel."""

_FITTED = 12
"""Moments that a course is fitted at."""


@dataclass(frozen=True, eq=False)
class Looked:
    """Looks, and what does not depend on anybody else; m looks."""

    looks: list[Look]
    owner: Array
    """int64[m], whose movement it is."""
    numbers: Array
    """float64[m, f]"""
    here: Array
    """float64[m, 2]"""
    along: Array
    """float64[m, 2], unit vectors."""
    way_px: Array
    speed: Array
    """float64[m], px a second along, over the last 100 ms; not below 0."""
    jerk_px: Array
    """float64[m], whole way of the minimum-jerk course that fits best."""
    end: Array
    """float64[m, 2], where it ended: what is to be told."""

    def where(self, mask: Array) -> Looked:
        """Return some of the looks."""
        kept = np.flatnonzero(mask)
        arrays = {name: value[kept] for name, value in vars(self).items() if name != "looks"}
        return Looked([self.looks[i] for i in kept.tolist()], **arrays)


def looked(movements: Sequence[Movement], looks: list[Look], owner: Array) -> Looked:
    """Return what is seen at each look; `owner` is int64[movements]."""
    of = [movements[one.number] for one in looks]
    along = np.array([direction(m, one) for m, one in zip(of, looks, strict=True)]).reshape(-1, 2)
    here = np.array(
        [(m.x_px[one.seen - 1], m.y_px[one.seen - 1]) for m, one in zip(of, looks, strict=True)]
    ).reshape(-1, 2)
    began = np.array([(m.x_px[0], m.y_px[0]) for m in of]).reshape(-1, 2)
    moving = np.array([velocity(m, one, 100.0) for m, one in zip(of, looks, strict=True)])
    return Looked(
        looks,
        owner[[one.number for one in looks]],
        table(movements, looks),
        here,
        along,
        np.hypot(*(here - began).T),
        np.maximum((moving.reshape(-1, 2) * along).sum(1), 0.0),
        np.array([minimum_jerk(m, one) for m, one in zip(of, looks, strict=True)]),
        np.array([(m.x_px[-1], m.y_px[-1]) for m in of]).reshape(-1, 2),
    )


def minimum_jerk(movement: Movement, look: Look) -> float:
    """Return the whole way, in px, of the minimum-jerk course that fits what has been seen best.

    For each duration, and each beginning below a pixel, the best way is a least-squares factor that
    leans to a usual one; the course with the least error is taken. Never less than the way so far.
    """
    now_ms = max(look.now_ms, 1.0)
    at = np.linspace(0, now_ms, _FITTED + 1)[1:]
    t = movement.t_ms[: look.seen]
    x, y = (one[: look.seen] - one[0] for one in (movement.x_px, movement.y_px))
    along = direction(movement, look)
    way = np.interp(at, t, x * along[0] + y * along[1])
    usual = np.concatenate([_DURATIONS_MS[now_ms < _DURATIONS_MS], _STRETCH * now_ms])
    left = 1 - _BEGUN[:, None, None]
    course = _course(_BEGUN[:, None, None] + left * at / usual[:, None])
    begun = _course(_BEGUN)[:, None, None]
    # Shares of the way that is still to come when it is first seen.
    course = ((course - begun) / (1 - begun)).reshape(-1, _FITTED)
    leans = (_OFF_PX / _WAY_PX) ** 2
    length = (course @ way + leans * _WAY_PX) / ((course**2).sum(1) + leans)
    error = ((length[:, None] * course - way) ** 2).sum(1) + leans * (length - _WAY_PX) ** 2
    return float(np.clip(length[int(error.argmin())], max(way[-1], 0.0), _FAR_PX))


def _course(s: Array) -> Array:
    return np.asarray(s * s * s * (10 - 15 * s + 6 * s * s))


@dataclass(frozen=True, eq=False)
class Endings:
    """What has been learned of where movements end."""

    ways: Array
    """float64[movements], sorted."""
    left_ms: Array
    """float64[movements], durations, sorted."""
    factor: float
    known: Templates
    known_ways: Array
    """float64[templates, STEPS + 1], px from where it set out, at each step and at the end."""
    along: Any
    aside: Any

    def predict(self, movements: Sequence[Movement], seen: Looked) -> dict[str, Array]:
        """Return float64[m, 2] by method: where each movement will end."""
        usual = np.maximum(_beyond(self.ways, seen.way_px) - seen.way_px, 0.0)
        now_ms = np.array([one.now_ms for one in seen.looks])
        left_s = np.maximum(_beyond(self.left_ms, now_ms) - now_ms, 0.0) / 1000
        left = {
            "stays where it is": np.zeros(len(seen.looks)),
            "straight line, usual way": usual,
            "straight line, present speed": self.factor * seen.speed * left_s,
            "minimum jerk": seen.jerk_px - seen.way_px,
            "kinematic template": self.template(movements, seen),
        }
        made = {name: seen.here + seen.along * px[:, None] for name, px in left.items()}
        given = _given(seen, left["kinematic template"])
        ahead = np.asarray(self.along.predict(given, num_threads=1))
        beside = np.asarray(self.aside.predict(given, num_threads=1))
        across = np.stack([-seen.along[:, 1], seen.along[:, 0]], axis=1)
        made[BOOSTED] = seen.here + seen.along * ahead[:, None] + across * beside[:, None]
        return made

    def template(self, movements: Sequence[Movement], seen: Looked) -> Array:
        """Return float64[m], px left in the templates most alike."""
        return _left(self.known, self.known_ways, movements, seen)


def _left(known: Templates, ways: Array, movements: Sequence[Movement], seen: Looked) -> Array:
    begun = beginnings(movements, seen.looks, by_place=False)
    made = np.zeros(len(begun))
    for row, near in enumerate(known.nearest(begun, seen.owner, NEAREST)):
        if near.size:
            made[row] = np.median(ways[near, -1] - ways[near, begun[row].size])
    return np.maximum(made, 0.0)


def _given(seen: Looked, template: Array) -> Array:
    jerk = np.clip(seen.jerk_px - seen.way_px, 0, _FAR_PX)
    return np.column_stack([seen.numbers, jerk, template])


def _beyond(values: Array, so_far: Array) -> Array:
    """Return the median of the values above each number; the number where there is none."""
    first = np.searchsorted(values, so_far, "right")
    middle = np.minimum((first + values.size) // 2, values.size - 1)
    return np.where(first < values.size, values[middle], so_far)


def fit(movements: Sequence[Movement], owner: Array, mine: Array, seen: Looked) -> Endings:
    """Return what movements teach.

    Args:
        movements: everyone's.
        owner: int64[movements].
        mine: int64, which of them are learned from.
        seen: looks at those.
    """
    import lightgbm

    taught = [movements[i] for i in mine.tolist()]
    ways = np.array([np.hypot(m.x_px[-1] - m.x_px[0], m.y_px[-1] - m.y_px[0]) for m in taught])
    took = np.sort([float(m.t_ms[-1]) for m in taught])
    kept = some(len(taught))
    chosen = [taught[i] for i in kept.tolist()]
    known = templates(chosen, owner[mine][kept], by_place=False)
    known_ways = np.array([_ways(one, known.profile.shape[1]) for one in chosen])
    left = seen.end - seen.here
    ahead = (left * seen.along).sum(1)
    beside = left[:, 1] * seen.along[:, 0] - left[:, 0] * seen.along[:, 1]
    now_ms = np.array([one.now_ms for one in seen.looks])
    expected = seen.speed * np.maximum(_beyond(took, now_ms) - now_ms, 0.0) / 1000
    moving = expected > 1.0
    factor = float(np.median(ahead[moving] / expected[moving])) if moving.any() else 0.0
    given = _given(seen, _left(known, known_ways, movements, seen))
    grown = [
        lightgbm.train(
            {**TREES, "objective": "regression_l1"}, lightgbm.Dataset(given, aim), ROUNDS
        )
        for aim in (ahead, beside)
    ]
    return Endings(np.sort(ways), took, max(factor, 0.0), known, known_ways, *grown)


def _ways(movement: Movement, steps: int) -> Array:
    """Return float64[steps + 2], px from where it set out: at each step of the clock, at last."""
    at = places(movement, movement.t_ms.size, steps)
    way = np.hypot(at[:, 0], at[:, 1])
    end = np.hypot(movement.x_px[-1] - movement.x_px[0], movement.y_px[-1] - movement.y_px[0])
    return np.append(way, end)
