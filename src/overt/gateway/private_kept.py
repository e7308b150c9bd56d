"""A study's privately trained model as it is kept: sealed, with whom and what it was made from.

There is one of each study and purpose. It is destroyed when one of those in it leaves; until that
is done, `left` tells that somebody has.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from overt.datasets.split import split_of
from overt.gateway.private_tasks import TASKS, Task, task_of
from overt.gateway.studies import study_of
from overt.models.private.rounds import Rounds
from overt.models.tensors import Array, sha256
from overt.schema.errors import Damaged, InvalidInput, Missing
from overt.store.store import Store

KIND = "private-model"


@dataclass(frozen=True, eq=False)
class Private:
    """A model of one of `private_tasks.TASKS`, its card and how it was trained."""

    study: str
    purpose: str
    task: Task
    weights: Array
    """float64[d], as they were rounded to float32."""
    rounds: Rounds
    """How, but for the seed: that is kept nowhere."""
    planned: int
    manifest: dict[str, tuple[str, ...]]
    """Batches read of each person (sorted), those who were judged among them."""
    card: dict[str, Any]

    def sha256(self) -> str:
        """Return the hash of the weights."""
        return weights_hash(self.weights)


def weights_hash(weights: Array) -> str:
    """Return the hash that a card and the log name weights by."""
    return sha256({"weights": weights.astype("<f4")})


def task_for(purpose: str) -> Task:
    """Return what is learned privately for a purpose. Raises `InvalidInput` naming those."""
    found = [task for task in TASKS.values() if task.purpose == purpose]
    if not found:
        raise InvalidInput(
            "has no private model",
            where=f"purpose {purpose}",
            do=f"These have: {', '.join(task.purpose for task in TASKS.values())}.",
        )
    return found[0]


def parted(people: list[Any]) -> list[Any]:
    """Return samples of people with their part: a fifth, by their tags, is judged alone.

    In a live study everybody is learned from elsewhere; here some must be left to judge on.
    """
    return [
        replace(one, split="test" if split_of(one.tag) == "test" else "train") for one in people
    ]


def keep(store: Store, made: Private) -> None:
    """Seal and file a model, then destroy those of its study and purpose before it."""
    rounds = {name: value for name, value in asdict(made.rounds).items() if name != "seed"}
    held = {
        "card": made.card,
        "weights": made.weights.tolist(),
        "task": made.task.name,
        "rounds": rounds,
        "planned": made.planned,
        "manifest": made.manifest,
    }
    name = f"private {made.task.name}"
    data = json.dumps(held).encode()
    row = store.artefacts.put(KIND, made.study, made.purpose, name, data, made.manifest)
    for older in store.artefacts.filed(made.study, KIND, made.purpose):
        if older.row != row:
            store.artefacts.destroy(older.row)


def newest(store: Store, study: str, purpose: str) -> Private | None:
    """Return the private model of a study and purpose, or None. Raises `Damaged`."""
    rows = store.artefacts.filed(study, KIND, purpose)
    if not rows:
        return None
    try:
        held = json.loads(store.artefacts.get(rows[-1].row))
        manifest = {subject: tuple(batches) for subject, batches in held["manifest"].items()}
        return Private(
            study,
            purpose,
            task_of(held["task"]),
            np.array(held["weights"], np.float64),
            Rounds(**held["rounds"]),
            held["planned"],
            manifest,
            held["card"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged(
            "is no private model of this version",
            where=f"study {study}, purpose {purpose}",
            do="Train it again: overt train-private.",
        ) from error


def left(store: Store, made: Private) -> bool:
    """Tell whether somebody who is in a model may not be read any more, at this moment.

    Receipts and places say so: nothing is opened, so there is nothing to log.
    """
    for subject, batches in made.manifest.items():
        covered = any(made.purpose in one.active for one in store.control.receipts_of(subject))
        here = {place.row for place in store.batches_of(subject)}
        if not (covered and here.issuperset(batches)):
            return True
    return False


def standing(store: Store, study_id: str, purpose: str) -> Private:
    """Return a study's private model for a purpose.

    Raises `InvalidInput` for a purpose that has none, `Missing` where there is no such model, or
    somebody in it has left.
    """
    study = study_of(store, study_id)
    task = task_for(purpose)
    model = newest(store, study.id, purpose)
    if model is None or left(store, model):
        raise Missing(
            "there is no private model yet" if model is None else "somebody in it has left",
            where=f"study {study.id}, purpose {purpose}",
            do=f"overt train-private --study {study.id} --task {task.name} --epsilon E",
        )
    return model
