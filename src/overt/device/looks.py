"""Looks at the window that one acts in, so that an action comes with what it looked like before.

A thread of its own looks at the window that has the keyboard when it has lain still for a while,
and holds the last look in memory. Nothing of it is recorded until the person does something in
that window; then the look from before goes first. What is held when anything closes recording, or
another window gets the keyboard, is dropped.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import numpy as np

from overt.device.capture import Capture
from overt.device.elements import (
    NUMBERS_MAX,
    Box,
    Elements,
    Numbers,
    Suppressed,
    Tree,
    boxes,
    stepped,
)
from overt.device.facts import EIGHTHS, FACTS, NOTHING
from overt.device.picture import Rectangle, picture
from overt.device.pixels import Pixels
from overt.device.screen import Moment
from overt.schema.event import KeyClass, Kind, Role

STILL_S = 2.0
"""So long no window may have moved or changed before it is looked at: what lay above it has been
painted over by then, or the program would not answer."""

EVERY_S = 5.0
SHARE_MAX = 0.02
"""Of a core. A window of many parts is looked at less often, so that it costs no more."""

AGE_MAX_S = 15.0
RETRY_S = 5.0
_WAIT_S = 0.25


@dataclass(frozen=True)
class Target:
    """The window that may be looked at."""

    window: int
    pid: int
    application: int


@dataclass(frozen=True)
class Look:
    """What a window was like."""

    target: Target
    taken_ms: int
    """On the display's clock."""
    taken_s: float
    tree: Tree
    place: Box
    picture: tuple[Rectangle, ...]
    """Nothing where no picture may be."""


class Looks:
    """Looks, holds and hands over. `before` is called by the loop that records, and never waits."""

    def __init__(self, display: str, wanted: frozenset[int], *, pictures: bool) -> None:
        """`wanted`: numbers of the applications whose windows the person lets be looked at."""
        self._display, self._wanted, self._pictures = display, wanted, pictures
        self._lock = threading.Lock()
        self._target: Target | None = None
        self._still_since_s = time.monotonic()
        self._held: Look | None = None
        self._last: tuple[Any, ...] = ()
        self._stirred = True
        self._stop = threading.Event()
        self._numbers = Numbers()
        self._thread = threading.Thread(target=self._follow, name="looks", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop looking."""
        self._stop.set()
        self._thread.join(2)

    def begin(self, numbers: Numbers) -> None:
        """Begin a session: numbers of elements say nothing outside of it."""
        self._numbers, self._last = numbers, ()
        self.drop()

    def drop(self) -> None:
        """Forget what is held, and look at nothing until told otherwise."""
        with self._lock:
            self._target, self._held = None, None

    def before(self, capture: Capture, rows: Any, *, is_open: bool) -> Any:
        """Return `FACTS[n]` that belong before these rows: what the window was like."""
        moment, changed, capture.changed = capture.moment, capture.changed, False
        target = Target(moment.focus, moment.focus_pid, moment.application)
        if not is_open or moment.application not in self._wanted or moment.prompt:
            self.drop()
            return NOTHING
        with self._lock:
            if changed or target != self._target:
                self._still_since_s, self._held, self._stirred = time.monotonic(), None, True
            self._target = target
            held = self._held
            self._stirred = self._stirred or bool(len(rows))
        acts = _acts(rows, moment, target.application)
        if held is None or not acts.any() or time.monotonic() - held.taken_s > AGE_MAX_S:
            return NOTHING
        taken_us = capture.t_us(held.taken_ms)
        if taken_us > int(rows["t_us"][acts].min()):
            return NOTHING  # it shows what came of the action
        with self._lock:
            self._held, self._still_since_s = None, time.monotonic()
        said = (held.tree, held.picture)
        if said == self._last:
            return NOTHING
        self._last = said
        return self._rows(held, taken_us)

    def _rows(self, look: Look, taken_us: int) -> Any:
        if len(self._numbers) >= NUMBERS_MAX:
            return NOTHING
        elements = np.zeros(len(look.tree), FACTS)
        numbers = [self._numbers.of(one.place) for one in look.tree]
        for row, element, number in zip(elements, look.tree, numbers, strict=True):
            row["kind"], row["role"], row["element"] = Kind.ELEMENT, element.role, number
            row["edit_chars"] = numbers[element.parent] if element.parent >= 0 else 0
            row["value"] = element.state
            _put(row, stepped(element.box))
        patches = np.zeros(len(look.picture), FACTS)
        patches["kind"], patches["element"] = Kind.PICTURE, numbers[0]
        patches["role"][:1] = Role.PAGE
        for row, part in zip(patches, look.picture, strict=True):
            row["value"] = part.colour
            x, y = look.place.x + part.x, look.place.y + part.y
            _put(row, Box(x, y, part.width, part.height))
        rows = np.concatenate([elements, patches])
        rows["t_us"] = taken_us
        return rows

    def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                with ExitStack() as stack:
                    elements = stack.enter_context(closing(Elements()))
                    pixels = stack.enter_context(closing(Pixels(self._display)))
                    self._watch(elements, pixels)
            except Exception:  # noqa: BLE001 - no service, no display: nothing is looked at
                self.drop_held()
            self._stop.wait(RETRY_S)

    def drop_held(self) -> None:
        """Forget what is held."""
        with self._lock:
            self._held = None

    def _watch(self, elements: Elements, pixels: Pixels) -> None:
        due_s = 0.0
        while not self._stop.wait(_WAIT_S):
            now_s = time.monotonic()
            with self._lock:
                target, since_s = self._target, self._still_since_s
                due = self._stirred and now_s - since_s >= STILL_S
            if target is None or not due or now_s < due_s:
                continue
            began_s = time.thread_time()
            with self._lock:
                self._stirred = False
            try:
                look = self._look(target, elements, pixels)
            except (Suppressed, TimeoutError):
                look = None
            with self._lock:
                if target == self._target and since_s == self._still_since_s:
                    self._held = look
            due_s = now_s + max(EVERY_S, (time.thread_time() - began_s) / SHARE_MAX)

    def _look(self, target: Target, elements: Elements, pixels: Pixels) -> Look:
        """Look twice at the parts and once in between at the pixels: all of one moment, or none."""
        place = pixels.place(target.window)
        places = (place, pixels.frame(target.window))
        tree = elements.tree(target.pid, places)
        taken_s, found = time.monotonic(), None
        if self._pictures:
            try:
                found_pixels, drawn, seen = pixels.of(target.window)
            except Suppressed:
                seen = place
            else:
                bare, rest = boxes(tree, bare=True), boxes(tree, bare=False)
                found = picture(found_pixels, drawn, seen, bare, rest)
            if seen != place or elements.tree(target.pid, places) != tree:
                raise Suppressed("it changed meanwhile")
        taken_ms = int(taken_s * 1000) & 0xFFFFFFFF
        return Look(target, taken_ms, taken_s, tree, place, tuple(found or ()))


def wanted(applications: tuple[Mapping[str, Any], ...]) -> frozenset[int]:
    """Return the numbers of the applications whose windows the person lets be looked at."""
    return frozenset(int(one["number"]) for one in applications if one.get("screen"))


def _acts(rows: Any, moment: Moment, application: int) -> Any:
    """Return bool[n]: presses over the application's windows, Enter and commands."""
    found = np.isin(rows["kind"], (Kind.COMMAND,))
    found |= (rows["kind"] == Kind.KEY_DOWN) & (rows["key_class"] == KeyClass.ENTER)
    pressed = rows["kind"] == Kind.POINTER_DOWN
    if pressed.any():
        x, y = rows["x_8th_css_px"] // EIGHTHS, rows["y_8th_css_px"] // EIGHTHS
        found |= pressed & (moment.under(x, y) == application)
    return found


def _put(row: Any, box: Box) -> None:
    row["x_8th_css_px"], row["y_8th_css_px"] = box.x * EIGHTHS, box.y * EIGHTHS
    row["scroll_x_css_px"], row["scroll_y_css_px"] = box.width, box.height
