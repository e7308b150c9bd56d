"""A study's model for one purpose, as it is kept: sealed, with the batches it was made from.

The manifest names, for each person, their shard and the batches that were read. Comparing it with
what may be read now says exactly which shards have to be trained again, whatever the reason is:
a person left, withdrew the purpose, deleted minutes, or their time was up.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from overt.gateway.door import Door, Selected
from overt.gateway.learner import Fitted, learner_of
from overt.log.lock import exclusive
from overt.schema.errors import Damaged
from overt.store.store import Store

Progress = Callable[[str, float], None]

KIND = "model"
SHARDS = 4
"""Fixed, so that nobody's coming or going changes anyone's shard. More shards make leaving
cheaper and models weaker."""


@dataclass(frozen=True)
class Member:
    """What was read of one person: shard, part of the split, rows of batches (sorted)."""

    shard: int
    split: str
    batches: tuple[str, ...]


Manifest = dict[str, Member]


@dataclass(frozen=True)
class Model:
    """A model with its manifest and card. `missing` are shards that wait to be trained again."""

    study: str
    purpose: str
    trained: Fitted
    manifest: Manifest
    shards: int
    card: dict[str, Any]
    missing: tuple[int, ...] = ()


@contextmanager
def work(store: Store) -> Iterator[None]:
    """Hold the one lock under which models are made: training and erasures take turns."""
    with exclusive(store.layout.root / "work.lock"):
        yield


def keep(store: Store, model: Model) -> str:
    """Seal and file a model, then destroy those of its study and purpose before it."""
    head = {
        "manifest": {
            subject: [member.shard, member.split, list(member.batches)]
            for subject, member in model.manifest.items()
        },
        "shards": model.shards,
        "card": model.card,
        "missing": list(model.missing),
    }
    text = json.dumps(head).encode()
    data = len(text).to_bytes(8, "little") + text + model.trained.to_bytes()
    row = store.artefacts.put(
        KIND, model.study, model.purpose, learner_of(model.purpose).name, data, model.manifest
    )
    for older in store.artefacts.filed(model.study, KIND, model.purpose):
        if older.row != row:
            store.artefacts.destroy(older.row)
    return row


def newest(store: Store, study: str, purpose: str) -> Model | None:
    """Return the model of a study and purpose, or None. Raises `Damaged`."""
    rows = store.artefacts.filed(study, KIND, purpose)
    if not rows:
        return None
    data = store.artefacts.get(rows[-1].row)
    size = int.from_bytes(data[:8], "little")
    try:
        head = json.loads(data[8 : 8 + size])
        manifest = {
            subject: Member(shard, split, tuple(batches))
            for subject, (shard, split, batches) in head["manifest"].items()
        }
        return Model(
            study,
            purpose,
            learner_of(purpose).loaded(data[8 + size :]),
            manifest,
            head["shards"],
            head["card"],
            tuple(head["missing"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged("is not a model", where="artefact") from error


def stale(store: Store, model: Model) -> frozenset[int]:
    """Return the shards that learned from what may not be read any more, at this moment.

    Receipts and places say so: nothing is opened, so there is nothing to log.
    """
    found = set()
    for subject, member in model.manifest.items():
        grants = store.control.receipts_of(subject)
        covered = any(model.purpose in grant.active for grant in grants)
        here = {place.row for place in store.batches_of(subject)}
        if member.split == "train" and not (covered and here.issuperset(member.batches)):
            found.add(member.shard)
    return frozenset(found)


def purposes_with_model(store: Store, study: str) -> list[str]:
    """Return the purposes of a study that have a model, sorted."""
    return sorted({artefact.purpose for artefact in store.artefacts.filed(study, KIND)})


def discard(store: Store, study: str, purpose: str) -> None:
    """Destroy all models of a study and purpose."""
    for artefact in store.artefacts.filed(study, KIND, purpose):
        store.artefacts.destroy(artefact.row)


def gather(
    door: Door,
    selected: list[Selected],
    purpose: str,
    shards: int,
    progress: Progress,
    *,
    action: str = "train",
) -> tuple[Manifest, list[Any]]:
    """Open what was selected and return manifest and samples, by tag.

    In a live study everyone is learned from, and judged by the shards that have not seen them:
    with few people a split would leave nobody to learn from. Imported people keep their split.
    """
    manifest: Manifest = {}
    people: list[Any] = []
    sample_of = learner_of(purpose).sample
    for number, chosen in enumerate(selected):
        progress("reading", number / len(selected))
        events = door.open(chosen, purpose, action)
        if events is None:
            continue
        sample = sample_of(events, shards)
        if chosen.origin != "imported":
            sample = replace(sample, split="train")
        rows = tuple(sorted(place.row for place in chosen.places))
        manifest[chosen.subject] = Member(sample.shard, sample.split, rows)
        people.append(sample)
    return manifest, sorted(people, key=lambda person: person.tag)


def silent(_what: str, _done: float) -> None:
    """Report nothing."""
