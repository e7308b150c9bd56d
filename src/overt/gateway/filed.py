"""Figures over people, kept sealed with whom they were made from, so that leaving destroys them.

Whoever looks at figures twice, before and after one person comes or goes, can subtract. So figures
are not computed at will: what was filed stands for as long as the same rows may be read, and the
rows that may be read now are compared before any is opened. Erasing a person, a purpose, some
minutes or what is too old destroys every file that was made with it (`overt.gateway.erasure`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from overt.gateway.door import Selected
from overt.schema.canonical import canonical
from overt.schema.errors import Damaged, Missing
from overt.store.store import Store

SCHEMA = "overt-figures/1"
KINDS = ("overview", "features", "audit")

PEOPLE_MIN = 10
"""People see aggregates of at least ten of one origin: anyone can make the same synthetic people
again and subtract them, and would be left with the few living ones among them."""


@dataclass(frozen=True)
class Filed:
    """What was computed on `day`; `state` names the rows it was made from and no person."""

    kind: str
    study: str
    purpose: str
    name: str
    day: str
    state: str
    figures: dict[str, Any]


def state_of(selected: Iterable[Selected], *asked: object) -> str:
    """Return a hash of the rows that would be read, and of what is asked of them."""
    rows = sorted(place.row for chosen in selected for place in chosen.places)
    return hashlib.sha256(json.dumps([rows, *asked]).encode()).hexdigest()


def in_order(people: Iterable[Selected]) -> list[Selected]:
    """Return people by the first day they recorded; within a day by their random row.

    Figures finer than ranges are over whole tens of them: one more who came shows in none.
    """
    return sorted(people, key=lambda p: (min(place.day for place in p.places), p.subject))


def file(
    store: Store,
    kind: str,
    study: str,
    purpose: str,
    name: str,
    state: str,
    figures: dict[str, Any],
    people: Sequence[Selected],
) -> None:
    """Seal figures made from `people`, then destroy those of the same name before them.

    The caller has held `overt.gateway.model.work` since before `people` were selected: an erasure
    that begins meanwhile waits for it, and then finds the file.
    """
    document = {"schema": SCHEMA, "state": state, "figures": figures}
    data = json.dumps(document, sort_keys=True, allow_nan=False).encode()
    members = {chosen.subject for chosen in people}
    row = store.artefacts.put(kind, study, purpose, name, data, members)
    for older in store.artefacts.filed(study, kind, purpose):
        if older.row != row and _name(store, older.row) in (name, None):
            store.artefacts.destroy(older.row)


def filed(store: Store, study: str, kind: str, purpose: str | None = None) -> list[Filed]:
    """Return the figures of a study that stand, by purpose and name. Raises `Damaged`.

    Those that somebody is in whose key is gone do not: their erasure will destroy them.
    """
    found: dict[tuple[str, str], Filed] = {}
    for artefact in store.artefacts.filed(study, kind, purpose):
        try:
            name = store.artefacts.name(artefact.row)
            members = store.artefacts.members(artefact.row)
            document = json.loads(store.artefacts.get(artefact.row))
        except Missing:
            continue  # an erasure has just destroyed it
        except ValueError as error:
            raise Damaged("does not hold figures", where="artefact") from error
        left = any(store.keyring.subject(member) is None for member in members)
        if left or document.get("schema") != SCHEMA:
            continue
        day = dt.date(1970, 1, 1) + dt.timedelta(days=artefact.day)
        found[artefact.purpose, name] = Filed(
            kind,
            study,
            artefact.purpose,
            name,
            day.isoformat(),
            document["state"],
            document["figures"],
        )
    return [found[key] for key in sorted(found)]


def standing(
    store: Store, study: str, kind: str, purpose: str, name: str, state: str
) -> Filed | None:
    """Return what was filed under this name if it was made from these very rows."""
    known = filed(store, study, kind, purpose)
    return next((f for f in known if (f.name, f.state) == (name, state)), None)


def _name(store: Store, row: str) -> str | None:
    try:
        return store.artefacts.name(row)
    except Missing:
        return None


def asked(**settings: object) -> str:
    """Return settings as one line, to name what is filed."""
    return canonical(settings).decode()
