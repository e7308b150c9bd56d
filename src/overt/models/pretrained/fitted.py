"""How the shared encoder is fitted to people of every source, and states of events it then gives.

Rows of `ROW` events are cut from stretches as they are asked for; a row may hold several short
stretches, each begun by `start`. Sources are drawn alike often, whatever their size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

from overt.models.neural import device
from overt.models.neural.fitting import Plan, fit
from overt.models.pretrained.frames import NUMBERS, seen
from overt.models.pretrained.network import SPAN, WIDTH, Batch, Shared, shared
from overt.models.pretrained.sources import Person
from overt.models.tensors import Array

ROW = 256
"""Events in a row."""
BATCH = 32
STEPS = 60
"""Batches of one pass."""
HELD_OUT = 10
HIDDEN = 0.15
"""Share of events in hidden spans."""
PLAN = Plan(passes=6, patience=2, steps=STEPS, rate=3e-3, decay=1e-3)


class Rows:
    """Events of people, to be cut into rows."""

    def __init__(self, people: Sequence[Person], view: str, sources: Sequence[str]) -> None:
        tokens: list[Array] = []
        given: list[Array] = []
        self.sources = list(sources)
        bounds: list[list[tuple[int, int]]] = [[] for _ in sources]
        at = 0
        for person in people:
            begin = at
            for token, number in seen(person.stretches, view):
                tokens.append(token)
                given.append(number)
                at += len(token)
            if at - begin >= SPAN:
                bounds[self.sources.index(person.source)].append((begin, at))
        self.token = np.concatenate(tokens) if tokens else np.zeros(0, np.int64)
        self.numbers = np.concatenate(given) if given else np.zeros((0, NUMBERS), np.float32)
        self.people = bounds

    def drawn(self, rng: np.random.Generator, rows: int) -> tuple[Array, Array, Array, Array]:
        """Return rows drawn with each source alike often: token, numbers, hidden, source."""
        there = [at for at, people in enumerate(self.people) if people]
        source = rng.choice(there, rows)
        token = np.full((rows, ROW), -1, np.int64)
        numbers = np.zeros((rows, ROW, NUMBERS), np.float32)
        for row, of in enumerate(source.tolist()):
            people = self.people[of]
            begin, end = people[rng.integers(len(people))]
            first = int(rng.integers(begin, max(end - ROW, begin) + 1))
            last = min(first + ROW, end)
            token[row, : last - first] = self.token[first:last]
            numbers[row, : last - first] = self.numbers[first:last]
        hidden = np.repeat(rng.random((rows, ROW // SPAN)) < HIDDEN, SPAN, axis=1)
        return token, numbers, hidden & (token > 0), source


def on(parts: Sequence[Array], where: str) -> Batch:
    """Return drawn rows as tensors."""
    return Batch(*(torch.from_numpy(np.ascontiguousarray(part)).to(where) for part in parts))


def fitted(
    people: Sequence[Person],
    body: str,
    view: str,
    seed: int,
    *,
    adversary: float = 0.0,
    plan: Plan = PLAN,
    progress: Callable[[float], None] = lambda _share: None,
    begun: bytes | None = None,
    keep: Callable[[bytes], None] | None = None,
) -> Shared:
    """Return an encoder fitted to people, one in `HELD_OUT` of whom is for stopping early."""
    sources = sorted({one.source for one in people})
    ordered = sorted(people, key=lambda one: one.unit)
    aside = ordered[::HELD_OUT] if len(ordered) >= 2 * HELD_OUT else ordered[:1]
    learned = [one for one in ordered if one not in aside] or ordered
    rows, held = Rows(learned, view, sources), Rows(aside, view, sources)
    where = device.chosen()

    def batches(number: int) -> Iterator[Batch]:
        rng = np.random.Generator(np.random.PCG64([seed, number]))
        for _ in range(plan.steps):
            yield on(rows.drawn(rng, BATCH), where)

    with device.repeatable(seed):
        model = shared(body, len(sources), seed, adversary).to(where)
        test = on(held.drawn(np.random.Generator(np.random.PCG64(0)), 2 * BATCH), where)
        fit(
            model,
            batches,
            model.loss,
            lambda: float(model.loss(test)),
            plan,
            progress=progress,
            begun=begun,
            keep=keep,
        )
    return model.eval()


def encoded(model: Shared, stretches: Sequence[tuple[Array, Array]], size: int = 64) -> list[Array]:
    """Return float32[n, WIDTH] of each stretch: its states, whatever comes after an event.

    Long stretches are read in windows of two rows, of which the second half is kept, so that each
    event is seen with a row of what came before.
    """
    where = next(model.parameters()).device
    windows = [
        (number, begin, max(begin - ROW, 0))
        for number, (token, _) in enumerate(stretches)
        for begin in range(0, len(token), ROW)
    ]
    windows.sort(key=lambda one: one[1] - one[2])
    made = [np.zeros((len(token), WIDTH), np.float32) for token, _ in stretches]
    with torch.inference_mode():
        for start in range(0, len(windows), size):
            part = windows[start : start + size]
            ends = [min(begin + ROW, len(stretches[number][0])) for number, begin, _ in part]
            longest = max(end - first for end, (_, _, first) in zip(ends, part, strict=True))
            token = np.full((len(part), longest), -1, np.int64)
            numbers = np.zeros((len(part), longest, NUMBERS), np.float32)
            for row, (end, (number, _, first)) in enumerate(zip(ends, part, strict=True)):
                token[row, : end - first] = stretches[number][0][first:end]
                numbers[row, : end - first] = stretches[number][1][first:end]
            given = (torch.from_numpy(one).to(where) for one in (token, numbers))
            states = model.states(*given).float().cpu().numpy()
            for row, (end, (number, begin, first)) in enumerate(zip(ends, part, strict=True)):
                made[number][begin:end] = states[row, begin - first : end - first]
    return made
