"""What the coach makes of the sums: figures, weak pairs, exercises, settings that would help.

All of it is for the person alone, computed where they are, and said as something to try.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from overt.device.practice import Day, bin_of, edge_ms, median_ms
from overt.device.wording import Words

PAIR_FEWEST = 8
"""Times a pair must have been typed before anything is said of it."""

SETTING_FEWEST = 5
BOUNCE_MS_MAX = 200
"""A key that ignores presses for longer can no longer write double letters."""

SWALLOWED = 3
"""A swallowed letter must be noticed, found and typed; a bounce is one press of Backspace."""

WAYS_FEWEST = 20
LIFTED_SHARE, PAST_SHARE, NEAR_SHARE = 0.25, 0.4, 0.4
"""Shares of ways, or of their time, from which a setting is worth a try: every fourth way with a
lift, two of five past their end, two fifths of the time in the last 16 pixels."""

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
    effect: str
    """What it would have done to the same typing."""


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
    each time in which it was taken back. A pair that is mostly taken back was not meant: a slip,
    or a key that bounces, which no exercise of that pair mends.
    """
    usual_ms = median_ms(day.gaps)
    found = [
        Pair(letters, sum(bins), median_ms(bins), day.pair_slips.get(letters, 0))
        for letters, bins in day.pairs.items()
        if sum(bins) >= PAIR_FEWEST
    ]
    found = [one for one in found if one.slip_rate <= 0.5]
    return sorted(found, key=lambda p: -(p.median_ms / usual_ms + 4 * p.slip_rate))


@dataclass(frozen=True)
class Exercise:
    """A line to type, for one pair of letters."""

    letters: str
    words: str
    usual_ms: float | None
    """How long the pair takes the person so far; None before that is known."""


STARTERS = {"en": ("th", "er", "in", "on"), "de": ("ch", "en", "ei", "st")}
"""Language → pairs that nearly every sentence has, to begin with."""


def exercises(weak: Iterable[Pair], lines: int = 4, language: str = "en") -> list[Exercise]:
    """Return lines of words that hold the weakest pairs, and common ones while few are known.

    A pair that hardly a word holds is mostly one that was never meant; it comes last, as itself.
    """
    found = []
    for pair in weak:
        words = _holding(pair.letters, language)
        line = " ".join(words if len(words) >= 3 else [pair.letters * 2] * 6)
        found.append((len(words) < 3, Exercise(pair.letters, line, pair.median_ms)))
    found.sort(key=lambda one: one[0])
    known = [exercise for _, exercise in found[:lines]]
    starters = [one for one in STARTERS[language] if one not in {e.letters for e in known}]
    begin = [Exercise(one, " ".join(_holding(one, language)), None) for one in starters]
    return [*known, *begin[: max(0, lines - len(known))]]


def _holding(letters: str, language: str) -> list[str]:
    return [word for word in _words(language) if letters in word.lower()][:8]


@cache
def _words(language: str) -> tuple[str, ...]:
    place = files("overt.device").joinpath("words", f"practice.{language}.txt")
    return tuple(place.read_text(encoding="utf-8").split())


def throughput(day: Day) -> float:
    """Return bits a second of the pointer's ways, for targets of one width; NaN before twenty."""
    return day.way_millibits / day.way_ms if day.ways >= WAYS_FEWEST and day.way_ms else math.nan


@dataclass(frozen=True)
class Effect:
    """What a setting would have done to what was counted, replayed."""

    ms: float
    spared: int
    """Slips that it would have prevented."""
    slips: int
    """Slips of this sort in all."""
    meant: int
    """What was meant and would have been hindered: letters swallowed, repeats begun later."""


def bounce(day: Day) -> Effect | None:
    """Return the wait after which a second press of a key should count, or None.

    The wait is the one that gains most over the person's own typing: a slip spared counts one, a
    letter that was meant and would have been swallowed `SWALLOWED`.
    """
    doubles, undone = day.doubles(), day.doubles_undone
    best, gain = None, 0
    for place in range(bin_of(BOUNCE_MS_MAX)):
        spared = sum(undone[: place + 1])
        meant = sum(doubles[: place + 1]) - spared
        if spared - SWALLOWED * meant > gain:
            gain = spared - SWALLOWED * meant
            best = Effect(edge_ms(place), spared, sum(undone), meant)
    return best


def repeat(day: Day) -> Effect | None:
    """Return the wait before a held key repeats that spares most slips, or None.

    Four of five slips are to be spared; what was held on purpose then begins later, and is lost
    only where it was not held for so long.
    """
    slips = sum(day.repeats_undone)
    spared = 0
    for place, count in enumerate(day.repeats_undone):
        spared += count
        if slips and spared >= 0.8 * slips:
            return Effect(edge_ms(place), spared, slips, sum(day.repeats_meant[: place + 1]))
    return None


def speed(day: Day) -> Effect | None:
    """Return the speed of the pointer, in hundredths of now, that spares half of the lifts.

    None where it would have to be more than twice as fast. `meant` is of no use here: 0.
    """
    lifts, spared = sum(day.lifts), 0
    for place, count in enumerate(day.lifts):
        spared += count
        if lifts and 2 * spared >= lifts:
            return Effect(edge_ms(place), spared, lifts, 0) if edge_ms(place) <= 200 else None
    return None


def settings(day: Day, words: Words | None = None) -> list[Advice]:
    """Return settings that would have prevented what was counted; none without enough of it."""
    w = words or Words("en")
    made = []

    def add(name: str, **filled: float) -> None:
        said = {one: w.number(value, 1 if one in _PARTS else 0) for one, value in filled.items()}
        made.append(Advice(*(w(f"{name}.{part}", **said) for part in _TEXTS)))

    wait = bounce(day)
    if wait is not None and wait.spared >= SETTING_FEWEST:
        add("bounce", slips=wait.slips, ms=wait.ms, spared=wait.spared, meant=wait.meant)
    held = repeat(day)
    if held is not None and held.spared >= SETTING_FEWEST and held.meant <= held.spared:
        add("repeat", slips=held.slips, ms=held.ms, spared=held.spared, meant=held.meant)
    if day.almost_double >= SETTING_FEWEST:
        add("double", pairs=day.almost_double)
    if day.ways >= WAYS_FEWEST:
        faster = speed(day)
        if faster is not None and faster.slips >= LIFTED_SHARE * day.ways:
            add("faster", lifts=faster.slips, ways=day.ways, times=faster.ms / 100,
                spared=faster.spared)  # fmt: skip
        elif day.past_end >= PAST_SHARE * day.ways:
            add("slower", past=day.past_end, ways=day.ways, s=day.past_end_ms / 1000)
        if day.near_end_ms >= NEAR_SHARE * day.way_ms:
            share = 100 * day.near_end_ms / day.way_ms
            spared = (day.near_end_ms - day.nearest_end_ms) / day.ways
            add("larger", share=share, ways=day.ways, spared=spared, ms=day.way_ms / day.ways)
    return made


_TEXTS = ("setting", "why", "how", "effect")
_PARTS = ("times", "s")
"""What is said with one decimal place."""
