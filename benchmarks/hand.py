"""A made-up hand: key, pointer and wheel events on a schedule, for Chromium's `Input.dispatch*`."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MOVE_EVERY_MS = 10
"""100 Hz: between a plain mouse and a gaming one."""


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One input event: when after the beginning, and what to tell Chromium."""

    at_ms: float
    method: str
    params: dict[str, Any]

    @property
    def is_move(self) -> bool:
        return self.params["type"] == "mouseMoved"


def script(seconds: float, seed: int = 7) -> list[Dispatch]:
    """Return what a hand does in so many seconds, in turns of 3: write, point and press, scroll."""
    rng = random.Random(seed)
    made: list[Dispatch] = []
    place = (300.0, 300.0)
    for turn in range(math.ceil(seconds / 3)):
        begin_ms = turn * 3000.0
        made += _click(begin_ms, (200, 80))
        made += _writing(begin_ms + 80, 900, rng)
        target = (rng.uniform(60, 700), rng.uniform(150, 320))
        made += _moves(begin_ms + 1000, 1100, (200, 80), target, rng)
        made += _click(begin_ms + 2140, target)
        made += _moves(begin_ms + 2200, 400, target, (150, 260), rng)
        made += [
            _mouse(begin_ms + 2620 + 40 * n, "mouseWheel", (150, 260), deltaX=0, deltaY=60)
            for n in range(8)
        ]
        place = (150, 260)
    made += _click(seconds * 1000, place)
    return sorted((d for d in made if d.at_ms <= seconds * 1000), key=lambda d: d.at_ms)


def play(session: Any, dispatches: list[Dispatch]) -> float:
    """Dispatch on schedule through a DevTools session; return how many seconds it took."""
    began_s = time.perf_counter()
    for each in dispatches:
        wait_s = began_s + each.at_ms / 1000 - time.perf_counter()
        if wait_s > 0:
            time.sleep(wait_s)
        session.send(each.method, each.params)
    return time.perf_counter() - began_s


def _mouse(at_ms: float, type_: str, place: tuple[float, float], **more: Any) -> Dispatch:
    params = {"type": type_, "x": place[0], "y": place[1], **more}
    return Dispatch(at_ms, "Input.dispatchMouseEvent", params)


def _click(at_ms: float, place: tuple[float, float]) -> list[Dispatch]:
    button = {"button": "left", "clickCount": 1}
    return [
        _mouse(at_ms, "mousePressed", place, **button),
        _mouse(at_ms + 60, "mouseReleased", place, **button),
    ]


def _moves(
    at_ms: float, lasts_ms: float, start: tuple[float, float], end: tuple[float, float],
    rng: random.Random,
) -> Iterator[Dispatch]:  # fmt: skip
    """Yield a movement of minimum jerk with some tremor."""
    count = int(lasts_ms / MOVE_EVERY_MS)
    for n in range(count):
        t = n / max(1, count - 1)
        share = 10 * t**3 - 15 * t**4 + 6 * t**5
        place = tuple(
            round(a + (b - a) * share + rng.gauss(0, 0.7), 1)
            for a, b in zip(start, end, strict=True)
        )
        yield _mouse(at_ms + n * MOVE_EVERY_MS, "mouseMoved", (place[0], place[1]))


def _writing(at_ms: float, lasts_ms: float, rng: random.Random) -> Iterator[Dispatch]:
    """Yield presses of letters and spaces, a hundred words a minute."""
    while lasts_ms > 0:
        key = rng.choice("etaoinshr ")
        code = "Space" if key == " " else f"Key{key.upper()}"
        named = {"key": key, "code": code, "windowsVirtualKeyCode": ord(key.upper())}
        held_ms, wait_ms = rng.uniform(50, 90), rng.uniform(80, 160)
        down = {"type": "keyDown", "text": key, **named}
        yield Dispatch(at_ms, "Input.dispatchKeyEvent", down)
        yield Dispatch(at_ms + held_ms, "Input.dispatchKeyEvent", {"type": "keyUp", **named})
        at_ms, lasts_ms = at_ms + wait_ms, lasts_ms - wait_ms
