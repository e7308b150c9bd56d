"""Figures of pointing, clicks, scrolling and navigation of one session by obvious loops.

Each function returns what happened as (time, name, value), and `figures` takes means and counts of
what lies in a window. Nothing here knows of sums, kernels or columns.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from statistics import mean, stdev
from typing import Any

import pyarrow as pa

from overt.features.movements import NARROW_ROLES
from overt.features.navigation import GROUPS
from overt.features.pointing import FIGURES
from overt.schema.event import Kind, Pointer, Role
from pointing_loops import Sample, length
from pointing_loops import figures as figures_of_path

Event = dict[str, int]
Happened = tuple[int, str, float]
BREAKS = (
    Kind.SESSION_START,
    Kind.SESSION_END,
    Kind.PAUSE,
    Kind.RESUME,
    Kind.VISIBILITY,
    Kind.CLOCK,
)
OF_AIMS = ("overshoot_css_px", "undershoot_css_px", "reentries")


def place(event: Event) -> Sample:
    return event["t_us"], event["x_8th_css_px"] / 8, event["y_8th_css_px"] / 8


def came(samples: list[Sample]) -> int | None:
    """When the pointer came near the last sample, if it was elsewhere before."""
    near = [length(sample, samples[-1]) <= 12 for sample in samples]
    if all(near):
        return None
    return samples[len(near) - near[::-1].index(False)][0]


class Hand:
    """Follows a pointer through a session."""

    def __init__(self) -> None:
        self.movements: list[tuple[list[Sample], bool]] = []
        self.presses: list[dict[str, Any]] = []
        self.scrolls = 0
        self.begin_anew(None, held=False)

    def begin_anew(self, at: Sample | None, *, held: bool) -> None:
        self.now: list[Sample] = [at] if at else []
        self.since = list(self.now)
        self.rested: list[Sample] | None = None
        self.held, self.moved = held, False

    def end(self) -> bool:
        if len(self.now) < 4:
            return False
        self.movements.append((self.now, self.held))
        return True

    def to(self, at: Sample) -> None:
        last = self.now[-1] if self.now else None
        if last and at[0] == last[0]:
            self.now[-1] = self.since[-1] = at
        elif not last or (at[0] > last[0] and at[1:] != last[1:]):
            if last and at[0] - last[0] >= 200_000:
                if self.end():
                    self.rested = None if self.held else self.now
                self.now = []
            self.now.append(at)
            self.since.append(at)

    def press(self, event: Event) -> None:
        at = place(event)
        aimed = self.rested if self.rested and length(self.rested[-1], at) <= 12 else None
        if self.end():
            aimed = None if self.held else self.now
        arrived = came(self.since) if self.moved else None
        self.presses.append(event | {"aim": aimed, "came": arrived, "scrolls": self.scrolls})
        self.begin_anew(at, held=True)


def followed(events: list[Event]) -> Hand:
    hand = Hand()
    device = None
    for event in events:
        kind = event["kind"]
        hand.scrolls += kind == Kind.SCROLL
        if kind in BREAKS:
            hand.end()
            hand.begin_anew(None, held=False)
            device = None
        if kind not in (Kind.POINTER_MOVE, Kind.POINTER_DOWN, Kind.POINTER_UP):
            continue
        finger = kind == Kind.POINTER_DOWN and event["pointer"] == Pointer.TOUCH
        if event["pointer"] != device or finger:
            hand.end()
            hand.begin_anew(None, held=False)
        device = event["pointer"]
        hand.to(place(event))
        hand.moved = hand.moved or kind == Kind.POINTER_MOVE
        if kind == Kind.POINTER_DOWN:
            hand.press(event)
        if kind == Kind.POINTER_UP:
            hand.end()
            hand.begin_anew(place(event), held=False)
    hand.end()
    return hand


def pointing(events: list[Event]) -> Iterator[Happened]:
    for event in events:
        if event["kind"] == Kind.POINTER_MOVE:
            yield event["t_us"], "pointer_samples", 1
    hand = followed(events)
    for samples, held in hand.movements:
        t_us, found = samples[-1][0], figures_of_path(samples)
        if held:
            yield t_us, "drags", 1
            yield t_us, "drag_us", samples[-1][0] - samples[0][0]
            yield t_us, "drag_css_px", sum(length(a, b) for a, b in pairwise(samples))
            continue
        yield t_us, "movements", 1
        for name in FIGURES:
            value = found[name]
            if value is not None and name not in OF_AIMS:
                yield t_us, name, value
    before: dict[int, dict[str, Any]] = {}
    for press in hand.presses:
        yield press["t_us"], "pointer_presses", 1
        if press["came"] is not None:
            yield press["t_us"], "hesitation_us", max(press["t_us"] - press["came"], 0)
        yield from aimed(press, before)


def aimed(press: dict[str, Any], before: dict[int, dict[str, Any]]) -> Iterator[Happened]:
    aim = press["aim"]
    found = figures_of_path(aim) if aim else {}
    if found.get("reentries") is not None:
        yield press["t_us"], "aims", 1
        for name in OF_AIMS:
            value = found[name]
            assert value is not None
            yield press["t_us"], name, value
    if press["element"] <= 0 or press["role"] not in NARROW_ROLES:
        return
    same = before.get(press["element"])
    before[press["element"]] = press
    if aim and same and same["scrolls"] == press["scrolls"] and length(aim[0], aim[-1]):
        here, there = place(press), place(same)
        along = (aim[-1][1] - aim[0][1], aim[-1][2] - aim[0][2])
        off = (here[1] - there[1]) * along[0] + (here[2] - there[2]) * along[1]
        yield press["t_us"], "aim_off", off / math.hypot(*along)
        yield press["t_us"], "aim_css_px", length(aim[0], aim[-1])
        yield press["t_us"], "aim_us", aim[-1][0] - aim[0][0]


def clicks(events: list[Event]) -> Iterator[Happened]:
    held: dict[int, int] = {}
    downs: dict[int, list[int]] = {}
    for event in events:
        kind, button, t_us = event["kind"], event["button"], event["t_us"]
        if kind in BREAKS:
            held, downs = {}, {}
        elif kind == Kind.POINTER_DOWN:
            held[button] = t_us
            downs.setdefault(button, []).append(t_us)
        elif kind == Kind.POINTER_UP and button in held:
            down = held.pop(button)
            if t_us >= down:
                yield down, "click_hold_us", t_us - down
        elif kind == Kind.CLICK:
            yield t_us, "clicks", 1
            if event["value"] == 2 and len(downs.get(button, [])) > 1:
                first, second = downs[button][-2:]
                if second >= first:
                    yield second, "double_click_us", second - first


def scrolling(events: list[Event]) -> Iterator[Happened]:
    bursts: list[list[Event]] = [[]]
    heading = 0
    for event in events:
        if event["kind"] in BREAKS:
            bursts.append([])
            heading = 0
        if event["kind"] != Kind.SCROLL:
            continue
        t_us, step = event["t_us"], event["scroll_y_css_px"]
        yield t_us, "scroll_steps", 1
        yield t_us, "way", abs(step)
        yield t_us, "way_up", max(-step, 0)
        if step and heading and (step > 0) != (heading > 0):
            yield t_us, "scroll_reversals", 1
            if step < 0:
                yield t_us, "scroll_regressions", 1
        heading = step or heading
        if bursts[-1]:
            last = max(e["t_us"] for e in bursts[-1])
            if t_us - last >= 500_000:
                yield t_us, "scroll_dwell_us", t_us - last
                bursts.append([])
        bursts[-1].append(event)
    for burst in filter(None, bursts):
        first, last = burst[0]["t_us"], max(e["t_us"] for e in burst)
        way = sum(abs(e["scroll_y_css_px"]) for e in burst)
        yield last, "scroll_bursts", 1
        yield last, "scroll_burst_css_px", way
        yield last, "scroll_burst_us", last - first
        if last > first:
            yield last, "scroll_speed_css_px_per_s", way / ((last - first) / 1e6)


def group(role: int) -> str:
    return next(name for name, roles in GROUPS.items() if Role(role) in roles)


def navigation(events: list[Event]) -> Iterator[Happened]:
    began: int | None = events[0]["t_us"]
    visit: Event | None = None
    for event in events:
        kind, t_us = event["kind"], event["t_us"]
        if kind in BREAKS:
            visit = None
        if kind in (*BREAKS, Kind.TASK):
            began = t_us
            continue
        key = kind == Kind.KEY_DOWN and not event["modifiers"] & 16
        if began is not None and (key or kind in (Kind.POINTER_DOWN, Kind.CLICK)):
            yield t_us, "first_action_us", max(t_us - began, 0)
            began = None
        if not (key or kind in (Kind.CLICK, Kind.FOCUS)) or event["element"] <= 0:
            continue
        yield t_us, "acts", 1
        if visit and visit["element"] == event["element"]:
            continue
        if visit:
            yield t_us, "transitions", 1
            yield t_us, f"{group(visit['role'])}_to_{group(event['role'])}", 1
            yield t_us, "visit_us", max(t_us - visit["t_us"], 0)
            if visit["role"] != event["role"]:
                yield t_us, "role_changes", 1
        visit = event


COUNTED = (
    "pointer_samples",
    "movements",
    "drags",
    "pointer_presses",
    "aims",
    "clicks",
    "scroll_steps",
    "scroll_bursts",
    "scroll_reversals",
    "scroll_regressions",
    "acts",
    "transitions",
)
MEASURED = (
    *FIGURES,
    "hesitation_us",
    "click_hold_us",
    "double_click_us",
    "scroll_burst_css_px",
    "scroll_burst_us",
    "scroll_speed_css_px_per_s",
    "scroll_dwell_us",
    "visit_us",
    "first_action_us",
)


def happened(table: pa.Table) -> list[Happened]:
    """Return everything that counts for a figure but those of typing and revision."""
    events = table.to_pylist()
    return [one for each in (pointing, clicks, scrolling, navigation) for one in each(events)]


def figures(found: list[Happened], start: int = 0, end: int = 2**62) -> dict[str, float | None]:
    """Return every figure of start <= t < end."""
    values: dict[str, list[float]] = {}
    for t_us, name, value in found:
        if start <= t_us < end:
            values.setdefault(name, []).append(value)
    made: dict[str, float | None] = {name: len(values.get(name, [])) for name in COUNTED}
    for name in MEASURED:
        each = values.get(name, [])
        made[f"{name}_mean"] = mean(each) if each else None
        made[f"{name}_sd"] = stdev(each) if len(each) > 1 else None
    for name in ("drag_us", "drag_css_px"):
        made[f"{name}_mean"] = mean(values[name]) if name in values else None
    way = sum(values.get("way", []))
    made["scroll_up_share"] = sum(values.get("way_up", [])) / way if way else None
    return made | throughput(values) | transitions(values)


def throughput(values: dict[str, list[float]]) -> dict[str, float | None]:
    off = values.get("aim_off", [])
    if len(off) < 10 or not any(off):
        return {"throughput_bits_per_s": None}
    width = 4.133 * math.sqrt(mean(value**2 for value in off) / 2)
    bits = math.log2(mean(values["aim_css_px"]) / width + 1)
    return {"throughput_bits_per_s": bits / (mean(values["aim_us"]) / 1e6)}


def transitions(values: dict[str, list[float]]) -> dict[str, float | None]:
    count = len(values.get("transitions", []))
    pairs = {(a, b): len(values.get(f"{a}_to_{b}", [])) for a in GROUPS for b in GROUPS}
    made: dict[str, float | None] = {
        f"{a}_to_{b}_share": number / count if count else None for (a, b), number in pairs.items()
    }
    made["role_change_share"] = len(values.get("role_changes", [])) / count if count else None
    bits = 0.0
    for (a, _), number in pairs.items():
        if number:
            from_a = sum(n for (before, _), n in pairs.items() if before == a)
            bits -= number / count * math.log2(number / from_a)
    made["transition_bits"] = bits if count > 1 else None
    return made
