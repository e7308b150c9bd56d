"""Synthetic people: a seeded generator of sessions, to fill a study where nobody has typed yet.

Nobody's recordings are behind it. Population means are those published by Dhakal et al., CHI 2018
(168,000 volunteers: 51.56 words a minute, 238.7 ms between keys, 116.2 ms hold, 1.173 keys a
character, 25 % rollover); spreads are round numbers of the same order. Pointer paths are
overlapping strokes that miss and are put right (`overt.datasets.synthetic.reach`, after Plamondon
1995 and Meyer et al. 1988) whose durations follow Fitts' law (MacKenzie 1992).
Everything else (habits, words, the order of tasks) is made up.

Each person has habits: own hold times per key and own intervals per pair of keys, which tell them
apart while it is known which key was pressed, and blur when only its class is. What a model learns
here says nothing about people, and whatever comes of it is labelled `synthetic` everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from overt.datasets.synthetic import scene
from overt.datasets.synthetic.hand import Habits

MEAN_INTER_KEY_MS = 238.7
MEAN_HOLD_MS = 116.2
MEAN_KEYS_PER_CHARACTER = 1.173
SOURCE = "synthetic/1, parameters from Dhakal et al. 2018 (doi:10.1145/3173574.3174220)"


@dataclass(frozen=True)
class SyntheticPerson:
    """One made-up person. `sessions`: tables of schema `EVENTS` at `raw/0`, in order of time."""

    number: int
    sessions: tuple[pa.Table, ...] = field(repr=False)
    origin: str = "synthetic"


def people(
    n: int,
    seed: int,
    *,
    sessions: int = 2,
    minutes: float = 5.0,
    pointer_moves: bool = True,
) -> Iterator[SyntheticPerson]:
    """Yield `n` synthetic people, each with `sessions` sessions of about `minutes` minutes.

    Person k of a seed is always the same, whatever `n` is. `pointer_moves=False` leaves out the
    moves between clicks, for studies without the purpose that needs them.
    """
    for number in range(n):
        rng = np.random.default_rng([seed, number])
        habits = Habits.drawn(rng)
        made = tuple(
            scene.session(
                habits.on_another_day(rng), rng, minutes=minutes, pointer_moves=pointer_moves
            )
            for _ in range(sessions)
        )
        yield SyntheticPerson(number, made)
