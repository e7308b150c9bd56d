"""Which displays there are, how they scale, and roughly what the system makes of the hand's way.

With it places and steps can be compared between computers. More would tell one computer from
another: so edges are told on steps of 64 px, scale in quarters, and of the pointer's acceleration
only whether there is any, and whether the system's speed is its usual one. What is not known is 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from overt.device.facts import EIGHTHS, FACTS
from overt.schema.event import VALUE_MAX, Kind

STEP_PX = 64
EVERY_S = 2.0
"""Between two looks at what has changed."""

DISPLAYS_MAX = 16


class Acceleration(IntEnum):
    """Whether the pointer goes further than the hand the faster that is."""

    UNKNOWN = 0
    NONE = 1
    SOME = 2


class Speed(IntEnum):
    """How the system's pointer speed stands to its usual one."""

    UNKNOWN = 0
    SLOWER = 1
    USUAL = 2
    FASTER = 3


@dataclass(frozen=True)
class Display:
    """A display, in the unit of the pointer's places."""

    x: int
    y: int
    width: int
    height: int
    scale: float = 0.0
    """Pixels to a unit in which programs lay out; 0: unknown."""


@dataclass(frozen=True)
class Setting:
    """What the person sees on, and points with."""

    displays: tuple[Display, ...] = ()
    """The first is the main one."""
    acceleration: Acceleration = Acceleration.UNKNOWN
    speed: Speed = Speed.UNKNOWN


def rows(setting: Setting, t_us: int) -> Any:
    """Return `FACTS[n]`, one row a display, coarse.

    >>> made = rows(Setting((Display(1920, 0, 1366, 768, 1.25),), Acceleration.SOME), 7)[0]
    >>> [int(made[name]) for name in ("slot", "scroll_x_css_px", "scroll_y_css_px", "value")]
    [1, 1408, 768, 5]
    """
    displays = setting.displays[:DISPLAYS_MAX]
    made = np.zeros(len(displays), FACTS)
    made["t_us"], made["kind"] = t_us, Kind.VIEW
    made["button"], made["edit_chars"] = setting.acceleration, setting.speed
    for number, (row, one) in enumerate(zip(made, displays, strict=True), 1):
        left, top = one.x // STEP_PX * STEP_PX, one.y // STEP_PX * STEP_PX
        row["slot"], row["value"] = number, min(round(4 * one.scale), VALUE_MAX[Kind.VIEW])
        row["x_8th_css_px"], row["y_8th_css_px"] = left * EIGHTHS, top * EIGHTHS
        row["scroll_x_css_px"] = -(-one.width // STEP_PX) * STEP_PX
        row["scroll_y_css_px"] = -(-one.height // STEP_PX) * STEP_PX
    return made


def speed_of(value: float, usual: float) -> Speed:
    """Return how a speed stands to the usual one."""
    if value == usual:
        return Speed.USUAL
    return Speed.FASTER if value > usual else Speed.SLOWER


def agreed(
    found: Iterable[tuple[Acceleration, Speed]],
) -> tuple[Acceleration, Speed]:
    """Return what holds for all pointing devices; unknown where they differ."""
    kinds = set(found)
    return kinds.pop() if len(kinds) == 1 else (Acceleration.UNKNOWN, Speed.UNKNOWN)


def of_libinput(speed: float, profiles: Sequence[int]) -> tuple[Acceleration, Speed]:
    """Return what libinput's properties say: speed from -1 to 1, and which profile is enabled.

    >>> of_libinput(0.0, (1, 0, 0)), of_libinput(-0.5, (0, 1))
    ((<Acceleration.SOME: 2>, <Speed.USUAL: 2>), (<Acceleration.NONE: 1>, <Speed.SLOWER: 1>))
    """
    adaptive, flat, *custom = (*profiles, 0, 0)[: max(2, len(profiles))]
    if any(custom) or bool(adaptive) == bool(flat):
        return Acceleration.UNKNOWN, speed_of(speed, 0.0)
    return (Acceleration.SOME if adaptive else Acceleration.NONE), speed_of(speed, 0.0)


def of_ratio(numerator: int, denominator: int) -> tuple[Acceleration, Speed]:
    """Return what the X server's own acceleration says, which begins beyond a threshold.

    >>> of_ratio(2, 1), of_ratio(1, 1)
    ((<Acceleration.SOME: 2>, <Speed.USUAL: 2>), (<Acceleration.NONE: 1>, <Speed.USUAL: 2>))
    """
    if denominator <= 0 or numerator <= 0:
        return Acceleration.UNKNOWN, Speed.UNKNOWN
    ratio = numerator / denominator
    if ratio == 1:
        return Acceleration.NONE, Speed.USUAL
    return Acceleration.SOME, speed_of(ratio, 2.0)


def of_windows(mouse: Sequence[int], speed: int) -> tuple[Acceleration, Speed]:
    """Return what Windows says: two thresholds and whether there is acceleration; 1 to 20.

    >>> of_windows((6, 10, 1), 10)
    (<Acceleration.SOME: 2>, <Speed.USUAL: 2>)
    """
    known = Acceleration.SOME if mouse[2] else Acceleration.NONE
    return known, speed_of(speed, 10) if speed else Speed.UNKNOWN


def scale_of(resources: str) -> float:
    r"""Return the scale that an X display's resources ask programs for (`Xft.dpi`), or 0.

    >>> scale_of("Xcursor.size:\t24\nXft.dpi:\t144\n"), scale_of("")
    (1.5, 0.0)
    """
    for line in resources.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "Xft.dpi":
            try:
                return max(0.0, float(value) / 96)
            except ValueError:
                return 0.0
    return 0.0
