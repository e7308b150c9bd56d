"""Plots drawn on the server as SVG: strips that fit any width, and charts with axes.

No script, no inline style: colours come from the classes p1 … p4. Strips hold no text, so that a
table around them can say the figures at the reader's own size.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10

from markupsafe import Markup

STRIP_WIDTH, STRIP_HEIGHT = 200.0, 30.0
WIDTH, HEIGHT = 560, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 14, 14, 46


def _svg(kind: str, label: str, width: float, height: float, body: str) -> Markup:
    stretch = ' preserveAspectRatio="none"' if kind == "strip" else ""
    return Markup(  # noqa: S704 - numbers and our own words; the label is escaped here
        f'<svg class="{kind}" viewBox="0 0 {width:g} {height:g}"{stretch} role="img" '
        'aria-label="{}">{}</svg>'
    ).format(label, Markup(body))  # noqa: S704


# --- strips -------------------------------------------------------------------------------------


def spread_range(bounds: Iterable[float], mean: float) -> tuple[float, float]:
    """Return the ends of an axis that holds these bounds and the mean, with room on both sides."""
    shown = [*bounds, mean]
    low, high = min(shown), max(shown)
    room = (high - low) * 0.16 or abs(low) * 0.1 or 1.0
    return low - room, high + room


def spread(
    bounds: Sequence[float], mean: float, ends: tuple[float, float], look: str, label: str
) -> Markup:
    """Return bars of equal area between the bounds, a line at the median, and open ends.

    With fewer than two bounds there are no bars: a line at the median or at the mean.
    """
    low, high = ends

    def x(value: float) -> float:
        return STRIP_WIDTH * (value - low) / (high - low)

    base = STRIP_HEIGHT - 4
    drawn = [f'<path class="ground" d="M0 {base:g}H{STRIP_WIDTH:g}"/>']
    bars = _bars(bounds, least=(high - low) / 400)
    top = max((density for _, _, density in bars), default=1.0)
    for start, stop, density in bars:
        tall = (base - 3) * density / top
        drawn.append(
            f'<rect class="bar {look}" x="{x(start):.2f}" y="{base - tall:.2f}" '
            f'width="{x(stop) - x(start):.2f}" height="{tall:.2f}"/>'
        )
    middle = bounds[len(bounds) // 2] if bounds else mean
    drawn.append(f'<path class="middle {look}" d="M{x(middle):.2f} 1V{base:g}"/>')
    return _svg("strip", label, STRIP_WIDTH, STRIP_HEIGHT, "".join(drawn))


def _bars(bounds: Sequence[float], least: float) -> list[tuple[float, float, float]]:
    """Return (start, stop, density); bands too narrow to see are joined with the next."""
    bars: list[tuple[float, float, float]] = []
    start, bands = (bounds[0], 0) if bounds else (0.0, 0)
    for _, stop in pairwise(bounds):
        bands += 1
        if stop - start >= least:
            bars.append((start, stop, bands / (stop - start)))
            start, bands = stop, 0
    return bars


def interval(
    value: float,
    low: float | None,
    high: float | None,
    ends: tuple[float, float],
    look: str,
    label: str,
    mark: float | None = None,
) -> Markup:
    """Return a dot with its interval on an axis from `ends`; `mark` is a value to compare with."""

    def x(at: float) -> float:
        share = (at - ends[0]) / ((ends[1] - ends[0]) or 1.0)
        return 4 + (STRIP_WIDTH - 8) * min(max(share, 0.0), 1.0)

    y = 9
    drawn = [f'<path class="ground" d="M0 {y}H{STRIP_WIDTH:g}"/>']
    if mark is not None:
        drawn.append(f'<path class="mark-at" d="M{x(mark):.2f} 1V{2 * y - 1}"/>')
    if low is not None and high is not None:
        drawn.append(f'<path class="between {look}" d="M{x(low):.2f} {y}H{x(high):.2f}"/>')
    drawn.append(f'<path class="point {look}" d="M{x(value):.2f} {y}h.01"/>')
    return _svg("strip", label, STRIP_WIDTH, 2 * y, "".join(drawn))


def share(value: float, look: str, label: str) -> Markup:
    """Return a bar filled to a share between 0 and 1."""
    filled = STRIP_WIDTH * min(max(value, 0.0), 1.0)
    body = (
        f'<rect class="whole" width="{STRIP_WIDTH:g}" height="10"/>'
        f'<rect class="bar {look}" width="{filled:.2f}" height="10"/>'
    )
    return _svg("strip", label, STRIP_WIDTH, 10, body)


# --- charts -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A curve in units of the axes, 0 to 1, and the class that gives its colour."""

    look: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False


@dataclass(frozen=True)
class Axis:
    """Marks (share of the axis, text) and what the axis is."""

    label: str
    marks: Sequence[tuple[float, str]]


def _x(part: float) -> float:
    return _LEFT + part * (WIDTH - _LEFT - _RIGHT)


def _y(part: float) -> float:
    return HEIGHT - _BOTTOM - part * (HEIGHT - _TOP - _BOTTOM)


def chart(lines: Sequence[Line], across: Axis, up: Axis, label: str) -> Markup:
    """Return lines over a grid with both axes labelled."""
    drawn = []
    for at, text in up.marks:
        drawn.append(f'<path class="grid" d="M{_LEFT} {_y(at):.1f}H{WIDTH - _RIGHT}"/>')
        drawn.append(f'<text x="{_LEFT - 8}" y="{_y(at) + 4:.1f}" text-anchor="end">{text}</text>')
    for number, (at, text) in enumerate(across.marks):
        last = number == len(across.marks) - 1 and at > 0.97
        anchor = "end" if last else "middle" if at > 0.02 else "start"
        drawn.append(
            f'<text x="{_x(at):.1f}" y="{_y(0) + 18:.1f}" text-anchor="{anchor}">{text}</text>'
        )
    drawn.append(
        f'<text class="axis-name" x="{_x(0.5):.1f}" y="{HEIGHT - 6}" text-anchor="middle">'
        f"{across.label}</text>"
    )
    drawn.append(f'<path class="axis" d="M{_LEFT} {_y(0):.1f}H{WIDTH - _RIGHT}"/>')
    for line in lines:
        path = " ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in line.points)
        dashed = ' stroke-dasharray="5 5"' if line.dashed else ""
        drawn.append(f'<polyline class="line {line.look}" points="{path}"{dashed}/>')
    return _svg("chart", label, WIDTH, HEIGHT, "".join(drawn))


def rounded_marks(low: float, high: float, count: int = 4) -> list[float]:
    """Return about `count` round numbers between two ends."""
    span = (high - low) or 1.0
    power = 10.0 ** floor(log10(span / count))
    step = next(power * unit for unit in (1, 2, 5, 10) if power * unit >= span / count)
    first = ceil(low / step)
    return [step * k for k in range(first, first + count + 2) if step * k <= high]
