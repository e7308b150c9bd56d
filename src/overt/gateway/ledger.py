"""What the gateway writes into the transparency log, and the openings it keeps for people.

An entry is in the log, durably, before what it states goes on. Its opening is then sealed under the
key of the person it is about, or under the system's where it is about nobody in particular; a
crash between the two leaves an entry that cannot be opened, never an act without an entry.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from overt.log.journal import Log
from overt.log.opening import Opening, commit, read_opening
from overt.log.signer import Signer
from overt.schema.canonical import canonical
from overt.schema.errors import Refused
from overt.store.store import Store

_OPEN: WeakKeyDictionary[Store, Log] = WeakKeyDictionary()
_MUTEX = threading.Lock()


def log_of(store: Store) -> Log:
    """Return the open log of a data directory; one for all threads of this process."""
    with _MUTEX:
        log = _OPEN.get(store)
        if log is None:
            name = store.keyring.secret("log name")[:8].hex()
            signer = Signer(f"overt.local/{name}", store.keyring.secret("log signing"))
            log = _OPEN[store] = Log.open(store.layout.log, signer)
        return log


def record(
    store: Store,
    kind: str,
    study: str,
    detail: dict[str, Any],
    subjects: Sequence[str | None] = (None,),
) -> list[Opening]:
    """Append one entry a subject with the same detail, and keep the openings; return them.

    `None` stands for nobody in particular. Of who has left meanwhile no opening is kept: their key
    is gone, and so is anyone it could be for.
    """
    made = [commit(detail) for _ in subjects]
    numbers = log_of(store).append_all((kind, study, commitment) for _, commitment in made)
    openings = [Opening(n, salt, detail) for n, (salt, _) in zip(numbers, made, strict=True)]
    for subject, opening in zip(subjects, openings, strict=True):
        try:
            store.put_opening(opening.n, subject, canonical(opening.as_dict()))
        except Refused:
            if subject is None or store.keyring.subject(subject) is not None:
                raise
    return openings


def append_once(
    store: Store, kind: str, study: str, detail: dict[str, Any], salt: bytes, since: int
) -> Opening:
    """Append an entry unless it stands in the log already from `since` on; return its opening.

    For steps that may be repeated: salt and detail are fixed before the first attempt.
    """
    log = log_of(store)
    _, commitment = commit(detail, salt)
    log.refresh()
    for entry in log.entries(since):
        if entry.commitment == commitment:
            return Opening(entry.n, salt, detail)
    return Opening(log.append(kind, study, commitment), salt, detail)


def openings_of(store: Store, subject: str) -> list[Opening]:
    """Return the openings kept for a person, by entry."""
    return [read_opening(json.loads(plain)) for _, plain in store.openings(subject)]
