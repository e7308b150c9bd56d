"""A training that can be broken off: how far each shard is, sealed, with whom it was made from.

What is kept is weights, so it is treated as a model is: whoever leaves destroys it with everything
else that was made from them, and it is gone once the model is there.
"""

from __future__ import annotations

from overt.gateway.model import Model, Progress
from overt.models.train import Halfway
from overt.schema.errors import OvertError
from overt.store.store import Store

KIND = "checkpoint"


def halfway(store: Store, model: Model, progress: Progress) -> Halfway:
    """Return what is there of a model that is about to be trained, and what keeps more of it.

    `model` has the manifest of what was read. The caller holds `overt.gateway.model.work`.
    """
    rows: dict[int, str] = {}
    begun: dict[int, bytes] = {}
    for filed in store.artefacts.filed(model.study, KIND, model.purpose):
        try:
            shard = int(store.artefacts.name(filed.row))
            begun[shard] = store.artefacts.get(filed.row)
        except (OvertError, ValueError):
            store.artefacts.destroy(filed.row)  # a crash cut it short: trained from the beginning
            continue
        if shard in rows:  # a crash came before the older one was gone
            store.artefacts.destroy(rows[shard])
        rows[shard] = filed.row
    if begun:
        progress("taking up what was broken off", 0.0)

    def keep(shard: int, data: bytes) -> None:
        members = [
            subject
            for subject, one in model.manifest.items()
            if one.shard == shard and one.split == "train"
        ]
        row = store.artefacts.put(KIND, model.study, model.purpose, str(shard), data, members)
        if shard in rows:
            store.artefacts.destroy(rows[shard])
        rows[shard] = row

    return Halfway(begun, keep)


def forget(store: Store, study: str, purpose: str) -> None:
    """Destroy what was kept of a training: its model is there."""
    for filed in store.artefacts.filed(study, KIND, purpose):
        store.artefacts.destroy(filed.row)
