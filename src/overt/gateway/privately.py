"""A study's model, trained with the privacy of people: ε is chosen, and stands in its card.

What can be learned so is in `private_tasks`, by the same learners as on people's own devices.

A fifth of the people, by their tags, are judged and never learned from. The model is kept with whom
it was made from, and is destroyed when one of them leaves: made again without them it would spend
their privacy who stay a second time, which is for somebody to decide. What all courses of a study
have cost together is composed from the log (`budget`), and refused beyond what the notice states.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from math import isfinite
from typing import Any

from overt.gateway import budget, private_kept
from overt.gateway.door import Door
from overt.gateway.learner import learner_of
from overt.gateway.model import Progress, gather, silent, work
from overt.gateway.private_kept import Private, parted, weights_hash
from overt.gateway.private_tasks import LEARNED, Task, task_of
from overt.gateway.studies import study_of
from overt.gateway.train import PEOPLE_MIN as SHOWN_MIN
from overt.gateway.train import described_of, may_be_shown
from overt.models.card import by_group, frame, halves_of
from overt.models.private.rounds import Rounds, train, within
from overt.models.private.spent import PEOPLE_MIN, Spent, delta_for
from overt.models.tensors import Array
from overt.schema.errors import InvalidInput, TooFew
from overt.schema.manifest import bounds, bucket
from overt.store.store import Store


@dataclass(frozen=True, eq=False)
class _Fitted:
    """What a card asks of a model."""

    weights: Array
    certified: bool = False
    machine: tuple[tuple[str, str], ...] = ()

    def sha256(self) -> str:
        """Return the hash of the weights."""
        return weights_hash(self.weights)

    def shard_hashes(self) -> dict[int, str]:
        """Return the hash of the one part there is."""
        return {0: self.sha256()}

    def uncertified(self) -> list[str]:
        """Return why a rebuild would not give the same."""
        return ["its noise was drawn once and is kept nowhere"]


def train_privately(
    store: Store,
    study_id: str,
    epsilon: float,
    *,
    task: str = "pause",
    reader: str = "training",
    progress: Progress = silent,
) -> dict[str, Any]:
    """Train a study's private model of a task within ε; return its card. Replaces the one before.

    Raises:
        TooFew: fewer than `PEOPLE_MIN` people to learn from.
        InvalidInput: no such task, ε is no positive number, or the study lacks the purpose.
        Refused: it would cost more, with what was learned before, than the notice states.
    """
    wanted, study = task_of(task), study_of(store, study_id)
    purpose = wanted.purpose
    if purpose not in study.purposes:
        raise InvalidInput(
            f"lacks the purpose {purpose}",
            where=f"study {study.id}",
            do=f"It has: {', '.join(study.purposes)}; nobody agreed to another.",
        )
    if not (isfinite(epsilon) and epsilon > 0):  # before anybody is read
        raise InvalidInput("is not a positive number", where="epsilon")
    with work(store):
        door = Door(store, reader, "trainer")
        selected = door.select(study.id, purpose, "train")
        manifest, people = gather(door, selected, purpose, 1, progress)
        size = learner_of(purpose).size
        both = parted([one for one in people if size(one)])
        learned = [one for one in both if one.split == "train"]
        if len(learned) < PEOPLE_MIN:
            raise TooFew(
                f"has {bucket(len(learned))} people to learn from",
                where=f"study {study.id}",
                do=f"{PEOPLE_MIN} are needed, besides a fifth who are judged.",
            )
        # The divisor is the beginning of the range that a card shows: it moves for nobody alone.
        planned = bounds(len(learned))[0]
        seed = int.from_bytes(os.urandom(16), "little")
        delta = min(wanted.rounds.delta, delta_for(bounds(len(learned))[1]))
        course = within(epsilon, replace(wanted.rounds, delta=delta, seed=seed))
        spent, total = course.spent(), budget.afford(store, study, course.spent())
        weights = _taught(wanted, learned, course, planned, progress).astype("<f4")
        fitted = _Fitted(weights)
        shown = [one for one in may_be_shown(both) if one.split == "test"]
        settings = {k: v for k, v in asdict(course).items() if k != "seed"}
        made = frame(
            wanted.words,
            fitted,
            {**settings, "planned": planned},
            _judged(wanted, weights, planned, shown),
            described_of(study, purpose, both),
        )
        made["privacy"] = _privacy(spent, total)
        # In the log before anybody has it: what is handed out is what was counted.
        budget.spend(
            store,
            study,
            budget.TRAINING,
            spent,
            purpose=purpose,
            task=wanted.name,
            weights_sha256=fitted.sha256(),
        )
        read = {subject: member.batches for subject, member in manifest.items()}
        private_kept.keep(
            store, Private(study.id, purpose, wanted, weights, course, planned, read, made)
        )
    return made


def _taught(
    task: Task, learned: list[Any], course: Rounds, planned: int, progress: Progress
) -> Array:
    taught = [task.of(one) for one in learned]
    done = train(
        taught,
        task.start(),
        lambda weights, own: weights if own is None else task.learn(weights, own),
        course,
        planned,
        lambda share: progress("training", share),
    )
    if done.spent is None:
        raise InvalidInput("has no noise, and so no ε", where="epsilon")
    return done.weights


def _privacy(spent: Spent, with_before: budget.Total) -> dict[str, Any]:
    """Return what the card says: this training, and all of the study's with it, composed."""
    return {
        **spent.as_dict(),
        "unit": spent.privacy_unit,
        "words": f"{spent.said}. {with_before.said}",
        "with_trainings_before": with_before.as_dict(),
    }


def _judged(task: Task, weights: Array, planned: int, unseen: list[Any]) -> dict[str, Any]:
    """Return the figures beside what nobody taught, over people that were not learned from."""
    enough = len(unseen) >= SHOWN_MIN
    size = learner_of(task.purpose).size
    divisions = {
        "origin": [one.origin for one in unseen],
        "input": halves_of([size(one) for one in unseen]),
    }

    def figures(places: list[int]) -> dict[str, Any]:
        return task.judge(weights, planned, [unseen[at] for at in places]).get(LEARNED, {})

    return {
        "protocol": "test" if enough else "nobody",
        "persons": bucket(len(unseen)),
        "events": bucket(sum(map(size, unseen))),
        "too_few": not enough,
        "rows": task.judge(weights, planned, unseen) if enough else {},
        "groups": by_group(divisions, figures) if enough else {},
        "remarks": [],
    }
