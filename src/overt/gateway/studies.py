"""The studies of a data directory."""

from __future__ import annotations

from functools import lru_cache

from overt.consent import wording
from overt.consent.notice import budget
from overt.schema.errors import Missing, Refused
from overt.schema.study import Study, load_study
from overt.store.store import Store


def register(store: Store, document: bytes) -> Study:
    """File the study in the bytes of a `study.toml`, or its new version, and return it.

    Raises `InvalidInput` naming the key that is wrong, or when the origin would change; `Refused`
    where who takes part was told of less ε: what is learned is learned from all together.
    """
    study = load_study(document)
    wording.check(study)
    known = store.control.study(study.id)
    if known is not None and store.control.subjects(study.id, "live"):
        stated, now = budget(load_study(known.document)), budget(study)
        if stated and not (now and float(now) <= float(stated)):
            raise Refused(
                f"would go beyond the ε of {stated} that people's notice states",
                where="epsilon_max",
                do="Leave it as it was, or make a study of its own.",
            )
    store.control.put_study(study.id, study.origin, document)
    return study


def study_of(store: Store, study_id: str) -> Study:
    """Return a registered study. Raises `Missing` naming those there are."""
    row = store.control.study(study_id)
    if row is None:
        known = ", ".join(known_study.id for known_study in store.control.studies())
        raise Missing(
            "there is no such study",
            where="study",
            do=f"There are: {known}." if known else "Register one with `overt study new`.",
        )
    return load_study(row.document)


def sites(store: Store) -> frozenset[str]:
    """Return the origins of the other sites that any study lists."""
    return frozenset(origin for row in store.control.studies() for origin in _origins(row.document))


def is_for_extensions(store: Store) -> bool:
    """Tell whether any study lists sites that the browser extension may record."""
    return any(_has_sites(row.document) for row in store.control.studies())


@lru_cache(256)
def _origins(document: bytes) -> tuple[str, ...]:
    return load_study(document).origins


@lru_cache(256)
def _has_sites(document: bytes) -> bool:
    return bool(load_study(document).sites)
