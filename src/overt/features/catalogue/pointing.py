"""Pointing: movements, aimed movements and drags; and clicks, which need no moves."""

from __future__ import annotations

from typing import Any

import numpy as np

from overt.features.catalogue.feature import D_NONE, Feature, counted, moments
from overt.features.movements import NARROW_ROLES
from overt.features.pointing import PEAK_SHARE, PEAK_WINDOW_US, TARGET_RADIUS_CSS_PX
from overt.features.sums import Sums

EFFECTIVE_WIDTH_SDS = 4.133
"""Width that holds 96 % of normally distributed presses (ISO 9241-411; MacKenzie 1992)."""
THROUGHPUT_AIMS_MIN = 10
"""With ten pairs the width is known to about a quarter, the throughput to about a tenth; ours."""

_KIESLICH = "Kieslich & Henninger 2017"
_MACKENZIE = "MacKenzie, Kauppinen & Silfverberg 2001"
_GAMBOA = "Gamboa & Fred 2004"
_AHMED = "Ahmed & Traoré 2007"
_FEHER = "Feher et al. 2012"
_MEYER = "Meyer et al. 1988"
_FLASH = "Flash & Hogan 1985"
_ISO = "ISO 9241-411; Soukoreff & MacKenzie 2004"

_D_STEP = "where d is not far below the time between two samples, it swings by their ratio"
_D_STEP_TWICE = "as for speed, with the square of the ratio: useless where d nears that time"
_D_STEP_THRICE = "as for speed, with the cube of the ratio: useless where d nears that time"
_R_LENGTH = "shorter: corners between samples are cut off"
_R_ENDS = "shorter by up to one interval at each end"
_R_FEWER = "smaller: peaks between samples are not seen"
_R_EXPLODES = "much smaller; at a high rate rounding of positions and tremor swell it"
_DISC = f"the disc of {TARGET_RADIUS_CSS_PX:.0f} CSS px around its end"


def _of_movements() -> tuple[Feature, ...]:
    made: list[Feature] = []

    def add(measure: str, unit: str, meaning: str, source: str, **rest: str) -> None:
        made.extend(moments(measure, unit, meaning, source, **rest))

    add("movement_us", "µs", "last minus first sample of a movement", _AHMED, sampling=_R_ENDS)
    add("path_css_px", "CSS px", "the lengths of a movement's steps, added up", _GAMBOA,
        clock=D_NONE, sampling=_R_LENGTH)  # fmt: skip
    add("chord_css_px", "CSS px", "the distance from first to last sample", _GAMBOA,
        clock=D_NONE, sampling=_R_ENDS)  # fmt: skip
    add("straightness", "1", "distance / path, 0 to 1", _GAMBOA,
        clock=D_NONE, sampling="larger, as paths are shorter")  # fmt: skip
    add("speed_css_px_per_s", "CSS px/s", "path / time", _AHMED,
        clock="negligible for a movement", sampling="a little smaller, as paths are")  # fmt: skip
    add("peak_speed_css_px_per_s", "CSS px/s", "the highest step / its time", _FLASH,
        clock=_D_STEP, sampling=_R_FEWER)  # fmt: skip
    add("peak_at_share", "1", "(middle of the fastest step - start) / time of the movement",
        "Walker, Meyer & Smelcer 1993", clock="negligible for a movement",
        sampling="coarser: known to half an interval")  # fmt: skip
    add("acceleration_css_px_per_s2", "CSS px/s²",
        "Σ ‖change of velocity between two steps‖ / Σ time between their middles", _FLASH,
        clock=_D_STEP_TWICE, sampling=_R_EXPLODES)  # fmt: skip
    add("jerk_css_px_per_s3", "CSS px/s³",
        "Σ ‖change of acceleration‖ / Σ time between their middles", _FLASH,
        clock=_D_STEP_THRICE, sampling=_R_EXPLODES)  # fmt: skip
    add("curvature_rad_per_css_px", "rad/CSS px",
        "Σ ‖angle between two steps‖ / path; a step that goes nowhere has no angle", _GAMBOA,
        clock=D_NONE, sampling=_R_EXPLODES)  # fmt: skip
    add("submovements", "1",
        f"peaks of the speed since {PEAK_WINDOW_US // 1000} ms before that stand out by "
        f"{PEAK_SHARE * 100:.0f} % of the highest on both sides; rest before and after", _MEYER,
        clock="none below some ms", sampling="none down to 40 a second; then fewer")  # fmt: skip
    add("max_deviation_css_px", "CSS px",
        "largest distance of a sample from the line through first and last (MAD without its sign)",
        _KIESLICH, clock=D_NONE, sampling="smaller: the extreme is not sampled")  # fmt: skip
    add("average_deviation_css_px", "CSS px",
        "the mean distance of samples from that line, left of the way positive (AD)", _KIESLICH,
        clock=D_NONE, sampling="none, if samples come at equal intervals")  # fmt: skip
    add("axis_crossings", "1", "how often a movement changes sides of that line", _MACKENZIE,
        clock=D_NONE, sampling="fewer: short ones are not seen")  # fmt: skip
    return tuple(made)


def _of_aims() -> tuple[Feature, ...]:
    fewer = "smaller: what lies between samples is not seen"
    return (
        *moments("overshoot_css_px", "CSS px",
                 "how far past the end, along the line, an aimed movement went", _MEYER,
                 clock=D_NONE, sampling=fewer),
        *moments("undershoot_css_px", "CSS px",
                 "how far short of the end the first submovement of an aimed movement ended; 0 if"
                 " it did not or was the only one", _MEYER, clock="as for submovements",
                 sampling="less sure: where the first one ends is known to a sample"),
        *moments("reentries", "1", f"how often an aimed movement came back into {_DISC}",
                 _MACKENZIE, clock=D_NONE, sampling="fewer: short ones are not seen"),
        *moments("hesitation_us", "µs",
                 "press minus the time the pointer came within"
                 f" {TARGET_RADIUS_CSS_PX:.0f} CSS px of its place and stayed",
                 f"{_FEHER} (time to click)",
                 sampling="shorter by up to one interval"),
        Feature(
            "throughput_bits_per_s",
            "bit/s",
            f"log₂(De / We + 1) / MT; De mean distance and MT mean time of aimed movements to an "
            f"element pressed before; We = {EFFECTIVE_WIDTH_SDS} · √(½ · mean square of the way "
            "along the movement between this press on the element and the one before, nothing "
            "scrolled between); narrow "
            f"elements only ({', '.join(role.name.lower() for role in NARROW_ROLES)})",
            THROUGHPUT_AIMS_MIN,
            "negligible for a movement",
            "a little larger, as times are shorter",
            f"{_ISO}; spread by successive differences: von Neumann et al. 1941",
            lambda total: np.where(total["aim_spread_css_px2:mean"] > 0, total["aim_us:count"], 0),
            _throughput,
        ),
    )  # fmt: skip


def _throughput(total: Sums) -> Any:
    width = EFFECTIVE_WIDTH_SDS * np.sqrt(total["aim_spread_css_px2:mean"])
    bits = np.log2(total["aim_css_px:mean"] / width + 1)
    return bits / (total["aim_us:mean"] / 1e6)


MOVEMENTS: tuple[Feature, ...] = (
    counted("pointer_samples", "moves of the pointer as recorded", D_NONE, _AHMED,
            sampling="proportional"),
    counted("movements", "movements of four samples or more, no button held", D_NONE, _AHMED,
            of="movement_us:count", sampling="fewer: short ones have too few samples"),
    *_of_movements(),
    counted("drags", "movements of four samples or more, a button held", D_NONE, _AHMED,
            of="drag_us:count", sampling="fewer: short ones have too few samples"),
    moments("drag_us", "µs", "last minus first sample of a drag", _AHMED, sampling=_R_ENDS)[0],
    moments("drag_css_px", "CSS px", "the lengths of a drag's steps, added up", _AHMED,
            clock=D_NONE, sampling=_R_LENGTH)[0],
    counted("aims", "presses with an aimed movement", D_NONE, _MEYER, of="reentries:count",
            sampling="fewer: short movements have too few samples"),
    *_of_aims(),
)  # fmt: skip
"""In the order of the columns."""

CLICKS: tuple[Feature, ...] = (
    counted("pointer_presses", "presses of a button, a finger or a pen", D_NONE, _AHMED),
    counted("clicks", "clicks, also by key", D_NONE, _AHMED),
    *moments("click_hold_us", "µs", "release minus press of the same button", _GAMBOA),
    *moments("double_click_us", "µs", "second press minus first press of a double click", _FEHER),
)  # fmt: skip
"""In the order of the columns."""
