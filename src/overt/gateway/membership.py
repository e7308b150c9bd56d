"""Membership inference against a study's model, through the door: logged, and into its card.

The attacker's models are trained on halves of the people the model knows, as it was trained, and
forgotten again. Of nobody is it said, shown or kept whether they were recognised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from overt.audit.membership import Asked, Itself, Membership, Threat, attacked, check, halves
from overt.gateway.door import Door, Selected
from overt.gateway.filed import PEOPLE_MIN
from overt.gateway.learner import learner_of
from overt.gateway.ledger import record
from overt.gateway.model import Model, Progress, gather, keep, newest, work
from overt.gateway.release import too_open
from overt.gateway.studies import study_of
from overt.schema.errors import Missing
from overt.schema.manifest import bucket
from overt.store.store import Store

ROLE, ACTION = "auditor", "audit"
MODELS = 16


@dataclass(frozen=True)
class Audited:
    """What the attack found, why the model may not be released (nothing: it may), and origins."""

    found: Membership
    verdict: tuple[str, ...]
    synthetic: bool


def audit(
    store: Store,
    study_id: str,
    purpose: str,
    reader: str,
    progress: Progress,
    *,
    models: int = MODELS,
) -> Audited:
    """Attack the newest model of a study and purpose, and write the result into its card.

    Raises `Missing` without a model, and `TooFew` with the number needed.
    """
    study = study_of(store, study_id)
    with work(store):
        model = newest(store, study.id, purpose)
        if model is None or model.missing:
            raise Missing(
                "there is no model yet" if model is None else "is being trained again",
                where=f"study {study.id}, model {purpose}",
                do=f"overt train --study {study.id} --purpose {purpose}",
            )
        door = Door(store, reader, ROLE)
        among = {subject: member.batches for subject, member in model.manifest.items()}
        selected = of_one_kind(door.select(study.id, purpose, ACTION, among))
        check(len(selected), models)
        _, people = gather(
            door,
            selected,
            purpose,
            model.shards,
            lambda what, done: progress(what, 0.1 * done),
            action=ACTION,
        )
        learner = learner_of(purpose)
        people = [one for one in people if learner.size(one)]
        check(len(people), models)
        design = halves(len(people), models, model.shards)
        shadows = learner.shadows(people, model.trained.settings())
        losses = shadows(design, lambda what, done: progress(what, 0.1 + 0.8 * done))
        loss, answered = learner.under(model.trained, people)
        taught = np.array([one.split == "train" for one in people])
        found = attacked(
            Asked(design, *losses),
            learner.name,
            itself=Itself(loss, answered, taught),
            progress=lambda done: progress("attacking", 0.9 + 0.1 * done),
        )
        origins = {chosen.origin for chosen in selected}
        _write_down(store, model, found, origins)
    return Audited(found, too_open([attack_of(found, origins)]), "synthetic" in origins)


def of_one_kind(selected: Sequence[Selected]) -> list[Selected]:
    """Return the living if they are enough for figures, else the others: never both.

    Among others a few living ones would be found by subtracting those who can be made up again.
    """
    living = [chosen for chosen in selected if chosen.origin == "live"]
    if len(living) >= PEOPLE_MIN:
        return living
    return [chosen for chosen in selected if chosen.origin != "live"]


def _write_down(store: Store, model: Model, found: Membership, origins: set[str]) -> None:
    log_attack(store, model.study, model.purpose, model.trained.sha256(), found)
    keep(store, replace(model, card=with_attack(model.card, found, origins)))


def log_attack(
    store: Store, study: str, purpose: str, weights_sha256: str, found: Membership
) -> None:
    """Write into the log that a model was attacked."""
    detail = {
        "event": "audit",
        "suite": found.suite,
        "level": "model",
        "purpose": purpose,
        "models": found.models,
        "weights_sha256": weights_sha256,
    }
    record(store, "audit", study, detail)


def with_attack(card: dict[str, Any], found: Membership, origins: set[str]) -> dict[str, Any]:
    """Return a card with an attack in it, instead of an earlier one by the same suite."""
    others = [one for one in card.get("attacks", ()) if one["suite"] != found.suite]
    return {**card, "attacks": [*others, attack_of(found, origins)]}


def attack_of(found: Membership, origins: set[str]) -> dict[str, Any]:
    """Return an attack as it stands in a card: people in ranges, rates to a tenth of a percent."""
    plain = found.as_dict()
    rows = [
        {
            "access": row["access"],
            "of": row["of"],
            "attack": row["attack"],
            "auc": _coarse(row["auc"]),
            "true_rates": {rate: _coarse(one) for rate, one in row["true_rates"].items()},
        }
        for row in plain["rows"]
    ]
    return {
        "suite": found.suite,
        "people": bucket(found.people),
        "origins": sorted(origins),
        "models": found.models,
        "shards": found.shards,
        "threats": {row.access: Threat(row.access).words() for row in found.rows},
        "rows": rows,
        "left_out": [text.partition(", there are")[0] for text in found.left_out],
    }


def _coarse(figure: dict[str, float] | None) -> dict[str, float] | None:
    return figure and {name: round(value, 3) for name, value in figure.items()}
