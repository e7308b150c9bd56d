"""Figures of one pointer path, from plain arrays: when, and where.

Everything here takes `t_us` (int64[n], µs, any origin), `x` and `y` (float64[n], any unit of
length; the names below say CSS px because that is what events hold). So it serves sessions
(`overt.features.movements`), published recordings and made-up paths alike:

>>> t_us = np.arange(0, 80_000, 8_000)
>>> along = np.linspace(0, 1, 10)
>>> made = figures_of(t_us, 100 * along, 50 * along)
>>> round(made["path_css_px"], 6), round(made["straightness"], 6), made["submovements"]
(111.803399, 1.0, 1.0)

A **sample** is a position at a time. Of samples with one time the last counts, and one that is
older than the sample before it counts nothing (`in_order`). A **movement** is a run of samples in
each of which the pointer is at another place than in the one before, without a rest of `gap_us` or
more between two of them (`movements`). To add a figure: a name in `FIGURES`, its lines in `measure`
(the formula and what sampling does to it go into the catalogue), and the obvious loop in the tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, pi, sqrt
from typing import Any

import numpy as np

from overt.features.kernel import kernel, part, typed

MOVEMENT_GAP_US = 200_000
"""A rest this long ends a movement. A correction guided by eye begins after 135 ms (Carlton 1981)
to 260 ms (Keele & Posner 1968), so most belong to the movement they correct. Ours."""
SAMPLES_MIN = 4
"""Fewer samples than this are no movement: jerk needs four."""
PEAK_WINDOW_US = 50_000
"""Submovements are told by speeds over this time: less than half of what a correction takes to
begin, and long enough that a position rounded to 1 CSS px is off by no more than 20 CSS px/s."""
PEAK_SHARE = 0.2
"""A peak of speed stands out by this share of the highest speed on both sides; ours."""
TARGET_RADIUS_CSS_PX = 12.0
"""Around the end of a path, where the extent of the target is not known: half the smallest target
a page should offer (24 CSS px, WCAG 2.2, success criterion 2.5.8)."""

FIGURES = (
    "movement_us",
    "path_css_px",
    "chord_css_px",
    "straightness",
    "speed_css_px_per_s",
    "peak_speed_css_px_per_s",
    "peak_at_share",
    "acceleration_css_px_per_s2",
    "jerk_css_px_per_s3",
    "curvature_rad_per_css_px",
    "submovements",
    "max_deviation_css_px",
    "average_deviation_css_px",
    "axis_crossings",
    "overshoot_css_px",
    "undershoot_css_px",
    "reentries",
)
"""Figures of one path, in the order of `measure`. Formulas are in the catalogue."""

(
    _TIME,
    _PATH,
    _CHORD,
    _STRAIGHTNESS,
    _SPEED,
    _PEAK_SPEED,
    _PEAK_AT,
    _ACCELERATION,
    _JERK,
    _CURVATURE,
    _SUBMOVEMENTS,
    _MAX_DEVIATION,
    _AVERAGE_DEVIATION,
    _CROSSINGS,
    _OVERSHOOT,
    _UNDERSHOOT,
    _REENTRIES,
) = range(len(FIGURES))
_COUNT = len(FIGURES)


@typed("float64(float64, float64)")
def far(x: float, y: float) -> float:
    """Return the length of (x, y). Places are far from the ends of float64, so no `hypot`."""
    return sqrt(x * x + y * y)


def in_order(t_us: Any) -> Any:
    """Return bool[n]: the samples that count, so that time only grows.

    Of samples with one time the last stays; one older than an earlier sample does not.
    """
    stays = t_us == np.maximum.accumulate(t_us)
    at = np.flatnonzero(stays)
    stays[at[:-1][np.diff(t_us[at]) == 0]] = False
    return stays


@kernel
def deviations(x: Any, y: Any) -> Any:
    """Return (MAD, AD): the largest and the average deviation from the straight line, with signs.

    The line goes from the first sample to the last. Where y grows downwards, as on a screen, a
    sample left of the way is positive; where y grows upwards, right of it. MAD is the deviation of
    largest magnitude (the first of several), AD the mean over samples. NaN for fewer than two
    samples and where the last is at the place of the first.

    Unit: that of x and y. Source: Freeman & Ambady 2010; Kieslich & Henninger 2017.
    """
    n = x.shape[0]
    largest = np.nan
    average = np.nan
    if n > 1:
        along_x, along_y = x[n - 1] - x[0], y[n - 1] - y[0]
        chord = far(along_x, along_y)
        if chord > 0:
            most, total = 0.0, 0.0
            for i in range(n):
                off = (x[i] - x[0]) * along_y - (y[i] - y[0]) * along_x
                total += off
                if abs(off) > abs(most):
                    most = off
            largest, average = most / chord, total / n / chord
    return largest, average


@part
def _rates(t_us: Any, x: Any, y: Any, out: Any) -> None:
    """Path, speed and what follows from changes of speed and direction, in one pass.

    The velocity of a step stands for its middle; acceleration is its change over the time between
    two middles, jerk the change of that. Means of both are over time, not over samples.

    Rates are per µs until they are written. One division a sample gives both reciprocals. Angles
    add up as the product of complex numbers, with full turns counted, which needs one arc tangent a
    path instead of one a sample; its length says nothing and is brought back to 1 now and then.
    """
    n = t_us.shape[0]
    path, peak, peak_at = 0.0, 0.0, 0.0
    heading_x, heading_y, turns = 1.0, 0.0, 0
    surge, jolt = 0.0, 0.0
    before_x, before_y, before_us = 0.0, 0.0, 0.0
    vx, vy, ax, ay = 0.0, 0.0, 0.0, 0.0
    for i in range(1, n):
        step_x, step_y = x[i] - x[i - 1], y[i] - y[i - 1]
        step_us = float(t_us[i] - t_us[i - 1])
        between = (before_us + step_us) / 2
        both = 1 / (step_us * between)
        per_us, per_between = both * between, both * step_us
        step = sqrt(step_x * step_x + step_y * step_y)
        path += step
        if step * per_us > peak:
            peak = step * per_us
            peak_at = t_us[i] - t_us[0] - step_us / 2
        now_vx, now_vy = step_x * per_us, step_y * per_us
        if i > 1:
            sine = abs(before_x * step_y - before_y * step_x)
            cosine = before_x * step_x + before_y * step_y
            if sine > 0 or cosine != 0:
                was_below = heading_y < 0 or (heading_y == 0 and heading_x < 0)
                turned_x = heading_x * cosine - heading_y * sine
                heading_y = heading_x * sine + heading_y * cosine
                heading_x = turned_x
                if was_below and not (heading_y < 0 or (heading_y == 0 and heading_x < 0)):
                    turns += 1
                if i % 8 == 0:
                    size = abs(heading_x) + abs(heading_y)
                    heading_x /= size
                    heading_y /= size
            gain_x, gain_y = now_vx - vx, now_vy - vy
            surge += sqrt(gain_x * gain_x + gain_y * gain_y)
            gain_x *= per_between
            gain_y *= per_between
            if i > 2:
                jolt += sqrt((gain_x - ax) * (gain_x - ax) + (gain_y - ay) * (gain_y - ay))
            ax, ay = gain_x, gain_y
        vx, vy, before_us = now_vx, now_vy, step_us
        before_x, before_y = step_x, step_y
    took_us = float(t_us[n - 1] - t_us[0])
    out[_TIME] = took_us
    out[_PATH] = path
    out[_SPEED] = path / took_us * 1e6
    out[_PEAK_SPEED] = peak * 1e6
    out[_PEAK_AT] = peak_at / took_us
    if path > 0:
        beyond = atan2(heading_y, heading_x)
        if beyond < 0:
            beyond += 2 * pi
        out[_CURVATURE] = (2 * pi * turns + beyond) / path
    if n > 2:
        took_us -= float(t_us[1] - t_us[0] + t_us[n - 1] - t_us[n - 2]) / 2
        out[_ACCELERATION] = surge / took_us * 1e12
    if n > 3:
        took_us -= float(t_us[2] - t_us[0] + t_us[n - 1] - t_us[n - 3]) / 4
        out[_JERK] = jolt / took_us * 1e18


@part
def _peaks(t_us: Any, x: Any, y: Any, speeds: Any) -> Any:
    """Return how many submovements there are, and the sample that ends the first one.

    The speed of a sample is that since the latest sample `PEAK_WINDOW_US` before it or earlier; a
    path shorter than that has one submovement. The first one ends at the slowest sample between its
    peak and that of the second; -1 where there is no second. Before the first and after the last
    speed the pointer counts as at rest. `speeds`, float64[n] or more, is room to work in.
    """
    n = t_us.shape[0]
    back, first, fastest = 0, n, 0.0
    for i in range(n):
        if t_us[i] - t_us[0] < PEAK_WINDOW_US:
            continue
        if first == n:
            first = i
        while t_us[i] - t_us[back + 1] >= PEAK_WINDOW_US:
            back += 1
        speed = far(x[i] - x[back], y[i] - y[back]) / float(t_us[i] - t_us[back])
        speeds[i] = speed
        if speed > fastest:
            fastest = speed
    if fastest == 0:
        return int(first == n), -1
    rise = PEAK_SHARE * fastest
    peaks, first_end, slowest = 0, -1, -1
    high, low = 0.0, 0.0
    climbing = True
    for i in range(first, n):
        speed = speeds[i]
        if climbing:
            if speed > high:
                high = speed
            if high - speed >= rise:
                peaks += 1
                climbing = False
                low, slowest = speed, i
        elif speed < low:
            low, slowest = speed, i
        elif speed - low >= rise:
            climbing = True
            high = speed
            if first_end < 0:
                first_end = slowest
    return peaks + int(climbing), first_end


@part
def _towards_the_end(x: Any, y: Any, first_end: int, radius: float, out: Any) -> None:
    """Compare each sample with the place where the path ends: across, beyond, short of, around."""
    n = x.shape[0]
    along_x, along_y = x[n - 1] - x[0], y[n - 1] - y[0]
    chord = far(along_x, along_y)
    crossings, entries, beyond, most, total = 0, 0, 0.0, 0.0, 0.0
    side = 0.0
    inside = False
    for i in range(n):
        left_x, left_y = x[n - 1] - x[i], y[n - 1] - y[i]
        is_inside = left_x * left_x + left_y * left_y <= radius * radius
        if is_inside and not inside:
            entries += 1
        inside = is_inside
        off = left_y * along_x - left_x * along_y
        total += off
        if off != 0:
            if off * side < 0:
                crossings += 1
            side = off
            if abs(off) > most:
                most = abs(off)
        further = -(left_x * along_x + left_y * along_y)
        if further > beyond:
            beyond = further
    out[_MAX_DEVIATION] = most / chord
    out[_AVERAGE_DEVIATION] = total / n / chord
    out[_CROSSINGS] = crossings
    out[_OVERSHOOT] = beyond / chord
    out[_REENTRIES] = entries - 1
    out[_UNDERSHOOT] = 0.0
    if first_end >= 0:
        left_x, left_y = x[n - 1] - x[first_end], y[n - 1] - y[first_end]
        further = left_x * along_x + left_y * along_y
        if further > 0:
            out[_UNDERSHOOT] = further / chord


@part
def measure(t_us: Any, x: Any, y: Any, radius: float, speeds: Any, out: Any) -> None:
    """Write the figures of one path to `out`, float64[len(FIGURES)]; NaN what it does not have.

    Time must grow from sample to sample. `speeds`, float64[n] or more, is room to work in. Compiled
    code calls this; `figures_of` is for the rest.
    """
    for at in range(_COUNT):
        out[at] = np.nan
    n = t_us.shape[0]
    if n < 2:
        return
    _rates(t_us, x, y, out)
    peaks, first_end = _peaks(t_us, x, y, speeds)
    out[_SUBMOVEMENTS] = float(peaks) if out[_PATH] > 0 else 0.0
    out[_CHORD] = far(x[n - 1] - x[0], y[n - 1] - y[0])
    if out[_CHORD] > 0:
        out[_STRAIGHTNESS] = out[_CHORD] / out[_PATH]
        _towards_the_end(x, y, first_end, radius, out)


@kernel
def _split(t_us: Any, x: Any, y: Any, ends: Any, gap_us: int, used: Any, bounds: Any) -> Any:
    """Note the samples that are used, and first and one past last of each movement among them.

    Returns how many there are of both; `used` and `bounds` must have a row a sample.
    """
    n = t_us.shape[0]
    kept, made, begin = 0, 0, 0
    for i in range(n):
        last = used[kept - 1] if kept > begin else -1
        if last >= 0 and t_us[i] - t_us[last] >= gap_us:
            bounds[made, 0], bounds[made, 1] = begin, kept
            made += int(kept - begin >= SAMPLES_MIN)
            begin, last = kept, -1
        if last >= 0 and t_us[i] == t_us[last]:
            used[kept - 1] = i
        elif last < 0 or (t_us[i] > t_us[last] and (x[i] != x[last] or y[i] != y[last])):
            used[kept] = i
            kept += 1
        if ends[i] or i == n - 1:
            bounds[made, 0], bounds[made, 1] = begin, kept
            made += int(kept - begin >= SAMPLES_MIN)
            begin = kept
    return kept, made


@kernel
def measure_all(
    t_us: Any, x: Any, y: Any, bounds: Any, radius: float, speeds: Any, made: Any
) -> None:
    """Write the figures of every path to its row of `made`, float64[paths, len(FIGURES)].

    `bounds`, int64[paths, 2]: the first sample of each path and one past its last.
    """
    for number in range(bounds.shape[0]):
        begin, end = bounds[number, 0], bounds[number, 1]
        measure(t_us[begin:end], x[begin:end], y[begin:end], radius, speeds, made[number])


@dataclass(frozen=True, slots=True, eq=False)
class Movements:
    """The movements of one recording, in order of time."""

    first: Any
    """int64[m], index of a movement's first sample in the arrays that were given."""
    last: Any
    """int64[m], index of its last sample."""
    figures: Any
    """float64[m, len(FIGURES)], NaN where a movement does not have a figure."""

    def __len__(self) -> int:
        return int(self.first.shape[0])

    def column(self, name: str) -> Any:
        """Return one figure of all movements: float64[m]."""
        return self.figures[:, FIGURES.index(name)]


def movements(
    t_us: Any,
    x: Any,
    y: Any,
    *,
    ends: Any = None,
    gap_us: int = MOVEMENT_GAP_US,
    radius: float = TARGET_RADIUS_CSS_PX,
) -> Movements:
    """Return the movements in a recording of one pointer.

    Args:
        t_us: int64[n], µs.
        x: float64[n], any unit of length.
        y: float64[n], the same unit.
        ends: bool[n] or None, samples that end a movement whatever follows (a press, say).
        gap_us: a rest this long between two places ends a movement.
        radius: of the disc around the end of a movement within which it counts as there.

    >>> t_us = np.array([0, 8, 16, 24, 900, 908, 916, 924]) * 1000
    >>> x = np.array([0, 1, 5, 9, 9, 5, 2, 1])
    >>> found = movements(t_us, x, np.zeros(8))
    >>> found.first.tolist(), found.last.tolist(), found.column("path_css_px").tolist()
    ([0, 4], [3, 7], [9.0, 8.0])
    """
    t_us, x, y = _plain(t_us, x, y)
    stops = np.zeros(t_us.size, np.bool_) if ends is None else np.ascontiguousarray(ends, np.bool_)
    if t_us.size == 0:
        nothing = np.zeros(0, np.int64)
        return Movements(nothing, nothing, np.zeros((0, _COUNT)))
    used, bounds = np.empty(t_us.size, np.int64), np.empty((t_us.size, 2), np.int64)
    kept, made = _split(t_us, x, y, stops, gap_us, used, bounds)
    used, bounds, figures = used[:kept], bounds[:made], np.empty((made, _COUNT))
    measure_all(t_us[used], x[used], y[used], bounds, radius, np.empty(kept), figures)
    return Movements(used[bounds[:, 0]], used[bounds[:, 1] - 1], figures)


def figures_of(
    t_us: Any, x: Any, y: Any, *, radius: float = TARGET_RADIUS_CSS_PX
) -> dict[str, float]:
    """Return the figures of one path as it is given, rests included, by name.

    Arguments as for `movements`. NaN for a figure that needs more samples than there are.
    """
    t_us, x, y = _plain(t_us, x, y)
    stays = in_order(t_us)
    out = np.empty((1, _COUNT))
    measure_all(
        t_us[stays], x[stays], y[stays], np.array([[0, stays.sum()]]), radius,
        np.empty(t_us.size), out,
    )  # fmt: skip
    return dict(zip(FIGURES, out[0].tolist(), strict=True))


def _plain(t_us: Any, x: Any, y: Any) -> tuple[Any, Any, Any]:
    return (
        np.ascontiguousarray(t_us, np.int64),
        np.ascontiguousarray(x, np.float64),
        np.ascontiguousarray(y, np.float64),
    )
