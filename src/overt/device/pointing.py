"""What the pointer did over allowed windows, and on what: moves, presses, clicks, wheel, hover.

A press waits a moment for what lies under it, which a program has to be asked for; it keeps its
time and its place among the others, and goes without where no answer comes.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from math import log2
from typing import Any

import numpy as np

from overt.device.elements import Box, Numbers
from overt.device.facts import EIGHTHS, FACTS
from overt.device.screen import Moment
from overt.device.stream import BUTTON_PRESS, EVENT, MOTION, joined
from overt.device.targets import Spot, Target, Under
from overt.schema.event import Kind, Pointer, Role

PATIENCE_S = 0.5
"""So long a press waits for what lies under it."""

_WHEEL = {4: (0, -1), 5: (0, 1), 6: (-1, 0), 7: (1, 0)}
_BUTTONS = {1: 1, 2: 2, 3: 3, 8: 4, 9: 5}
_MULTI_CLICK_MS, _MULTI_CLICK_PX = 500, 5
_SIXTEENTHS, _FOURTHS, _SIDE_MAX = 16, 4, 63


@dataclass
class _Press:
    """A press between its hook and the word of what lies under it, with what came of it since."""

    button: int
    asked: int
    """Number of the question."""
    spot: Spot
    due_s: float
    rows: list[Any]


@dataclass
class _Over:
    """What the pointer rests on."""

    spot: Spot
    asked: int = 0
    target: Target | None = None


@dataclass
class Pointing:
    """Judges what the pointer did, by the moments before and after. Times are the display's, ms."""

    notch_css_px: int
    t_us: Callable[[Any], Any]
    """Makes a time of the display, ms, one of the session, µs."""
    under: Under | None = None
    numbers: Numbers = field(default_factory=Numbers)
    _heard: list[Any] = field(default_factory=list)
    """`EVENT[n]` of each heap that nobody has judged yet; no keys. In place of the root window, the
    event's number among all, so that order outlives equal times."""
    _pressed: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    _clicked: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)
    _waiting: deque[_Press] = field(default_factory=deque)
    _aimed: dict[int, tuple[Spot, Target]] = field(default_factory=dict)
    """Button → where its last press was, and on what."""
    _over: _Over | None = None
    _hovered: Target | None = None
    """What the last hover came onto."""

    def hear(self, events: Any, first: int) -> None:
        """Take in `EVENT[n]` as they happened; `first` is the number of the first among all."""
        at = np.flatnonzero(events["code"] >= BUTTON_PRESS)
        if len(at) < len(events):
            self._over = None  # a key may have changed what is there
        pointed = events[at]
        pointed["root"] = first + at
        self._heard.append(pointed)

    def forget(self) -> None:
        """Forget all that is not over."""
        self._heard.clear()
        self._pressed.clear()
        self._waiting.clear()
        self._aimed.clear()
        self._over = self._hovered = None

    def first_waiting(self) -> Any:
        """Return the first row that waits, or None."""
        return self._waiting[0].rows[0][0] if self._waiting else None

    def judged(self, before: Moment, after: Moment, now: tuple[int, int], *, changed: bool) -> Any:
        """Return rows of what happened since the last moment, and what waited and is known now.

        `now`: time, µs, and number for what is noticed only now.
        """
        events, self._heard = joined(self._heard, EVENT), []
        if changed:
            self._look_again(after)
        rows = self._settled()
        if not len(events):
            return [*rows, *self._rested(now)]
        under = after.under(events["x"].astype(np.int32), events["y"].astype(np.int32))
        if changed:
            was = before.under(events["x"].astype(np.int32), events["y"].astype(np.int32))
            under[was != under] = 0
        rows += self._left(events, under)
        last = events[-1:] if under[-1] else events[:0]
        events = events[under > 0]
        moves = events["code"] == MOTION
        made = self._rows(events)
        rows.append(made[moves])
        for k in np.flatnonzero(~moves):
            rows += self._button(events[k], made[k : k + 1], after)
        if self._over is None and len(last) and last[0]["code"] == MOTION:
            spot = _spot(after, int(last[0]["x"]), int(last[0]["y"]))
            self._over = _Over(spot) if spot else None
        return rows

    def flush(self) -> list[Any]:
        """Return what waits, without what lay under it."""
        rows = [row for press in self._waiting for row in press.rows]
        self._waiting.clear()
        return rows

    def _rows(self, events: Any) -> Any:
        rows = np.zeros(len(events), FACTS)
        rows["t_us"], rows["seq"] = self.t_us(events["time_ms"]), events["root"]
        rows["x_8th_css_px"] = events["x"].astype(np.int32) * EIGHTHS
        rows["y_8th_css_px"] = events["y"].astype(np.int32) * EIGHTHS
        rows["pointer"] = Pointer.MOUSE
        rows["kind"] = Kind.POINTER_MOVE
        return rows

    def _button(self, event: Any, row: Any, after: Moment) -> list[Any]:
        button, down = int(event["detail"]), event["code"] == BUTTON_PRESS
        if button in _WHEEL:
            right, below = _WHEEL[button]
            self._over = None  # what lies there goes elsewhere
            row["kind"], row["pointer"] = Kind.WHEEL, Pointer.NONE
            row["scroll_x_css_px"] = right * self.notch_css_px
            row["scroll_y_css_px"] = below * self.notch_css_px
            return [row] if down else []
        number = _BUTTONS.get(button, 0)
        if not number:
            return []
        row["kind"], row["button"] = Kind.POINTER_DOWN if down else Kind.POINTER_UP, number
        x, y, at_ms = int(event["x"]), int(event["y"]), int(event["time_ms"])
        if down:
            self._pressed[number] = (x, y, at_ms)
            return self._down(number, row, _spot(after, x, y))
        rows = [row]
        pressed = self._pressed.pop(number, None)
        if pressed is not None and _near(pressed, x, y):
            last, last_x, last_y, last_ms, count = self._clicked
            again = (
                last == number
                and pressed[2] - last_ms <= _MULTI_CLICK_MS
                and _near((last_x, last_y, 0), x, y)
            )
            self._clicked = (number, x, y, at_ms, count + 1 if again else 1)
            click = row.copy()
            click["kind"], click["value"] = Kind.CLICK, self._clicked[4]
            rows.append(click)
        waiting = next((one for one in self._waiting if one.button == number), None)
        if waiting is not None:
            waiting.rows += rows
            return []
        spot, target = self._aimed.pop(number, (None, None))
        here = spot is not None and _lies(after, spot)
        return [self._on(one, target if here else None) for one in rows]

    def _down(self, button: int, row: Any, spot: Spot | None) -> list[Any]:
        """Return the row of a press if what is under it is known already; else it waits."""
        over, self._over = self._over, None  # what a press does to it, nobody knows
        self._aimed.pop(button, None)
        if self.under is None or spot is None:
            return [row]
        if over and over.target and over.target.box.holds(spot.x, spot.y):
            self._aimed[button] = spot, over.target
            return [self._on(row, over.target)]
        asked = self.under.ask(spot, in_passing=False)
        if not asked:
            return [row]
        self._waiting.append(_Press(button, asked, spot, time.monotonic() + PATIENCE_S, [row]))
        return []

    def _settled(self) -> list[Any]:
        """Return the presses whose place is known, or will not be."""
        rows: list[Any] = []
        now_s = time.monotonic()
        while self._waiting and self.under is not None:
            press = self._waiting[0]
            if not self.under.answered(press.asked) and now_s < press.due_s:
                break
            self._waiting.popleft()
            target = self.under.answer(press.asked)
            if target is not None:
                self._aimed[press.button] = press.spot, target
            rows += [self._on(row, target) for row in press.rows]
        return rows

    def _look_again(self, after: Moment) -> None:
        """Drop answers of places where another window lies now: they may be of that one."""
        if self._over is not None and not _lies(after, self._over.spot):
            self._over = None
        for press in self._waiting:
            if self.under is not None and not _lies(after, press.spot):
                self.under.answer(press.asked)

    def _on(self, row: Any, target: Target | None) -> Any:
        """Put into a row what it is on, if that is still where it happened."""
        x, y = int(row["x_8th_css_px"][0]) // EIGHTHS, int(row["y_8th_css_px"][0]) // EIGHTHS
        if target is None or not target.box.holds(x, y):
            return row
        row["role"], row["element"] = target.role, self.numbers.of(target.place)
        if row["kind"][0] == Kind.POINTER_DOWN and target.can_be_aimed_at:
            row["value"], row["scroll_x_css_px"], row["scroll_y_css_px"] = aimed(target.box, x, y)
        return row

    def _left(self, events: Any, under: Any) -> list[Any]:
        """Mark where the pointer left what it had come onto."""
        over, hovered = self._over, self._hovered
        if over is not None:
            box = over.target.box if over.target else Box(over.spot.x, over.spot.y, 1, 1)
            if _first_outside(box, events, under) is not None:
                self._over = None
        at = None if hovered is None else _first_outside(hovered.box, events, under)
        if at is None:
            return []
        self._hovered = None
        return [_hover(int(self.t_us(events[at]["time_ms"])), int(events[at]["root"]))]

    def _rested(self, now: tuple[int, int]) -> list[Any]:
        """Ask what the pointer rests on; say it once, if it can be pressed as a whole."""
        over = self._over
        if over is None or self.under is None or over.target is not None:
            return []
        if not over.asked:
            over.asked = self.under.ask(over.spot, in_passing=True)
        elif self.under.answered(over.asked):
            over.target = target = self.under.answer(over.asked)
            if target is None:
                self._over = None
            elif target.can_be_aimed_at and target != self._hovered:
                self._hovered = target
                return [_hover(*now, target.role, self.numbers.of(target.place))]
        return []


def aimed(box: Box, x: int, y: int) -> tuple[int, int, int]:
    """Return the class of a target's smaller side, and where in it a point is, in 16ths.

    >>> aimed(Box(100, 50, 64, 16), 132, 50)
    (16, 0, -8)
    """
    side = max(1, min(box.width, box.height))
    across = round(((x - box.x) / box.width - 0.5) * _SIXTEENTHS)
    down = round(((y - box.y) / box.height - 0.5) * _SIXTEENTHS)
    return min(_SIDE_MAX, round(_FOURTHS * log2(side))), across, down


def _hover(t_us: int, seq: int, role: Role = Role.NONE, element: int = 0) -> Any:
    row = np.zeros(1, FACTS)
    row["kind"], row["pointer"] = Kind.HOVER, Pointer.MOUSE
    row["t_us"], row["seq"], row["role"], row["element"] = t_us, seq, role, element
    return row


def _first_outside(box: Box, events: Any, under: Any) -> int | None:
    """Return the first event that is not in a box, or not over an allowed window; None if none."""
    x, y = events["x"].astype(np.int32), events["y"].astype(np.int32)
    inside = (box.x <= x) & (x < box.x + box.width) & (box.y <= y) & (y < box.y + box.height)
    outside = np.flatnonzero(~(inside & (under > 0)))
    return int(outside[0]) if len(outside) else None


def _spot(moment: Moment, x: int, y: int) -> Spot | None:
    """Return a place with the window that lies there, if it is an allowed one."""
    found = moment.window_at(x, y)
    return None if found is None else Spot(x, y, Box(*found[0]), found[1])


def _lies(moment: Moment, spot: Spot) -> bool:
    """Return whether the window lies at a spot that did, in the same place."""
    return _spot(moment, spot.x, spot.y) == spot


def _near(pressed: tuple[int, int, int], x: int, y: int) -> bool:
    return abs(pressed[0] - x) <= _MULTI_CLICK_PX and abs(pressed[1] - y) <= _MULTI_CLICK_PX
