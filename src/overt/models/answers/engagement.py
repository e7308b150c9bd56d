"""Does somebody read on, and which entry of an interface is wanted next?

Two questions, each from data of its own: scrolls of readers, and choices in small web tasks. What
others did on pages that are alike is part of every figure of the second, so a page is laid beside
those learned from; an answer takes seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from overt.models import boosted
from overt.models.answers import Answer, Asker, elements
from overt.models.answers.question import Question
from overt.models.elements.pages import joined, parts
from overt.models.elements.rates import kinds
from overt.models.engagement import orders, readings, told
from overt.models.engagement.choices import ENTRIES_MIN, choices_of
from overt.models.engagement.readings import Reading
from overt.models.engagement.scored import PEOPLE_MIN
from overt.models.programs.sources import places
from overt.models.scores import Progress
from overt.schema.errors import InvalidInput, Missing, TooFew

EXAMPLE: dict[str, Any] = {
    "scrolls": [[900, 0.02], [2600, 0.05]],
    "now_ms": 5000,
    "steps": [
        {
            "elements": [
                {"ref": at, "tag": tag, "text": "", "id": f"entry-{at}", "left": 5, "top": 20 * at}
                for at, tag in enumerate(("BUTTON", "INPUT_text", "INPUT_checkbox", "SPAN", "DIV"))
            ]
        }
    ],
}
_KNOWN = ("scrolls", "now_ms", "steps", "task", "count")


@dataclass(frozen=True, eq=False)
class Learned:
    """What was learned; None where nothing taught it."""

    scrolling: dict[tuple[str, int], Any] | None = None
    """What is asked and after how many seconds → trees."""
    pages: list[elements.Tables] | None = None


def learn(data: Path | None, progress: Progress) -> Asker:
    """Learn from readers' scrolls and from choices in `data`, as far as it has them."""
    if data is None:
        raise Missing(
            "needs scrolls or choices of people", where="engagement", do="Say where with --data."
        )
    if not boosted.installed():
        raise Missing(
            "LightGBM is not installed", where="engagement", do="pip install 'overt[models]'."
        )
    progress("reading", 0.1)
    by, scrolling, pages = [], None, None
    found = _readings(data)
    if found:
        scrolling = scrolled(found)
        by.append(f"scrolls of {len({one.person for one in found})} readers")
    tables = _pages(data)
    if tables is not None:
        pages, people = tables
        by.append(f"choices of {people} people")
    if not by:
        raise TooFew(
            "has readings or choices of too few people",
            where=str(data),
            do=f"At least {PEOPLE_MIN} are needed of either.",
        )
    return asker(Learned(scrolling, pages), " and ".join(by))


def asker(model: Learned, by: str) -> Asker:
    """Return what answers by a model that is at hand."""
    return Asker(by, lambda raw: _answer(model, raw))


def _readings(data: Path) -> list[Reading]:
    try:
        found = readings.read((places(data, "scroll") or [data])[0])
    except InvalidInput:
        return []
    return found if len({one.person for one in found}) >= PEOPLE_MIN else []


def _pages(data: Path) -> tuple[list[elements.Tables], int] | None:
    try:
        several = [elements.some(one) for one in parts((places(data, "miniwob") or [data])[0])]
        people = len(np.unique(joined(several).who))
    except InvalidInput:
        return None
    return (several, people) if people >= PEOPLE_MIN else None


def scrolled(found: list[Reading]) -> dict[tuple[str, int], Any]:
    """Return trees for each question that both answers were given to often enough.

    Raises `TooFew` where there is none: with one answer alone there is nothing to tell apart.
    """
    asked = [one for one in told.questions(found) if ", asked at " in one.name]
    rarer = [min(int(one.aim.sum()), int((~one.aim).sum())) for one in asked]
    if max(rarer) < told.ANSWERS_MIN:
        raise TooFew(
            f"has {max(rarer)} readings of the rarer answer, whether somebody reads on",
            where="readings",
            do=f"At least {told.ANSWERS_MIN} of either answer are needed.",
        )
    import lightgbm

    made = {}
    for one, fewer in zip(asked, rarer, strict=True):
        if fewer >= told.ANSWERS_MIN:
            name, _, seconds = one.name.partition(", asked at ")
            data = lightgbm.Dataset(one.x, one.aim)
            made[name, int(seconds.split()[0])] = lightgbm.train(told.TREES, data, told.ROUNDS)
    return made


def _answer(model: Learned, raw: Any) -> Answer:
    asked = Question(raw, _KNOWN)
    found: Answer = {}
    if asked.has("scrolls") or asked.has("now_ms"):
        found["reading"] = _reading(model, asked)
    if asked.has("steps"):
        found["entries"] = _entries(model, raw)
    if not found:
        raise InvalidInput("has neither scrolls nor steps", where="question")
    return found


def _reading(model: Learned, asked: Question) -> Answer:
    if model.scrolling is None:
        return {"why": "nothing taught it how people read"}
    table = asked.table("scrolls", 2) if asked.has("scrolls") else np.zeros((0, 2))
    now_ms = asked.number("now_ms")
    t, at = table.T
    if (np.diff(t) < 0).any() or (table < 0).any() or (at > 2).any():
        raise InvalidInput(
            "are not [t_ms, share of the page's length] in order of time", where="scrolls"
        )
    seconds = [s for s in told.SECONDS if s * 1000 <= now_ms]
    if not seconds:
        raise InvalidInput(
            f"is less than {told.SECONDS[0]} s", where="now_ms", do="So early nothing can be told."
        )
    moment = max(seconds)
    seen = t <= moment * 1000
    reading = Reading(0, "asked", advanced=False, t_ms=t[seen], at=at[seen])
    x = readings.numbers(reading, moment * 1000)[None]
    found: Answer = {"asked_at_s": moment}
    happened = {"reads on": reading.reads_on_ms, "comes to the end": reading.end_ms}
    for name, when in happened.items():
        trees = model.scrolling.get((name, moment))
        key = name.replace(" ", "_")
        if np.isfinite(when):
            found[key] = 1.0
        elif trees is not None:
            found[key] = round(float(np.asarray(trees.predict(x, num_threads=1))[0]), 4)
    return found


def _entries(model: Learned, raw: Any) -> list[Answer] | Answer:
    if model.pages is None:
        return {"why": "nothing taught it what people choose"}
    only = {name: raw[name] for name in ("steps", "task", "count") if name in raw}
    asked, refs = elements.asked(only, any_pressed=True)
    pages = joined([*model.pages, asked])
    shown = kinds(pages).exact[pages.first[-2] :].tolist()
    if len(set(shown)) < ENTRIES_MIN:
        raise InvalidInput(
            f"shows {len(set(shown))} kinds of element",
            where="steps",
            do=f"With fewer than {ENTRIES_MIN} there is nothing to put in order.",
        )
    choices = choices_of(pages)
    mine = choices.person == pages.who[-1]
    score = orders.scores(choices, mine.astype(np.int64), only=(1,))[orders.BOOSTED]
    rows = np.flatnonzero(choices.choice == choices.person.size - 1)
    entry = choices.entry[rows].tolist()
    best = np.argsort(-score[rows], kind="stable")[: elements.count(only)]
    return [
        {"ref": refs[shown.index(entry[at])], "score": round(float(score[rows[at]]), 4)}
        for at in best.tolist()
    ]
