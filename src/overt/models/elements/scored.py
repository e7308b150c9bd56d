"""`overt evaluate next-element`: which element comes next, beside every rule.

Assignments whose number is divisible by `SPLIT` are scored, the rest teach: new people, the same
tasks. Then once with the instruction hidden, once with no text at all, and once on kinds of task
that nothing was trained on.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from overt.models.elements import agreement, boosted, figures, ranker, rates, rules
from overt.models.elements.features import Features, made
from overt.models.elements.figures import Ranked
from overt.models.elements.pages import Pages, read
from overt.models.elements.words import Words, words
from overt.models.scores import Progress, Score, Scores
from overt.models.tensors import Array
from overt.schema.errors import TooFew

SPLIT = 5
PEOPLE_MIN = 25
"""Assignments below which an interval over a fifth of them says nothing."""
STEPS_SHOWN_MIN = 300
"""Scored steps from which a task has rows of its own."""
SHOWN, HIDDEN, ROLES, UNSEEN = (
    "instruction shown",
    "instruction hidden",
    "roles and geometry only",
    "unseen task types, instruction shown",
)
TREES, RANKER, BOTH = "LightGBM", "learned ranker", "ranker and LightGBM"


@dataclass(frozen=True)
class View:
    """What a method may look at, and what of it teaches."""

    name: str
    pages: Pages
    teachers: Array
    """bool[steps]."""
    scored: Array
    """bool[steps]."""
    effort: float
    """Share of the full number of trees and epochs: only the main view gets all."""


def evaluate(path: Path, progress: Progress) -> Scores:
    """Train on four fifths of the assignments in `path` and score the rest.

    Raises `TooFew` below `PEOPLE_MIN` assignments, and where none would be scored.
    """
    progress("read", 0.0)
    pages = read(path)
    held = pages.who % SPLIT == 0
    _enough(pages, held)
    known = words(pages.texts)
    scored = held & (pages.target >= 0)
    view = View(SHOWN, pages, ~held, scored, 1.0)
    rows: list[Score] = []
    ranked = _simple(view, rows)
    progress("train with the instruction", 0.1)
    ranked |= _learned(view, known)
    _report(view, ranked, rows)
    for other in (
        View(HIDDEN, pages.instruction_hidden(), ~held, scored, 0.5),
        View(ROLES, pages.roles_only(), ~held, scored, 0.3),
    ):
        progress(f"train, {other.name}", 0.5)
        _report(other, _learned(other, known), rows)
    progress("agreement of people", 0.95)
    rows += agreement.agreements(pages)
    counts = {
        "assignments scored": len(np.unique(pages.who[scored])),
        "steps scored": int(scored.sum()),
        "assignments trained on": len(np.unique(pages.who[~held])),
        "candidates a step": round(float(pages.candidates[scored].mean())),
    }
    return Scores("next-element", PROTOCOL, counts, tuple(rows), NOTES)


PROTOCOL = (
    f"Trained on the assignments whose number is not divisible by {SPLIT}, scored on the others: "
    "people not trained on, tasks alike."
)
NOTES = (
    "top1: the very element; widget1: that or the label or box that goes with it.",
    "top1_gain is paired: the same steps, assignments resampled.",
)


def _enough(pages: Pages, held: Array) -> None:
    people = len(np.unique(pages.who)) if pages.steps else 0
    if people < PEOPLE_MIN or not (held & (pages.target >= 0)).any() or held.all():
        raise TooFew(
            f"{people} assignments are too few to train and to score",
            where="next-element",
            do=f"At least {PEOPLE_MIN} are needed, some with a number divisible by {SPLIT}.",
        )


def _simple(view: View, rows: list[Score]) -> dict[str, Ranked]:
    """Score the rules, and keep them for comparisons."""
    pages, steps = view.pages, np.flatnonzero(view.scored)
    alike = rates.kinds(pages)
    by_step = rules.majority_cell(pages, view.teachers, by_step=True)
    guesses = {
        "last clicked": rules.last_pressed(pages),
        "task's commonest place": rules.majority_cell(pages, view.teachers, by_step=False),
        "task's and step's commonest place": by_step,
        "kind after kind": rules.next_kind(pages, alike, view.teachers),
        "longest text in the instruction": rules.longest_named(pages, by_step),
    }
    ranked = {"random candidate": figures.by_chance(pages, steps)}
    ranked |= {
        name: figures.judged(pages, score, steps, shared=False) for name, score in guesses.items()
    }
    chain = rules.markov_two(pages, alike, view.teachers)
    ranked["Markov-2 over kinds"] = figures.judged(pages, chain, steps, shared=True)
    who = pages.who[steps]
    for name, result in ranked.items():
        rows += figures.scored(name, result, who, ranks=result.nll is not None)
    return ranked


def _learned(view: View, known: Words) -> dict[str, Ranked]:
    """Train LightGBM and the ranker, a thread each, and judge both and their mean."""
    made_for = made(view.pages, known, view.teachers)
    with ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(_trees, view, made_for),
            pool.submit(_ranker, view, known, made_for),
        ]
        trees, network = (job.result() for job in jobs)
    with np.errstate(invalid="ignore"):  # rows that are not scored are NaN
        both = np.logaddexp(trees, network) - np.log(2)
    steps = np.flatnonzero(view.scored)
    return {
        name: figures.judged(view.pages, score, steps, shared=True)
        for name, score in ((TREES, trees), (RANKER, network), (BOTH, both))
    }


def _trees(view: View, made_for: Features) -> Array:
    settings = boosted.Settings(trees=max(20, round(boosted.Settings.trees * view.effort)))
    model = boosted.trained(view.pages, made_for.table, view.teachers, settings)
    return boosted.ranked(model, view.pages, made_for.table, view.scored)


def _ranker(view: View, known: Words, made_for: Features) -> Array:
    settings = ranker.Settings(epochs=max(2, round(ranker.Settings.epochs * view.effort)))
    data = ranker.given(view.pages, known, made_for, view.teachers)
    model = ranker.trained(data, view.teachers, settings)
    return ranker.ranked(model, data, view.scored)


def _report(view: View, ranked: dict[str, Ranked], rows: list[Score]) -> None:
    """Add the rows of the learned methods, and by task where the instruction is shown."""
    pages, steps = view.pages, np.flatnonzero(view.scored)
    who = pages.who[steps]
    for name in (TREES, RANKER, BOTH):
        rows += figures.scored(f"{name}, {view.name}", ranked[name], who)
    for name in (RANKER, BOTH):
        words_for = f"{name} over {TREES}, {view.name}"
        rows.append(figures.gain(words_for, ranked[name], ranked[TREES], who))
    if view.name != SHOWN:
        return
    rivals = {name: one for name, one in ranked.items() if name not in (TREES, RANKER, BOTH)}
    best = max(rivals, key=lambda name: float(rivals[name].top1.mean()))
    rows.append(figures.gain(f"{RANKER} over {best}", ranked[RANKER], ranked[best], who))
    task = pages.task[pages.episode[steps]]
    names, count = np.unique(task, return_counts=True)
    for number in names[count >= STEPS_SHOWN_MIN].tolist():
        here = task == number
        for name in (TREES, RANKER, BOTH):
            part = ranked[name].of(here)
            rows.append(figures.scored(f"{name}, {pages.texts[number]}", part, who[here])[0])
