"""A page of dot plots with intervals: one panel a metric, one line a method. No script, no font."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from math import isfinite

from overt.audit.report import STYLE

_WIDTH, _ROW, _NAME, _RIGHT = 640, 26, 250, 64
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


def _panel(panel: Panel) -> str:
    shown = [
        value
        for mark in panel.marks
        for value in (mark.value, mark.low, mark.high, mark.published)
        if value is not None and isfinite(value)
    ]
    low, high = min([0.0, *shown]), max([0.0, *shown])
    span = (high - low) or 1.0
    height = _TOP + _ROW * len(panel.marks) + _BOTTOM

    def x(value: float) -> float:
        return _NAME + (value - low) / span * (_WIDTH - _NAME - _RIGHT)

    made = []
    for tick in range(5):
        at = low + span * tick / 4
        made.append(f'<path class="grid" d="M{x(at):.1f} {_TOP}V{height - _BOTTOM}"/>')
        made.append(
            f'<text x="{x(at):.1f}" y="{height - 8}" text-anchor="middle">{_number(at)}</text>'
        )
    for place, mark in enumerate(panel.marks):
        y = _TOP + _ROW * (place + 0.5)
        made.append(f'<text x="{_NAME - 10}" y="{y + 5}" text-anchor="end">{escape(mark.name)}')
        made.append("</text>")
        made += _drawn(mark, x, y)
    return (
        f"<figure><figcaption><b>{escape(panel.metric)}</b></figcaption>"
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="{escape(panel.metric)} of each method">{"".join(made)}</svg></figure>'
    )


def _drawn(mark: Mark, place: Callable[[float], float], y: float) -> list[str]:
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
        made.append(f'<text x="{_WIDTH - 4}" y="{y + 5}" text-anchor="end">')
        made.append(f"{_number(mark.value)}</text>")
    return made
