"""The coach's page: figures, weak pairs, exercises and trends, served to this computer alone."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from overt.device import advice
from overt.device.page import Page, rendered
from overt.device.practice import EDGES_PER_OCTAVE, FIRST_MS, Day, median_ms, merged
from overt.device.wording import Words, preferred
from overt.schema.study import LANGUAGES

RECENT_DAYS = 28
WEAK_SHOWN = 8
WIDE, HIGH = 560, 150
Days = Mapping[dt.date, Day]


def render(days: Days, nonce: str, language: str = "en") -> str:
    """Return the page as HTML: one script, for the exercises; no request to anywhere."""
    w = Words(language)
    recent = {date: day for date, day in days.items() if (max(days) - date).days < RECENT_DAYS}
    total = merged(list(recent.values()))
    weak = advice.pairs(total)[:WEAK_SHOWN]
    slowest = max((pair.median_ms for pair in weak), default=1.0)
    lines = advice.exercises(weak, language=w.language)
    return rendered(
        "coach.html",
        nonce=nonce,
        w=w,
        other=next(one for one in LANGUAGES if one != w.language),
        recent=RECENT_DAYS,
        has_any=total.keys > 0 or total.ways > 0,
        figures=_figures(total, w),
        speed=histogram(advice.speeds(total), w),
        gaps=durations(total.gaps, w),
        hold=durations(total.hold, w),
        high=HIGH,
        trends=[
            (w("coach.by_day"), _trends(recent, w)),
            (w("coach.by_week"), _trends(weeks(days), w)),
        ],
        weak=[(pair, 100 * pair.median_ms / slowest) for pair in weak],
        slips=sorted(total.slips.items(), key=lambda item: (-item[1], item[0]))[:WEAK_SHOWN],
        lines=lines,
        about_lines=json.dumps([asdict(one) for one in lines]),
        said=json.dumps(w.table("practice")),
        settings=advice.settings(total, w),
        fewest=advice.PAIR_FEWEST,
        days=len(days),
    )


def weeks(days: Days) -> dict[dt.date, Day]:
    """Return the sums of each week, by its Monday, oldest first."""
    found: dict[dt.date, list[Day]] = {}
    for date, day in sorted(days.items()):
        found.setdefault(date - dt.timedelta(date.weekday()), []).append(day)
    return {monday: merged(of_it) for monday, of_it in found.items()}


_MEASURES: tuple[tuple[str, Callable[[Day], float], int], ...] = (
    ("speed", advice.words_per_minute, 0),
    ("corrections", advice.corrections_per_100, 1),
    ("throughput", advice.throughput, 1),
)
"""Name, measure and decimal places of what is followed over time."""


def _figures(day: Day, w: Words) -> list[tuple[str, str]]:
    def shown(value: float, places: int = 0, form: str = "") -> str:
        if math.isnan(value):
            return "–"
        number = w.number(value, places)
        return w(f"coach_figures.{form}", n=number) if form else number

    measured = {name: shown(of(day), places) for name, of, places in _MEASURES}
    pauses = 100 * day.pauses / day.keys if day.keys else math.nan
    figures = [
        (measured["speed"], "speed"),
        (measured["corrections"], "corrections"),
        (shown(median_ms(day.gaps), 0, "ms"), "gap"),
        (shown(median_ms(day.hold), 0, "ms"), "hold"),
        (shown(pauses, 1), "pauses"),
        (measured["throughput"], "throughput"),
        (shown(day.keys), "keys"),
    ]
    return [(value, w(f"coach_figures.{name}")) for value, name in figures]


@dataclass(frozen=True)
class Bars:
    """A histogram, ready to be drawn."""

    bars: Sequence[tuple[float, float, float, float, str]]
    """x, y, width and height of each bar, and which share it is."""
    marks: Sequence[tuple[float, str, str]]
    """What stands below: where, what, and which end of it lies there."""
    top: tuple[float, str]
    """Middle of the highest bar, and which share it is."""
    label: str


def histogram(values: Sequence[float], w: Words) -> Bars | None:
    """Return bars of ten units each, or None for fewer than three values."""
    if len(values) < 3:
        return None
    counts: dict[int, int] = {}
    for value in values:
        counts[int(value // 10)] = counts.get(int(value // 10), 0) + 1
    low, high = min(counts), max(counts) + 1
    return _drawn(
        [counts.get(k, 0) for k in range(low, high)],
        [(k - low, w.number(10 * k)) for k in range(low, high + 1)],
        w("coach.speed_label", n=w.number(len(values))),
        w,
    )


def durations(bins: Sequence[int], w: Words) -> Bars | None:
    """Return bars of a histogram of durations, cut to where something is."""
    filled = [k for k, count in enumerate(bins) if count]
    if sum(bins) < 10:
        return None
    low, high = filled[0], filled[-1] + 1
    edges = [(ms, EDGES_PER_OCTAVE * math.log2(ms / FIRST_MS) + 1 - low) for ms in _ROUND_MS]
    marks = [
        (at, w("coach_figures.ms", n=w.number(ms))) for ms, at in edges if 0 <= at <= high - low
    ]
    label = w("coach.bars_label", n=w.number(sum(bins)))
    return _drawn(list(bins[low:high]), marks, label, w)


_ROUND_MS = (20, 50, 100, 200, 500, 1000, 2000)
_EDGE = 40


def _drawn(counts: Sequence[int], marks: Sequence[tuple[float, str]], label: str, w: Words) -> Bars:
    most, step = max(counts), WIDE / len(counts)

    def share(count: int) -> str:
        return w("coach_figures.percent", n=w.number(100 * count / sum(counts)))

    bars = [
        (k * step + 1, HIGH - HIGH * count / most, step - 2, HIGH * count / most, share(count))
        for k, count in enumerate(counts)
    ]
    below = [(at * step, text) for at, text in marks]
    top = (step * (list(counts).index(most) + 0.5), share(most))
    return Bars(bars, [(x, text, _end_at(x)) for x, text in below], top, label)


def _end_at(x: float) -> str:
    """Return which end of a text lies where it stands, so that none is cut off at the edges."""
    return "begin" if x < _EDGE else "end" if x > WIDE - _EDGE else "middle"


def _trends(days: Days, w: Words) -> list[dict[str, Any]]:
    found = []
    for name, measure, places in _MEASURES:
        line = trend([(date, measure(day)) for date, day in days.items()], w, places)
        if line is not None:
            what = w(f"coach_figures.{name}")
            label = w("coach.trend_label", what=what, first=line["first"], last=line["last"])
            found.append({**line, "what": what, "label": label})
    return found


def trend(
    points: Sequence[tuple[dt.date, float]], w: Words, places: int = 0
) -> dict[str, Any] | None:
    """Return a line over the days that have a value, or None for fewer than two."""
    known = sorted((date, value) for date, value in points if not math.isnan(value))
    if len(known) < 2:
        return None
    first, last = known[0][0], known[-1][0]
    top = max(value for _, value in known) * 1.1 or 1.0
    dots = [
        (
            WIDE * (date - first).days / (last - first).days,
            HIGH - HIGH * value / top,
            w.number(value, places),
        )
        for date, value in known
    ]
    return {
        "path": " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in dots),
        "dots": dots,
        "first": first.strftime(w("coach.date")),
        "last": last.strftime(w("coach.date")),
    }


def serve(days: Callable[[], Days]) -> Page:
    """Serve the page to this computer alone, until it is closed.

    In the language that the browser asks for, or at `/en` and `/de` in that one.
    """

    def shown(path: str, nonce: str, languages: str) -> str | None:
        if path == "/":
            return render(days(), nonce, preferred(languages))
        chosen = path.removeprefix("/")
        return render(days(), nonce, chosen) if chosen in LANGUAGES else None

    return Page(shown, script=True)
