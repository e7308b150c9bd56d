"""How much is enough, of a study: through the door, logged as a training, and forgotten again.

Nothing that is learned on the way is kept; what comes out is figures over at least ten people.
"""

from __future__ import annotations

from dataclasses import dataclass

from overt.datasets.split import seed_of
from overt.gateway.door import Door, Selected
from overt.gateway.ledger import record
from overt.gateway.model import Progress, work
from overt.gateway.studies import study_of
from overt.models.enough.advice import SHARE
from overt.models.enough.grid import ASKED_MIN, LEARNED_MIN, PEOPLE_MIN
from overt.models.enough.measured import (
    NAMES,
    PUBLISHED,
    RESAMPLINGS,
    Curve,
    measure,
    part_of,
)
from overt.schema.errors import InvalidInput, TooFew
from overt.schema.manifest import bucket
from overt.schema.study import Study
from overt.store.store import Store

ROLE, ACTION = "trainer", "train"
_PURPOSES = {
    "next-action": ("next-action", "typing-assist"),
    "pause": ("typing-assist", "next-action"),
    "next-text": ("text-assist",),
    "slips": ("typing-assist", "text-assist"),
    "person-or-program": ("person-or-program",),
}
"""Task → purposes that cover it, the first that a study has."""


@dataclass(frozen=True)
class Measured:
    """A study's curve, and whether made-up people are behind it."""

    curve: Curve
    synthetic: bool


def curve(
    store: Store,
    study_id: str,
    task: str,
    reader: str,
    progress: Progress,
    *,
    share: float = SHARE,
    resamplings: int = RESAMPLINGS,
) -> Measured:
    """Return what smaller studies than this one would give. Raises `TooFew`, `InvalidInput`."""
    study = study_of(store, study_id)
    purpose = _purpose(study, task)
    with work(store):
        door = Door(store, reader, ROLE)
        selected = _selected(door, study, purpose)
        tagged = []
        origins = set()
        for number, chosen in enumerate(selected):
            progress("reading", 0.3 * number / len(selected))
            events = door.open(chosen, purpose, ACTION)
            if events is None:
                continue
            part = part_of(task, events.sessions, seed_of(events.tag))
            if part is not None:
                tagged.append((events.tag, part))
                origins.add(events.origin)
        # In the order of tags: the order of rows says who came when.
        people = [part for _tag, part in sorted(tagged, key=lambda one: one[0])]
        if len(people) < PEOPLE_MIN:
            raise TooFew(
                f"has {bucket(len(people))} people with enough to learn from",
                where=f"study {study.id}",
                do=f"{PEOPLE_MIN} are needed: {LEARNED_MIN} to learn from, {ASKED_MIN} to ask.",
            )
        found = measure(
            task,
            people,
            share=share,
            resamplings=resamplings,
            progress=lambda what, done: progress(what, 0.3 + 0.7 * done),
        )
        detail = {"event": "curve", "purpose": purpose, "task": task, "origins": sorted(origins)}
        record(store, "training", study.id, detail)
    return Measured(found, "synthetic" in origins)


def _purpose(study: Study, task: str) -> str:
    if task not in NAMES:
        raise InvalidInput(
            "is not known", where=f"task {task}", do=f"Known: {', '.join(sorted(NAMES))}."
        )
    if task in PUBLISHED:
        raise InvalidInput(
            "is learned from published data alone",
            where=f"task {task}",
            do="Say where it lies with --data.",
        )
    if task in ("slips", "next-text") and study.level != "keys":
        raise InvalidInput(
            f"records at level {study.level}, which does not say which key it was",
            where=f"study {study.id}",
            do="Texts, and slips, which are people's own corrections, need level keys.",
        )
    covering = _PURPOSES[task]
    for purpose in covering:
        if purpose in study.purposes:
            return purpose
    raise InvalidInput(
        f"has no purpose that covers the task {task}",
        where=f"study {study.id}",
        do=f"It would be {' or '.join(covering)}; a study's purposes are those people agreed to.",
    )


def _selected(door: Door, study: Study, purpose: str) -> list[Selected]:
    """Return the living if they are enough, else the others: never both in one figure.

    A few living ones among others would be found by making up the synthetic ones again.
    """
    selected = door.select(study.id, purpose, ACTION)
    living = [chosen for chosen in selected if chosen.origin == "live"]
    if len(living) >= PEOPLE_MIN or len(living) == len(selected):
        return living
    return [chosen for chosen in selected if chosen.origin != "live"]
