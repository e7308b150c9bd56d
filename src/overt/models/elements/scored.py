"""`overt evaluate next-element`: which element comes next, beside every rule.

Assignments whose number is divisible by `SPLIT` are scored, the rest teach: new people, the same
tasks. Then with the instruction hidden, with no text at all, and on kinds of task that nothing was
trained on: half of the families of tasks teach, the other half is scored, and the reverse.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from overt.models.elements import agreement, boosted, features, figures, rules, second
from overt.models.elements.figures import Ranked
from overt.models.elements.pages import Pages, read
from overt.models.elements.words import words_of
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
    "unseen task types",
)
EFFORT = {SHOWN: 1.0, HIDDEN: 0.5, ROLES: 0.3, UNSEEN: 0.3}
"""Share of the trees and epochs that each gets: the whole is to last minutes."""
TREES, TREES_3, RANKER = "LightGBM", "mean of three LightGBM", "learned ranker"
LEARNED = (TREES, TREES_3, RANKER)
SEEDS = {SHOWN: 3}
"""Models of trees that are grown beside the ranker, which itself stands on several; else one."""
PROTOCOL = (
    f"Trained on the assignments whose number is not divisible by {SPLIT}, scored on the others: "
    "people not trained on, tasks alike; unseen task types: neither the people nor the family of "
    "tasks was trained on."
)
NOTES = (
    "top1: the very element; widget1: that or the label or box that goes with it.",
    "top1_gain and nll_gain (nats saved) are paired: the same steps, assignments resampled.",
    "Texts of pages and instructions are those of imported data; live capture has roles only.",
)


@dataclass(frozen=True)
class View:
    """What a method may look at, what of it teaches, and what is scored."""

    name: str
    seen: features.Seen
    teachers: Array
    scored: Array
    """bool[steps] both."""

    @property
    def steps(self) -> Array:
        """int64[…]: the steps that are scored."""
        return np.flatnonzero(self.scored)

    @property
    def pages(self) -> Pages:
        """What is shown."""
        return self.seen.pages


def evaluate(path: Path, progress: Progress) -> Scores:
    """Train on four fifths of the assignments in `path` and score the rest.

    Raises `TooFew` below `PEOPLE_MIN` assignments, and where none would be scored.
    """
    progress("read", 0.0)
    pages = read(path)
    held = _held(pages.who)
    _enough(pages, held)
    known = words_of(pages)
    scored = held & (pages.target >= 0)
    rows: list[Score] = []
    seen = features.seen(pages, known)
    main = View(SHOWN, seen, ~held, scored)
    progress("count for the rules", 0.05)
    simple = _simple(main)
    for name, result in simple.items():
        rows += figures.scored(name, result, pages.who[main.steps], ranks=result.nll is not None)
    _report(main, simple | _learned(main, progress, (0.1, 0.5)), rows)
    _unseen(main, progress, rows)
    for name, blind, share in (
        (HIDDEN, pages.instruction_hidden(), 0.7),
        (ROLES, pages.roles_only(), 0.85),
    ):
        view = View(name, features.seen(blind, known), ~held, scored)
        _report(view, _learned(view, progress, (share, share + 0.15)), rows)
    progress("agreement of people", 0.99)
    rows += agreement.agreements(pages)
    counts = {
        "assignments scored": len(np.unique(pages.who[scored])),
        "steps scored": int(scored.sum()),
        "assignments trained on": len(np.unique(pages.who[~held])),
        "candidates a step": round(float(pages.candidates[scored].mean())),
    }
    return Scores("next-element", PROTOCOL, counts, tuple(rows), NOTES)


def _enough(pages: Pages, held: Array) -> None:
    people = len(np.unique(pages.who)) if pages.steps else 0
    if people < PEOPLE_MIN or not (held & (pages.target >= 0)).any() or held.all():
        raise TooFew(
            f"{people} assignments are too few to train and to score",
            where="next-element",
            do=f"At least {PEOPLE_MIN} are needed, with steps whose target is known.",
        )


def _held(who: Array) -> Array:
    """Return bool[steps]: scored; where no number is divisible, or all are, one in five in order.

    >>> _held(np.array([1, 5, 6])), _held(np.array([7, 8, 8]))
    (array([False,  True, False]), array([ True, False, False]))
    """
    held: Array = who % SPLIT == 0
    if held.any() and not held.all():
        return held
    place: Array = np.unique(who, return_inverse=True)[1]
    return np.asarray(place % SPLIT == 0)


def family(task: str) -> str:
    """Return what tasks of one family share: the first two words of the name.

    >>> family("click-checkboxes-large"), family("click-checkboxes")
    ('click-checkboxes', 'click-checkboxes')
    """
    return "-".join(task.split("-")[:2])


def _halves(pages: Pages) -> Array:
    """Return int64[steps]: which half of the families of tasks each step is of, 0 or 1."""
    names = sorted({family(pages.texts[task]) for task in np.unique(pages.task)})
    half = {name: place % 2 for place, name in enumerate(names)}
    whole = np.array([half[family(pages.texts[task])] for task in pages.task], np.int64)
    of_step: Array = whole[pages.episode]
    return of_step


def _unseen(main: View, progress: Progress, rows: list[Score]) -> None:
    """Train on one half of the families of tasks and score the other, both ways."""
    half = _halves(main.pages)
    parts: list[dict[str, Ranked]] = []
    steps: list[Array] = []
    for number in (0, 1):
        teachers, scored = main.teachers & (half != number), main.scored & (half == number)
        if not (teachers & (main.pages.target >= 0)).any() or not scored.any():
            return
        view = View(UNSEEN, main.seen, teachers, scored)
        share = 0.5 + 0.1 * number
        parts.append(_simple(view) | _learned(view, progress, (share, share + 0.1)))
        steps.append(view.steps)
    order = np.argsort(np.concatenate(steps))
    joined = {name: figures.joined([part[name] for part in parts], order) for name in parts[0]}
    _report(View(UNSEEN, main.seen, main.teachers, main.scored), joined, rows)


def _simple(view: View) -> dict[str, Ranked]:
    """Judge the rules, fitted to the teachers where they are fitted."""
    pages, alike = view.pages, view.seen.alike
    by_step = rules.majority_cell(pages, view.teachers, by_step=True)
    guesses = {
        "last clicked": rules.last_pressed(pages),
        "task's commonest place": rules.majority_cell(pages, view.teachers, by_step=False),
        "task's and step's commonest place": by_step,
        "kind after kind": rules.next_kind(pages, alike, view.teachers),
        "longest text in the instruction": rules.longest_named(pages, by_step),
    }
    ranked = {"random candidate": figures.by_chance(pages, view.steps)}
    for name, score in guesses.items():
        ranked[name] = figures.judged(pages, score, view.steps, shared=False)
    chain = rules.markov_two(pages, alike, view.teachers)
    ranked["Markov-2 over kinds"] = figures.judged(pages, chain, view.steps, shared=True)
    return ranked


def _learned(view: View, progress: Progress, span: tuple[float, float]) -> dict[str, Ranked]:
    """Train LightGBM, and the ranker on trees of its own, and judge them."""
    what = f"train, {view.name}"
    progress(what, span[0])
    table = features.made(view.seen, view.teachers)

    def done(share: float) -> None:
        progress(what, span[0] + (span[1] - span[0]) * share)

    with ThreadPoolExecutor(2) as pool:
        growing = pool.submit(_trees, view, table)
        ranker = pool.submit(_ranker, view, table, done)
        scores = growing.result() | {RANKER: ranker.result()}
    return {
        name: figures.judged(view.pages, score, view.steps, shared=True)
        for name, score in scores.items()
    }


def _trees(view: View, table: Array) -> dict[str, Array]:
    """Return the shares by one model of trees and, where there are several, by the mean of all."""
    trees = max(20, round(boosted.Settings.trees * EFFORT[view.name]))
    several = []
    for seed in range(1, 1 + SEEDS.get(view.name, 1)):
        settings = boosted.Settings(trees=trees, seed=seed)
        model = boosted.trained(view.pages, table, view.teachers, settings)
        several.append(boosted.ranked(model, view.pages, table, view.scored))
    return {TREES: several[0]} | ({TREES_3: boosted.mean(several)} if several[1:] else {})


def _ranker(view: View, table: Array, done: Callable[[float], None]) -> Array:
    settings = second.Settings().scaled(EFFORT[view.name])
    learned = second.learned(view.seen, table, view.teachers, settings, done)
    return learned.ranked(view.seen, table, view.teachers, view.scored)


def _report(view: View, ranked: dict[str, Ranked], rows: list[Score]) -> None:
    """Add the rows of the learned methods: all steps, gains, and tasks where rules were scored."""
    pages = view.pages
    who = pages.who[view.steps]
    learned = [name for name in LEARNED if name in ranked]
    for name in learned:
        rows += figures.scored(f"{name}, {view.name}", ranked[name], who)
    for name in learned[:-1]:
        over = f"{RANKER} over {name}, {view.name}"
        rows += figures.gains(over, ranked[RANKER], ranked[name], who)
    rivals = {name: one for name, one in ranked.items() if name not in LEARNED}
    if not rivals:
        return
    best = max(rivals, key=lambda name: float(rivals[name].top1.mean()))
    if view.name != SHOWN:
        rows.append(figures.scored(f"{best}, {view.name}", rivals[best], who, ranks=False)[0])
    for name in learned:
        over = f"{name} over {best}, {view.name}"
        rows.append(figures.gain(over, ranked[name], ranked[best], who))
    task = pages.task[pages.episode[view.steps]]
    names, count = np.unique(task, return_counts=True)
    for number in names[count >= STEPS_SHOWN_MIN].tolist():
        here = task == number
        for name in learned:
            words_for = f"{name}, {view.name}, {pages.texts[number]}"
            rows.append(figures.scored(words_for, ranked[name].of(here), who[here])[0])
