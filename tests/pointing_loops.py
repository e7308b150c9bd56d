"""Figures of one pointer path by obvious loops: lists, `math`, one figure at a time."""

from __future__ import annotations

import math
from itertools import pairwise

Sample = tuple[int, float, float]
"""µs, x, y"""


def length(a: Sample, b: Sample) -> float:
    return math.hypot(b[1] - a[1], b[2] - a[2])


def derived(values: list[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    """Time in s, and two components: the rate of change between each two, at their middle."""
    return [
        ((t + u) / 2, (bx - ax) / (u - t), (by - ay) / (u - t))
        for (t, ax, ay), (u, bx, by) in pairwise(values)
    ]


def mean_change(values: list[tuple[float, float, float]]) -> float | None:
    if len(values) < 2:
        return None
    changed = sum(math.hypot(b[1] - a[1], b[2] - a[2]) for a, b in pairwise(values))
    return changed / (values[-1][0] - values[0][0])


def turning(path: list[Sample]) -> float:
    total = 0.0
    for a, b, c in zip(path, path[1:], path[2:], strict=False):
        if length(a, b) > 0 and length(b, c) > 0:
            before = math.atan2(b[2] - a[2], b[1] - a[1])
            after = math.atan2(c[2] - b[2], c[1] - b[1])
            turn = abs(after - before)
            total += min(turn, 2 * math.pi - turn)
    return total


def peaks(speeds: list[float], rise: float) -> list[int]:
    """Places of the peaks that stand out by `rise`: between two of them it falls that low."""
    found: list[int] = []
    for place, speed in enumerate(speeds):
        if speed < rise:
            continue
        if not found:
            found.append(place)
            continue
        valley = min(speeds[found[-1] : place + 1])
        if speeds[found[-1]] - valley >= rise and speed - valley >= rise:
            found.append(place)
        elif speed > speeds[found[-1]]:
            found[-1] = place
    return found


def figures(path: list[Sample], radius: float = 12.0) -> dict[str, float | None]:
    """Every figure of `overt.features.pointing.FIGURES`; None where there is none."""
    first, last = path[0], path[-1]
    steps = list(pairwise(path))
    speeds = [length(a, b) / ((b[0] - a[0]) / 1e6) for a, b in steps]
    velocity = derived([((t - first[0]) / 1e6, x, y) for t, x, y in path])
    walked, chord = sum(length(a, b) for a, b in steps), length(first, last)
    fastest = speeds.index(max(speeds))
    middle = (steps[fastest][0][0] + steps[fastest][1][0]) / 2
    slow = since_50_ms(path)
    tops = peaks(slow, 0.2 * max(slow)) if slow and max(slow) else []
    made: dict[str, float | None] = {
        "movement_us": last[0] - first[0],
        "path_css_px": walked,
        "chord_css_px": chord,
        "straightness": chord / walked if chord else None,
        "speed_css_px_per_s": walked / ((last[0] - first[0]) / 1e6),
        "peak_speed_css_px_per_s": max(speeds),
        "peak_at_share": (middle - first[0]) / (last[0] - first[0]) if walked else 0,
        "acceleration_css_px_per_s2": mean_change(velocity),
        "jerk_css_px_per_s3": mean_change(derived(velocity)),
        "curvature_rad_per_css_px": turning(path) / walked if walked else None,
        "submovements": (len(tops) if slow else 1) if walked else 0,
    }
    return made | aim(path, slow, tops, radius)


def since_50_ms(path: list[Sample]) -> list[float]:
    """Speed of each sample that has one at least 50 ms before it, since the latest such one."""
    made = []
    for sample in path:
        before = [other for other in path if sample[0] - other[0] >= 50_000]
        if before:
            made.append(length(before[-1], sample) / ((sample[0] - before[-1][0]) / 1e6))
    return made


def aim(
    path: list[Sample], slow: list[float], tops: list[int], radius: float
) -> dict[str, float | None]:
    first, last = path[0], path[-1]
    chord = length(first, last)
    names = ("max_deviation_css_px", "average_deviation_css_px", "axis_crossings")
    names += ("overshoot_css_px", "undershoot_css_px", "reentries")
    if not chord:
        return dict.fromkeys(names)
    along = ((last[1] - first[1]) / chord, (last[2] - first[2]) / chord)
    off = [(x - first[1]) * along[1] - (y - first[2]) * along[0] for _, x, y in path]
    left = [(last[1] - x) * along[0] + (last[2] - y) * along[1] for _, x, y in path]
    # Which side of the line a sample is on is decided without rounding: all positions are eighths.
    ax, ay = last[1] - first[1], last[2] - first[2]
    sides = [(x - last[1]) * ay - (y - last[2]) * ax for _, x, y in path]
    sides = [side for side in sides if side]
    there = [length(sample, last) <= radius for sample in path]
    short = 0.0
    if len(tops) > 1:
        between = range(tops[0], tops[1] + 1)
        slowest = min(between, key=lambda place: slow[place])
        short = max(0.0, left[len(path) - len(slow) + slowest])
    return {
        "max_deviation_css_px": max(abs(value) for value in off),
        "average_deviation_css_px": sum(off) / len(off),
        "axis_crossings": sum((a > 0) != (b > 0) for a, b in pairwise(sides)),
        "overshoot_css_px": max(-value for value in left),
        "undershoot_css_px": short,
        "reentries": sum(now and not before for before, now in pairwise([False, *there])) - 1,
    }
