"""Whom it wrongs: people whose way of typing or pointing nobody taught it.

Three groups, none of them learned from, each asked about by judges who have not met the person:

- people who type on a screen (MOBIKEY, one password over and over), where the data has them;
- people of the data at a quarter of their pace, as with one finger, a stick or a switch: only times
  are stretched, so it is a person's typing that no person here did;
- people without a mouse, who move the pointer by keys: each way of a person of the data, along one
  axis and then the other, by the steps of the X keyboard's mouse keys (faster and faster up to a
  limit). How the hand steers then is simulated; that its movement is a program's is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from overt.datasets.formats import mobikey
from overt.datasets.reading.imported import Skipped
from overt.models.programs import rhythm, typed
from overt.models.programs.classifiers import BOOSTED, CANNOT_TELL, PROGRAM_SAID, Judge, Trees
from overt.models.programs.rounds import Part
from overt.models.programs.sessions import Errands, errands_of
from overt.models.programs.shown import Shown
from overt.models.programs.sources import places
from overt.models.programs.trace import Trace, cut, trace_of
from overt.models.programs.typed import Typed, in_a_row, text_of
from overt.models.programs.windows import LEAST, PERSON, SECONDS, measured
from overt.models.scores import Progress, Score, shares
from overt.models.tensors import Array
from overt.schema.errors import InvalidInput

SLOWER = 4.0

_TOUCH_MAX = 60
_INTERVAL_MS, _FASTEST_PX, _TO_FASTEST, _CURVE = 40.0, 30.0, 30.0, 1.5
_TURN_MS = 250.0
"""From one key to the next."""


@dataclass(frozen=True)
class Asked:
    """Windows of one group: their numbers, length in s, and whose they are."""

    x: Array
    seconds: Array
    person: Array


def on_screens(path: Path) -> list[Typed]:
    """Return what people typed on screens in `path`, perhaps nobody."""
    found = []
    for place in places(path, r"touch"):
        try:
            people = list(mobikey.read(place, skipped=Skipped()))
        except InvalidInput:
            continue
        found += [in_a_row([text_of(one) for one in person.sessions]) for person in people]
    return [one for one in found if one.size][:_TOUCH_MAX]


def slowed(one: Typed) -> Typed:
    """Return the same presses, each time `SLOWER` times as long."""
    return Typed(one.down_ms * SLOWER, one.hold_ms * SLOWER, one.key_class, one.begins)


def with_keys(errands: Errands) -> Trace:
    """Return the errands done by mouse keys: along one axis, then along the other."""
    t, x, y = [0.0], [0.0], [0.0]
    for dx, dy, pause in zip(errands.dx_px, errands.dy_px, errands.pause_ms, strict=True):
        t[-1] += max(float(pause), 1.0)
        for ways, way in ((x, round(dx)), (y, round(dy))):
            for step in _steps(abs(way)):
                t.append(t[-1] + _INTERVAL_MS)
                for one in (x, y):
                    one.append(one[-1] + (np.sign(way) * step if one is ways else 0.0))
            t[-1] += _TURN_MS
    return trace_of(np.array(t), np.array(x), np.array(y))


def _steps(px: int) -> Iterator[float]:
    left, number = float(px), 0
    while left > 0:
        number += 1
        fast = _FASTEST_PX * min(number / _TO_FASTEST, 1.0) ** _CURVE
        # Near the goal the key is tapped: a pixel each.
        step = min(max(round(fast), 1.0), left)
        yield step
        left -= step


def pointing(pieces: Sequence[Trace], part: Part, progress: Progress) -> list[Score]:
    """Return figures of people who move the pointer by keys. `pieces` are the windows of `part`."""
    rows, seconds, person = [], [], []
    chosen = (part.windows.kind == PERSON) & (part.windows.seconds == SECONDS[-1])
    for at in np.flatnonzero(chosen).tolist():
        errands = errands_of(pieces[at])
        moved = with_keys(errands) if errands.dx_px.size else Trace(*[np.zeros(0)] * 3)
        for length in SECONDS:
            for piece in cut(moved, length, least=LEAST)[:4]:
                rows.append(measured(piece))
                seconds.append(length)
                person.append(str(part.windows.person[at]))
    if not rows:
        return []
    asked = Asked(np.stack(rows), np.array(seconds), np.array(person))
    return _figures(part, "people who move it by keys", asked, lambda _train: asked.x, progress)


def typing(
    pieces: Sequence[Typed], shown: Shown, path: Path, part: Part, progress: Progress
) -> list[Score]:
    """Return figures of people who type on screens, and of slow ones."""
    windows = part.windows
    chosen = np.flatnonzero((windows.kind == PERSON) & (windows.seconds == SECONDS[-1])).tolist()
    slow = [(slowed(pieces[at]), str(windows.person[at])) for at in chosen]
    touch = [(one, f"touch/{number}") for number, one in enumerate(on_screens(path))]
    figures: list[Score] = []
    for name, people in (("people on a screen", touch), ("people four times as slow", slow)):
        cuts = [
            (piece, length, person)
            for one, person in people
            for length in SECONDS
            for piece in typed.cut(one, length, least=LEAST)[:4]
        ]
        if not cuts:
            continue
        own, seconds, person = zip(*cuts, strict=True)
        plain = np.stack([rhythm.row_of(one) for one in own])

        def seen(train: Array, own: Sequence[Typed] = own, plain: Array = plain) -> Array:
            rows = shown.taught(train & ~windows.program).rows(own)
            return np.concatenate([plain, rows], 1)

        asked = Asked(plain, np.array(seconds), np.array(person))
        figures += _figures(part, name, asked, seen, progress)
    return figures


def _figures(
    part: Part, group: str, asked: Asked, seen: Callable[[Array], Array], progress: Progress
) -> list[Score]:
    """Return how often nobody can tell, and how often people are called programs."""
    windows = part.windows
    progress(part.label(f"asking about {group}"), 0.0)
    said = np.full(asked.seconds.size, CANNOT_TELL)
    sides = dict(zip(windows.person.tolist(), part.side.tolist(), strict=True))
    # Who is in no part has met no judge: the first is asked.
    first = min(part.side.tolist())
    whose = np.array([sides.get(person, first) for person in asked.person.tolist()])
    for own in sorted(set(whose.tolist())):
        train = part.side != own
        judge = Judge(Trees(others=part.others)).fit(part.seen(train).where(train))
        x = seen(train)[whose == own]
        said[whose == own] = part.answers(judge, x)
    rows = []
    for length in SECONDS:
        mine = asked.seconds == length
        names, number = np.unique(asked.person[mine], return_inverse=True)
        count = np.bincount(number, minlength=names.size).astype(float)
        for what, answer in (
            ("cannot tell", CANNOT_TELL),
            ("people called programs", PROGRAM_SAID),
        ):
            hits = np.bincount(number, said[mine] == answer, names.size)
            label, metric = part.label(f"{BOOSTED}, {group}"), f"{what}, {length:.0f} s"
            rows.append(shares(label, metric, hits, count, resamples=400))
    return rows
