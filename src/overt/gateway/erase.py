"""Erasure, from the person's word to a signed certificate.

```
stop         tombstone, or the purposes are taken back: no upload and no read from here on
log          the withdrawal is an entry
traces       what must not be found any more is noted, sealed, without a usable key
keys         keys and pseudonym are overwritten: what they sealed is unreadable everywhere
rows         sealed bytes are overwritten, rows forgotten
purge        no deleted byte is left in the database's files
derived      whatever was made with it is destroyed; models are trained again without it
proof        another process trains from scratch without it; the hashes must be equal
scan         every file is searched for what was noted, which is forgotten then
certificate  signed, and an entry of the log
```

Each step may be repeated and may be interrupted anywhere; what it needs is filed before it begins.
The first five are quick and done when `begin` returns. `finish` does or resumes the rest.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from overt.gateway.enrol import Person, grant_of
from overt.gateway.erasure import DONE, SLOW, STEPS, TITLES, Job, load, run, unfinished
from overt.gateway.ledger import log_of
from overt.gateway.model import Progress, silent, work
from overt.log.bundle import bundle
from overt.log.lock import exclusive
from overt.log.opening import read_opening
from overt.schema.errors import InvalidInput, NotConsented, OvertError
from overt.store.backup import tombstones
from overt.store.control import today
from overt.store.store import Store


def begin(
    store: Store,
    person: Person,
    purposes: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> str:
    """Erase a person, or what only `purposes` covered; return the job that `finish` completes.

    When this returns nothing of it can be read or stored any more: keys and rows are gone.
    Raises `NotConsented` for purposes that the receipt does not cover (any more).
    """
    with _quick_steps(store):
        grant = grant_of(store, person)
        leaving = sorted(set(grant.active if purposes is None else purposes))
        if not leaving or not set(leaving) <= set(grant.active):
            raise NotConsented("is not among what the receipt covers", where="purposes")
        scope = "person" if set(leaving) == set(grant.active) else "purposes"
        facts = {
            "scope": scope,
            "study": person.study,
            "subject": person.subject,
            "receipt": person.receipt,
            "receipt_sha256": receipt_sha256(person),
            "purposes": leaving,
        }
        return _filed(store, facts, progress)


def again(store: Store, before: Path, progress: Progress | None = None) -> list[str]:
    """Erase whom another data directory has erased, in a backup of it; return the jobs.

    Raises `Missing` where there is no other directory, `InvalidInput` where it is this one.
    """
    if before.resolve() == store.layout.root.resolve():
        raise InvalidInput(
            "is the data directory itself, which knows only who left before the backup",
            where=str(before),
            do="Name the directory that the backup was of.",
        )
    store.control.put_tombstones(tombstones(before))
    jobs = []
    for study in store.control.studies():
        for subject in store.control.subjects(study.id, "live"):
            for grant in store.control.receipts_of(subject):
                if store.is_gone(grant.receipt) and grant.active:
                    person = Person(subject, grant.receipt, study.id)
                    jobs.append(begin(store, person, progress=progress))
    for job in jobs:
        finish(store, job, progress)
    return jobs


def receipt_sha256(person: Person) -> str:
    """Return what a certificate carries instead of the receipt's id: only its holder knows it."""
    return hashlib.sha256(person.receipt.encode()).hexdigest()


def start(store: Store, facts: dict[str, Any], progress: Progress | None = None) -> str:
    """File an erasure and do its quick steps; return the job."""
    with _quick_steps(store):
        return _filed(store, facts, progress)


def _quick_steps(store: Store) -> AbstractContextManager[None]:
    """Hold the lock under which quick steps of erasures take turns."""
    return exclusive(store.layout.root / "erasure.lock")


def _filed(store: Store, facts: dict[str, Any], progress: Progress | None) -> str:
    filed = {
        **facts,
        "salt": secrets.token_hex(32),
        "certificate_salt": secrets.token_hex(32),
        "since": log_of(store).refresh(),
        "begun_s": int(time.time()),
        "day": today(),
    }
    job = Job(store, secrets.token_hex(16), STEPS[facts["scope"]][0], filed)
    job.file(job.step)
    run(job, progress or silent, until=SLOW)
    return job.id


def finish(store: Store, job_id: str, progress: Progress | None = None) -> dict[str, Any]:
    """Do what is left of an erasure and return its certificate.

    Smaller erasures of a person are finished before that of everything, because each keeps a note
    of what must not be found until it has looked for it. May be called in any process, any number
    of times. Raises `Missing` for an unknown job.
    """
    report = progress or silent
    jobs = [*_overtaken(store, load(store, job_id)), job_id]
    with _quick_steps(store):
        for each in jobs:
            run(load(store, each), report, until=SLOW)
    with work(store):
        for each in jobs:
            run(load(store, each), report)
    certificate: dict[str, Any] = load(store, job_id).facts["certificate"]
    return certificate


def _overtaken(store: Store, job: Job) -> list[str]:
    """Return the unfinished smaller erasures of the person whose whole erasure `job` is."""
    if job.facts["scope"] != "person" or job.step == DONE:
        return []
    others = (load(store, other) for other in unfinished(store) if other != job.id)
    return [other.id for other in others if other.facts.get("subject") == job.facts["subject"]]


def resume_erasures(store: Store, progress: Progress | None = None) -> list[str]:
    """Finish every erasure that was interrupted; return their jobs.

    One that cannot be finished keeps none of the others waiting; its error is raised at the end.
    """
    waiting, failed = unfinished(store), None
    for job_id in waiting:
        try:
            finish(store, job_id, progress)
        except OvertError as error:
            failed = error
    if failed is not None:
        raise failed
    return waiting


def status(store: Store, job_id: str) -> dict[str, Any]:
    """Return how far an erasure is; at its end with certificate and a bundle to verify offline."""
    job = load(store, job_id)
    names = STEPS[job.facts["scope"]]
    place = len(names) if job.step == DONE else names.index(job.step)
    certificate = job.facts.get("certificate") if job.step == DONE else None
    proof = None
    if certificate is not None:
        openings = [read_opening(opening) for opening in job.facts["openings"]]
        proof = bundle(log_of(store), openings, certificate)
    return {
        "job": job.id,
        "state": DONE if job.step == DONE else "running",
        "step": job.step,
        "steps": [
            {"name": name, "title": TITLES[name], "done": number < place}
            for number, name in enumerate(names)
        ],
        "certificate": certificate,
        "bundle": proof,
    }
