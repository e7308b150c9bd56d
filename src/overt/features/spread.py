"""How one figure is spread over people, told so that every part of it holds at least ten.

No smallest, no largest, and no quantile with fewer than ten people on either side of it: those are
figures of persons. People are taken in whole tens, in the order in which they came, so one more
person changes nothing until ten have come.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

PEOPLE_MIN = 10
BANDS = (20, 8, 4, 2)
"""Into how many bands of equal count people are cut: the most that leave ten in each."""
DIGITS = 3


@dataclass(frozen=True)
class Spread:
    """A mean, and the bounds between bands that hold the same number of people.

    `bounds` has one value fewer than there are bands; the outermost bands are open.
    """

    people: int
    """How many it is over: a multiple of ten."""
    mean: float
    bounds: tuple[float, ...]

    @property
    def median(self) -> float | None:
        """Return the middle bound, or None where there are too few people for one."""
        return self.bounds[len(self.bounds) // 2] if self.bounds else None


def spread(values: Any) -> Spread | None:
    """Return the spread of one value a person, in the order in which people came, NaN for none.

    None where fewer than ten have one. Figures are rounded to three digits.

    >>> spread(list(range(25)))
    Spread(people=20, mean=9.5, bounds=(9.5,))
    >>> spread([1.0] * 9) is None
    True
    """
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    known = known[: len(known) // PEOPLE_MIN * PEOPLE_MIN]
    if not len(known):
        return None
    bands = next((n for n in BANDS if len(known) >= n * PEOPLE_MIN), 1)
    bounds = np.quantile(known, np.arange(1, bands) / bands).tolist()
    return Spread(len(known), _rounded(known.mean()), tuple(map(_rounded, bounds)))


def _rounded(value: Any) -> float:
    return float(f"{float(value):.{DIGITS}g}")
