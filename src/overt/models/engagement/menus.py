"""A menu that shows what is most likely first, replayed: who would have found it sooner.

The menu stands in the order of the page. Above it are `SHOWN` entries, those a method holds most
likely; nothing below moves but by the room they take (a split menu, Sears & Shneiderman 1994). So
being wrong costs something: everyone reads the top in vain.

Time of a choice, in the form of Cockburn, Gutwin & Greenberg (A predictive model of menu
performance, CHI 2007): finding, and pointing by Fitts' law at a distance of so many entries.

- a newcomer reads from the top until the entry is there: `READ_S` an entry
- one who knows where everything stands reads the top alone, as that changes, and otherwise decides:
  `DECIDE_S` for every doubling of the number of entries (Hick & Hyman)

The constants are ours, round, of the size that such studies report. Who doubts them takes the
entries read, which need none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from overt.models.tensors import Array

SHOWN = 3
READ_S = 0.08
DECIDE_S = 0.08
POINT_S, POINT_BIT_S = 0.37, 0.13


@dataclass(frozen=True, eq=False)
class Replayed:
    """What a menu did at m choices; all float64[m]."""

    place: Array
    """Place that the method gave the entry that was wanted, from 1."""
    read_saved: Array
    """Entries a newcomer need not read; below 0: more than before."""
    newcomer_s: Array
    """Seconds saved."""
    practised_s: Array


def replayed(rank: Array, place: Array, entries: Array, shown: int = SHOWN) -> Replayed:
    """Return what showing the `shown` most likely entries first would have saved.

    Args:
        rank: int64[m], place of the wanted entry in the method's order, from 0.
        place: int64[m], its place on the page, from 0.
        entries: int64[m], how many there are.
        shown: how many are shown above.

    >>> made = replayed(np.array([0, 9]), np.array([4, 4]), np.array([10, 10]), 2)
    >>> made.read_saved.tolist()
    [4.0, -2.0]
    """
    hit = rank < shown
    before = place + 1.0
    after = np.where(hit, rank + 1.0, shown + before)
    decide = DECIDE_S * np.log2(np.maximum(entries, 2))
    top = np.where(hit, READ_S * (rank + 1.0), READ_S * shown + decide)
    return Replayed(
        rank + 1.0,
        before - after,
        READ_S * (before - after) + _point(before) - _point(after),
        decide + _point(before) - top - _point(after),
    )


def _point(place: Array) -> Array:
    """Return seconds to get to an entry so many entries down."""
    return np.asarray(POINT_S + POINT_BIT_S * np.log2(place + 1))
