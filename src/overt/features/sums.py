"""Sums of one window: what is counted in one pass and can be added up over windows.

A measure is kept as count, mean and sum of squared deviations (Welford 1962; added up after Chan,
Golub & LeVeque 1983), so that a thousand equal values have the deviation 0 and not rounding noise.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from overt.features.kernel import kernel

MEASURES = ("hold_us", "down_down_us", "down_down_log", "up_down_us", "up_up_us", "pause_us")
COUNTS = (
    "presses",
    "rollovers",
    "inserted_chars",
    "deleted_chars",
    "pasted_chars",
    "deletions",
    "revisions",
    "p_bursts",
    "p_burst_chars",
    "r_bursts",
    "r_burst_chars",
)
COLUMNS: tuple[str, ...] = (
    *(f"{measure}:{part}" for measure in MEASURES for part in ("count", "mean", "squares")),
    *COUNTS,
    "first_press_us",
    "last_press_us",
)
"""Columns of a matrix of sums, one row a window."""
AT = {name: place for place, name in enumerate(COLUMNS)}
FIRST_PRESS, LAST_PRESS = AT["first_press_us"], AT["last_press_us"]


def empty(windows: int) -> Any:
    """Return float64[windows, len(COLUMNS)] of windows in which nothing happened."""
    made = np.zeros((windows, len(COLUMNS)))
    made[:, FIRST_PRESS], made[:, LAST_PRESS] = np.inf, -np.inf
    return made


@kernel
def add(sums: Any, window: int, at: int, value: float) -> None:
    """Add one value to the measure whose three columns begin at `at`."""
    sums[window, at] += 1.0
    off = value - sums[window, at + 1]
    sums[window, at + 1] += off / sums[window, at]
    sums[window, at + 2] += off * (value - sums[window, at + 1])


def merged(parts: Any) -> Any:
    """Return the sums of all windows in `parts` together: float64[len(COLUMNS)]."""
    whole = parts.sum(axis=0) if len(parts) else empty(1)[0]
    for number in range(len(MEASURES)):
        count, mean, squares = (parts[:, 3 * number + part] for part in range(3))
        if count.sum() > 0:
            average = (count * mean).sum() / count.sum()
            whole[3 * number + 1] = average
            whole[3 * number + 2] = (squares + count * (mean - average) ** 2).sum()
    whole[FIRST_PRESS] = parts[:, FIRST_PRESS].min(initial=np.inf)
    whole[LAST_PRESS] = parts[:, LAST_PRESS].max(initial=-np.inf)
    return whole
