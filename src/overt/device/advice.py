"""What the coach makes of the sums: figures, weak pairs, exercises, settings that would help.

All of it is for the person alone, computed where they are, and said as something to try.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from overt.device.practice import EDGES_PER_OCTAVE, FIRST_MS, Day, bin_of, median_ms

PAIR_FEWEST = 8
"""Times a pair must have been typed before anything is said of it."""

SETTING_FEWEST = 5
WORD_KEYS = 5
"""Keys in a word, as speed of typing is counted everywhere."""


@dataclass(frozen=True)
class Pair:
    """Two letters in a row: how long the second took, and how often it was taken back."""

    letters: str
    count: int
    median_ms: float
    slips: int

    @property
    def slip_rate(self) -> float:
        """Share of times that the second letter was taken back at once."""
        return self.slips / self.count


@dataclass(frozen=True)
class Advice:
    """A setting of the system that might have spared something, with what was counted."""

    setting: str
    why: str
    how: str


def words_per_minute(day: Day) -> float:
    """Return the speed while typing flowed; NaN before half a minute of it."""
    return day.keys / WORD_KEYS / (day.active_ms / 60_000) if day.active_ms >= 30_000 else math.nan


def speeds(day: Day) -> list[float]:
    """Return words per minute of each run of typing of ten seconds or more."""
    return [keys / WORD_KEYS / (ms / 60_000) for keys, ms in day.minutes]


def corrections_per_100(day: Day) -> float:
    """Return corrections per 100 keys that write."""
    return 100 * day.corrections / day.keys if day.keys else math.nan


def pairs(day: Day) -> list[Pair]:
    """Return the pairs that were typed often enough, the weakest first.

    Weak is slow or often taken back: the median over the person's own median, and four such for
    each time in which it was taken back.
    """
    usual_ms = median_ms(day.gaps)
    found = [
        Pair(letters, sum(bins), median_ms(bins), day.pair_slips.get(letters, 0))
        for letters, bins in day.pairs.items()
        if sum(bins) >= PAIR_FEWEST
    ]
    return sorted(found, key=lambda p: -(p.median_ms / usual_ms + 4 * p.slip_rate))


def exercises(weak: Iterable[Pair], lines: int = 4) -> list[str]:
    """Return lines of words that hold the weakest pairs; the pair itself where no word does."""
    made = []
    for pair in list(weak)[:lines]:
        words = [word for word in _words() if pair.letters in word][:8]
        made.append(" ".join(words) if len(words) >= 3 else " ".join([pair.letters * 2] * 6))
    return made


@cache
def _words() -> tuple[str, ...]:
    text = files("overt.device").joinpath("words.txt").read_text(encoding="utf-8")
    return tuple(text.split())


def settings(day: Day) -> list[Advice]:
    """Return settings that would have prevented what was counted; none without enough of it."""
    made = []
    if day.bounces >= SETTING_FEWEST and day.bounces >= 0.002 * day.keys:
        wait_ms = FIRST_MS * 2.0 ** (
            max(k for k, n in enumerate(day.bounce_gaps) if n) / EDGES_PER_OCTAVE
        )
        made.append(
            Advice(
                "Bounce keys",
                f"{day.bounces} times the same key came twice within {bin_edge(day):.0f} ms",
                f"ignore a second press of a key within {math.ceil(wait_ms / 10) * 10} ms",
            )
        )
    if day.repeats_undone >= SETTING_FEWEST:
        made.append(
            Advice(
                "Key repeat",
                f"{day.repeats_undone} times a held key repeated and was taken back",
                "wait longer before a held key repeats",
            )
        )
    if day.almost_double >= SETTING_FEWEST:
        made.append(
            Advice(
                "Double click",
                f"{day.almost_double} pairs of clicks came just too late to be one double click",
                "allow more time, such as 900 ms",
            )
        )
    near, far = (median_ms(day.reaches.get(name, [0])) for name in ("near", "far"))
    if sum(day.reaches.get("far", [0])) >= 4 * SETTING_FEWEST and far > 3 * near:
        made.append(
            Advice(
                "Pointer speed",
                f"long ways take {far:.0f} ms, short ones {near:.0f} ms",
                "a faster pointer, or one that speeds up with the hand",
            )
        )
    return made


def bin_edge(day: Day) -> float:
    """Return the upper edge of the longest bounce that was counted, ms."""
    last = max((k for k, n in enumerate(day.bounce_gaps) if n), default=bin_of(0))
    return float(FIRST_MS * 2.0 ** (last / EDGES_PER_OCTAVE))
