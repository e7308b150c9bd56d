"""Features over people: each person's mean over sessions, over at least ten of one origin."""

from __future__ import annotations

from typing import Any

import numpy as np

from overt.features.catalogue import CATALOGUE, FEATURES_ID
from overt.features.means import means
from overt.features.spread import spread
from overt.gateway.door import Door, Selected
from overt.gateway.filed import PEOPLE_MIN, Filed, file, in_order, standing, state_of
from overt.gateway.model import Progress, work
from overt.gateway.studies import study_of
from overt.schema.errors import InvalidInput, TooFew
from overt.schema.manifest import bucket
from overt.store.store import Store

KIND, NAME, ACTION = "features", "spread over people", "features"


def distributions(
    store: Store, study_id: str, purpose: str, reader: str, progress: Progress
) -> Filed:
    """Compute features through the door and file how they are spread; return what was filed.

    What was filed stands while the same rows may be read. Raises `TooFew` when no origin has ten
    people, before anything is opened.
    """
    study = study_of(store, study_id)
    if purpose not in study.purposes:
        raise InvalidInput(
            "is not a purpose of this study",
            where="purpose",
            do=f"It has: {', '.join(study.purposes)}.",
        )
    door = Door(store, reader, "researcher")
    with work(store):
        selected = door.select(study.id, purpose, ACTION)
        state = state_of(selected, FEATURES_ID, [feature.name for feature in CATALOGUE])
        known = standing(store, study.id, KIND, purpose, NAME, state)
        if known is not None:
            return known
        origins = {o: [c for c in selected if c.origin == o] for o in {c.origin for c in selected}}
        enough = {o: people for o, people in origins.items() if len(people) >= PEOPLE_MIN}
        if not enough:
            raise TooFew(
                f"figures need {PEOPLE_MIN} people of one origin who are read for this purpose",
                where=f"study {study.id}",
                do="Figures of fewer would be figures of persons. Record or import more.",
            )
        figures: dict[str, Any] = {"features": FEATURES_ID, "origins": {}}
        people = sum(map(len, enough.values()))
        done = 0
        for origin, chosen in sorted(enough.items()):

            def report(number: int, before: int = done) -> None:
                progress("computing features", (before + number) / people)

            each = [_means(door, person, purpose) for person in _counting(in_order(chosen), report)]
            figures["origins"][origin] = _spread(each)
            done += len(chosen)
        figures["left_out"] = sorted(origins.keys() - enough.keys())
        file(store, KIND, study.id, purpose, NAME, state, figures, selected)
        known = standing(store, study.id, KIND, purpose, NAME, state)
    assert known is not None  # noqa: S101 - filed just above, under the lock
    return known


def _counting(people: list[Selected], report: Any) -> Any:
    for number, person in enumerate(people):
        report(number)
        yield person


def _means(door: Door, person: Selected, purpose: str) -> Any:
    """Return a person's mean of each feature over their sessions, NaN where there is none."""
    events = door.open(person, purpose, ACTION)
    return np.full(len(CATALOGUE), np.nan) if events is None else means(events.sessions)


def _spread(each: list[Any]) -> list[dict[str, Any]]:
    """Return one row a feature that ten people have."""
    rows = []
    for feature, column in zip(CATALOGUE, np.array(each, np.float64).T, strict=True):
        found = spread(column)
        if found is not None:
            rows.append(
                {
                    "feature": feature.name,
                    "people": bucket(found.people),
                    "mean": found.mean,
                    "bounds": list(found.bounds),
                }
            )
    return rows
