"""Training from the page: fills an empty study with synthetic people, then trains one model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from overt.gateway import learner, population, train
from overt.schema.errors import NotConsented
from overt.store.store import Store
from overt.studio.jobs import Progress

LIVE_ENOUGH = 20
"""With this many living people a study needs no made-up ones to compare with."""


@dataclass(frozen=True)
class Lesson:
    """How much is made up and trained. `epochs` None: as `overt.models.config` has it."""

    people: int = 24
    minutes: float = 0.6
    epochs: int | None = None

    def give(self, store: Store, study: str, purpose: str, progress: Progress) -> dict[str, Any]:
        """Train the model of a study and purpose and return its card."""
        if needs_company(store, study):
            progress("making up synthetic people, as nobody else is here", 0.0)
            population.fill(store, study, self.people, minutes=self.minutes)
        return train.train(store, study, purpose, epochs=self.epochs, progress=progress)


def needs_company(store: Store, study: str) -> bool:
    """Tell whether a study has too few living people and no synthetic ones yet."""
    living = store.control.subjects(study, "live")
    return len(living) < LIVE_ENOUGH and not store.control.subjects(study, "synthetic")


def purpose_of(consented: Iterable[str], wanted: str = "") -> str:
    """Return the consented purpose that a model learns for, `wanted` or else the first of them.

    Raises `NotConsented`.
    """
    given = set(consented)
    for purpose in (wanted,) if wanted else learner.LEARNS:
        if purpose in given and purpose in learner.LEARNS:
            return purpose
    raise NotConsented(
        "no model learns for what you chose",
        where="purposes",
        do=f"Models there are for: {', '.join(learner.LEARNS)}.",
    )
