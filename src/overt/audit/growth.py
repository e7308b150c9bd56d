"""The page of `overt curve`: utility against people and against minutes, a line a level."""

from __future__ import annotations

import math
from html import escape

from overt.audit.plots import COLOURS, Series, growth
from overt.audit.report import STYLE
from overt.models.enough.measured import Curve


def page(curve: Curve, about: str) -> str:
    """Return the page as HTML; `about` says whose data it is."""
    notes = "".join(f"<p>{escape(note)}</p>" for note in curve.notes)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>How much is enough?</title><style>{STYLE}</style><main>"
        f'<h1>How much is enough?</h1><p class="sub">{escape(curve.title)}. {escape(about)}</p>'
        f'<p class="lead">{escape(curve.advice.sentence)}</p>'
        f"{_people(curve)}{_minutes(curve)}{_within(curve)}"
        f"<p>Utility: {escape(curve.unit)}. Bands are 95 % intervals.</p>{notes}</main></html>"
    )


def _people(curve: Curve) -> str:
    grid = curve.grid
    low, high = grid.low, grid.high
    series = []
    for place, level in enumerate(grid.levels):
        law = curve.advice.laws.get(level)
        last = (float(grid.sizes[-1]), float(grid.value[place, -1, -1]))
        ahead = () if law is None else (last, (2 * last[0], last[1] + law.doubled))
        series.append(
            Series(
                level,
                COLOURS.get(level, COLOURS["rhythm"]),
                grid.sizes,
                grid.value[place, -1].tolist(),
                low[place, -1].tolist(),
                high[place, -1].tolist(),
                ahead,
            )
        )
    note = f"{_each(grid.minutes[-1])} of each; dashed: what twice as many would give."
    return growth(
        f"{curve.who.capitalize()}.", note, series, f"{curve.who} learned from", "utility"
    )


def _each(minutes: float) -> str:
    """Return minutes in words; all, where no time is known."""
    return f"{minutes:.2g} minutes" if math.isfinite(minutes) else "all"


def _minutes(curve: Curve) -> str:
    grid = curve.grid
    if not math.isfinite(grid.minutes[-1]):
        return ""
    low, high = grid.low, grid.high
    series = [
        Series(
            level,
            COLOURS.get(level, COLOURS["rhythm"]),
            grid.minutes,
            grid.value[place, :, -1].tolist(),
            low[place, :, -1].tolist(),
            high[place, :, -1].tolist(),
        )
        for place, level in enumerate(grid.levels)
    ]
    return growth(
        "Minutes.", f"{grid.sizes[-1]} {curve.who}.", series, "minutes of each", "utility"
    )


def _within(curve: Curve) -> str:
    """Return a table of what is enough at each level, beside what the level gives at most."""
    chosen = curve.advice.within
    if not chosen:
        return ""
    rows = "".join(
        f'<tr><td>{escape(one.level)}</td><td class="n">{one.people}</td>'
        f'<td class="n">{_each(one.minutes)}</td><td class="n">{one.share:.0%} '
        f"<small>({one.low:.0%} – {one.high:.0%})</small></td></tr>"
        for one in chosen
    )
    return (
        '<h2>Enough at each level</h2><div class="scroll"><table><tr><th>level</th>'
        '<th class="n">how many</th><th class="n">of each</th>'
        f'<th class="n">of what the level gives here at most</th></tr>{rows}</table></div>'
    )
