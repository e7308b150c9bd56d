"""A study's pause model, trained with the privacy of people: ε is chosen, and stands in its card.

A fifth of the people, by their tags, are judged and never learned from. The model is kept with whom
it was made from, and is destroyed when one of them leaves: made again without them it would spend
their privacy who stay a second time, which is for somebody to decide. What all courses of a study
have cost together is composed from the log (`budget`), and refused beyond what the notice states.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from overt.datasets.split import split_of
from overt.gateway import budget
from overt.gateway.door import Door
from overt.gateway.model import Progress, gather, silent, work
from overt.gateway.studies import study_of
from overt.gateway.train import PEOPLE_MIN as SHOWN_MIN
from overt.gateway.train import described_of, may_be_shown
from overt.models.card import frame
from overt.models.metrics import figures
from overt.models.predict import Predicted
from overt.models.private import pauses
from overt.models.private.rounds import Rounds, train, within
from overt.models.private.spent import PEOPLE_MIN, Spent, delta_for
from overt.models.stream import Stream, stream_of
from overt.models.tensors import Array, sha256
from overt.schema.errors import InvalidInput, TooFew
from overt.schema.manifest import bounds, bucket
from overt.store.store import Store

KIND, PURPOSE = "private-model", "typing-assist"
FIGURES = ("pause_nll", "pause_crps_ms", "pause_mae_ms", "pause_r2")


@dataclass(frozen=True, eq=False)
class _Fitted:
    """What a card asks of a model."""

    weights: Array
    certified: bool = False
    machine: tuple[tuple[str, str], ...] = ()

    def sha256(self) -> str:
        """Return the hash of the weights."""
        return sha256({"weights": self.weights})

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
    reader: str = "training",
    progress: Progress = silent,
) -> dict[str, Any]:
    """Train a study's private pause model within ε; return its card. Replaces the one there was.

    Raises:
        TooFew: fewer than `PEOPLE_MIN` people to learn from.
        InvalidInput: ε is no positive number, or the study lacks the purpose.
    """
    study = study_of(store, study_id)
    if PURPOSE not in study.purposes:
        raise InvalidInput(f"lacks the purpose {PURPOSE}", where=f"study {study.id}")
    with work(store):
        door = Door(store, reader, "trainer")
        selected = door.select(study.id, PURPOSE, "train")
        manifest, people = gather(door, selected, PURPOSE, 1, progress)
        # In a live study everybody is learned from elsewhere; here some must be left to judge on.
        parted = [replace(one, split=_part(one.tag)) for one in people if one.tokens]
        learned = [one for one in parted if one.split == "train"]
        if len(learned) < PEOPLE_MIN:
            raise TooFew(
                f"has {bucket(len(learned))} people to learn from",
                where=f"study {study.id}",
                do=f"{PEOPLE_MIN} are needed, besides a fifth who are judged.",
            )
        # The divisor is the beginning of the range that a card shows: it moves for nobody alone.
        planned = bounds(len(learned))[0]
        seed = int.from_bytes(os.urandom(16), "little")
        plan = replace(Rounds(), delta=min(1e-5, delta_for(bounds(len(learned))[1])), seed=seed)
        course = within(epsilon, plan)
        budget.afford(store, study, course.spent())
        taught = [pauses.timed(stream_of(one.sessions)) for one in learned]
        done = train(
            taught,
            pauses.start(),
            pauses.learn,
            course,
            planned,
            lambda share: progress("training", share),
        )
        if done.spent is None:
            raise InvalidInput("has no noise, and so no ε", where="epsilon")
        shown = [one for one in may_be_shown(parted) if one.split == "test"]
        weights = done.weights.astype("<f4")
        fitted = _Fitted(weights)
        judged = _judged(weights, [stream_of(one.sessions) for one in shown])
        settings = {k: v for k, v in asdict(course).items() if k != "seed"}
        made = frame(
            f"three log-normal states of pauses, {pauses.SIZE} weights, learned privately",
            fitted,
            {**settings, "planned": planned},
            judged,
            described_of(study, PURPOSE, parted),
        )
        made["privacy"] = _privacy(done.spent, budget.afford(store, study, done.spent))
        budget.spend(
            store,
            study,
            budget.TRAINING,
            done.spent,
            purpose=PURPOSE,
            weights_sha256=fitted.sha256(),
        )
        data = json.dumps({"card": made, "weights": weights.tolist()}).encode()
        row = store.artefacts.put(KIND, study.id, PURPOSE, "private pauses", data, manifest)
        for older in store.artefacts.filed(study.id, KIND, PURPOSE):
            if older.row != row:
                store.artefacts.destroy(older.row)
    return made


def _part(tag: bytes) -> str:
    return "test" if split_of(tag) == "test" else "train"


def _privacy(spent: Spent, with_before: budget.Total) -> dict[str, Any]:
    """Return what the card says: this training, and all of the study's with it, composed."""
    return {
        **spent.as_dict(),
        "unit": spent.privacy_unit,
        "words": f"{spent.said}. {with_before.said}",
        "with_trainings_before": with_before.as_dict(),
    }


def _judged(weights: Array, unseen: list[Stream]) -> dict[str, Any]:
    """Return the figures beside what nobody taught, over people that were not learned from."""
    methods = {"learned privately": weights, "nobody: before it learned": pauses.start()}
    enough = len(unseen) >= SHOWN_MIN
    rows = {
        name: _figures([pauses.predict(made, stream) for stream in unseen])
        for name, made in (methods.items() if enough else ())
    }
    return {
        "protocol": "test" if enough else "nobody",
        "persons": bucket(len(unseen)),
        "events": bucket(sum(len(stream) for stream in unseen)),
        "too_few": not enough,
        "rows": rows,
        "remarks": [],
    }


def _figures(predicted: list[Predicted]) -> dict[str, dict[str, float | None]]:
    found = figures(predicted)
    return {
        name: {
            key: float(value) if np.isfinite(value := getattr(found[name], key)) else None
            for key in ("value", "low", "high")
        }
        for name in FIGURES
    }
