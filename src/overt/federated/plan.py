"""The course of learning together, as server and devices agree on it before the first step."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from overt.models.private.rounds import Rounds, within
from overt.models.private.spent import Mechanism, Spent, check_people, delta_for
from overt.models.tensors import Array
from overt.schema.errors import InvalidInput, Refused
from overt.schema.purpose import TOGETHER
from overt.schema.study import Study

TASKS = ("pause", "slips")
STEPS_MAX = 1000


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything a device must know to decide, and to answer."""

    study: str
    task: str
    purpose: str
    sampling_rate: float
    steps: int
    clip: float
    noise_multiplier: float
    delta: float
    planned: int
    """People planned for: the divisor."""
    replies_min: int
    """A step with fewer answers is not used."""
    secure: bool
    """Sums only reach the server (SecAgg+); else each answer does, with the whole noise on it."""

    def check(self) -> None:
        """Raise `Refused`, `InvalidInput` or `TooFew` for what no device should follow."""
        if self.task not in TASKS:
            raise Refused("is no task that is learned together", where="plan.task")
        if self.purpose not in TOGETHER:
            raise Refused("is no purpose that learns together", where="plan.purpose")
        self.rounds.check()
        check_people(self.planned, self.delta, "plan.planned")
        if not 2 <= self.replies_min <= self.planned or not self.steps <= STEPS_MAX:
            raise Refused("is out of its range", where="plan")
        if self.secure and self.replies_min < 3:
            raise Refused("a sum of two tells each what the other gave", where="plan.replies_min")

    @property
    def rounds(self) -> Rounds:
        """Return the course as `overt.models.private.rounds` knows it."""
        return Rounds(
            sampling_rate=self.sampling_rate,
            steps=self.steps,
            clip=self.clip,
            noise_multiplier=self.noise_multiplier,
            delta=self.delta,
        )

    @property
    def mechanism(self) -> Mechanism:
        """Return what its ε follows from."""
        return Mechanism(self.sampling_rate, self.noise_multiplier, self.steps)

    def spent(self) -> Spent:
        """Return what all steps cost a person."""
        return self.rounds.spent()

    @property
    def share(self) -> float:
        """Return the deviation of one device's noise in each coordinate.

        In a sum that nobody sees the parts of, `replies_min` devices make up the noise together.
        """
        together = self.replies_min if self.secure else 1
        return float(self.noise_multiplier * self.clip / together**0.5)

    @property
    def largest(self) -> float:
        """Return what no coordinate of an answer is likely to exceed; SecAgg+ counts up to it."""
        return self.clip + 8 * self.share

    def sha256(self) -> str:
        """Return the hash of the plan, hexadecimal."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """Return canonical JSON."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))


def planned(
    study: Study, task: str, epsilon: float, people: int, replies: int | None, *, secure: bool
) -> Plan:
    """Return a course for so many people that costs each at most `epsilon`.

    `replies` is how many answers a step needs; None: half the people. Raises `InvalidInput` where
    the study has no purpose that learns together, and what `Plan.check` raises.
    """
    from overt.models.private import hand

    purpose = next((one for one in study.purposes if one in TOGETHER), None)
    if purpose is None:
        raise InvalidInput(
            "has no purpose that learns together",
            where=f"study {study.id}",
            do=f"Name one in study.toml: {', '.join(TOGETHER)}.",
        )
    rounds = hand.ROUNDS if task == "slips" else Rounds()
    rounds = within(epsilon, replace(rounds, delta=min(rounds.delta, delta_for(people))))
    made = Plan(
        study=study.id,
        task=task,
        purpose=purpose,
        planned=people,
        replies_min=max(3, people // 2) if replies is None else replies,
        secure=secure,
        **{name: value for name, value in rounds.as_dict().items() if name != "seed"},
    )
    made.check()
    return made


def plan_from(text: str) -> Plan:
    """Return the plan of JSON. Raises `InvalidInput`, and repeats nothing of it."""
    try:
        data: Any = json.loads(text)
        made = Plan(**data)
    except (ValueError, TypeError) as error:
        raise InvalidInput("is not a plan", where="plan") from error
    for name, kind in Plan.__annotations__.items():
        if type(getattr(made, name)).__name__ != kind:
            raise InvalidInput("has the wrong type", where=f"plan.{name}")
    return made


def start(task: str) -> Array:
    """Return the weights nobody has taught."""
    from overt.models.private import hand, pauses

    if task == "pause":
        return pauses.start()
    import numpy as np

    return np.zeros(hand.SIZE)
