"""Plots of a linkage report as inline SVG, drawn from rates: no script, no font."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor as floor_of
from math import log10

WIDTH, HEIGHT = 640, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 16, 16, 54
COLOURS = {
    "raw": "var(--raw)",
    "keys": "var(--raw)",
    "rhythm": "var(--rhythm)",
    "rhythm/0": "var(--rhythm)",
    "rhythm/1": "var(--coarse)",
}


@dataclass(frozen=True)
class Line:
    """A named curve: points (x, y) in units of the axes, and the CSS colour that draws it."""

    label: str
    points: Sequence[tuple[float, float]]
    colour: str
    dashed: bool = False
    filled: bool = False


def _x(share: float) -> float:
    return _LEFT + share * (WIDTH - _LEFT - _RIGHT)


def _y(share: float) -> float:
    return HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM)


def _frame(
    x_ticks: Sequence[tuple[float, str]],
    y_ticks: Sequence[tuple[float, str]],
    x_label: str,
    y_label: str,
) -> str:
    made = []
    for at, text in x_ticks:
        made.append(f'<path class="grid" d="M{_x(at):.1f} {_y(0):.1f}V{_y(1):.1f}"/>')
        made.append(
            f'<text x="{_x(at):.1f}" y="{_y(0) + 20:.1f}" text-anchor="middle">{text}</text>'
        )
    for at, text in y_ticks:
        made.append(f'<path class="grid" d="M{_x(0):.1f} {_y(at):.1f}H{_x(1):.1f}"/>')
        made.append(f'<text x="{_LEFT - 8}" y="{_y(at) + 5:.1f}" text-anchor="end">{text}</text>')
    made.append(
        f'<text x="{_x(0.5):.1f}" y="{HEIGHT - 10}" text-anchor="middle">{x_label}</text>'
        f'<text transform="translate(15 {_y(0.5):.1f}) rotate(-90)" text-anchor="middle">'
        f"{y_label}</text>"
    )
    return "".join(made)


def _drawn(line: Line) -> str:
    path = " ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in line.points)
    style = f'stroke="{line.colour}"' + (' stroke-dasharray="6 5"' if line.dashed else "")
    if line.filled:
        first, last = line.points[0][0], line.points[-1][0]
        closed = f"{_x(first):.1f},{_y(0):.1f} {path} {_x(last):.1f},{_y(0):.1f}"
        return f'<polygon points="{closed}" fill="{line.colour}" class="area" {style}/>'
    return f'<polyline points="{path}" {style}/>'


def _figure(title: str, note: str, frame: str, lines: Sequence[Line]) -> str:
    legend = "".join(
        f'<li><i style="background:{line.colour}"></i>{line.label}</li>' for line in lines
    )
    drawn = "".join(_drawn(line) for line in lines)
    return (
        f"<figure><figcaption><b>{title}</b> {note}</figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">{frame}{drawn}</svg>'
        f'<ul class="legend">{legend}</ul></figure>'
    )


_PERCENT = [(share / 4, f"{share * 25} %") for share in range(5)]


def cmc(curves: Sequence[tuple[str, str, Sequence[float]]], chance: float) -> str:
    """Return the cumulative match characteristic of (label, level, shares from rank 1 on)."""
    places = max(len(shares) for _, _, shares in curves)
    span = max(places - 1, 1)
    lines = [
        Line(label, [(i / span, share) for i, share in enumerate(shares)], COLOURS[level])
        for label, level, shares in curves
    ]
    guess = [(i / span, min((i + 1) * chance, 1)) for i in range(places)]
    lines.append(Line("guessing", guess, "var(--muted)", dashed=True))
    marks = sorted({1, *range(5, places + 1, 5)})
    ticks = [((place - 1) / span, str(place)) for place in marks]
    frame = _frame(ticks, _PERCENT, "among the first … guesses", "probes recognised")
    return _figure("Recognition.", "Is the right person among the first guesses?", frame, lines)


def roc(curves: Sequence[tuple[str, str, Sequence[tuple[float, float]]]]) -> str:
    """Return the receiver operating characteristic, false acceptance on a log axis from 0.01 %."""
    floor = 1e-4

    def place(rate: float) -> float:
        return (log10(max(rate, floor)) - log10(floor)) / -log10(floor)

    lines = [
        Line(label, [(place(false), true) for false, true in points], COLOURS[level])
        for label, level, points in curves
    ]
    diagonal = [(i / 100, 10 ** (i / 100 * 4 - 4)) for i in range(101)]
    lines.append(Line("guessing", diagonal, "var(--muted)", dashed=True))
    marks = ((1e-4, "0.01 %"), (1e-3, "0.1 %"), (1e-2, "1 %"), (0.1, "10 %"), (1.0, "100 %"))
    ticks = [(place(rate), text) for rate, text in marks]
    frame = _frame(ticks, _PERCENT, "strangers accepted", "own probes accepted")
    return _figure("Verification.", "One threshold for everyone.", frame, lines)


def membership(curves: Sequence[tuple[str, str, Sequence[tuple[float, float]]]]) -> str:
    """Return true against false positives of (label, colour, points), both axes logarithmic."""
    lowest = min((x for _, _, points in curves for x, _ in points), default=1e-4)
    floor = 10.0 ** floor_of(log10(max(lowest, 1e-5)))

    def place(rate: float) -> float:
        return (log10(max(rate, floor)) - log10(floor)) / -log10(floor)

    lines = [
        Line(label, [(place(x), place(y)) for x, y in points], colour)
        for label, colour, points in curves
    ]
    lines.append(Line("guessing", [(0, 0), (1, 1)], "var(--muted)", dashed=True))
    rates = [10.0**power for power in range(round(log10(floor)), 1)]
    ticks = [(place(rate), f"{100 * rate:g} %") for rate in rates]
    frame = _frame(ticks, ticks, "taken for members though they are not", "members found")
    return _figure("Membership.", "Down to where ten false alarms are left.", frame, lines)


def scores(
    label: str,
    level: str,
    low: float,
    high: float,
    genuine: Sequence[float],
    other: Sequence[float],
) -> str:
    """Return the distributions of genuine and impostor scores."""
    top = max(*genuine, *other, 1e-9)
    span = max(len(genuine) - 1, 1)

    def line(name: str, shares: Sequence[float], colour: str) -> Line:
        points = [(i / span, share / top) for i, share in enumerate(shares)]
        return Line(name, points, colour, filled=True)

    ticks = [(i / 4, f"{low + (high - low) * i / 4:.1f}") for i in range(5)]
    y_ticks = [(i / 4, f"{100 * top * i / 4:.0f} %") for i in range(5)]
    frame = _frame(ticks, y_ticks, "score, deviations from the cohort", "share")
    lines = [line("strangers", other, "var(--muted)"), line("own", genuine, COLOURS[level])]
    return _figure("Scores.", label, frame, lines)


@dataclass(frozen=True)
class Series:
    """What grows with something, and its interval; arrays of one length, in units of the axes."""

    label: str
    colour: str
    at: Sequence[float]
    value: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    ahead: Sequence[tuple[float, float]] = ()
    """Points beyond, as a law has them; drawn dashed."""


def growth(title: str, note: str, series: Sequence[Series], x_label: str, y_label: str) -> str:
    """Return curves over a log axis, each with its band."""
    across = [x for one in series for x in (*one.at, *(x for x, _ in one.ahead))]
    up = [y for one in series for y in (*one.low, *one.high, *(y for _, y in one.ahead))]
    first, last = log10(min(across)), log10(max(across))
    bottom, top = min(0.0, *up), max(*up, 1e-9) * 1.05

    def place(x: float, y: float) -> tuple[float, float]:
        return (log10(x) - first) / max(last - first, 1e-9), (y - bottom) / (top - bottom)

    bands, lines = [], []
    for one in series:
        there = [place(x, y) for x, y in zip(one.at, one.high, strict=True)]
        back = [place(x, y) for x, y in zip(one.at, one.low, strict=True)]
        points = " ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in [*there, *reversed(back)])
        bands.append(f'<polygon points="{points}" fill="{one.colour}" fill-opacity=".15"/>')
        measured = [place(x, y) for x, y in zip(one.at, one.value, strict=True)]
        lines.append(Line(one.label, measured, one.colour))
        if one.ahead:
            ahead = Line("", [place(x, y) for x, y in one.ahead], one.colour, dashed=True)
            bands.append(_drawn(ahead))
    ticks = [(place(x, bottom)[0], f"{x:g}") for x in sorted({*series[0].at, max(across)})]
    steps = [bottom + (top - bottom) * part / 4 for part in range(5)]
    frame = _frame(
        ticks, [(part / 4, f"{y:.2g}") for part, y in enumerate(steps)], x_label, y_label
    )
    return _figure(title, note, frame + "".join(bands), lines)
