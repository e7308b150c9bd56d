"""The linkage audit of a study, through the door: logged, and filed as rates over people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from overt.audit.linkage import Curves, Linkage, Row, linkage
from overt.gateway.door import Door, Selected
from overt.gateway.filed import PEOPLE_MIN, asked, file, standing, state_of
from overt.gateway.ledger import record
from overt.gateway.model import Progress, work
from overt.gateway.studies import study_of
from overt.schema.errors import TooFew
from overt.schema.manifest import bounds, bucket
from overt.schema.study import Study
from overt.store.store import Store

KIND, ACTION, ROLE = "audit", "audit", "auditor"

FALSE_ACCEPTS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Where a filed curve is read: finer steps would be single probes."""


@dataclass(frozen=True)
class Audited:
    """What an attack found, and whether made-up people were among those attacked."""

    found: Linkage
    synthetic: bool


def purpose_of(study: Study) -> str:
    """Return the purpose for which a study's typing is read to attack it."""
    return "typing-assist" if "typing-assist" in study.purposes else study.purposes[0]


def audit(
    store: Store,
    study_id: str,
    level: str,
    keys: Sequence[int],
    reader: str,
    progress: Progress,
) -> Audited:
    """Attack a study by typing profile; log the audit, file its rates and return all of it.

    Fewer than ten living people are left out beside others. Raises `TooFew` or `InvalidInput`.
    """
    study = study_of(store, study_id)
    with work(store):
        door = Door(store, reader, ROLE)
        return _attacked(store, door, study, _selected(door, study), level, keys, progress)


def audit_once(
    store: Store,
    study_id: str,
    level: str,
    keys: Sequence[int],
    reader: str,
    progress: Progress,
) -> None:
    """File the rates of an attack, unless those filed were made from the rows there are now."""
    study = study_of(store, study_id)
    with work(store):
        door = Door(store, reader, ROLE)
        selected = _selected(door, study)
        name, state = _name(level, keys), state_of(selected)
        if standing(store, study.id, KIND, purpose_of(study), name, state) is not None:
            return
        try:
            _attacked(store, door, study, selected, level, keys, progress)
        except TooFew as error:
            raise TooFew(
                f"an attack says nothing over fewer than {PEOPLE_MIN} people who typed enough",
                where=f"study {study.id}",
                do="Ask for fewer keys, or record or import more.",
            ) from error


def _name(level: str, keys: Sequence[int]) -> str:
    return asked(keys=sorted(set(keys)), level=level)


def _selected(door: Door, study: Study) -> list[Selected]:
    """Return the living if they are ten, else the others: never both in one figure.

    Ten of those attacked must have typed enough (`linkage`); among others a few living ones would
    be found by subtracting those who can be made up again.
    """
    selected = door.select(study.id, purpose_of(study), ACTION)
    living = [chosen for chosen in selected if chosen.origin == "live"]
    if len(living) >= PEOPLE_MIN:
        return living
    return [chosen for chosen in selected if chosen.origin != "live"]


def _attacked(
    store: Store,
    door: Door,
    study: Study,
    selected: list[Selected],
    level: str,
    keys: Sequence[int],
    progress: Progress,
) -> Audited:
    purpose = purpose_of(study)
    origins: set[str] = set()

    def people() -> Iterator[Any]:
        for number, chosen in enumerate(selected):
            progress("reading", 0.5 * number / len(selected))
            events = door.open(chosen, purpose, ACTION)
            if events is not None:
                origins.add(events.origin)
                yield events.sessions

    found = linkage(
        people(),
        levels=(level,),
        keys=keys,
        progress=lambda done, steps: progress("attacking", 0.5 + 0.5 * done / steps),
    )
    detail = {"event": "audit", "suite": found.suite, "level": level, "keys": list(keys)}
    record(store, "audit", study.id, detail)
    figures = {
        "suite": found.suite,
        "level": level,
        "origins": sorted(origins),
        "rows": [_rates(row, curves) for row, curves in zip(found.rows, found.curves, strict=True)],
        "left_out": [text.partition(":")[0] for text in found.left_out],
    }
    name, state = _name(level, keys), state_of(selected)
    file(store, KIND, study.id, purpose, name, state, figures, selected)
    return Audited(found, "synthetic" in origins)


def _rates(row: Row, curves: Curves) -> dict[str, Any]:
    """Return a row as it is kept: counts in ranges, rates too coarse to show a single probe.

    Chance and the number of places are those of the fewest people in the range: both would tell how
    many there are. Distributions of scores are left out, as their ends are scores of persons.
    """
    digits = 2 if row.probes < 1000 else 3
    false, true = np.array(curves.roc, np.float64).reshape(-1, 2).T
    fewest = bounds(row.people)[0]
    order = np.argsort(false, kind="stable")
    accepted = np.interp(FALSE_ACCEPTS, false[order], np.maximum.accumulate(true[order]))
    return {
        "level": row.level,
        "keys": row.keys,
        "attack": row.attack,
        "chance": 1 / fewest,
        "people": bucket(row.people),
        "people_probed": bucket(row.people_probed),
        "probes": bucket(row.probes),
        "same_session": bucket(row.same_session),
        **{
            name: round(float(getattr(row, name)), digits)
            for measure in ("rank1", "eer_global", "eer_subject_mean")
            for name in (measure, f"{measure}_low", f"{measure}_high")
        },
        "cmc": [round(share, digits) for share in curves.cmc[:fewest]],
        "roc": [[x, round(float(y), digits)] for x, y in zip(FALSE_ACCEPTS, accepted, strict=True)],
    }
