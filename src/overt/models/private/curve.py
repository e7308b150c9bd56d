"""ε against utility, at several numbers of people: the whole curve, beside what is not private.

A drawing takes so many of those who are learned from; at each drawing the same people teach with
and without noise. Judged are people of neither. Intervals come from drawing again both the people
who are judged and the drawings: other people, and other noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, Protocol

import numpy as np

from overt.models.private.rounds import Learned, Rounds, train, within
from overt.models.private.spent import PEOPLE_MIN, Spent, check_people
from overt.models.scores import RESAMPLES, Progress
from overt.models.tensors import Array
from overt.schema.errors import InvalidInput, TooFew

EPSILONS = (0.1, 0.3, 1.0, 3.0, 10.0)
SIZES = (100, 400, 1200)
"""Numbers of people; of those that are more than there are, all there are."""

DRAWN = 100
"""People drawn in a step on average, at most: more take longer, and gain little for the same ε."""

DRAWINGS = 3
JUDGED_MIN = 10
NOBODY = "nobody: before it learned"

Sums = dict[str, tuple[Array, Array]]
"""Metric → what is summed, and what it is out of, of each person judged; float64[people] twice."""


class Task(Protocol):
    """What is learned privately: people, a model, and how it is judged."""

    @property
    def name(self) -> str:
        """Return what it is called."""

    @property
    def title(self) -> str:
        """Return it in words."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """Return what is measured; the first is the one that is drawn."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what a reader must know."""

    @property
    def rounds(self) -> Rounds:
        """Return the course, without noise."""

    @property
    def people(self) -> Sequence[Any]:
        """Return those who are learned from."""

    @property
    def judged(self) -> int:
        """Return how many people are judged."""

    def start(self) -> Array:
        """Return the weights nobody has taught."""

    def learn(self, weights: Array, person: Any) -> Array:
        """Return them after a person learned alone."""

    def judge(self, weights: Array) -> Sums:
        """Return what they are good for."""

    def plain(self, places: Sequence[int]) -> dict[str, Sums]:
        """Return what methods without privacy are good for, learned from some of the people."""


@dataclass(frozen=True)
class Cell:
    """One figure; `epsilon` is None where there was no noise, `people` 0 where nobody taught it."""

    name: str
    people: int
    epsilon: float | None
    metric: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Kept:
    """How much of what learning without noise gives over nobody is left at an ε."""

    people: int
    epsilon: float
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class PrivateCurve:
    """All figures of one task."""

    task: str
    title: str
    metrics: tuple[str, ...]
    people: int
    judged: int
    drawings: int
    rounds: Rounds
    cells: tuple[Cell, ...]
    kept: tuple[Kept, ...]
    spent: tuple[tuple[int, Spent], ...]
    """Of each number of people, what each ε is made of."""
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON; a figure that could not be computed is null."""
        return {
            "task": self.task,
            "people": self.people,
            "people_judged": self.judged,
            "drawings": self.drawings,
            "rounds": {k: v for k, v in self.rounds.as_dict().items() if k != "seed"},
            "rows": [_row(cell) for cell in self.cells],
            "kept": [_row(one) for one in self.kept],
            "spent": [{"people": size, **cost.as_dict()} for size, cost in self.spent],
            "notes": list(self.notes),
        }

    def sentences(self) -> list[str]:
        """Return in words what is kept, one sentence for each number of people."""
        found = []
        for size in dict.fromkeys(one.people for one in self.kept):
            shares = ", ".join(
                f"{one.share:.0%} ({one.low:.0%} to {one.high:.0%}) at ε {one.epsilon:g}"
                for one in self.kept
                if one.people == size
            )
            found.append(f"Of what {size} people teach without noise is left: {shares}.")
        return found


def _row(one: Any) -> dict[str, Any]:
    return {
        name: (round(value, 6) if isfinite(value) else None) if type(value) is float else value
        for name, value in vars(one).items()
    }


def measure(
    task: Task,
    progress: Progress,
    *,
    sizes: Sequence[int] = SIZES,
    epsilons: Sequence[float] = EPSILONS,
    drawings: int = DRAWINGS,
    rounds: Rounds,
) -> PrivateCurve:
    """Return the curve of a task. Raises `TooFew` with the number of people that is needed."""
    there = len(task.people)
    if there < PEOPLE_MIN or task.judged < JUDGED_MIN:
        raise TooFew(
            f"has {there} people to learn from and {task.judged} to judge",
            where=task.name,
            do=f"At least {PEOPLE_MIN} and {JUDGED_MIN} are needed.",
        )
    if not epsilons or drawings < 1:
        raise InvalidInput("needs an ε and a drawing", where=task.name)
    used = sorted({min(size, there) for size in sizes})
    for size in used:
        check_people(size, rounds.delta, task.name)
    courses = _courses(used, epsilons, rounds, progress)
    judged: dict[tuple[int, float | None], list[Sums]] = {key: [] for key in courses}
    total = drawings * len(courses)
    for number, (key, course) in enumerate(courses.items()):
        for drawing in range(drawings):
            progress(
                f"learning from {key[0]} people", 0.35 + 0.6 * (number * drawings + drawing) / total
            )
            chosen = [task.people[at] for at in _drawing(there, key[0], drawing)]
            once = replace(course, seed=drawing + 1)
            learned: Learned = train(chosen, task.start(), task.learn, once, key[0])
            judged[key].append(task.judge(learned.weights))
    nobody = task.judge(task.start())
    cells = [*_cells(NOBODY, 0, None, [nobody], task)]
    for (size, epsilon), found in judged.items():
        cells += _cells(_named(epsilon), size, epsilon, found, task)
    for place, size in enumerate(used):
        progress("methods without privacy", 0.95 + 0.05 * place / len(used))
        for name, sums in task.plain(_drawing(there, size, 0)).items():
            cells += _cells(name, size, None, [sums], task)
    cost = [
        (size, _cost(course)) for (size, epsilon), course in courses.items() if epsilon is not None
    ]
    return PrivateCurve(
        task.name,
        task.title,
        task.metrics,
        there,
        task.judged,
        drawings,
        rounds,
        tuple(cells),
        tuple(_kept(task.metrics[0], nobody, judged)),
        tuple(cost),
        (*NOTES, *task.notes),
    )


NOTES = (
    "ε is of a person: with and without everything of theirs. It never stands without δ.",
    "Without noise: the same learning and the same clipping, and no ε.",
    "Methods without privacy are fitted once, to the first drawing; intervals are over people.",
    "Settings were chosen on made-up people, so that trying them out cost nobody anything.",
)


def _named(epsilon: float | None) -> str:
    return "without noise" if epsilon is None else f"ε {epsilon:g}"


def _courses(
    sizes: Sequence[int], epsilons: Sequence[float], rounds: Rounds, progress: Progress
) -> dict[tuple[int, float | None], Rounds]:
    """Return the rounds of each number of people and ε."""
    made: dict[tuple[int, float | None], Rounds] = {}
    total = len(sizes) * len(epsilons)
    for size in sizes:
        rate = min(rounds.sampling_rate, DRAWN / size) if rounds.steps > 1 else 1.0
        plain = replace(rounds, sampling_rate=rate)
        made[size, None] = plain
        for epsilon in sorted(epsilons):
            progress("finding how much noise each ε needs", 0.2 + 0.15 * len(made) / total)
            made[size, epsilon] = within(epsilon, plain)
    return made


def _cost(course: Rounds) -> Spent:
    from overt.models.private.spent import spent

    return spent(
        course.sampling_rate, course.noise_multiplier, course.steps, course.delta, course.clip
    )


def _drawing(there: int, size: int, drawing: int) -> list[int]:
    """Return whom a drawing takes: a larger number holds the smaller ones."""
    order = np.random.Generator(np.random.PCG64(drawing)).permutation(there)
    return sorted(order[:size].tolist())


def _resampled(people: int, drawings: int) -> tuple[Array, Array]:
    """Return how often people and drawings were drawn again; float64[RESAMPLES, …] both."""
    rng = np.random.Generator(np.random.PCG64(0))
    whom = rng.multinomial(people, np.full(people, 1 / people), RESAMPLES)
    which = rng.multinomial(drawings, np.full(drawings, 1 / drawings), RESAMPLES)
    return whom.astype(np.float64), which / drawings


def _over(found: Sequence[Sums], metric: str) -> tuple[float, Array]:
    """Return the mean over drawings of a metric, and it drawn again, float64[RESAMPLES]."""
    above = np.stack([sums[metric][0] for sums in found])
    below = found[0][metric][1]
    whom, which = _resampled(below.size, len(found))
    value = float(above.mean(axis=0).sum() / below.sum())
    return value, np.asarray(((which @ above) * whom).sum(axis=1) / (whom @ below))


def _cells(
    name: str, people: int, epsilon: float | None, found: Sequence[Sums], task: Task
) -> list[Cell]:
    made = []
    for metric in task.metrics:
        if metric not in found[0]:
            continue
        value, again = _over(found, metric)
        low, high = np.nanquantile(again, (0.025, 0.975)).tolist()
        made.append(Cell(name, people, epsilon, metric, value, low, high))
    return made


def _kept(
    metric: str, nobody: Sums, judged: dict[tuple[int, float | None], list[Sums]]
) -> list[Kept]:
    """Return the shares, of people and drawings that are drawn again together."""
    base, base_again = _over([nobody], metric)
    made = []
    for (size, epsilon), found in judged.items():
        if epsilon is None:
            continue
        full, full_again = _over(judged[size, None], metric)
        value, again = _over(found, metric)
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = (again - base_again) / (full_again - base_again)
        low, high = np.nanquantile(shares, (0.025, 0.975)).tolist()
        made.append(Kept(size, epsilon, (value - base) / (full - base), low, high))
    return made
