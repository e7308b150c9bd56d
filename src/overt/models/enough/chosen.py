"""Which element of a page is pressed next, from small web tasks: published data alone.

What is learned is how often each kind of element was pressed where it was shown, alone and after
what was pressed before it; the instruction is not looked at. A step of an assignment is one choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from overt.models.engagement.choices import Choices, read
from overt.models.engagement.orders import LEANS, counts_of
from overt.models.tensors import Array

NAME = "next-element"
TITLE = "Which element is pressed next"
UNIT = "bits saved a choice, against each element shown being as likely"
LEVEL = "elements"
NOTE = (
    "Published web tasks, a person an assignment, with all they did; the instruction is hidden. "
    "Models that read it gain far more (overt evaluate next-element) and may need other numbers."
)


@dataclass(frozen=True, eq=False)
class Chosen:
    """One person's rows: every element at every choice of theirs."""

    keys: tuple[Array, ...]
    """int64[n] each, from the least that was before to the most; numbered over everyone."""
    taken: Array
    """float64[n]"""
    first: Array
    """int64[choices + 1], where the rows of each choice begin."""


def people_of(path: Path) -> list[Chosen]:
    """Return everyone in published demonstrations, in an order that hangs on nobody."""
    return split(read(path))


def split(choices: Choices) -> list[Chosen]:
    """Return each person's rows."""
    keys, of = counts_of(choices).keys, choices.choice
    made = []
    for who in np.unique(choices.person).tolist():
        mine = np.flatnonzero(choices.person == who)
        rows = np.isin(of, mine)
        made.append(
            Chosen(
                tuple(key[rows] for key in keys),
                choices.taken[rows].astype(np.float64),
                np.append(0, np.cumsum(choices.count[mine])),
            )
        )
    return made


@dataclass(eq=False)
class Seen:
    """How often each key was shown, and pressed."""

    shown: list[Array]
    pressed: list[Array]


@dataclass(frozen=True, eq=False)
class Pressed:
    """Rates as the grid wants them (`overt.models.enough.grid.Additive`)."""

    people: list[Chosen]
    sizes: list[int] = field(init=False)

    def __post_init__(self) -> None:
        """Count the keys of each kind."""
        many = len(self.people[0].keys) if self.people else 0
        sizes = [
            1 + max(int(p.keys[at].max(initial=-1)) for p in self.people) for at in range(many)
        ]
        object.__setattr__(self, "sizes", sizes)

    def start(self) -> Seen:
        """Return what nobody has taught yet."""
        return Seen([np.zeros(n) for n in self.sizes], [np.zeros(n) for n in self.sizes])

    def add(self, state: Seen, people: Sequence[int], minutes: float) -> Seen:
        """Return it with some people, all of each."""
        del minutes
        for one in (self.people[person] for person in people):
            for shown, pressed, key in zip(state.shown, state.pressed, one.keys, strict=True):
                np.add.at(shown, key, 1.0)
                np.add.at(pressed, key, one.taken)
        return state

    def parts(self, state: Seen, whole: Seen, person: int) -> tuple[float, float]:
        """Return bits saved, and choices."""
        del whole
        one = self.people[person]
        rate = np.full(one.taken.size, 0.1)
        for shown, pressed, key in zip(state.shown, state.pressed, one.keys, strict=True):
            rate = (pressed[key] + LEANS * rate) / (shown[key] + LEANS)
        total = np.add.reduceat(rate, one.first[:-1])
        count = np.diff(one.first)
        share = rate[one.taken > 0] / total
        return float(np.log2(share * count).sum()), float(count.size)
