"""Models that are sums over people: what each adds to a table is added or left out.

A table holds, for each context (what came before, in more and more detail), how often it was there
and the sum of what followed. A guess leans from the least detailed context to the most: each has
the weight of what was seen there, and where nothing was, the one before it speaks
(Dirichlet smoothing, MacKay & Peto 1995). So any number of people, of any minutes, is one addition,
and the curve can be drawn from hundreds of trainings.

A heavier model may gain more from more people, and a lighter one less: the curve is that of these
tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from overt.datasets.tokens import VOCABULARY
from overt.models.enough.typed import KEYS, RHYTHM, SECONDS, Acts
from overt.models.tensors import Array

LEANS = (2.0, 8.0, 32.0)
"""Events that weigh as much as what a less detailed context says: one of these. Which one, and how
much detail, is what told each next person best before they were added (Dawid 1984), so that it is
decided by those who are learned from."""

TRIED = 40
"""People that decide it, at most: the first ones."""

Chain = Callable[[Acts], list[list[Array]]]
"""Acts → contexts, from the least detailed to the most, each a list of columns int64[n]."""


def _next_act(level: str) -> Chain:
    def chain(acts: Acts) -> list[list[Array]]:
        one, two, three = acts.folded.T[:3]
        word = acts.in_word
        plain = [[], [one], [one, word], [one, two, word], [one, two, three, word]]
        if level == SECONDS:
            return [*plain, [one, two, word, acts.seconds]]
        if level == RHYTHM:
            fine = [*acts.classes.T[:2], word, acts.pace]
            return [*plain, [one, two, word, acts.pace], fine, [*fine, acts.held]]
        keys = acts.symbols.T
        return [*plain, [keys[0], word], [*keys[:2]], [*keys[:3]], [*keys[:4]]]

    return chain


def _pause(level: str) -> Chain:
    def chain(acts: Acts) -> list[list[Array]]:
        one, two = acts.classes.T[:2]
        came = acts.came
        plain = [[], [came], [came, one], [came, one, acts.held], [came, one, two, acts.in_word],
                 [came, one, acts.pace, acts.held]]  # fmt: skip
        if level == RHYTHM:
            return plain
        keys = acts.symbols.T
        return [*plain, [came, acts.symbol, keys[0]], [came, acts.symbol, *keys[:2]]]

    return chain


@dataclass(frozen=True)
class Task:
    """What is told, by a table, at which levels."""

    name: str
    title: str
    unit: str
    """What utility is, in words."""
    levels: tuple[str, ...]
    chain: Callable[[str], Chain]
    told: bool
    """Whether an act is told (a probability), or a time (a number)."""
    note: str = ""
    symbols: int = len(VOCABULARY)
    """How many there are to tell apart, where something is told."""


TASKS = {
    "next-action": Task(
        "next-action",
        "What a person does next",
        "bits saved an act, against telling each by how frequent it is",
        (SECONDS, RHYTHM, KEYS),
        _next_act,
        told=True,
        note="Digits and punctuation count as letters, so that every level tells the same.",
    ),
    "pause": Task(
        "pause",
        "Time before the next act",
        "share of the squared error of ln ms that is explained beyond the person's own mean so far",
        (RHYTHM, KEYS),
        _pause,
        told=False,
        note="rhythm/1 keeps no time between keys below a second: there is nothing to learn from.",
    ),
}


@dataclass(frozen=True, eq=False)
class Table:
    """One person's rows for a task at a level; n rows, k contexts."""

    context: Array
    """int64[n, k], numbers of contexts, from 0, apart for each k."""
    pair: Array
    """int64[n, k], numbers of a context with what came; those of `context` where a time is told."""
    aim: Array
    """float64[n], what is to be told beyond the person's own mean; 1 where it is an act."""
    minute: Array
    """float64[n]"""


@dataclass(frozen=True, eq=False)
class Tables:
    """Everyone's rows, numbered in common."""

    task: Task
    people: list[Table]
    contexts: tuple[int, ...]
    pairs: tuple[int, ...]
    """How many there are of each detail."""


def tables_of(task: Task, level: str, everyone: Sequence[Acts]) -> Tables:
    """Return the rows of all people, at least one."""
    people = [_with_aim(task, acts) for acts in everyone]
    return numbered(
        task,
        [task.chain(level)(acts) for acts in people],
        [acts.came for acts in people],
        [
            np.ones(acts.came.size) if task.told else acts.log_ms - acts.own_log_ms
            for acts in people
        ],
        [acts.minute for acts in people],
    )


def numbered(
    task: Task,
    each: Sequence[Sequence[Sequence[Array]]],
    came: Sequence[Array],
    aim: Sequence[Array],
    minute: Sequence[Array],
) -> Tables:
    """Return rows with contexts numbered in common.

    `each` has for each person their contexts, from the least detailed to the most, each a list of
    columns; the rest is as in `Table`, person by person.
    """
    whole = np.concatenate(came)
    context = np.stack(
        [_numbered([one[place] for one in each], whole.size) for place in range(len(each[0]))],
        axis=1,
    )
    pair = context
    if task.told:
        both = context * task.symbols + whole[:, None]
        pair = np.stack([np.unique(column, return_inverse=True)[1] for column in both.T], axis=1)
    cuts = np.cumsum([one.size for one in came])[:-1]
    made = [
        Table(*row)
        for row in zip(np.split(context, cuts), np.split(pair, cuts), aim, minute, strict=True)
    ]
    return Tables(task, made, _sizes(context), _sizes(pair))


def _sizes(numbers: Array) -> tuple[int, ...]:
    return tuple((numbers.max(axis=0, initial=-1) + 1).tolist())


def _numbered(contexts: Sequence[Sequence[Array]], rows: int) -> Array:
    """Return int64[rows] that is equal where all columns of a context are."""
    key = np.zeros(rows, np.int64)
    for columns in zip(*contexts, strict=True):
        values = np.concatenate(columns)
        key = np.unique(key * (int(values.max(initial=0)) + 2) + values + 1, return_inverse=True)[1]
    return key


def _with_aim(task: Task, acts: Acts) -> Acts:
    if task.told:
        return acts
    return acts.where(np.isfinite(acts.log_ms) & np.isfinite(acts.own_log_ms))


class Sum:
    """What some people add up to; more can be added."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._count = [np.zeros(size) for size in tables.contexts]
        self._sum = [np.zeros(size) for size in tables.pairs]
        self._added = 0
        self._tried = np.zeros((len(LEANS), len(tables.contexts) + 1))
        self._plain: dict[int, float] = {}

    def add(self, people: Iterable[int], minutes: float) -> None:
        """Add the first minutes of some people."""
        for person in people:
            rows = self._tables.people[person]
            kept = int(np.searchsorted(rows.minute, minutes, "right"))
            if 0 < self._added <= TRIED:
                self._tried += self.losses(person, kept)
            self._added += 1
            for place, (count, total) in enumerate(zip(self._count, self._sum, strict=True)):
                np.add.at(count, rows.context[:kept, place], 1.0)
                np.add.at(total, rows.pair[:kept, place], rows.aim[:kept])

    def loss(self, person: int) -> float:
        """Return a person's loss as those who have taught it decided: bits, or squared errors."""
        lean, details = np.unravel_index(int(self._tried.argmin()), self._tried.shape)
        guess = self._start(person, None)
        for place in range(int(details)):
            guess = self._led(person, None, place, guess, LEANS[lean])
        return float(self._left(person, None, guess).sum())

    def plain(self, person: int) -> float:
        """Return the loss against which utility counts: of frequencies, or of the own mean."""
        if person not in self._plain:
            guess = self._start(person, None)
            if self._tables.task.told:
                guess = self._led(person, None, 0, guess, LEANS[0])
            self._plain[person] = float(self._left(person, None, guess).sum())
        return self._plain[person]

    def losses(self, person: int, first: int | None = None) -> Array:
        """Return float64[LEANS, contexts + 1]: a person's loss, of the first rows, by detail."""
        guess = np.tile(self._start(person, first), (len(LEANS), 1))
        made = [self._left(person, first, guess).sum(axis=1)]
        for place in range(len(self._count)):
            guess = self._led(person, first, place, guess, np.array(LEANS)[:, None])
            made.append(self._left(person, first, guess).sum(axis=1))
        return np.stack(made, axis=1)

    def _start(self, person: int, first: int | None) -> Array:
        aim = self._tables.people[person].aim[:first]
        return np.full(aim.size, 1 / self._tables.task.symbols if self._tables.task.told else 0.0)

    def _led(
        self, person: int, first: int | None, place: int, guess: Array, lean: Array | float
    ) -> Array:
        """Return a guess as one more context moves it."""
        rows = self._tables.people[person]
        seen = self._count[place][rows.context[:first, place]]
        total = self._sum[place][rows.pair[:first, place]]
        return np.asarray((total + lean * guess) / (seen + lean))

    def _left(self, person: int, first: int | None, guess: Array) -> Array:
        if self._tables.task.told:
            return np.asarray(-np.log2(guess))
        return np.asarray((self._tables.people[person].aim[:first] - guess) ** 2)

    def rows(self, person: int) -> int:
        """Return how many rows a person has."""
        return self._tables.people[person].aim.size


@dataclass(frozen=True, eq=False)
class Summed:
    """Tables as the grid wants them (`overt.models.enough.grid.Additive`)."""

    tables: Tables

    def start(self) -> Sum:
        """Return what nobody has taught yet."""
        return Sum(self.tables)

    def add(self, state: Sum, people: Sequence[int], minutes: float) -> Sum:
        """Return it with the first minutes of some people."""
        state.add(people, minutes)
        return state

    def parts(self, state: Sum, whole: Sum, person: int) -> tuple[float, float]:
        """Return bits saved and acts, or squared error explained and all of it.

        Against the frequencies that all of them have taught, or the person's own mean.
        """
        told = self.tables.task.told
        plain = whole.plain(person)
        return plain - state.loss(person), float(state.rows(person) if told else plain)
