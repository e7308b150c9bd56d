"""Which element of a page a person presses next, given the instruction and what went before.

What other people did on pages that are alike is part of every figure, so a question is laid beside
the pages learned from and looked at together with them; an answer takes seconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from overt.models.answers import Answer, Asker
from overt.models.answers.question import Question
from overt.models.elements import features, second
from overt.models.elements.pages import joined, parts
from overt.models.elements.scored import PEOPLE_MIN
from overt.models.elements.words import words_of
from overt.models.scores import Progress
from overt.schema.errors import InvalidInput, Missing, TooFew

EXAMPLE: dict[str, Any] = {
    "instruction": "Select b and click Submit.",
    "steps": [
        {
            "elements": [
                {"ref": 1, "tag": "INPUT_checkbox", "text": "a", "left": 5, "top": 0},
                {"ref": 2, "tag": "INPUT_checkbox", "text": "b", "left": 5, "top": 20},
                {"ref": 3, "tag": "BUTTON", "text": "Submit", "left": 5, "top": 40},
            ]
        }
    ],
}
ASSIGNMENTS_MAX = 200
"""People that are learned from; more are laid beside every question."""

STEPS_MAX = 50
ELEMENTS_MAX = 300
COUNT_MAX = 20
_NAMES = ("ref", "tag", "text", "id", "classes", "value", "left", "top", "width", "height")

Tables = dict[str, pa.Table]


def learn(data: Path | None, progress: Progress) -> Asker:
    """Learn from demonstrations in `data`."""
    if data is None:
        raise Missing(
            "needs demonstrations to learn from", where="next-element", do="Say where with --data."
        )
    progress("reading", 0.0)
    several = [some(tables) for tables in parts(data)]
    pages = joined(several)
    people = len(np.unique(pages.who)) if pages.steps else 0
    if people < PEOPLE_MIN:
        raise TooFew(
            f"{people} assignments are too few to learn from",
            where=str(data),
            do=f"At least {PEOPLE_MIN} are needed.",
        )
    progress("comparing pages with instructions", 0.1)
    teachers = np.ones(pages.steps, np.bool_)
    seen = features.seen(pages, words_of(pages))
    table = features.made(seen, teachers)
    model = second.learned(
        seen,
        table,
        teachers,
        second.Settings(),
        lambda done: progress("learning", 0.3 + 0.7 * done),
    )
    return Asker(
        f"demonstrations of {people} people", lambda raw: _answer(model, several, pages.steps, raw)
    )


def some(tables: Tables) -> Tables:
    """Return what of a folder is of its first assignments."""
    whose = tables["episodes"]["assignment"]
    chosen = np.unique(whose.drop_null().to_numpy())[:ASSIGNMENTS_MAX]
    episodes = tables["episodes"].filter(pc.is_in(whose, pa.array(chosen, whose.type)))
    known = episodes["episode"].combine_chunks()
    return {
        "episodes": episodes,
        **{
            name: table.filter(pc.is_in(table["episode"], known.cast(table["episode"].type)))
            for name, table in tables.items()
            if name != "episodes"
        },
    }


def _answer(model: second.Learned, several: list[Tables], learned: int, raw: Any) -> Answer:
    tables, refs = asked(raw)
    pages = joined([*several, tables])
    teachers = np.arange(pages.steps) < learned
    seen = features.seen(pages, words_of(pages))
    table = features.made(seen, teachers)
    wanted = np.arange(pages.steps) == pages.steps - 1
    share = np.exp(model.ranked(seen, table, teachers, wanted)[pages.first[-2] :])
    best = np.argsort(-share, kind="stable")[: count(raw)]
    return {
        "elements": [{"ref": refs[at], "share": round(float(share[at]), 4)} for at in best.tolist()]
    }


def count(raw: Any) -> int:
    """Return how many are wanted."""
    return Question(raw, _KNOWN).whole("count", 1, COUNT_MAX, 3)


_KNOWN = ("instruction", "task", "steps", "count")


def asked(raw: Any, *, any_pressed: bool = False) -> tuple[Tables, list[int]]:
    """Return the question as tables, and the refs of the last step's elements.

    With `any_pressed` the first element of the last step stands as pressed, where something must.
    """
    question = Question(raw, _KNOWN)
    episodes = pa.table(
        {
            "episode": [0],
            "assignment": [0],
            "demo": [0],
            "task": [question.text("task", "")],
            "utterance": [question.text("instruction", "")],
        }
    )
    steps = question.questions("steps", ("elements", "pressed"))
    if not 0 < len(steps) <= STEPS_MAX:
        raise InvalidInput(f"are not 1 to {STEPS_MAX}", where="steps")
    columns: dict[str, list[Any]] = {name: [] for name in ("episode", "step", *_NAMES, "is_target")}
    refs: list[int] = []
    for number, step in enumerate(steps):
        shown = step.questions("elements", _NAMES)
        if not 0 < len(shown) <= ELEMENTS_MAX:
            raise InvalidInput(f"are not 1 to {ELEMENTS_MAX}", where=f"{step.where}.elements")
        refs = [one.whole("ref", 0, 10**9) for one in shown]
        if len(set(refs)) < len(refs):
            raise InvalidInput("has a ref twice", where=f"{step.where}.elements")
        nothing = refs[0] if any_pressed else None
        pressed = step.whole("pressed", 0, 10**9) if step is not steps[-1] else nothing
        if pressed is not None and pressed not in refs:
            raise InvalidInput("is none of the elements", where=f"{step.where}.pressed")
        for one, ref in zip(shown, refs, strict=True):
            row = (0, number, ref, *(one.text(name, "") for name in _NAMES[1:5]), _value(one))
            box = (
                *(one.number(name, 0) for name in ("left", "top")),
                *(one.number(name, 20) for name in ("width", "height")),
            )
            for name, cell in zip(columns, (*row, *box, ref == pressed), strict=True):
                columns[name].append(cell)
    elements = pa.table({**columns, "value": pa.array(columns["value"], pa.string())})
    return {"episodes": episodes, "elements": elements}, refs


def _value(one: Question) -> str | None:
    return one.text("value") if one.has("value") else None
