"""How much of a movement has been seen at a moment, and which moments are asked about.

A share of the path or of the time says only **when we look**: what a method is given are samples
that had come by then, and the clock. It is never told the share, and what is learned from are looks
at times drawn evenly over each movement: whoever learned at one share alone would know how much is
still to come, which nobody knows while a pointer moves.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from overt.models.intent.movements import Movement
from overt.models.tensors import Array

SHARES = (0.25, 0.5, 0.75)
AFTER_MS = (100.0, 200.0, 400.0)
LEARNED = 6
"""Looks at each movement that are learned from."""

SEEN_MIN = 2
"""With fewer samples there is no movement to see."""


@dataclass(frozen=True)
class Look:
    """What of a movement is seen: its first samples, and the time that has passed."""

    number: int
    """Of the movement in its list."""
    seen: int
    """Samples seen."""
    now_ms: float
    """Since it set out."""


def at_path(movement: Movement, share: float) -> tuple[int, float]:
    """Return samples seen, and when, as the path came up to a share of its whole length."""
    path = movement.path_px
    seen = int(np.searchsorted(path, share * path[-1] * (1 + 1e-12), "right"))
    return seen, float(movement.t_ms[max(seen - 1, 0)])


def at_time(movement: Movement, now_ms: float) -> tuple[int, float]:
    """Return samples seen up to a time."""
    return int(np.searchsorted(movement.t_ms, now_ms, "right")), now_ms


def asked(movements: Sequence[Movement]) -> dict[str, list[Look]]:
    """Return the looks that are judged, by when they are.

    After a time, only movements that are still under way then are looked at.
    """
    found: dict[str, list[Look]] = {}
    for number, one in enumerate(movements):
        whole = float(one.t_ms[-1])
        moments = {f"{share:.0%} of the path": at_path(one, share) for share in SHARES}
        moments |= {f"{share:.0%} of the time": at_time(one, share * whole) for share in SHARES}
        moments |= {f"after {ms:.0f} ms": at_time(one, ms) for ms in AFTER_MS if ms < whole}
        for name, (seen, now_ms) in moments.items():
            if seen >= SEEN_MIN:
                found.setdefault(name, []).append(Look(number, seen, now_ms))
    order = [f"{share:.0%} of the {of}" for of in ("path", "time") for share in SHARES]
    order += [f"after {ms:.0f} ms" for ms in AFTER_MS]
    return {name: found[name] for name in order if name in found}


def learned(movements: Sequence[Movement]) -> Iterator[Look]:
    """Yield looks at times drawn evenly over each movement, the same every time."""
    for number, one in enumerate(movements):
        rng = np.random.Generator(np.random.PCG64(zlib.crc32(f"{one.unit} {number}".encode())))
        for now_ms in np.sort(rng.uniform(0, one.t_ms[-1], LEARNED)).tolist():
            seen, _ = at_time(one, now_ms)
            if seen >= SEEN_MIN:
                yield Look(number, seen, now_ms)


def held_out(units: Sequence[str], parts: int) -> Array:
    """Return int64[n], the part of each unit: units in order of a hash, dealt out in turn.

    >>> part = held_out(["a", "b", "a", "c"], 3).tolist()
    >>> part[0] == part[2], sorted(set(part))
    (True, [0, 1, 2])
    """
    names = sorted(set(units), key=lambda name: (zlib.crc32(name.encode()), name))
    part = {name: place % parts for place, name in enumerate(names)}
    return np.array([part[name] for name in units], np.int64)
