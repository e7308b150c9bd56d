"""Training: through the door, into tokens, into a sealed model with its card and log entry."""

from __future__ import annotations

import hmac
from collections import Counter
from dataclasses import replace
from typing import Any

from overt.datasets.transform import transform_of
from overt.gateway.door import Door, Selected
from overt.gateway.enrol import Person
from overt.gateway.halfway import forget, halfway
from overt.gateway.learner import LEARNS, learner_of
from overt.gateway.ledger import record
from overt.gateway.model import (
    SHARDS,
    Model,
    Progress,
    gather,
    keep,
    newest,
    silent,
    work,
)
from overt.gateway.studies import study_of
from overt.log.merkle import leaf_hash, root
from overt.models.config import Config
from overt.schema.errors import InvalidInput, Missing, TooFew
from overt.schema.manifest import Manifest as Description
from overt.schema.manifest import Source, bucket
from overt.schema.study import DETAILS, Study
from overt.store.store import Store

PEOPLE_MIN = 10
"""People see aggregates of at least ten."""


def train(
    store: Store,
    study_id: str,
    purpose: str,
    *,
    epochs: int | None = None,
    config: Config | None = None,
    reader: str = "training",
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train a study's model for a purpose on everyone who may be read; return its card.

    What was broken off before is taken up, as far as people, settings and machine are the same.

    Replaces the model there was. Raises `TooFew` when there is nothing to learn from, and
    `Refused` when the door says no.
    """
    study = study_of(store, study_id)
    if purpose not in LEARNS or purpose not in study.purposes:
        known = ", ".join(p for p in study.purposes if p in LEARNS)
        raise InvalidInput(
            "has no model in this study", where="purpose", do=f"It has: {known or 'none'}."
        )
    config = config or Config()
    if epochs is not None:
        config = replace(config, epochs=epochs, epochs_max=epochs)
    with work(store):
        door = Door(store, reader, "trainer")
        selected = door.select(study.id, purpose, "train")
        empty = learner_of(purpose).empty(config.to_json())
        model = Model(study.id, purpose, empty, {}, SHARDS, {}, tuple(range(SHARDS)))
        return judged(store, model, selected, reader, progress or silent).card


def judged(
    store: Store, model: Model, selected: list[Selected], reader: str, progress: Progress
) -> Model:
    """Train the missing shards of a model on whom was selected, judge it, log it and keep it.

    The caller holds the lock of `overt.gateway.model.work`.
    """
    learner = learner_of(model.purpose)
    door = Door(store, reader, "trainer")
    manifest, people = gather(door, selected, model.purpose, model.shards, progress)
    learned = [person for person in people if learner.size(person)]
    if not learned:
        raise TooFew(
            "nobody's events are there to learn from",
            where=model.study,
            do="Record something first, or add synthetic people with `overt synthetic`.",
        )
    kept = halfway(store, replace(model, manifest=manifest), progress)
    trained = learner.fit(people, model.trained, model.missing, progress, kept)
    progress("judging on people it has not seen", 1.0)
    study = study_of(store, model.study)
    described = described_of(study, model.purpose, people)
    made = learner.card(trained, may_be_shown(learned), described, _enough_of_each(learned))
    detail = {
        "event": "training",
        "purpose": model.purpose,
        "weights_sha256": trained.sha256(),
        "dataset_sha256": made["data"]["sha256"],
        "origins": sorted(made["people"]["origins"]),
    }
    record(store, "training", study.id, detail)
    done = replace(model, trained=trained, manifest=manifest, card=made, missing=())
    keep(store, done)
    forget(store, model.study, model.purpose)
    return done


def may_be_shown(people: list[Any]) -> list[Any]:
    """Return whom of those with something to learn from a card's figures are over.

    The living only when they are ten or more. The synthetic people beside them can be made again,
    and subtracted, by anyone.
    """
    living = sum(person.origin == "live" for person in people)
    return [p for p in people if p.origin != "live" or living >= PEOPLE_MIN]


def _enough_of_each(people: list[Any]) -> bool:
    """Tell whether who taught it are ten or more of each origin, made-up people aside."""
    taught = Counter(person.origin for person in people if person.split == "train")
    return all(n >= PEOPLE_MIN for origin, n in taught.items() if origin != "synthetic")


def described_of(study: Study, purpose: str, people: list[Any]) -> Description:
    """Return what the card says of the data: ranges and hashes, nobody by name."""
    learner = learner_of(purpose)
    dataset = learner.data_hash(people)
    leaves = sorted(
        leaf_hash(hmac.digest(person.tag, f"overt card 1 {dataset}".encode(), "sha256"))
        for person in people
    )
    origins = Counter(person.origin for person in people)
    splits = Counter(person.split for person in people)
    imported = study.origin == "imported"
    sources = (Source(name=study.source, licence=study.licence, lawful_basis=study.lawful_basis),)
    return Description(
        study=study.id,
        purpose=purpose,
        transform="raw/0" if imported else " or ".join(map(transform_of, DETAILS[study.level])),
        tokens=learner.rule,
        origins={origin: bucket(count) for origin, count in sorted(origins.items())},
        splits={split: bucket(count) for split, count in sorted(splits.items())},
        subjects_root=root(leaves).hex(),
        dataset_sha256=dataset,
        sources=sources if imported else (),
    )


def card(store: Store, study_id: str, purpose: str) -> dict[str, Any] | None:
    """Return the card of the newest model of a study and purpose, or None."""
    model = newest(store, study_id, purpose)
    return None if model is None else model.card


def standing_card(store: Store, study_id: str, purpose: str) -> dict[str, Any]:
    """Return the card of the newest model of a study and purpose. Raises `Missing`."""
    study = study_of(store, study_id)
    found = card(store, study.id, purpose)
    if found is None:
        raise Missing(
            "there is no model yet",
            where=f"study {study.id}, purpose {purpose}",
            do=f"overt train --study {study.id} --purpose {purpose}",
        )
    return found


def page_model(store: Store, person: Person, purpose: str) -> dict[str, Any] | None:
    """Return the newest model for inference in a person's page, as far as it is theirs to have.

    Only shards that no other live person taught leave the server, so that no copy is out of reach
    of anyone else's erasure. None where there is no such shard.
    """
    model = newest(store, person.study, purpose)
    if model is None:
        return None
    taught: dict[int, set[str]] = {}
    for subject, member in model.manifest.items():
        if member.split == "train":
            taught.setdefault(member.shard, set()).add(subject)
    # Who has just left is on no list any more, but still in the model until it is rebuilt.
    harmless = {*store.control.subjects(person.study, "synthetic"), person.subject}
    own = [shard for shard in model.trained.shards if taught.get(shard, set()) <= harmless]
    if not own:
        return None
    made = learner_of(purpose).page(model.trained.only(own))
    return {**made, "card": model.card}
