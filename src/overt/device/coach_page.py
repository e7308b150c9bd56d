"""The coach's page: figures, weak pairs, exercises and trends, served to this computer alone."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from overt.device import advice
from overt.device.page import Page, rendered
from overt.device.practice import EDGES_PER_OCTAVE, FIRST_MS, Day, median_ms, merged

RECENT_DAYS = 28
WEAK_SHOWN = 8
WIDE, HIGH = 560, 150


def render(days: Mapping[dt.date, Day], nonce: str) -> str:
    """Return the page as HTML. No script, no request to anywhere."""
    recent = [day for date, day in days.items() if (max(days) - date).days < RECENT_DAYS]
    total = merged(recent)
    weak = advice.pairs(total)[:WEAK_SHOWN]
    slowest = max((pair.median_ms for pair in weak), default=1.0)
    return rendered(
        "coach.html",
        nonce=nonce,
        has_any=total.keys > 0,
        figures=_figures(total),
        speed=histogram(advice.speeds(total), "words a minute"),
        gaps=durations(total.gaps),
        hold=durations(total.hold),
        trend=trend([(date, advice.words_per_minute(day)) for date, day in days.items()]),
        weak=[(pair, 100 * pair.median_ms / slowest) for pair in weak],
        slips=sorted(total.slips.items(), key=lambda item: (-item[1], item[0]))[:WEAK_SHOWN],
        exercises=advice.exercises(weak),
        settings=advice.settings(total),
        fewest=advice.PAIR_FEWEST,
        days=len(days),
    )


def _figures(day: Day) -> list[tuple[str, str]]:
    reach = median_ms(merged([day]).reaches.get("middle", [0]))
    return [
        (_whole(advice.words_per_minute(day)), "words a minute, while typing flows"),
        (_one(advice.corrections_per_100(day)), "corrections per 100 keys"),
        (_whole(median_ms(day.gaps), " ms"), "from key to key (median)"),
        (_whole(median_ms(day.hold), " ms"), "a key is held (median)"),
        (_whole(reach, " ms"), "to reach what lies 200 to 600 pixels away (median)"),
        (f"{day.keys:,}", "keys counted"),
    ]


def _whole(value: float, unit: str = "") -> str:
    return "–" if math.isnan(value) else f"{value:.0f}{unit}"


def _one(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.1f}"


@dataclass(frozen=True)
class Bars:
    """A histogram, ready to be drawn: x, y, width, height of each bar, and what stands below."""

    bars: Sequence[tuple[float, float, float, float]]
    marks: Sequence[tuple[float, str]]
    label: str


def histogram(values: Sequence[float], unit: str) -> Bars | None:
    """Return bars of ten units each, or None for fewer than three values."""
    if len(values) < 3:
        return None
    counts: dict[int, int] = {}
    for value in values:
        counts[int(value // 10)] = counts.get(int(value // 10), 0) + 1
    low, high = min(counts), max(counts) + 1
    return _drawn(
        [counts.get(k, 0) for k in range(low, high)],
        [(k - low, str(10 * k)) for k in range(low, high + 1)],
        f"{len(values)} runs of typing, by {unit}",
    )


def durations(bins: Sequence[int]) -> Bars | None:
    """Return bars of a histogram of durations, cut to where something is."""
    filled = [k for k, count in enumerate(bins) if count]
    if sum(bins) < 10:
        return None
    low, high = filled[0], filled[-1] + 1
    edges = [(ms, EDGES_PER_OCTAVE * math.log2(ms / FIRST_MS) + 1 - low) for ms in _ROUND_MS]
    marks = [(at, f"{ms} ms") for ms, at in edges if 0 <= at <= high - low]
    return _drawn(list(bins[low:high]), marks, f"{sum(bins):,} in all")


_ROUND_MS = (20, 50, 100, 200, 500, 1000, 2000)


def _drawn(counts: Sequence[int], marks: Sequence[tuple[float, str]], label: str) -> Bars:
    most, step = max(counts), WIDE / len(counts)
    bars = [
        (k * step + 1, HIGH - HIGH * count / most, step - 2, HIGH * count / most)
        for k, count in enumerate(counts)
    ]
    return Bars(bars, [(at * step, text) for at, text in marks], label)


def trend(points: Sequence[tuple[dt.date, float]]) -> dict[str, Any] | None:
    """Return a line over the days that have a speed, or None for fewer than two."""
    known = sorted((date, value) for date, value in points if not math.isnan(value))
    if len(known) < 2:
        return None
    first, last = known[0][0], known[-1][0]
    top = max(value for _, value in known) * 1.1
    places = [
        (WIDE * (date - first).days / max(1, (last - first).days), HIGH - HIGH * value / top, value)
        for date, value in known
    ]
    return {
        "path": " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in places),
        "places": places,
        "first": first.strftime("%d %b"),
        "last": last.strftime("%d %b"),
    }


def serve(days: Callable[[], Mapping[dt.date, Day]]) -> Page:
    """Serve the page to this computer alone, until it is closed."""
    return Page(lambda path, nonce: render(days(), nonce) if path == "/" else None)
