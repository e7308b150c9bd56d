"""Which of two options a movement goes to, from what has been seen of it.

Where the options are is known: it is the page that shows them. Left and right are treated alike:
every movement is also learned from, and asked about, in a mirror.

- `commoner option`: the one that others took more often
- `nearest option`, `present heading`: the one nearer to where the pointer is, or to where it is
  heading over the last 100 ms
- `minimum jerk`: the one nearer to where the minimum-jerk course ends
- `kinematic template`: what others took whose movements had been at the same places by then
- `LightGBM`: from the numbers of `seen` and where the options lie
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from overt.models.intent.endings import BOOSTED, TREES, minimum_jerk
from overt.models.intent.looks import Look
from overt.models.intent.movements import Movement
from overt.models.intent.profiles import beginnings, some, templates
from overt.models.intent.seen import direction, table, velocity
from overt.models.tensors import Array

ROUNDS = 150
NEAREST = 15
SURE = 0.01
"""No method of these is surer than this: a log loss must stay finite."""

HARD = ("nearest option", "present heading", "minimum jerk")
"""Methods that only say which; the others say how probable it is."""


def mirrored(movement: Movement) -> Movement:
    """Return a movement with left and right exchanged, about where it set out.

    >>> one = Movement(np.zeros(2), np.array([0.0, 3]), np.zeros(2), "s", "p", right=True)
    >>> mirrored(one).x_px.tolist(), mirrored(one).right
    ([0.0, -3.0], False)
    """
    x = 2 * movement.x_px[0] - movement.x_px
    return replace(movement, x_px=x, right=not movement.right)


def options_of(movements: Sequence[Movement]) -> Array:
    """Return float64[2, 2]: where the left and the right option lie, from where one sets out.

    As pages would tell it; here the middle of all movements' ends, mirrored ones among them.
    """
    ends = np.array([(m.x_px[-1] - m.x_px[0], m.y_px[-1] - m.y_px[0]) for m in movements])
    x, y = float(np.median(np.abs(ends[:, 0]))), float(np.median(ends[:, 1]))
    return np.array([[-x, y], [x, y]])


@dataclass(frozen=True, eq=False)
class Glimpses:
    """Looks at movements as they were, and in a mirror. m looks."""

    number: Array
    """int64[m], of the movement."""
    right: Array
    """bool[m], what is to be told."""
    given: Array
    """float64[2, m, f]: as it was, mirrored."""
    hard: dict[str, Array]
    """bool[m] by name of `HARD`: whether it says right."""
    begun: list[list[Array]]
    """[2][m], beginnings by place."""

    def where(self, mask: Array) -> Glimpses:
        """Return some of the looks."""
        kept = np.flatnonzero(mask)
        return Glimpses(
            self.number[kept],
            self.right[kept],
            self.given[:, kept],
            {name: says[kept] for name, says in self.hard.items()},
            [[one[i] for i in kept.tolist()] for one in self.begun],
        )


def glimpses(movements: Sequence[Movement], looks: Sequence[Look], options: Array) -> Glimpses:
    """Return what is seen at each look."""
    both = [list(movements), [mirrored(one) for one in movements]]
    number = np.array([one.number for one in looks], np.int64)
    return Glimpses(
        number,
        np.array([bool(movements[i].right) for i in number.tolist()], bool),
        np.array([_given(side, looks, options) for side in both]),
        _hard(both[0], looks, options),
        [beginnings(side, looks, by_place=True) for side in both],
    )


def _given(movements: Sequence[Movement], looks: Sequence[Look], options: Array) -> Array:
    made = []
    for look in looks:
        one = movements[look.number]
        here = np.array(
            [one.x_px[look.seen - 1] - one.x_px[0], one.y_px[look.seen - 1] - one.y_px[0]]
        )
        moved = [velocity(one, look, window) for window in (50.0, 100.0, 200.0)]
        apart = np.hypot(*(options - here).T)
        xs = one.x_px[: look.seen] - one.x_px[0]
        made.append(
            [
                *here,
                *np.concatenate(moved),
                *apart,
                apart[0] - apart[1],
                *(_off(options, here, way) for way in moved),
                xs.min(),
                xs.max(),
                xs.mean(),
            ]
        )
    return np.column_stack([table(movements, looks), np.array(made).reshape(len(looks), -1)])


def _off(options: Array, here: Array, way: Array) -> float:
    """Return how much more a heading points to the right option than to the left, -2 to 2."""
    to = options - here
    to = to / np.maximum(np.hypot(*to.T)[:, None], 1e-9)
    length = float(np.hypot(*way))
    return float((to[1] - to[0]) @ way / length) if length > 1e-9 else 0.0


def _hard(movements: Sequence[Movement], looks: Sequence[Look], options: Array) -> dict[str, Array]:
    made = np.zeros((len(looks), len(HARD)), bool)
    for row, look in enumerate(looks):
        one = movements[look.number]
        began = np.array([one.x_px[0], one.y_px[0]])
        here = np.array([one.x_px[look.seen - 1], one.y_px[look.seen - 1]]) - began
        ends = direction(one, look) * minimum_jerk(one, look)
        nearer = [np.hypot(*(options - at).T) for at in (here, ends)]
        heading = _off(options, here, velocity(one, look, 100.0))
        near = nearer[0][1] < nearer[0][0]
        made[row] = near, heading > 0 if heading else near, nearer[1][1] < nearer[1][0]
    return dict(zip(HARD, made.T, strict=True))


def predicted(
    movements: Sequence[Movement], owner: Array, mine: Array, learn: Glimpses, ask: Glimpses
) -> dict[str, Array]:
    """Return float64[m] by method: how probable the right option is, at the looks of `ask`.

    Args:
        movements: everyone's.
        owner: int64[movements].
        mine: int64, which movements are learned from.
        learn: looks at those.
        ask: looks at others.
    """
    import lightgbm

    taught = [movements[i] for i in mine.tolist()]
    commoner = (sum(bool(one.right) for one in taught) + 1) / (len(taught) + 2)
    made = {"commoner option": np.full(ask.right.size, commoner)}
    made |= {name: says.astype(np.float64) for name, says in ask.hard.items()}
    kept = some(len(taught))
    chosen = [taught[i] for i in kept.tolist()]
    both = [*chosen, *(mirrored(one) for one in chosen)]
    known = templates(both, np.tile(owner[mine][kept], 2), by_place=True)
    took = np.array([bool(one.right) for one in both])
    nobody = np.full(ask.right.size, -1)
    share = np.array(
        [
            (took[near].sum() + 1) / (near.size + 2)
            for near in known.nearest(ask.begun[0], nobody, NEAREST)
        ]
    )
    made["kinematic template"] = share
    x = np.concatenate(list(learn.given))
    aim = np.concatenate([learn.right, ~learn.right])
    grown = lightgbm.train({**TREES, "objective": "binary"}, lightgbm.Dataset(x, aim), ROUNDS)
    as_it_was, in_mirror = (
        np.asarray(grown.predict(one, num_threads=1), np.float64) for one in ask.given
    )
    made[BOOSTED] = (as_it_was + 1 - in_mirror) / 2
    return {name: p if name in HARD else np.clip(p, SURE, 1 - SURE) for name, p in made.items()}
