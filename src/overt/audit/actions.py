"""Mouse recordings cut into single actions, and what an attacker reads off each.

An action is what the hand does between two rests: a `move` that ends in a rest, a `click` (the move
that leads to it, and the press), or a `drag` (press, movement, release). Wheel steps belong to none
of them. Sixty figures describe an action, in four groups that can be left out, because they say
different things of a person: where on the screen, how often the device reports, when, and which
way. After Antal and Egyed-Zsigmond (IET Biometrics 2019), with the pauses around an action added.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

MOVE, CLICK, DRAG = 0, 1, 2
REST_S = 1.0
"""Without a reading for this long the hand has rested, and a move has ended."""
READINGS_MIN = 4
"""Fewer positions have no shape."""
PAUSE_S_MAX = 10.0
"""Longer rests before an action count as this: what they are of is no longer the hand."""
SLOW_PX_PER_S = 50.0

NONE, PRESSED, RELEASED, WHEEL = 0, 1, 2, 3
"""What a reading is: a position only, a button going down or up, or a wheel step."""

ABSOLUTE = (
    *("x_first_px", "y_first_px", "x_last_px", "y_last_px", "x_mean_px", "y_mean_px"),
    *("x_min_px", "x_max_px", "y_min_px", "y_max_px"),
)
"""Where on the screen: partly a fingerprint of windows and menus."""
SAMPLING = (
    *("readings", "readings_per_s", "interval_mean_s", "interval_median_s", "interval_sd_s"),
    *("interval_min_s", "interval_max_s", "same_time_share"),
)
"""How often the device reports: partly a fingerprint of mouse, network and computer."""
MOTION = (
    *("duration_s", "pause_before_s", "hold_s", "rest_before_press_s"),
    *("speed_mean", "speed_median", "speed_sd", "speed_max", "speed_first", "speed_last"),
    *("speed_x_mean", "speed_y_mean", "peak_at_share", "slow_share"),
    *("acceleration_mean", "acceleration_sd", "acceleration_max", "acceleration_min"),
    *("jerk_sd", "jerk_max", "turning_mean", "turning_sd"),
)
"""When and how fast: px, s and rad."""
GEOMETRY = (
    *("kind", "path_px", "distance_px", "straightness", "dx_px", "dy_px", "direction_rad"),
    *("away_max_px", "away_mean_px", "turn_sum_rad", "turn_mean_rad", "turn_sd_rad"),
    *("turns_sharp", "flips_x", "flips_y", "width_px", "height_px"),
    *("step_mean_px", "step_sd_px", "step_max_px"),
)
"""Which way, from positions relative to the first: no time at all."""
GROUPS = {"absolute": ABSOLUTE, "sampling": SAMPLING, "motion": MOTION, "geometry": GEOMETRY}
FIGURES = (*ABSOLUTE, *SAMPLING, *MOTION, *GEOMETRY)


@dataclass(frozen=True, eq=False)
class Recording:
    """Readings in order of time, all of length n."""

    time_s: Any
    """float64[n], never falling."""
    what: Any
    """int64[n], `NONE`, `PRESSED`, `RELEASED` or `WHEEL`."""
    x_px: Any
    """float64[n]"""
    y_px: Any
    """float64[n]"""


def figures(recording: Recording) -> Any:
    """Return float64[actions, 60] in the order of `FIGURES`, an action a row."""
    bounds = _cut(recording.time_s, recording.what)
    if not bounds:
        return np.empty((0, len(FIGURES)))
    actions = _Actions(recording, np.array(bounds, np.int64))
    named = {**actions.places(), **actions.intervals(), **actions.motion(), **actions.geometry()}
    return np.column_stack([named[name] for name in FIGURES])


def without(*groups: str) -> list[int]:
    """Return the columns of `figures` that are not of `groups`.

    >>> len(without()), len(without("absolute", "sampling", "motion"))
    (60, 20)
    """
    kept = [name for group, names in GROUPS.items() if group not in groups for name in names]
    return [FIGURES.index(name) for name in kept]


def _cut(time_s: Any, what: Any) -> list[tuple[int, int, int, int]]:
    """Return of each action its first reading, one after its last, kind, and the press or -1."""
    rests = np.append([False], np.diff(time_s) > REST_S)
    made: list[tuple[int, int, int, int]] = []
    first, press = 0, -1

    def close(end: int, kind: int) -> None:
        begins = first
        if kind == DRAG:
            if press + 1 - first > READINGS_MIN:
                made.append((first, press + 1, MOVE, -1))
            begins = press
        if end - begins >= READINGS_MIN:
            made.append((begins, end, kind, press))

    for at in np.flatnonzero(rests | (what != NONE)).tolist():
        if rests[at] and press < 0:
            close(at, MOVE)
            first = at
        if what[at] == PRESSED and press < 0:
            press = at
        elif what[at] == RELEASED:
            short = at - press < READINGS_MIN
            close(at + 1, MOVE if press < 0 else CLICK if short else DRAG)
            first, press = at + 1, -1
        elif what[at] == WHEEL:
            close(at, MOVE if press < 0 else DRAG)
            first, press = at + 1, -1
    close(len(what), MOVE if press < 0 else DRAG)
    return made


class _Parts:
    """Values of all actions one after the other, and the action each belongs to (never falling)."""

    def __init__(self, of: Any, actions: int) -> None:
        self.of, self.actions = of, actions
        self.count = np.bincount(of, minlength=actions)
        self.first = np.cumsum(self.count) - self.count
        self.some = self.count > 0

    def spread(self, values: Any) -> tuple[Any, Any]:
        """Return mean and deviation of each action's values, 0 where it has none."""
        count = np.maximum(self.count, 1)
        mean = np.bincount(self.of, values, self.actions) / count
        squares = np.bincount(self.of, (values - mean[self.of]) ** 2, self.actions)
        return mean, np.sqrt(squares / count)

    def total(self, values: Any) -> Any:
        """Return the sum of each action's values."""
        return np.bincount(self.of, values, self.actions)

    def most(self, values: Any) -> Any:
        """Return the largest of each action's values, 0 where it has none."""
        made = np.zeros(self.actions)
        if self.of.size:
            made[self.some] = np.maximum.reduceat(values, self.first[self.some])
        return made

    def median(self, values: Any) -> Any:
        """Return the median of each action's values, 0 where it has none."""
        made = np.zeros(self.actions)
        ordered = values[np.lexsort((values, self.of))]
        first, count = self.first[self.some], self.count[self.some]
        made[self.some] = (ordered[first + (count - 1) // 2] + ordered[first + count // 2]) / 2
        return made

    def ends(self, values: Any) -> tuple[Any, Any]:
        """Return the first and the last of each action's values, 0 where it has none."""
        made = np.zeros((2, self.actions))
        made[0, self.some] = values[self.first[self.some]]
        made[1, self.some] = values[(self.first + self.count - 1)[self.some]]
        return made[0], made[1]

    def where(self, kept: Any) -> _Parts:
        """Return the same actions with only the values that are kept."""
        return _Parts(self.of[kept], self.actions)

    def apart(self, values: Any) -> Any:
        """Return the differences of neighbours within each action (for `joined`)."""
        return np.diff(values)[self.inside()]

    def inside(self) -> Any:
        """Return bool[values - 1]: whether a value and the next are of one action."""
        return self.of[1:] == self.of[:-1]

    def joined(self) -> _Parts:
        """Return the actions of what lies between two neighbouring values."""
        return _Parts(self.of[1:][self.inside()], self.actions)


def _wrapped(angle: Any) -> Any:
    return (angle + np.pi) % (2 * np.pi) - np.pi


class _Actions:
    """All actions of a recording at once: their readings, one after the other."""

    def __init__(self, recording: Recording, bounds: Any) -> None:
        self.recording = recording
        self.first, self.end, self.kind, self.press = bounds.T
        size = self.end - self.first
        self.parts = _Parts(np.repeat(np.arange(len(bounds)), size), len(bounds))
        at = np.arange(size.sum()) - np.repeat(self.parts.first - self.first, size)
        self.t, self.x, self.y = recording.time_s[at], recording.x_px[at], recording.y_px[at]

    def places(self) -> dict[str, Any]:
        """Return where on the screen: `ABSOLUTE`."""
        made = {}
        for name, values in (("x", self.x), ("y", self.y)):
            made[f"{name}_first_px"], made[f"{name}_last_px"] = self.parts.ends(values)
            made[f"{name}_mean_px"] = self.parts.spread(values)[0]
            made[f"{name}_min_px"] = -self.parts.most(-values)
            made[f"{name}_max_px"] = self.parts.most(values)
        return made

    def intervals(self) -> dict[str, Any]:
        """Return how often the device reports, how long it took, and the rests around it."""
        t, gaps, between = self.recording.time_s, self.parts.apart(self.t), self.parts.joined()
        duration = t[self.end - 1] - t[self.first]
        before = np.where(self.first > 0, t[self.first] - t[self.first - 1], PAUSE_S_MAX)
        mean, deviation = between.spread(gaps)
        return {
            "readings": self.parts.count,
            "readings_per_s": self.parts.count / np.maximum(duration, 0.001),
            "interval_mean_s": mean,
            "interval_median_s": between.median(gaps),
            "interval_sd_s": deviation,
            "interval_min_s": -between.most(-gaps),
            "interval_max_s": between.most(gaps),
            "same_time_share": between.spread((gaps <= 0).astype(float))[0],
            "duration_s": duration,
            "pause_before_s": np.minimum(before, PAUSE_S_MAX),
            "hold_s": np.where(self.press >= 0, t[self.end - 1] - t[self.press], -1.0),
            "rest_before_press_s": np.where(
                self.press > self.first, t[self.press] - t[self.press - 1], -1.0
            ),
        }

    def motion(self) -> dict[str, Any]:
        """Return speed and what follows from it, between readings of different times."""
        later = np.append([True], np.diff(self.t) > 0)
        later[self.parts.first] = True
        timed, t, x, y = self.parts.where(later), self.t[later], self.x[later], self.y[later]
        steps, gap, dx, dy = timed.joined(), timed.apart(t), timed.apart(x), timed.apart(y)
        speed = np.hypot(dx, dy) / gap
        middle = ((t[1:] + t[:-1]) / 2)[timed.inside()]
        mean, deviation = steps.spread(speed)
        speed_first, speed_last = steps.ends(speed)
        order = np.lexsort((-speed, steps.of))
        peak = np.zeros(steps.actions)
        peak[steps.some] = (order[steps.first[steps.some]] - steps.first[steps.some]) / (
            steps.count[steps.some]
        )
        whole = np.maximum(steps.total(gap), 0.001)
        return {
            "speed_mean": mean,
            "speed_median": steps.median(speed),
            "speed_sd": deviation,
            "speed_max": steps.most(speed),
            "speed_first": speed_first,
            "speed_last": speed_last,
            "speed_x_mean": steps.total(dx) / whole,
            "speed_y_mean": steps.total(dy) / whole,
            "peak_at_share": peak,
            "slow_share": steps.spread((speed < SLOW_PX_PER_S).astype(float))[0],
            **_changes(steps, speed, middle),
            **_turning(steps, dx, dy, gap),
        }

    def geometry(self) -> dict[str, Any]:
        """Return the path's figures: `GEOMETRY`."""
        steps, sx, sy = self.parts.joined(), self.parts.apart(self.x), self.parts.apart(self.y)
        (x0, x1), (y0, y1) = self.parts.ends(self.x), self.parts.ends(self.y)
        dx, dy = x1 - x0, y1 - y0
        distance = np.hypot(dx, dy)
        of = self.parts.of
        off = np.abs((self.x - x0[of]) * dy[of] - (self.y - y0[of]) * dx[of])
        off /= np.maximum(distance, 1.0)[of]
        moving = (sx != 0) | (sy != 0)
        moves, step = steps.where(moving), np.hypot(sx, sy)[moving]
        turn = _wrapped(moves.apart(np.arctan2(sy[moving], sx[moving])))
        turns = moves.joined()
        path = moves.total(step)
        step_mean, step_deviation = moves.spread(step)
        return {
            "kind": self.kind,
            "path_px": path,
            "distance_px": distance,
            "straightness": np.where(path > 0, distance / np.where(path > 0, path, 1), 1.0),
            "dx_px": dx,
            "dy_px": dy,
            "direction_rad": np.arctan2(dy, dx),
            "away_max_px": self.parts.most(off),
            "away_mean_px": self.parts.spread(off)[0],
            "turn_sum_rad": turns.total(np.abs(turn)),
            "turn_mean_rad": turns.spread(np.abs(turn))[0],
            "turn_sd_rad": turns.spread(turn)[1],
            "turns_sharp": turns.total((np.abs(turn) > np.pi / 2).astype(float)),
            "flips_x": _flips(steps, sx),
            "flips_y": _flips(steps, sy),
            "width_px": self.parts.most(self.x) + self.parts.most(-self.x),
            "height_px": self.parts.most(self.y) + self.parts.most(-self.y),
            "step_mean_px": step_mean,
            "step_sd_px": step_deviation,
            "step_max_px": moves.most(step),
        }


def _changes(steps: _Parts, speed: Any, middle: Any) -> dict[str, Any]:
    """Return acceleration and jerk, from speeds and the times they are of."""
    apart, pairs = steps.apart(middle), steps.joined()
    acceleration = steps.apart(speed) / apart
    jerk = pairs.apart(acceleration) / apart[1:][pairs.inside()]
    jerks = pairs.joined()
    mean, deviation = pairs.spread(acceleration)
    return {
        "acceleration_mean": mean,
        "acceleration_sd": deviation,
        "acceleration_max": pairs.most(acceleration),
        "acceleration_min": -pairs.most(-acceleration),
        "jerk_sd": jerks.spread(jerk)[1],
        "jerk_max": jerks.most(np.abs(jerk)),
    }


def _turning(steps: _Parts, dx: Any, dy: Any, gap: Any) -> dict[str, Any]:
    """Return how fast the direction turns, from one step that moves to the next, rad/s."""
    moving = (dx != 0) | (dy != 0)
    moves = steps.where(moving)
    turned = _wrapped(moves.apart(np.arctan2(dy[moving], dx[moving])))
    turned /= gap[moving][1:][moves.inside()]
    turns = moves.joined()
    return {
        "turning_mean": turns.spread(np.abs(turned))[0],
        "turning_sd": turns.spread(turned)[1],
    }


def _flips(steps: _Parts, along: Any) -> Any:
    """Return how often movement along an axis turns round."""
    moving = along != 0
    moves = steps.where(moving)
    return moves.joined().total((moves.apart(np.sign(along[moving])) != 0).astype(float))
