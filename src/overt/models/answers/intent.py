"""Where a pointer is going, from what of its movement has been seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from overt.models import boosted
from overt.models.answers import Answer, Asker
from overt.models.answers.question import Question
from overt.models.intent import endings
from overt.models.intent.endings import BOOSTED, Endings
from overt.models.intent.looks import SEEN_MIN, Look, learned
from overt.models.intent.movements import DURATION_MS_MAX, Movement, read, set_out
from overt.models.intent.scored import MOVEMENTS_MIN, UNITS_MIN
from overt.models.programs.trace import trace_of
from overt.models.scores import Progress
from overt.models.tensors import Array
from overt.schema.errors import InvalidInput, Missing, TooFew

EXAMPLE: dict[str, Any] = {
    "pointer": [[16.0 * at, 100 + 4 * at**1.5, 300 - 3 * at] for at in range(12)],
    "targets": [[500, 250], [180, 60]],
}
LEARNED_MAX = 1_500
"""Movements that are learned from, evenly over all; more hardly help and take minutes."""

TARGETS_MAX = 200


def learn(data: Path | None, progress: Progress) -> Asker:
    """Learn from movements in `data` that were going somewhere."""
    if data is None:
        raise Missing("needs movements", where="pointer-intent", do="Say where with --data.")
    if not boosted.installed():
        raise Missing(
            "LightGBM is not installed", where="pointer-intent", do="pip install 'overt[models]'."
        )
    found = read(data, progress)
    units = len({one.unit for one in found})
    if units < UNITS_MIN or len(found) < MOVEMENTS_MIN:
        raise TooFew(
            f"has {len(found)} movements of {units} people, or blocks of who is not said",
            where=str(data),
            do=f"At least {MOVEMENTS_MIN} of {UNITS_MIN} are needed.",
        )
    some = found[:: 1 + len(found) // LEARNED_MAX]
    progress("learning how movements end", 0.4)
    whose = "people" if all(one.named for one in some) else "people, or blocks of who is not said"
    return Asker(f"{len(some):,} movements of {units} {whose}", asked_of(fitted(some)))


def fitted(movements: list[Movement]) -> Endings:
    """Return what movements teach of where they end."""
    owner = np.unique([one.unit for one in movements], return_inverse=True)[1].reshape(-1)
    seen = endings.looked(movements, list(learned(movements)), owner)
    return endings.fit(movements, owner, np.arange(len(movements)), seen)


def asked_of(model: Endings) -> Any:
    """Return what answers by a model that is at hand."""
    return lambda raw: _answer(model, raw)


def _answer(model: Endings, raw: Any) -> Answer:
    asked = Question(raw, ("pointer", "now_ms", "targets"))
    table = asked.table("pointer", 3)
    movement, now_ms = _movement(table, asked)
    looked = endings.looked([movement], [Look(0, movement.t_ms.size, now_ms)], np.array([-1]))
    end = model.predict([movement], looked)[BOOSTED][0]
    here = looked.here[0]
    found: Answer = {
        "end": {"x": round(float(end[0]), 1), "y": round(float(end[1]), 1)},
        "px_to_go": round(float(np.hypot(*(end - here))), 1),
    }
    if asked.has("targets"):
        targets = asked.table("targets", 2)
        if len(targets) > TARGETS_MAX:
            raise InvalidInput(f"are more than {TARGETS_MAX}", where="targets")
        apart = np.hypot(*(targets - end).T)
        found["targets"] = [
            {"target": at, "px_from_end": round(float(apart[at]), 1)}
            for at in np.argsort(apart, kind="stable").tolist()
        ]
    return found


def _movement(table: Array, asked: Question) -> tuple[Movement, float]:
    """Return the movement since it set out, and the time now on its clock."""
    if (np.diff(table[:, 0]) < 0).any():
        raise InvalidInput("is not in order of time", where="pointer")
    moved = set_out(trace_of(*table.T))
    if moved.size < SEEN_MIN:
        raise InvalidInput(
            f"holds {moved.size} places the pointer moved to",
            where="pointer",
            do=f"At least {SEEN_MIN} are needed.",
        )
    t = moved.t_ms - moved.t_ms[0]
    later = asked.number("now_ms", float(table[-1, 0])) - float(table[-1, 0])
    if later < 0 or t[-1] + later > DURATION_MS_MAX:
        raise InvalidInput(
            f"is before the last place, or makes it longer than {DURATION_MS_MAX / 1000:g} s",
            where="now_ms" if asked.has("now_ms") else "pointer",
        )
    return Movement(t, moved.x_px, moved.y_px, "asked", "asked"), float(t[-1]) + later
