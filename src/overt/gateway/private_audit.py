"""Membership inference against a study's privately trained model: logged, and into its card.

The attacker trains as it was trained, with the same noise, on halves of the people in it. What the
attack finds is over those people and has no noise on it; ε bounds the weights, not these figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from overt.audit.membership import Asked, Itself, attacked, check, halves
from overt.gateway import private_kept
from overt.gateway.door import Door
from overt.gateway.learner import learner_of
from overt.gateway.membership import (
    ACTION,
    MODELS,
    ROLE,
    Audited,
    attack_of,
    log_attack,
    of_one_kind,
    with_attack,
)
from overt.gateway.model import Progress, gather, work
from overt.gateway.private_tasks import task_of
from overt.gateway.release import too_open
from overt.models import shadows
from overt.models.private.rounds import Rounds, train
from overt.models.private.spent import check_people
from overt.models.tensors import Array
from overt.store.store import Store


def audit(
    store: Store,
    study_id: str,
    purpose: str,
    reader: str,
    progress: Progress,
    *,
    models: int = MODELS,
) -> Audited:
    """Attack the private model of a study and purpose, and write the result into its card.

    Raises `Missing` without a model, and `TooFew` with the number needed.
    """
    with work(store):
        model = private_kept.standing(store, study_id, purpose)
        door = Door(store, reader, ROLE)
        selected = of_one_kind(door.select(model.study, purpose, ACTION, model.manifest))
        check(len(selected), models)
        _, people = gather(
            door,
            selected,
            purpose,
            1,
            lambda what, done: progress(what, 0.1 * done),
            action=ACTION,
        )
        size = learner_of(purpose).size
        known = [
            (one, given)
            for one in private_kept.parted([one for one in people if size(one)])
            if (given := model.task.of(one))
        ]
        check(len(known), models)
        half = len(known) // 2
        check_people(half, model.rounds.delta, "half of the people, whom the attacker trains on")
        given = [one for _, one in known]
        made = shadows.one_by_one(_Taught(given, model.task.name, model.rounds, half), len(given))
        design = halves(len(given), models, 1)
        losses = made(design, lambda what, done: progress(what, 0.1 + 0.8 * done))
        own = model.task.nats(model.weights, model.planned, given)
        taught = np.array([one.split == "train" for one, _ in known])
        found = attacked(
            Asked(design, *losses),
            model.task.words,
            itself=Itself(own[None], own, taught),
            progress=lambda done: progress("attacking", 0.9 + 0.1 * done),
        )
        origins = {chosen.origin for chosen in selected}
        log_attack(store, model.study, purpose, model.sha256(), found)
        card = with_attack(model.card, found, origins)
        private_kept.keep(store, replace(model, card=card))
    return Audited(found, too_open([attack_of(found, origins)]), "synthetic" in origins)


@dataclass(frozen=True, eq=False)
class _Taught:
    """Trains as a model was trained, on some of the people, and asks everybody.

    It goes to other processes, where a task is known by its name.
    """

    people: Sequence[Any]
    task: str
    rounds: Rounds
    planned: int

    def __call__(self, member: Array, seed: int) -> Array:
        task = task_of(self.task)
        some = [one for one, taught in zip(self.people, member, strict=True) if taught]
        course = replace(self.rounds, seed=seed + 1)
        weights = train(some, task.start(), task.learn, course, self.planned).weights
        return task.nats(weights.astype("<f4").astype(np.float64), self.planned, self.people)
