"""How utility grows with people: a − b·n^−c, fitted only where the points can tell it.

Learning curves of many models have this form (Cortes et al. 1993; Hestness et al. 2017). Three
numbers through noisy points say little by themselves, so the fit is made again for every resampling
of people, the spread of the fits is what is told, and there are cases in which nothing is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from overt.models.tensors import Array

SIZES_MIN = 4
"""Three numbers need a fourth point to be wrong at."""

ENDLESS = 0.1
"""With a smaller c the limit lies so far beyond what is there that nothing can be said of it."""

_BENDS = np.geomspace(0.01, 2.0, 60)


@dataclass(frozen=True)
class Law:
    """a − b·n^−c of one level and time, and what it says of more people; 95 % over resamplings."""

    limit: float
    """a: utility with people without end; NaN where it rises so slowly that no end is in sight, or
    where resamplings differ by more than there is so far."""
    limit_low: float
    limit_high: float
    bend: float
    """c"""
    doubled: float
    """Utility that twice as many people would add."""
    doubled_low: float
    doubled_high: float


def fit(sizes: Array, utility: Array) -> tuple[Law | None, str]:
    """Return the law through `utility`, float64[resamplings, sizes], or None and why there is none.

    >>> sizes = np.array([10.0, 20, 40, 80, 160])
    >>> law, _ = fit(sizes, np.tile(0.5 - sizes**-0.5, (20, 1)))
    >>> round(law.limit, 1), round(law.bend, 1), round(law.doubled, 2)
    (0.5, 0.5, 0.02)
    """
    sizes = np.asarray(sizes, np.float64)
    if sizes.size < SIZES_MIN:
        return None, f"{sizes.size} numbers of people; {SIZES_MIN} are needed"
    rise = utility[:, -1] - utility[:, 0]
    if np.quantile(rise, 0.025) <= 0:
        return None, "it does not rise for certain from the fewest people to the most"
    each, middle = _through(sizes, utility), _through(sizes, utility.mean(0)[None])[0]
    more = _at(each, 2 * sizes[-1]) - _at(each, sizes[-1])
    low, high = np.quantile(more, [0.025, 0.975]).tolist()
    doubled = float(_at(middle[None], 2 * sizes[-1])[0] - _at(middle[None], sizes[-1])[0])
    limit_low, limit_high = np.quantile(each[:, 0], [0.025, 0.975]).tolist()
    limits = (float(middle[0]), limit_low, limit_high)
    wide = limit_high - limit_low > np.abs(utility.mean(0)).max()
    if wide or min(np.median(each[:, 2]), middle[2]) <= ENDLESS:
        limits = (np.nan,) * 3
    return Law(*limits, float(middle[2]), doubled, low, high), ""


def _through(sizes: Array, utility: Array) -> Array:
    """Return float64[resamplings, 3]: a, b, c of least squares with b ≥ 0, over a grid of c."""
    falls = sizes ** -_BENDS[:, None]
    away = falls - falls.mean(1, keepdims=True)
    slope = np.minimum(utility @ away.T / (away**2).sum(1), 0.0)
    limit = utility.mean(1)[:, None] - slope * falls.mean(1)
    error = ((limit[:, :, None] + slope[:, :, None] * falls - utility[:, None, :]) ** 2).sum(2)
    rows, best = np.arange(len(utility)), error.argmin(1)
    return np.stack([limit[rows, best], -slope[rows, best], _BENDS[best]], axis=1)


def _at(laws: Array, size: float) -> Array:
    return np.asarray(laws[:, 0] - laws[:, 1] * size ** -laws[:, 2])
