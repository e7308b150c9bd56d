"""One feature: what it is, how it is computed, what it needs, what spoils it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from overt.features.sums import Sums

Column = Callable[[Sums], Any]
"""Maps the sums of some windows to float64[windows]."""


@dataclass(frozen=True)
class Feature:
    """One column of figures.

    `samples` counts what a figure rests on; below `samples_min` it is null.
    """

    name: str
    unit: str
    formula: str
    samples_min: int
    clock: str
    """What a clock with step d does to it."""
    sampling: str
    """What it does to it that the pointer is sampled less often."""
    source: str
    samples: Column
    value: Column


D_EACH = "each value is off by up to ±d; the mean by less, once values differ by more than d"
D_SPREAD = "adds about d²/6 to the variance: a deviation near d says nothing"
D_LONG = "negligible over a second or more"
D_NONE = "none"
R_NONE = "none"
R_SPREAD = "as for the mean; errors that differ between values add to it"


def column(name: str) -> Column:
    """Return the column of that name, of whichever family has it."""
    return lambda total: total[name]


def moments(
    measure: str,
    unit: str,
    meaning: str,
    source: str,
    *,
    clock: str = D_EACH,
    sampling: str = R_NONE,
) -> tuple[Feature, Feature]:
    """Return mean and deviation of a measure."""
    count, mean = column(f"{measure}:count"), column(f"{measure}:mean")
    squares = column(f"{measure}:squares")

    def deviation(total: Sums) -> Any:
        return np.sqrt(squares(total) / np.maximum(count(total) - 1, 1))

    clock_sd = D_SPREAD if clock is D_EACH else clock
    sampling_sd = R_NONE if sampling is R_NONE else R_SPREAD
    return (
        Feature(
            f"{measure}_mean", unit, f"mean of {meaning}", 1, clock, sampling, source, count, mean
        ),
        Feature(
            f"{measure}_sd",
            unit,
            f"sample deviation (n - 1) of {meaning}",
            2,
            clock_sd,
            sampling_sd,
            source,
            count,
            deviation,
        ),
    )


def counted(
    name: str, formula: str, clock: str, source: str, *, of: str = "", sampling: str = R_NONE
) -> Feature:
    """Return a count: a column as it is."""
    value = column(of or name)
    return Feature(name, "1", formula, 0, clock, sampling, source, value, value)


def share(name: str, formula: str, top: Column, below: Column, **rest: Any) -> Feature:
    """Return a ratio of two counts."""

    def value(total: Sums) -> Any:
        return top(total) / np.maximum(below(total), 1)

    known: dict[str, Any] = {"unit": "1", "samples_min": 1, "sampling": R_NONE, "clock": D_NONE}
    return Feature(name=name, formula=formula, samples=below, value=value, **(known | rest))
