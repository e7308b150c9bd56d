"""Bringing models in line with what may be read now, and proving that it is exact.

A model is compared with the receipts and batches of this moment. Shards that learned from something
which may not be read any more are thrown away at once; what is left never met it. Then they are
trained again without it. The proof trains everything from scratch, in a process of its own, on what
the rebuilt model's manifest names, and compares hashes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import Any

from overt.gateway.door import Door, Selected
from overt.gateway.learner import learner_of
from overt.gateway.model import (
    Manifest,
    Model,
    Progress,
    discard,
    gather,
    keep,
    newest,
    silent,
)
from overt.models import process
from overt.schema.errors import Damaged
from overt.store.store import Store

READER = "rebuilding after an erasure"


@dataclass(frozen=True)
class Compared:
    """What of a model's manifest may still be read, and the shards that learned from the rest."""

    readable: list[Selected]
    stale: tuple[int, ...]


def compare(store: Store, model: Model) -> Compared:
    """Hold a model's manifest against what may be read at this moment; the read is logged."""
    among = {subject: member.batches for subject, member in model.manifest.items()}
    door = Door(store, READER, "trainer")
    readable = door.select(model.study, model.purpose, "train", among)
    found = {s.subject: tuple(sorted(p.row for p in s.places)) for s in readable}
    stale = {
        member.shard
        for subject, member in model.manifest.items()
        if found.get(subject) != member.batches and member.split == "train"
    }
    return Compared(readable, tuple(sorted(stale | set(model.missing))))


def unchanged(model: Model, compared: Compared) -> bool:
    """Tell whether everything the model was made from may still be read."""
    found = {s.subject: tuple(sorted(p.row for p in s.places)) for s in compared.readable}
    return not compared.stale and found == {s: m.batches for s, m in model.manifest.items()}


def bring_in_line(store: Store, study: str, purpose: str, progress: Progress) -> Model | None:
    """Bring the model of a study and purpose in line; return it, or None when nobody is left.

    May be interrupted anywhere and called again. The caller holds `overt.gateway.model.work`.
    """
    from overt.gateway.train import judged

    model = newest(store, study, purpose)
    if model is None:
        return None
    compared = compare(store, model)
    if unchanged(model, compared):
        keep_only_newest(store, model)
        return model
    if not compared.readable:
        discard(store, study, purpose)
        return None
    bare = replace(
        model,
        trained=model.trained.only(model.trained.shards.keys() - set(compared.stale)),
        manifest=_narrowed(model.manifest, compared.readable),
        missing=compared.stale,
        card={**model.card, "status": "being rebuilt"},
    )
    keep(store, bare)
    progress("shards that knew the person are gone", 0.0)
    return judged(store, bare, compared.readable, READER, progress)


def keep_only_newest(store: Store, model: Model) -> None:
    """Destroy older models that an interruption left beside this one."""
    rows = store.artefacts.filed(model.study, "model", model.purpose)
    for older in rows[:-1]:
        store.artefacts.destroy(older.row)


def _narrowed(manifest: Manifest, readable: list[Selected]) -> Manifest:
    return {
        s.subject: replace(manifest[s.subject], batches=tuple(sorted(p.row for p in s.places)))
        for s in readable
    }


def never_met(store: Store, model: Model) -> str:
    """Return the weights' hash of a model trained from scratch on the manifest, elsewhere.

    The other process opens the data directory itself and reads through the door; nothing of a
    person is in its arguments. Raises `Damaged` when it ends without an answer.
    """
    question = {
        "root": str(store.layout.root.resolve()),
        "study": model.study,
        "purpose": model.purpose,
        "shards": model.shards,
        "settings": model.trained.settings(),
        "manifest": {subject: member.batches for subject, member in model.manifest.items()},
    }
    with process.lent() as descriptors:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "overt.gateway.rebuild", *map(str, descriptors)],
            input=json.dumps(question).encode(),
            stdout=subprocess.PIPE,
            pass_fds=descriptors,
            start_new_session=True,  # Ctrl+C is ours to hear
            check=False,
        )
    if done.returncode != 0:
        raise Damaged(
            "the process that proves the rebuild ended before its time", where="never_met"
        )
    return str(json.loads(done.stdout)["weights_sha256"])


def _answer(question: dict[str, Any]) -> dict[str, str]:
    """Train from scratch what a question names; runs in the other process."""
    learner = learner_of(question["purpose"])
    with Store.open(question["root"]) as store:
        door = Door(store, "proof of an erasure, from scratch", "trainer")
        purpose = question["purpose"]
        selected = door.select(question["study"], purpose, "train", question["manifest"])
        _, people = gather(door, selected, purpose, question["shards"], silent)
    trained = learner.fit(people, learner.empty(question["settings"]), None, silent, None)
    return {"weights_sha256": trained.sha256()}


if __name__ == "__main__":
    process.borrow(map(int, sys.argv[1:]))
    sys.stdout.write(json.dumps(_answer(json.load(sys.stdin))))
