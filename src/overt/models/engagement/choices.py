"""What was on a page when somebody chose something on it: entries, in the order of the page.

From small web tasks (`overt.models.elements.pages`). An **entry** is a kind of element: the
same tag, id and classes, once a page. So a button is one entry wherever it is, and twenty rows of a
list are one. The instruction is not looked at: what is learned is what people usually do next.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from overt.models.elements.pages import Pages
from overt.models.elements.pages import read as read_pages
from overt.models.elements.rates import kinds
from overt.models.tensors import Array

INSTRUCTION = "query"
"""Id of the bar that shows the instruction: it is no entry of the interface."""

ENTRIES_MIN = 4
"""With fewer entries there is nothing to put in order."""


@dataclass(frozen=True, eq=False)
class Choices:
    """m choices, in each person's order, and the n rows of entries that stood there to choose from.

    Rows lie choice by choice, in the order of the page.
    """

    person: Array
    """int64[m]"""
    task: Array
    """int64[m]"""
    before: Array
    """int64[m, 2], entry chosen last in this episode, and the one before; -1: none."""
    step: Array
    """int64[m], choices before this one in the episode."""
    first: Array
    """int64[m + 1], where the rows of each choice begin."""
    entry: Array
    """int64[n], kind of entry."""
    taken: Array
    """bool[n], the one that was chosen; one a choice."""

    @property
    def count(self) -> Array:
        """Return int64[m], entries of each choice."""
        return np.diff(self.first)

    @property
    def choice(self) -> Array:
        """Return int64[n], the choice of each row."""
        return np.repeat(np.arange(self.person.size), self.count)

    @property
    def place(self) -> Array:
        """Return int64[n], place on the page from 0."""
        return np.asarray(np.arange(self.entry.size) - np.repeat(self.first[:-1], self.count))


def read(path: Path) -> Choices:
    """Return everyone's choices in `path`; as `overt.models.elements.pages.read`."""
    return choices_of(read_pages(path))


def choices_of(pages: Pages) -> Choices:
    """Return the steps at which one of at least `ENTRIES_MIN` entries was pressed."""
    kind = kinds(pages).exact
    shown = np.array([text == INSTRUCTION for text in pages.texts])[pages.id]
    step_of_row = np.repeat(np.arange(pages.steps), pages.candidates)
    number, first = _entries(kind[~shown], step_of_row[~shown], pages.steps)
    found = (pages.target >= 0) & ~shown[np.maximum(pages.target, 0)]
    wanted = np.where(found, kind[np.maximum(pages.target, 0)], -1)
    before = np.full((pages.steps, 2), -1, np.int64)
    step = np.zeros(pages.steps, np.int64)
    for s in range(1, pages.steps):
        if pages.episode[s] != pages.episode[s - 1]:
            continue
        step[s] = step[s - 1] + 1
        before[s] = (wanted[s - 1], before[s - 1, 0]) if wanted[s - 1] >= 0 else before[s - 1]
    kept = np.flatnonzero(found & (np.diff(first) >= ENTRIES_MIN))
    rows = np.concatenate(
        [np.zeros(0, np.int64), *(np.arange(first[s], first[s + 1]) for s in kept)]
    )
    entry = number[rows]
    sizes = np.diff(first)[kept]
    return Choices(
        pages.who[kept],
        pages.task[pages.episode[kept]].astype(np.int64),
        before[kept],
        step[kept],
        np.append(0, np.cumsum(sizes)),
        entry,
        entry == np.repeat(wanted[kept], sizes),
    )


def _entries(kind: Array, step: Array, steps: int) -> tuple[Array, Array]:
    """Return the entries of every step, each once and where it first stands, and their bounds."""
    if not kind.size:
        return kind, np.zeros(steps + 1, np.int64)
    order = np.lexsort((np.arange(kind.size), kind, step))
    new = np.append(True, (np.diff(kind[order]) != 0) | (np.diff(step[order]) != 0))
    rows = np.sort(order[new])
    return kind[rows], np.append(0, np.cumsum(np.bincount(step[rows], minlength=steps)))


def part_of(choices: Choices, mask: Array) -> Choices:
    """Return some of the choices, with their rows; `mask` is bool[m]."""
    rows = mask[choices.choice]
    made = {
        f.name: getattr(choices, f.name)[mask] for f in fields(Choices) if f.name not in _OF_ROWS
    }
    first = np.append(0, np.cumsum(choices.count[mask]))
    return Choices(**made, first=first, entry=choices.entry[rows], taken=choices.taken[rows])


_OF_ROWS = ("first", "entry", "taken")
