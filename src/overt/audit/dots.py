"""A page of dot plots with intervals: one panel a metric, one line a method. No script, no font."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, isfinite, log10

from overt.audit.report import STYLE

_PLOT, _ROW, _NAME, _RIGHT = 326, 26, 250, 72
_LETTER = 7.0
"""Pixels of a letter on average; the names get as much room as the longest needs."""
_TOP, _BOTTOM = 8, 30


@dataclass(frozen=True)
class Mark:
    """One line of a panel; `published` is what others report, where they do."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    published: float | None = None


@dataclass(frozen=True)
class Panel:
    """All methods under one metric."""

    metric: str
    marks: tuple[Mark, ...]


def page(title: str, lead: str, panels: Sequence[Panel], notes: Sequence[str] = ()) -> str:
    """Return the page as HTML."""
    figures = "".join(_panel(panel) for panel in panels)
    published = any(mark.published is not None for panel in panels for mark in panel.marks)
    legend = (
        '<ul class="legend"><li><i style="background:var(--rhythm)"></i>measured here, with 95 % '
        'interval</li><li><i style="background:var(--raw)"></i>published</li></ul>'
        if published
        else ""
    )
    remarks = "".join(f"<p>{escape(note)}</p>" for note in notes)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style><main>"
        f'<h1>{escape(title)}</h1><p class="lead">{escape(lead)}</p>{legend}{figures}{remarks}'
        "</main></html>"
    )


def _number(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def _axis(values: Sequence[float]) -> tuple[float, float, float]:
    """Return where an axis begins and ends, and the step of its marks, a round number.

    It begins at 0 unless all values lie close together far from it.

    >>> _axis([0.1, 0.83])
    (0.0, 1.0, 0.2)
    >>> low, high, step = _axis([0.94, 0.998])
    >>> round(low, 3), round(high, 3), step
    (0.94, 1.0, 0.02)
    """
    low, high = min(values, default=0.0), max(values, default=1.0)
    if not 0.5 * high < low:
        low, high = min(0.0, low), max(0.0, high)
    raw = (high - low) / 5 or max(abs(high), 1.0) / 5
    power = 10.0 ** floor(log10(raw))
    step = next(size * power for size in (1, 2, 5, 10) if size * power >= raw * (1 - 1e-9))
    low = floor(low / step + 1e-9) * step
    return low, max(ceil(high / step - 1e-9) * step, low + step), step


def _panel(panel: Panel) -> str:
    shown = [
        value
        for mark in panel.marks
        for value in (mark.value, mark.low, mark.high, mark.published)
        if value is not None and isfinite(value)
    ]
    low, high, step = _axis(shown)
    name = max([_NAME, *(_LETTER * len(mark.name) + 14 for mark in panel.marks)])
    width = name + _PLOT + _RIGHT
    height = _TOP + _ROW * len(panel.marks) + _BOTTOM

    def x(value: float) -> float:
        return name + (value - low) / (high - low) * _PLOT

    made = []
    for tick in range(round((high - low) / step) + 1):
        at = low + step * tick
        made.append(f'<path class="grid" d="M{x(at):.1f} {_TOP}V{height - _BOTTOM}"/>')
        made.append(
            f'<text x="{x(at):.1f}" y="{height - 8}" text-anchor="middle">{_number(at)}</text>'
        )
    for place, mark in enumerate(panel.marks):
        y = _TOP + _ROW * (place + 0.5)
        made.append(f'<text x="{name - 10:.0f}" y="{y + 5}" text-anchor="end">{escape(mark.name)}')
        made.append("</text>")
        made += _drawn(mark, x, y, width - 4)
    return (
        f"<figure><figcaption><b>{escape(panel.metric)}</b></figcaption>"
        f'<svg viewBox="0 0 {width:.0f} {height}" role="img" '
        f'aria-label="{escape(panel.metric)} of each method">{"".join(made)}</svg></figure>'
    )


def _drawn(mark: Mark, place: Callable[[float], float], y: float, right: float) -> list[str]:
    made = []
    if mark.low is not None and mark.high is not None and isfinite(mark.low + mark.high):
        made.append(
            f'<path d="M{place(mark.low):.1f} {y}H{place(mark.high):.1f}" '
            'stroke="var(--rhythm)" stroke-width="3" opacity=".45"/>'
        )
    if mark.published is not None:
        made.append(f'<circle cx="{place(mark.published):.1f}" cy="{y}" r="5" fill="var(--raw)"/>')
    if mark.value is not None and isfinite(mark.value):
        made.append(f'<circle cx="{place(mark.value):.1f}" cy="{y}" r="4" fill="var(--rhythm)"/>')
        made.append(f'<text x="{right:.0f}" y="{y + 5}" text-anchor="end">')
        made.append(f"{_number(mark.value)}</text>")
    return made
