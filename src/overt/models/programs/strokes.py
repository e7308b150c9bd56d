"""Motion of strokes in numbers that do not depend on how it was sampled.

A stroke is first put on a grid of `GRID_MS`; everything is computed from there, but for the share
of steps along an axis. `spec/programs.md` gives each number's formula. The kernels are plain loops,
so that `studio/web/programs.ts` can be the same line by line; all in one file, because numba's
cache of compiled code does not see changes in another.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from overt.features.kernel import kernel
from overt.models.programs.trace import GAP_MS
from overt.models.tensors import Array

GRID_MS = 25.0
"""40 points a second: a hand's movement ends near 10 Hz, what is above it is the device's."""

GRID_POINTS_MIN = 6
GRID_POINTS_MAX = 400
PATH_PX_MIN = 24.0
TINY = 1e-6
"""What is nearer than this is equal: a compiler may round the last bit another way."""

JUMP_PX = 80.0
"""So far from rest to rest without time for a stroke (125 ms), a pointer jumps; no hand does it."""

STROKES_MAX = 60
"""Strokes of one window that are compared with each other, the first ones."""

PROFILE = 12
"""Points of a stroke's profile, which is compared with those of other strokes."""

STROKE_NAMES = (
    "straightness",
    "deviation",
    "side",
    "speed_variation",
    "speed_peak",
    "speed_peak_at",
    "speed_peaks_per_s",
    "jerk_log",
    "from_minimum_jerk",
    "from_constant",
    "speed_start",
    "speed_end",
    "turn",
    "turn_alternates",
    "turn_correlation",
    "turn_slows",
    "aside_rough_px",
    "along_rough",
    "push_correlation",
    "first_half",
    "overshoot",
    "axis_steps",
    "steady",
)


@kernel
def on_grid(t: Array, x: Array, y: Array) -> Array:
    """Return float64[points, 2]: positions every `GRID_MS` from the first, linear between samples.

    Relative to the first sample before anything else, so that time and place leave no rounding.
    """
    count = int((t[-1] - t[0]) / GRID_MS + TINY) + 1
    if count > GRID_POINTS_MAX:
        count = GRID_POINTS_MAX
    grid = np.empty((count, 2))
    k = 0
    for i in range(count):
        at = i * GRID_MS
        while k + 2 < t.size and t[k + 1] - t[0] <= at:
            k += 1
        if t.size == 1:
            grid[i, 0], grid[i, 1] = 0.0, 0.0
            continue
        u = (at - (t[k] - t[0])) / (t[k + 1] - t[k])
        if u > 1:
            u = 1.0
        grid[i, 0] = (x[k] - x[0]) + u * (x[k + 1] - x[k])
        grid[i, 1] = (y[k] - y[0]) + u * (y[k + 1] - y[k])
    return grid


@kernel
def _correlation(a: Array, b: Array, count: int) -> Any:
    """Return the correlation of the first `count` numbers; 0 where one of them does not change."""
    if count < 3:
        return np.nan
    ma = mb = 0.0
    for i in range(count):
        ma += a[i] / count
        mb += b[i] / count
    ab = aa = bb = 0.0
    for i in range(count):
        ab += (a[i] - ma) * (b[i] - mb)
        aa += (a[i] - ma) ** 2
        bb += (b[i] - mb) ** 2
    if aa < TINY or bb < TINY:
        return 0.0
    return ab / np.sqrt(aa * bb)


@kernel
def measure(grid: Array, x: Array, y: Array, out: Array, profile: Array) -> bool:
    """Write a stroke's numbers to `out` and its profile to `profile`; tell whether it has any.

    `grid` is from `on_grid`, `x` and `y` the samples themselves.
    """
    m = grid.shape[0]
    if m < GRID_POINTS_MIN:
        return False
    n = m - 1
    vx = np.empty(n)
    vy = np.empty(n)
    speed = np.empty(n)
    path = 0.0
    for i in range(n):
        vx[i] = grid[i + 1, 0] - grid[i, 0]
        vy[i] = grid[i + 1, 1] - grid[i, 1]
        speed[i] = np.sqrt(vx[i] * vx[i] + vy[i] * vy[i])
        path += speed[i]
    if path < PATH_PX_MIN:
        return False
    cx = grid[m - 1, 0] - grid[0, 0]
    cy = grid[m - 1, 1] - grid[0, 1]
    chord = np.sqrt(cx * cx + cy * cy)
    if chord < TINY:
        ux, uy = 1.0, 0.0
    else:
        ux, uy = cx / chord, cy / chord
    along = np.empty(m)
    aside = np.empty(m)
    for i in range(m):
        px = grid[i, 0] - grid[0, 0]
        py = grid[i, 1] - grid[0, 1]
        along[i] = px * ux + py * uy
        aside[i] = py * ux - px * uy
    _shape(along, aside, chord, path, out)
    _speeds(speed, path, out)
    _jerks(vx, vy, speed, path, along, aside, out)
    _turns(vx, vy, speed, out)
    straight = axis = 0
    for i in range(1, x.size):
        dx = abs(x[i] - x[i - 1])
        dy = abs(y[i] - y[i - 1])
        if dx + dy >= 3:
            straight += 1
            if dx == 0 or dy == 0:
                axis += 1
    out[21] = axis / straight if straight else np.nan
    for k in range(PROFILE):
        i = k * (m - 1) // (PROFILE - 1)
        profile[k] = along[i] / path
        profile[PROFILE + k] = aside[i] / path
    return True


@kernel
def _shape(along: Array, aside: Array, chord: float, path: float, out: Array) -> None:
    m = along.size
    deviation = side = over = 0.0
    jerk = constant = 0.0
    for i in range(m):
        s = i / (m - 1)
        if abs(aside[i]) > deviation:
            deviation = abs(aside[i])
        side += aside[i]
        if along[i] - chord > over:
            over = along[i] - chord
        wanted = s**3 * (10 - 15 * s + 6 * s**2)
        jerk += (along[i] / path - wanted * chord / path) ** 2
        constant += (along[i] / path - s * chord / path) ** 2
    out[0] = chord / path
    out[1] = deviation / path
    out[2] = abs(side) / m / path
    out[8] = np.sqrt(jerk / m)
    out[9] = np.sqrt(constant / m)
    out[20] = over / path


@kernel
def _speeds(speed: Array, path: float, out: Array) -> None:
    n = speed.size
    mean = path / n
    square = most = half = 0.0
    at = peaks = steady = moving = 0
    for i in range(n):
        square += (speed[i] - mean) ** 2
        if speed[i] > most + TINY:
            most = speed[i]
            at = i
        if 2 * i < n:
            half += speed[i]
    for i in range(1, n - 1):
        up, down = speed[i] - speed[i - 1], speed[i] - speed[i + 1]
        if up > TINY and down > -TINY and speed[i] > 0.1 * most + TINY:
            peaks += 1
    for i in range(1, n):
        if max(speed[i], speed[i - 1]) > 2 + TINY:
            moving += 1
            if abs(speed[i] - speed[i - 1]) < 0.1 * max(speed[i], speed[i - 1]) + TINY:
                steady += 1
    out[3] = np.sqrt(square / n) / mean
    out[4] = most / mean
    out[5] = (at + 0.5) / n
    out[6] = peaks / (n * GRID_MS / 1000)
    out[10] = speed[0] / mean
    out[11] = speed[n - 1] / mean
    out[19] = half / path
    out[22] = steady / moving if moving else np.nan


@kernel
def _jerks(
    vx: Array, vy: Array, speed: Array, path: float, along: Array, aside: Array, out: Array
) -> None:
    n = vx.size
    jerk = 0.0
    for i in range(1, n - 1):
        jx = vx[i + 1] - 2 * vx[i] + vx[i - 1]
        jy = vy[i + 1] - 2 * vy[i] + vy[i - 1]
        jerk += jx * jx + jy * jy
    out[7] = np.log(jerk / (n - 2) * n * n / (path * path) + 1e-6)
    aside_rough = along_rough = 0.0
    for i in range(3, n + 1):
        third = aside[i] - 3 * aside[i - 1] + 3 * aside[i - 2] - aside[i - 3]
        aside_rough += third * third
        third = along[i] - 3 * along[i - 1] + 3 * along[i - 2] - along[i - 3]
        along_rough += third * third
    out[16] = np.log(np.sqrt(aside_rough / (n - 2)) + 0.1)
    out[17] = np.log(np.sqrt(along_rough / (n - 2)) / (path / n) + 1e-3)
    push = np.empty(n - 1)
    for i in range(n - 1):
        push[i] = speed[i + 1] - speed[i]
    out[18] = _correlation(push[1:], push, n - 2)


@kernel
def _turns(vx: Array, vy: Array, speed: Array, out: Array) -> None:
    n = vx.size
    turn = np.empty(n)
    slow = np.empty(n)
    count = 0
    total = 0.0
    for i in range(1, n):
        if min(speed[i], speed[i - 1]) < 1 - TINY:
            continue
        cross = vx[i - 1] * vy[i] - vy[i - 1] * vx[i]
        dot = vx[i - 1] * vx[i] + vy[i - 1] * vy[i]
        turn[count] = np.arctan2(cross, dot)
        slow[count] = np.log(speed[i] + speed[i - 1])
        total += abs(turn[count])
        count += 1
    if count < 3:
        out[12] = out[13] = out[14] = out[15] = np.nan
        return
    changes = both = 0
    for i in range(1, count):
        if abs(turn[i]) > TINY and abs(turn[i - 1]) > TINY:
            both += 1
            if (turn[i] > 0) != (turn[i - 1] > 0):
                changes += 1
    size = np.empty(count)
    for i in range(count):
        size[i] = np.log(abs(turn[i]) + 0.01)
    out[12] = np.log(total / count + 1e-3)
    out[13] = changes / both if both else np.nan
    out[14] = _correlation(turn[1:], turn, count - 1)
    out[15] = _correlation(size, slow, count)


@kernel
def window(t: Array, x: Array, y: Array, names: int) -> Array:
    """Return float64[2 names + 3] of at least one sample: `features.NAMES` in this order."""
    most = STROKES_MAX
    measured = np.empty((most, names))
    profiles = np.empty((most, 2 * PROFILE))
    count = 0
    start = 0
    jumped = whole = run = 0.0
    n = t.size
    for i in range(1, n + 1):
        if i < n:
            step = np.sqrt((x[i] - x[i - 1]) ** 2 + (y[i] - y[i - 1]) ** 2)
            whole += step
            if t[i] - t[i - 1] <= GAP_MS:
                run += step
                continue
            if step >= JUMP_PX:
                jumped += step
        grid = on_grid(t[start:i], x[start:i], y[start:i])
        if grid.shape[0] < GRID_POINTS_MIN and run >= JUMP_PX:
            jumped += run
        elif count < most and measure(
            grid, x[start:i], y[start:i], measured[count], profiles[count]
        ):
            count += 1
        start = i
        run = 0.0
    row = np.full(2 * names + 3, np.nan)
    row[2 * names] = jumped / whole if whole > 0 else np.nan
    for k in range(names):
        _middle(measured[:, k], count, row, k, names + k)
    _alike(profiles, count, row, 2 * names + 1)
    return row


@kernel
def _sorted(values: Array, count: int) -> Any:
    """Return the numbers among the first `count`, and how many they are; few, so by insertion."""
    fine = np.empty(count)
    found = 0
    for i in range(count):
        value = values[i]
        if np.isnan(value):
            continue
        k = found
        while k > 0 and fine[k - 1] > value:
            fine[k] = fine[k - 1]
            k -= 1
        fine[k] = value
        found += 1
    return fine, found


@kernel
def _middle(values: Array, count: int, row: Array, median: int, spread: int) -> None:
    """Write the median of what is a number, and the half width between its quartiles."""
    fine, found = _sorted(values, count)
    if found:
        row[median] = (fine[(found - 1) // 2] + fine[found // 2]) / 2
    if found >= 3:
        low = (found - 1) // 4
        row[spread] = (fine[found - 1 - low] - fine[low]) / 2


@kernel
def _alike(profiles: Array, count: int, row: Array, at: int) -> None:
    """Write how far the profiles of two strokes are from each other: median, and nearest pair."""
    if count < 2:
        return
    apart = np.empty(count * (count - 1) // 2)
    k = 0
    for a in range(count):
        for b in range(a):
            total = 0.0
            for i in range(profiles.shape[1]):
                total += (profiles[a, i] - profiles[b, i]) ** 2
            apart[k] = np.sqrt(total / PROFILE)
            k += 1
    fine, found = _sorted(apart, k)
    row[at] = (fine[(found - 1) // 2] + fine[found // 2]) / 2
    row[at + 1] = np.log(fine[0] + 1e-3)
