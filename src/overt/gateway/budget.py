"""What a study's people have spent of their privacy, over everything that was learned with noise.

Each course stands in the log, with what its ε follows from, before it costs anybody anything. What
it comes to together is composed by the accountant, and no course begins that would go beyond what
the notice states.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from overt.consent.notice import budget
from overt.gateway.history import told
from overt.gateway.ledger import record
from overt.models.private.spent import UNIT, Mechanism, Spent, composed
from overt.schema.errors import Refused
from overt.schema.study import Study
from overt.store.store import Store

TRAINING, TOGETHER = "private training", "learning together"
"""Events in the log that spend."""


@dataclass(frozen=True)
class Total:
    """What courses come to together."""

    courses: int
    epsilon: float
    delta: float
    limit: float | None
    """What the notice states, if anything."""

    @property
    def said(self) -> str:
        """Return it in a sentence."""
        of = f" of the {self.limit:g} that the notice states" if self.limit else ""
        return (
            f"{self.courses} in all, composed: ε {self.epsilon:.3g}{of} at δ {self.delta:.2g}, "
            f"unit: {UNIT}."
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {**vars(self), "privacy_unit": UNIT}


def total(store: Store, study: Study, more: Spent | None = None) -> Total:
    """Return what all courses of a study come to, with one more if it is given."""
    courses: list[Mechanism] = []
    epsilon, deltas, number = 0.0, [], 0
    for one in told(store, study.id):
        detail = one.opening.detail
        if detail.get("event") not in (TRAINING, TOGETHER):
            continue
        number += 1
        if "noise_multiplier" not in detail:  # of a version that did not say: added on top
            epsilon += float(detail["epsilon"])
            continue
        deltas.append(float(detail["delta"]))
        courses.append(
            Mechanism(
                float(detail["sampling_rate"]),
                float(detail["noise_multiplier"]),
                int(detail["steps"]),
            )
        )
    if more is not None:
        number += 1
        deltas.append(more.delta)
        courses.append(Mechanism(more.sampling_rate, more.noise_multiplier, more.steps))
    delta = min(deltas, default=0.0)
    epsilon += composed(tuple(courses), delta) if courses else 0.0
    return Total(number, epsilon, delta, float(budget(study)) if budget(study) else None)


def afford(store: Store, study: Study, more: Spent) -> Total:
    """Return what it comes to with one course more. Raises `Refused` beyond the notice's ε."""
    before, after = total(store, study), total(store, study, more)
    if after.limit is not None and after.epsilon > after.limit * (1 + 1e-9):
        raise Refused(
            f"would come to ε {after.epsilon:.3g} with what was learned before "
            f"(ε {before.epsilon:.3g}); the notice states {after.limit:g}",
            where=f"study {study.id}",
            do="Learn with more noise, or ask people anew with another notice.",
        )
    return after


def spend(store: Store, study: Study, event: str, spent: Spent, **more: str) -> None:
    """Write a course into the log: whole numbers and text only, for one hash anywhere."""
    detail = {
        "event": event,
        "epsilon": f"{spent.epsilon:.6g}",
        "delta": repr(spent.delta),
        "sampling_rate": repr(spent.sampling_rate),
        "noise_multiplier": repr(spent.noise_multiplier),
        "steps": spent.steps,
        "privacy_unit": spent.privacy_unit,
        **more,
    }
    record(store, "training", study.id, detail)
