"""What the coach keeps of a day: sums, never what was typed.

Letters pass through here one by one and leave counts behind: how long each was held, how long each
pair of letters took, which letter was put right by which. No order of more than two letters is kept
anywhere, so a day cannot be read back as text.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from overt.device.ways import Ways
from overt.schema.event import KeyClass, Kind, Modifier

EDGES_PER_OCTAVE, FIRST_MS, BINS = 4, 10.0, 40
"""Bins of a histogram: four to each doubling, from 10 ms to 10 s."""

FLUENT_MS = 2_000
"""A longer pause ends a run of typing: what follows says nothing of the pair of letters."""

PAUSE_MS_MAX = 60_000
"""After a longer one nobody was typing."""

_WRITES = (KeyClass.LETTER, KeyClass.DIGIT, KeyClass.PUNCTUATION, KeyClass.SPACE)
_NO_TEXT = Modifier.CONTROL | Modifier.ALT | Modifier.META


def bin_of(ms: float) -> int:
    """Return the bin of a duration."""
    if ms <= FIRST_MS:
        return 0
    return min(BINS - 1, int(EDGES_PER_OCTAVE * math.log2(ms / FIRST_MS)) + 1)


def edge_ms(place: int) -> float:
    """Return the upper edge of a bin."""
    return float(FIRST_MS * 2.0 ** (place / EDGES_PER_OCTAVE))


def median_ms(bins: list[int]) -> float:
    """Return the median of a histogram, the middle of its bin; NaN where it is empty."""
    total = sum(bins)
    seen = 0
    for place, count in enumerate(bins):
        seen += count
        if total and seen * 2 >= total:
            return float(FIRST_MS * 2.0 ** ((place - 0.5) / EDGES_PER_OCTAVE))
    return math.nan


def _none() -> list[int]:
    return [0] * BINS


@dataclass
class Day:
    """The sums of one day."""

    keys: int = 0
    """Presses that write something: letters, digits, punctuation, space."""
    corrections: int = 0
    active_ms: int = 0
    """Time between presses, as far as typing flowed."""
    hold: list[int] = field(default_factory=_none)
    gaps: list[int] = field(default_factory=_none)
    pairs: dict[str, list[int]] = field(default_factory=dict)
    """Pair of letters → histogram of the time from press to press."""
    pair_slips: dict[str, int] = field(default_factory=dict)
    """Pair of letters → how often its second was taken back at once."""
    slips: dict[str, int] = field(default_factory=dict)
    """`ab`: b was typed where a was meant, as the correction shows."""
    doubles_undone: list[int] = field(default_factory=_none)
    """Times from press to press of a letter typed twice, whose second was taken back at once and
    not written again."""
    repeats_meant: list[int] = field(default_factory=_none)
    """How long a writing key was held that repeated, and what it wrote stayed."""
    repeats_undone: list[int] = field(default_factory=_none)
    """The same where the next key took it back."""
    minutes: list[list[int]] = field(default_factory=list)
    """Keys and milliseconds of each run of typing of at least ten seconds."""
    clicks: int = 0
    almost_double: int = 0
    """Two clicks at one place a little too late for a double click."""
    pauses: int = 0
    """Times that typing rested for two seconds to a minute."""
    ways: int = 0
    """Ways of the pointer of 200 pixels and more that ended in a press."""
    way_ms: int = 0
    way_millibits: int = 0
    """Index of difficulty of all ways together (`ways.TARGET_PX` says for which targets)."""
    near_end_ms: int = 0
    """Of `way_ms`, what the last 16 pixels took, the press included; of that, the last 8."""
    nearest_end_ms: int = 0
    past_end: int = 0
    """Ways that went past their end and came back."""
    past_end_ms: int = 0
    """What they took from going past to the press."""
    lifts: list[int] = field(default_factory=_none)
    """Ways on which the pointer was lifted, by the speed (100: as now) that had spared a lift."""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON."""
        return asdict(self)

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Day:
        """Return the day that was kept; sums that an earlier version kept otherwise begin anew."""
        fresh = cls()
        known: dict[str, Any] = {
            name: value
            for name, value in kept.items()
            if type(getattr(fresh, name, None)) is type(value)
        }
        return cls(**known)

    def doubles(self) -> list[int]:
        """Return the times from press to press of every letter typed twice, as a histogram."""
        twice = [bins for pair, bins in self.pairs.items() if pair[0] == pair[1]]
        return [sum(counts) for counts in zip(*twice, strict=True)] if twice else _none()


class Practice:
    """Turns events (`FACTS` rows, with letters) into the sums of a day."""

    def __init__(self, day: Day) -> None:
        self.day = day
        self._last: tuple[int, int, int] | None = None  # class, letter, time in µs
        self._before = 0
        self._taken_back: int | None = None
        self._double_ms: float | None = None
        """The gap of a letter typed twice that has just been taken back."""
        self._gap_ms = math.inf
        self._repeating: int | None = None
        """Slot of a writing key that is held and repeats."""
        self._repeated_ms: float | None = None
        """How long the last such key was held, while nothing says whether it was meant."""
        self._run = [0, 0]
        self._down: dict[int, int] = {}
        self._ways = Ways(day, bin_of)
        self._click: tuple[int, int, int] | None = None

    def take(self, events: Any) -> None:
        """Add events in order. Nothing of them stays but the last letter and two times."""
        for event in events:
            kind = int(event["kind"])
            if kind == Kind.KEY_DOWN:
                self._press(event)
            elif kind == Kind.KEY_UP:
                self._release(event)
            elif kind == Kind.POINTER_MOVE:
                self._ways.move(event)
            elif kind == Kind.POINTER_DOWN:
                self._ways.press(event)
            elif kind == Kind.CLICK:
                self._clicks(event)
            elif kind in (Kind.FOCUS, Kind.BLUR):
                self.rest()

    def rest(self) -> None:
        """End the run of typing: another window, a pause, the end of the day."""
        self._end_run()
        self._last, self._before, self._taken_back = None, 0, None
        self._double_ms = self._repeating = self._repeated_ms = None
        self._down.clear()
        self._ways.rest()

    def _end_run(self) -> None:
        if self._run[1] >= 10_000:
            self.day.minutes.append(list(self._run))
        self._run = [0, 0]

    def _press(self, event: Any) -> None:
        key_class, letter = int(event["key_class"]), int(event["key_symbol"])
        t_us, bits = int(event["t_us"]), int(event["modifiers"])
        if bits & _NO_TEXT or key_class in (KeyClass.SHIFT, KeyClass.CAPS_LOCK):
            return
        if bits & Modifier.REPEAT:
            if key_class in _WRITES:
                self._repeating = int(event["slot"])
            return
        self._down[int(event["slot"])] = t_us
        day, last = self.day, self._last
        gap_ms = (t_us - last[2]) / 1000 if last else math.inf
        if gap_ms > FLUENT_MS:
            self._end_run()
            day.pauses += gap_ms <= PAUSE_MS_MAX
        else:
            day.active_ms += int(gap_ms)
            day.gaps[bin_of(gap_ms)] += 1
            self._run[0] += 1
            self._run[1] += int(gap_ms)
        self._end_repeat(undone=key_class == KeyClass.BACKSPACE and gap_ms < FLUENT_MS)
        if key_class == KeyClass.BACKSPACE:
            self._take_back(gap_ms)
        elif key_class in _WRITES:
            self._write(letter, gap_ms)
        else:
            self._taken_back = self._double_ms = None
        self._before = last[1] if last and last[0] == KeyClass.LETTER else 0
        self._last = (key_class, letter, t_us)
        self._gap_ms = gap_ms

    def _end_repeat(self, *, undone: bool) -> None:
        """Count a held key that repeated, now that the next press says whether it was meant."""
        held_ms, self._repeated_ms = self._repeated_ms, None
        if held_ms is not None:
            bins = self.day.repeats_undone if undone else self.day.repeats_meant
            bins[bin_of(held_ms)] += 1

    def _take_back(self, gap_ms: float) -> None:
        day, last = self.day, self._last
        day.corrections += 1
        self._taken_back = self._double_ms = None
        if last and last[0] == KeyClass.LETTER and gap_ms < FLUENT_MS:
            self._taken_back = last[1]
            if self._before and last[1]:
                pair = chr(self._before) + chr(last[1])
                day.pair_slips[pair] = day.pair_slips.get(pair, 0) + 1
                if self._before == last[1]:
                    self._double_ms = self._gap_ms

    def _write(self, letter: int, gap_ms: float) -> None:
        day, last = self.day, self._last
        day.keys += 1
        if self._taken_back and letter and self._taken_back != letter:
            slip = chr(letter) + chr(self._taken_back)
            day.slips[slip] = day.slips.get(slip, 0) + 1
        if self._double_ms is not None and self._taken_back != letter:
            day.doubles_undone[bin_of(self._double_ms)] += 1
        self._taken_back = self._double_ms = None
        if last and last[0] == KeyClass.LETTER and last[1] and letter and gap_ms < FLUENT_MS:
            pair = chr(last[1]) + chr(letter)
            day.pairs.setdefault(pair, _none())[bin_of(gap_ms)] += 1

    def _release(self, event: Any) -> None:
        slot = int(event["slot"])
        down_us = self._down.pop(slot, None)
        if down_us is None:
            return
        held_ms = (int(event["t_us"]) - down_us) / 1000
        self.day.hold[bin_of(held_ms)] += 1
        if slot == self._repeating:
            self._repeating, self._repeated_ms = None, held_ms

    def _clicks(self, event: Any) -> None:
        self.day.clicks += 1
        x, y, t_us = (int(event[name]) for name in ("x_8th_css_px", "y_8th_css_px", "t_us"))
        last, self._click = self._click, (x, y, t_us)
        if last and int(event["value"]) == 1:
            near = math.hypot(x - last[0], y - last[1]) <= 40
            if near and 500_000 < t_us - last[2] <= 900_000:
                self.day.almost_double += 1


def merged(days: list[Day]) -> Day:
    """Return the sums of several days."""
    total = Day()
    for day in days:
        for name, value in asdict(day).items():
            mine = getattr(total, name)
            if isinstance(value, int):
                setattr(total, name, mine + value)
            elif name == "minutes":
                mine.extend(value)
            elif isinstance(value, list):
                setattr(total, name, [a + b for a, b in zip(mine, value, strict=True)])
            elif name in ("pair_slips", "slips"):
                setattr(total, name, dict(Counter(mine) + Counter(value)))
            else:
                for key, bins in value.items():
                    old = mine.get(key) or _none()
                    mine[key] = [a + b for a, b in zip(old, bins, strict=True)]
    return total
