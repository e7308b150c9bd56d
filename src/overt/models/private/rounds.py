"""Federated averaging with the privacy of people (DP-FedAvg; McMahan et al. 2018).

```
draw      each person by a coin of their own, probability q: so the cohort's size varies
update    from the weights as they are, each person learns alone: u_i = learned_i − weights
clip      u_i · min(1, C / ‖u_i‖): all of a person's data moves the weights by C at most
sum       S = Σ u_i + N(0, (σC)²) in every coordinate
average   weights += S / (q · planned), a divisor that was fixed before anybody joined
```

Then one person more or less changes a step's sum by at most C, whatever they typed, which is all
that `spent` needs to know. The weights that are returned are the mean of those after each of the
last steps, which costs nothing more and halves what the noise does to them.

The same functions run in the middle (`train`) and on a person's own device
(`overt.federated.client`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from math import isfinite
from typing import Any, TypeVar

import numpy as np

from overt.models.private.spent import Spent, check_people, noise_for, spent
from overt.models.tensors import Array
from overt.schema.errors import InvalidInput

Person = TypeVar("Person")
Learn = Callable[[Array, Person], Array]
"""Weights and a person → the weights after the person learned alone; float64[d] both."""

AVERAGED = 0.5
"""Share of the steps, the last ones, whose weights are averaged."""


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """Everything that decides a course of private learning, besides the people in it.

    None of it is fitted to them: what is tried out on people is paid for in their privacy.
    """

    sampling_rate: float = 0.25
    steps: int = 40
    clip: float = 0.2
    noise_multiplier: float = 0.0
    """0 is learning without privacy, for comparison: it has no ε."""
    delta: float = 1e-5
    seed: int = 1

    def check(self) -> None:
        """Raise `InvalidInput`, naming the field, for what makes no sense."""
        for name, good in (
            ("sampling_rate", 0 < self.sampling_rate <= 1),
            ("steps", self.steps >= 1),
            ("clip", self.clip > 0),
            ("noise_multiplier", isfinite(self.noise_multiplier) and self.noise_multiplier >= 0),
            ("delta", 0 < self.delta < 1),
        ):
            if not good:
                raise InvalidInput("is out of its range", where=f"rounds.{name}")

    def spent(self) -> Spent:
        """Return what the whole course costs. Raises `InvalidInput` without noise."""
        return spent(self.sampling_rate, self.noise_multiplier, self.steps, self.delta, self.clip)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Learned:
    """Weights, and what they cost; `spent` is None where there was no noise."""

    weights: Array
    rounds: Rounds
    spent: Spent | None
    people: int
    clipped: float
    """Share of updates that were longer than the clip. Told with synthetic people and in tests
    only: it is about people and has no noise on it."""


def within(epsilon: float, rounds: Rounds) -> Rounds:
    """Return the rounds with the least noise that keeps ε within `epsilon`."""
    noise = noise_for(epsilon, rounds.sampling_rate, rounds.steps, rounds.delta)
    return replace(rounds, noise_multiplier=noise)


def clipped(update: Array, clip: float) -> tuple[Array, bool]:
    """Return an update no longer than `clip`, and whether it was longer.

    What is not a number teaches nothing: it becomes no update at all, and never reaches the sum.
    """
    update = np.asarray(update, np.float64)
    largest = float(np.abs(update).max(initial=0.0))
    if not isfinite(largest):
        return np.zeros_like(update), True
    # Scaled first, so that the square of a very long update does not overflow.
    norm = largest * float(np.sqrt(((update / largest) ** 2).sum())) if largest else 0.0
    if norm <= clip:
        return update, False
    made = update * (clip / norm)
    # Rounding may leave it longer by the last digit.
    return made * min(1.0, clip / max(float(np.sqrt((made**2).sum())), clip)), True


def drawn(people: int, sampling_rate: float, rng: np.random.Generator) -> Array:
    """Return the places of those whom their own coins drew."""
    return np.flatnonzero(rng.random(people) < sampling_rate)


def stepped(weights: Array, total: Array, planned: int, rounds: Rounds, noise: Array) -> Array:
    """Return the weights after a step, from the sum of clipped updates and unit normal noise."""
    noisy = total + rounds.noise_multiplier * rounds.clip * noise
    return np.asarray(weights + noisy / (rounds.sampling_rate * planned))


def averaged(course: Sequence[Array]) -> Array:
    """Return the mean of the weights after each of the last steps."""
    return np.asarray(np.mean(course[-max(1, round(len(course) * AVERAGED)) :], axis=0))


def train(
    people: Sequence[Person],
    start: Array,
    learn: Learn[Person],
    rounds: Rounds,
    planned: int,
    progress: Callable[[float], None] = lambda _: None,
) -> Learned:
    """Return what people taught. Nothing else of them is used, not even how many were drawn.

    Args:
        people: who is learned from, each with everything of theirs.
        start: weights that nobody taught.
        learn: what a person does alone.
        rounds: the course.
        planned: how many people were planned for before anybody joined; how many came is about
            people, and is not divided by.
        progress: called with the share that is done.

    Raises:
        TooFew: too few people for noise to leave anything (only where there is noise).
        InvalidInput: rounds that make no sense, or a δ too large for so many people.
    """
    rounds.check()
    private = rounds.noise_multiplier > 0
    if private:
        check_people(len(people), rounds.delta, "private training")
        check_people(planned, rounds.delta, "private training, planned")
    rng = np.random.Generator(np.random.PCG64(rounds.seed))
    weights = np.array(start, np.float64)
    course: list[Array] = []
    asked = cut = 0
    for step in range(rounds.steps):
        total = np.zeros_like(weights)
        for at in drawn(len(people), rounds.sampling_rate, rng):
            update, was_cut = clipped(learn(weights, people[at]) - weights, rounds.clip)
            total += update
            asked, cut = asked + 1, cut + was_cut
        weights = stepped(weights, total, planned, rounds, rng.standard_normal(weights.size))
        course.append(weights)
        progress((step + 1) / rounds.steps)
    cost = rounds.spent() if private else None
    return Learned(averaged(course), rounds, cost, len(people), cut / max(asked, 1))
