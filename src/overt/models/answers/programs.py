"""Is this a person or a program? By pointer movement, by typing, or each for itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from overt.models.answers import Answer, Asker
from overt.models.answers.question import Question
from overt.models.programs import (
    features,
    fitted,
    keyboard,
    rhythm,
    sample,
    trace,
    typed,
)
from overt.models.programs.classifiers import CANNOT_TELL, PROGRAM_SAID, Judge, Trees, check
from overt.models.programs.fitted import Fitted
from overt.models.programs.rounds import name_of, sides_of
from overt.models.programs.scored import PEOPLE_MIN, found
from overt.models.programs.shown import OTHERS, Shown, Taught
from overt.models.programs.sources import COARSE_MS, Recording
from overt.models.programs.trace import Trace, input_ms, trace_of
from overt.models.programs.windows import (
    LEAST,
    SECONDS,
    Windows,
    measured,
    windows_of,
)
from overt.models.programs.writers import Writer, teachers
from overt.models.scores import Progress
from overt.models.tensors import Array
from overt.schema.errors import InvalidInput, Missing, TooFew
from overt.schema.event import KeyClass

EXAMPLE: dict[str, Any] = {
    "pointer": [[12.0 * at, 100 + 6 * at, 200 + 3 * at] for at in range(420)],
    "presses": [],
}
MODIFIERS = ("shift", "control", "alt", "meta", "caps_lock")
KEYS = tuple(one.name.lower() for one in KeyClass)
"""Classes of key; modifiers are left out of the judgement."""


@dataclass(frozen=True)
class Judges:
    """One that knows movement, and one that knows typing; None where nothing taught it."""

    pointer: Judge | None
    typing: Judge | None
    taught: Taught | None = None
    """What people's typing taught, beside the second."""


def learn(data: Path | None, progress: Progress) -> Asker:
    """Learn from recordings of people in `data`, and from programs put in their places."""
    if data is None:
        raise Missing(
            "needs recordings of people", where="person-or-program", do="Say where with --data."
        )
    moving, writing = found(data, progress)
    fine = [one for one in moving if not one.coarse]
    judges = Judges(_moving(fine, progress), *_typing_judge(writing, data, progress))
    if judges == Judges(None, None):
        raise TooFew(
            f"has recordings of fewer than {PEOPLE_MIN} people", where=str(data), do="Add others."
        )
    people = {*map(name_of, fine), *map(name_of, writing)}
    by = f"{len(people)} people, and programs in their places"
    return Asker(by, lambda raw: answer(judges, raw))


def _moving(people: list[Recording], progress: Progress) -> Judge | None:
    sides = sides_of(people)
    if len(set(sides.values())) < PEOPLE_MIN:
        return None
    windows = windows_of(people, lambda one: sides[name_of(one)], progress, vary=True)
    return _judge(Trees(), windows, progress)


def _typing_judge(
    people: list[Writer], data: Path, progress: Progress
) -> tuple[Judge | None, Taught | None]:
    sides = sides_of(people)
    if len(set(sides.values())) < PEOPLE_MIN:
        return None, None
    pieces: list[typed.Typed] = []
    windows = keyboard.windows_of(people, lambda one: sides[name_of(one)], progress, pieces.append)
    check(windows)
    label = "learning how presses come"
    shown = Shown(pieces, windows, teachers(data, progress), lambda done: progress(label, done))
    rows = shown(np.ones(windows.kind.size, bool))
    windows = replace(windows, x=np.concatenate([windows.x, rows], 1))
    judge = _judge(Trees(others=OTHERS), windows, progress)
    return judge, shown.taught(~windows.program)


def _judge(trees: Trees, windows: Windows, progress: Progress) -> Judge:
    check(windows)
    progress("growing trees", 0.9)
    return Judge(trees).fit(windows)


def answer(judges: Judges, raw: Any) -> Answer:
    """Answer a question."""
    asked = Question(raw, ("pointer", "presses"))
    found_out: Answer = {}
    if asked.has("pointer"):
        found_out["pointer"] = _pointer(judges.pointer, asked.table("pointer", 3))
    if asked.has("presses"):
        found_out["typing"] = _typing(judges, asked)
    if not found_out:
        raise InvalidInput("has neither pointer nor presses", where="question")
    return found_out


def answer_kept(model: Fitted, raw: Any) -> Answer:
    """Answer a question by a study's model, which knows pointer movement alone.

    The verdict is the one that all windows of which anything can be told agree on.
    """
    asked = Question(raw, ("pointer", "presses"))
    if not asked.has("pointer"):
        raise InvalidInput("is missing: this model knows no typing", where="pointer")
    found_out = _windows(asked.table("pointer", 3), sample.SECONDS, features.row_of)
    if not isinstance(found_out, tuple):
        return {"pointer": found_out}
    rows, seconds = found_out
    judged = fitted.judge(list(model.shards.values()), rows)
    said = set(judged.said[judged.said >= 0].tolist())
    verdict = {frozenset({0}): "person", frozenset({1}): "program"}.get(frozenset(said))
    return {"pointer": _verdict(verdict or "cannot tell", judged.odds, seconds)}


def _pointer(judge: Judge | None, table: Array) -> Answer:
    """Judge [t_ms, x_px, y_px] rows."""
    if judge is None:
        return _cannot("nothing taught it pointer movement")
    found_out = _windows(table, SECONDS, measured)
    if not isinstance(found_out, tuple):
        return found_out
    return _told(judge, *found_out)


def _windows(
    table: Array, lengths: Sequence[float], measure: Callable[[Trace], Array]
) -> tuple[Array, float] | Answer:
    """Return what is measured of windows of one of some lengths in s; or why it cannot be told.

    Windows that keys may have moved are left out: nothing can be told of them.
    """
    moved = trace_of(*table.T)
    took_s = float(input_ms(moved)[-1]) / 1000 if moved.size else 0.0
    seconds = _longest(took_s, lengths)
    if seconds is None:
        return _cannot(f"{took_s:.1f} s of movement are too few; {LEAST * lengths[0]:g} are needed")
    if _coarse(moved):
        return _cannot(f"sampled more than {COARSE_MS:.0f} ms apart")
    pieces = trace.cut(moved, seconds, least=LEAST)
    rows = np.stack([measure(piece) for piece in pieces])
    by_keys = features.along_axes(rows)
    if by_keys.all():
        return _cannot("it goes along the axes alone, as keys move a pointer")
    return rows[~by_keys], seconds


def _coarse(moved: Trace) -> bool:
    apart = np.diff(moved.t_ms)
    return float(np.median(apart)) > COARSE_MS


def _typing(judges: Judges, asked: Question) -> Answer:
    rows = [
        (one.number("down_ms"), one.number("up_ms"), one.one_of("key", KEYS))
        for one in asked.questions("presses", ("key", "down_ms", "up_ms"))
    ]
    rows = sorted(row for row in rows if row[2] not in MODIFIERS)
    if judges.typing is None or judges.taught is None:
        return _cannot("nothing taught it typing")
    if not rows:
        return _cannot("no key was pressed")
    down, up = (np.array([row[at] for row in rows]) for at in (0, 1))
    kinds = np.array([int(KeyClass[row[2].upper()]) for row in rows])
    begins = np.arange(len(rows)) == 0
    made = typed.Typed(down, np.where(up >= down, up - down, np.nan), kinds, begins)
    took_s = float(typed.typing_ms(made)[-1]) / 1000
    seconds = _longest(took_s)
    if seconds is None:
        return _cannot(f"{took_s:.1f} s of typing are too few; {LEAST * SECONDS[0]:g} are needed")
    pieces = typed.cut(made, seconds, least=LEAST)
    shown = judges.taught.rows(pieces)
    measured = np.stack([rhythm.row_of(piece) for piece in pieces])
    return _told(judges.typing, np.concatenate([measured, shown], 1), seconds)


def _longest(took_s: float, lengths: Sequence[float] = SECONDS) -> float | None:
    fitting = [seconds for seconds in lengths if took_s >= LEAST * seconds]
    return max(fitting) if fitting else None


def _told(judge: Judge, rows: Array, seconds: float) -> Answer:
    """Return the verdict over windows: the mean log odds, held against the bounds of one window."""
    odds = float(judge.score(rows).mean())
    said = int(judge.said(np.array([odds]))[0])
    verdict = {CANNOT_TELL: "cannot tell", PROGRAM_SAID: "program"}.get(said, "person")
    return _verdict(verdict, np.full(len(rows), odds), seconds)


def _verdict(verdict: str, odds: Array, seconds: float) -> Answer:
    return {
        "verdict": verdict,
        "probability_program": round(float(1 / (1 + np.exp(-odds.mean()))), 4),
        "windows": odds.size,
        "window_s": seconds,
    }


def _cannot(why: str) -> Answer:
    return {"verdict": "cannot tell", "why": why}
