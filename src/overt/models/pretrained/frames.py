"""What the shared encoder sees of a session: one row an event, whatever device it came from.

Keys, edits, clicks and focus are the tokens of `overt.datasets.tokens`; pointer samples, presses
and every single scroll step stand between them in order of time. So a session of typing is seen
exactly as the encoder that people can leave sees it, and pauses are told of the same events.

Two views. `plain`: as it was. `blind`: without what a device or its software adds and no hand does:
pointer movement is laid on one clock (`GRID_MS`), and times and distances are over the person's own
middle and spread. Nothing in it needs to know which source a person is from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pyarrow as pa

from overt.datasets.tokens import START, VOCABULARY, TokenArrays, tokens_of
from overt.models.config import LOG_PAUSE_CENTRE
from overt.models.stream import log_ms
from overt.models.tensors import Array
from overt.schema.event import Kind

TOKENS = (*VOCABULARY, "move", "press", "release")
MOVE, PRESS, RELEASE = range(len(VOCABULARY), len(TOKENS))
SCROLL_DOWN, SCROLL_UP = VOCABULARY.index("scroll:down"), VOCABULARY.index("scroll:up")

NUMBERS = 8
"""Scaled ln pause, is it known, scaled ln hold, is it known, rollover, way right, down, speed."""
MOTION = slice(5, 7)
VIEWS = ("plain", "blind")
GRID_MS = 25.0
GAP_MS = 120.0
"""A longer time between samples is rest: nothing is filled in there."""
_WAY_SCALE = 2.0
_POINTER = {
    int(Kind.POINTER_MOVE): MOVE,
    int(Kind.POINTER_DOWN): PRESS,
    int(Kind.POINTER_UP): RELEASE,
}
_SCROLLS = (int(Kind.WHEEL), int(Kind.SCROLL))


@dataclass(frozen=True, eq=False)
class Frames:
    """One stretch of events; all arrays of length n. The first is `start`."""

    token: Array
    """int16[n], index into `TOKENS`."""
    pause_us: Array
    """int64[n], since the event before."""
    hold_us: Array
    """int64[n], -1 where none."""
    rollover: Array
    right_px: Array
    down_px: Array
    """float32[n], how far the pointer moved, or the page was scrolled, with this event."""

    def __len__(self) -> int:
        """Return the number of events, `start` counted."""
        return len(self.token)


def of_typing(stretch: TokenArrays) -> Frames:
    """Return a stretch of tokens as frames."""
    none = np.zeros(len(stretch), np.float32)
    return Frames(
        np.asarray(stretch.token, np.int16),
        np.asarray(stretch.pause_us, np.int64),
        np.asarray(stretch.hold_us, np.int64),
        np.asarray(stretch.rollover, np.int8),
        none,
        none,
    )


def of_motion(t_ms: Array, x_px: Array, y_px: Array) -> Frames:
    """Return samples of a moving pointer as frames."""
    n = len(t_ms)
    return Frames(
        np.concatenate([[START], np.full(n, MOVE)]).astype(np.int16),
        np.concatenate([[0, 0], np.diff(t_ms) * 1000])[: n + 1].astype(np.int64),
        np.full(n + 1, -1, np.int64),
        np.zeros(n + 1, np.int8),
        np.concatenate([[0, 0], np.diff(x_px)])[: n + 1].astype(np.float32),
        np.concatenate([[0, 0], np.diff(y_px)])[: n + 1].astype(np.float32),
    )


def frames_of(events: pa.Table) -> list[Frames]:
    """Return the stretches of one session of schema `EVENTS` that have an event beside `start`."""
    if events.num_rows == 0:
        return []
    resumed = np.flatnonzero(events.column("kind").to_numpy() == int(Kind.RESUME))
    bounds = [0, *resumed.tolist(), events.num_rows]
    made = [_merged(events.slice(a, b - a)) for a, b in pairwise(bounds)]
    return [one for one in made if one is not None and len(one) > 1]


def _merged(events: pa.Table) -> Frames | None:
    if events.num_rows == 0:
        return None
    names = ("kind", "t_us", "x_8th_css_px", "y_8th_css_px", "scroll_y_css_px")
    kind, t_us, x, y, scroll = (events.column(name).to_numpy() for name in names)
    paused = np.flatnonzero(kind == int(Kind.PAUSE))
    if paused.size:
        return _merged(events.slice(0, int(paused[0])))
    typed = tokens_of(events)
    pointer = np.isin(kind, list(_POINTER))
    other = pointer | np.isin(kind, _SCROLLS)
    if not other.any():
        return of_typing(typed[0]) if typed else None
    first = int(t_us[0])
    base = of_typing(typed[0]) if typed else None
    rows = np.flatnonzero(other)
    way = [np.zeros(len(rows), np.float32) for _ in "xy"]
    moved = np.flatnonzero(pointer[rows])
    for column, place in zip(way, (x, y), strict=True):
        column[moved] = np.diff(place[rows[moved]] / 8.0, prepend=place[rows[moved][:1]] / 8.0)
    way[1] = np.where(pointer[rows], way[1], scroll[rows])
    tokens = np.array([_POINTER.get(k, SCROLL_DOWN) for k in kind[rows].tolist()], np.int16)
    tokens[~pointer[rows] & (scroll[rows] < 0)] = SCROLL_UP
    time = np.asarray(t_us[rows], np.int64)
    hold, over = np.full(len(rows), -1, np.int64), np.zeros(len(rows), np.int8)
    begin = Frames(*(np.zeros(1, kind) for kind in ("i2", "i8", "i8", "i1", "f4", "f4")))
    begin.hold_us[0] = -1
    base = begin if base is None else base
    kept = ~np.isin(base.token, (SCROLL_DOWN, SCROLL_UP))
    when = np.concatenate([first + np.cumsum(base.pause_us)[kept], time])
    order = np.argsort(when, kind="stable")
    columns = [
        np.concatenate([getattr(base, name)[kept], more])[order]
        for name, more in (
            ("token", tokens),
            ("hold_us", hold),
            ("rollover", over),
            ("right_px", way[0]),
            ("down_px", way[1]),
        )
    ]
    pause = np.diff(when[order], prepend=when[order][:1])
    return Frames(columns[0], np.maximum(pause, 0), *columns[1:])


def on_grid(frames: Frames) -> Frames:
    """Return frames whose movement lies on one clock: as if every device sampled at `GRID_MS`."""
    time = np.cumsum(frames.pause_us) / 1000.0
    moves = np.flatnonzero(frames.token == MOVE)
    if moves.size < 2:
        return frames
    x, y = np.cumsum(frames.right_px, dtype=np.float64), np.cumsum(frames.down_px, dtype=np.float64)
    cuts = np.flatnonzero(np.diff(time[moves]) > GAP_MS) + 1
    new = [
        np.arange(np.ceil(time[run[0]] / GRID_MS), np.floor(time[run[-1]] / GRID_MS) + 1) * GRID_MS
        for run in np.split(moves, cuts)
    ]
    at = np.concatenate(new) if new else np.zeros(0)
    rest = np.flatnonzero(frames.token != MOVE)
    scrolls = np.isin(frames.token[rest], (SCROLL_DOWN, SCROLL_UP))
    when = np.concatenate([time[rest], at])
    order = np.argsort(when, kind="stable")
    places = []
    for place in (x, y):
        seen = np.concatenate([place[rest], np.interp(at, time[moves], place[moves])])[order]
        places.append(np.diff(seen, prepend=seen[:1]).astype(np.float32))
    fill = len(at)
    token = np.concatenate([frames.token[rest], np.full(fill, MOVE, np.int16)])[order]
    down = np.concatenate([np.where(scrolls, frames.down_px[rest], np.nan), np.full(fill, np.nan)])
    places[1] = np.where(np.isnan(down[order]), places[1], down[order]).astype(np.float32)
    pause = np.round(np.diff(when[order], prepend=when[order][:1]) * 1000).astype(np.int64)
    hold = np.concatenate([frames.hold_us[rest], np.full(fill, -1, np.int64)])[order]
    over = np.concatenate([frames.rollover[rest], np.zeros(fill, np.int8)])[order]
    return Frames(token, pause, hold, over, *places)


def known_pause(frames: Frames) -> Array:
    """Return bool[n]: the pause before this event is one between two events."""
    known = frames.token != START
    known[1:] &= known[:-1].copy()
    known[:1] = False
    return np.asarray(known)


def numbers(frames: Frames) -> Array:
    """Return float32[n, NUMBERS], plain; what is unknown is 0."""
    out = np.zeros((len(frames), NUMBERS), np.float32)
    for column, us, known in (
        (0, frames.pause_us, known_pause(frames)),
        (2, frames.hold_us, frames.hold_us >= 0),
    ):
        out[:, column] = np.where(known, log_ms(np.where(known, us, 0)) - LOG_PAUSE_CENTRE, 0)
        out[:, column + 1] = known
    out[:, 4] = frames.rollover
    for column, px in ((5, frames.right_px), (6, frames.down_px)):
        out[:, column] = np.sign(px) * np.log1p(np.abs(px)) / _WAY_SCALE
    way = np.hypot(frames.right_px, frames.down_px)
    out[:, 7] = np.where(way > 0, np.log1p(way / np.maximum(frames.pause_us / 1000, 1.0)), 0)
    return out


def seen(stretches: Sequence[Frames], view: str) -> list[tuple[Array, Array]]:
    """Return (token int64[n], numbers float32[n, NUMBERS]) of one person's stretches in a view."""
    if view == "plain":
        return [(one.token.astype(np.int64), numbers(one)) for one in stretches]
    laid = [on_grid(one) for one in stretches]
    made = [numbers(one) for one in laid]
    if not made:
        return []
    every = np.concatenate(made)
    for column in (0, 2):
        known = every[:, column + 1] > 0
        if known.any():
            low, middle, high = np.percentile(every[known, column], [25, 50, 75])
            spread = max(high - low, 0.1)
            for one in made:
                one[:, column] = (one[:, column] - middle) / spread * (one[:, column + 1] > 0)
    way = np.concatenate([np.hypot(one.right_px, one.down_px) for one in laid])
    unit = float(np.median(way[way > 0])) / 8 if (way > 0).any() else 1.0
    for frame, of in zip(laid, made, strict=True):
        right, down = frame.right_px / unit, frame.down_px / unit
        of[:, 5:] = numbers(replace(frame, right_px=right, down_px=down))[:, 5:]
    return [(frame.token.astype(np.int64), of) for frame, of in zip(laid, made, strict=True)]
