"""The steps of an erasure, each repeatable, and the file in which the job stands between them.

A step reads and writes `Job.facts`; they are filed, sealed, together with the name of the step that
comes next. A step that was cut short is done again from its beginning.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from overt.consent.receipt import withdraw
from overt.gateway.enrol import Person, receipt_of
from overt.gateway.ledger import append_once, log_of
from overt.gateway.model import KIND, Progress, newest, purposes_with_model
from overt.gateway.rebuild import bring_in_line, never_met
from overt.log.bundle import certificate_detail
from overt.log.opening import read_opening
from overt.schema.batch import decode
from overt.schema.canonical import canonical
from overt.schema.errors import Missing, Refused
from overt.schema.purpose import TOGETHER
from overt.store.scan import Traces, scan
from overt.store.store import Store

CERTIFICATE = "overt-certificate/1"
DONE = "done"
PURGE_TRIES = 3

_QUICK = ("stop", "log", "traces", "keys", "rows")
_SLOW = ("purge", "derived", "proof", "scan", "certificate")
SLOW = _SLOW[0]
"""The first step that `begin` leaves to `finish`."""

STEPS: dict[str, tuple[str, ...]] = {
    "person": (*_QUICK, *_SLOW),
    "purposes": (*_QUICK, *_SLOW),
    "batches": ("stop", "traces", "rows", *_SLOW),
    "retention": ("stop", "keys", "rows", "purge", "derived", "certificate"),
}
"""Scope → its steps in order."""

TITLES = {
    "stop": "nothing more is stored or read",
    "log": "the withdrawal is in the log",
    "traces": "what must not be found is noted",
    "keys": "keys are destroyed",
    "rows": "sealed bytes are overwritten",
    "purge": "the database keeps no deleted byte",
    "derived": "models are trained again without it",
    "proof": "another process trains without it and compares",
    "scan": "every file is searched",
    "certificate": "the certificate is signed and logged",
}


@dataclass
class Job:
    """An erasure: its id, the step that comes next, and what the steps know (plain JSON)."""

    store: Store
    id: str
    step: str
    facts: dict[str, Any]

    def file(self, step: str) -> None:
        """Make `step` the next one, durably, together with the facts."""
        self.step = step
        self.store.put_erasure(self.id, step, self.facts)


def load(store: Store, job_id: str) -> Job:
    """Return a job as filed. Raises `Missing`."""
    for found, step, facts in store.erasures():
        if found == job_id:
            return Job(store, found, step, facts)
    raise Missing("there is no such erasure", where="job")


def unfinished(store: Store) -> list[str]:
    """Return the jobs that are not done, oldest first."""
    waiting = [(facts["begun_s"], job) for job, step, facts in store.erasures() if step != DONE]
    return [job for _, job in sorted(waiting)]


def is_under_way(store: Store) -> bool:
    """Tell whether any erasure waits for its slow steps; opens none."""
    return any(step != DONE for _, step, _ in store.control.erasures())


def run(job: Job, progress: Progress, until: str | None = None) -> None:
    """Do the steps of a job from the next one on, up to and without `until`."""
    names = STEPS[job.facts["scope"]]
    while job.step not in (DONE, until):
        place = names.index(job.step)
        if until is not None and place > names.index(until):
            return
        title, start = TITLES[job.step], place / len(names)

        def report(what: str, done: float, title: str = title, start: float = start) -> None:
            progress(f"{title}: {what}" if what else title, start + done / len(names))

        report("", 0.0)
        _DO[job.step](job, report)
        job.file(names[place + 1] if place + 1 < len(names) else DONE)
    if job.step == DONE:
        _purge(job, progress)


def _stop(job: Job, _progress: Progress) -> None:
    store, facts = job.store, job.facts
    if facts["scope"] == "person":
        store.bury(facts["subject"])
        facts["keys"] = [key.row for key in store.keyring.data_keys(facts["subject"])]
        places = store.batches_of(facts["subject"])
    elif facts["scope"] == "purposes":
        left = store.control.withdraw(facts["receipt"], facts["purposes"])
        active = set(left.active if left else ())
        gone = [
            k for k in store.keyring.data_keys(facts["subject"]) if not active & set(k.purposes)
        ]
        facts["keys"] = [key.row for key in gone]
        places = store.control.batches(data_keys=facts["keys"]) if gone else []
    else:
        facts.setdefault("keys", [])
        places = store.control.batches(rows=facts["batches"])
    facts["batches"] = [place.row for place in places]
    facts["reached"] = {
        "batches": len(places),
        "events": sum(place.events for place in places),
        "sealed_bytes": sum(place.length for place in places),
        "keys": len(facts["keys"]) + (facts["scope"] == "person"),
    }


def _has_left(job: Job) -> bool:
    """Tell whether the person is gone: a smaller erasure may be overtaken by that of everything."""
    return job.store.keyring.subject(job.facts["subject"]) is None


def _log(job: Job, _progress: Progress) -> None:
    store, facts = job.store, job.facts
    detail = {
        "event": "withdrawal",
        "receipt": facts["receipt"],
        "purposes": facts["purposes"],
    }
    if facts["scope"] == "person" or _has_left(job):
        salt = bytes.fromhex(facts["salt"])
        opening = append_once(store, "withdrawal", facts["study"], detail, salt, facts["since"])
        facts["openings"] = [opening.as_dict()]
        return
    person = Person(facts["subject"], facts["receipt"], facts["study"])
    receipt = receipt_of(store, person)
    entries = [read_opening(entry) for entry in receipt["log"]["entries"]]
    if not entries or entries[-1].detail != detail or entries[-1].n < facts["since"]:
        receipt = withdraw(receipt, facts["purposes"], log_of(store), facts["begun_s"])
        entries = [read_opening(entry) for entry in receipt["log"]["entries"]]
        store.put_opening(entries[-1].n, facts["subject"], canonical(entries[-1].as_dict()))
        store.replace_receipt(facts["receipt"], canonical(receipt))
    facts["openings"] = [entries[-1].as_dict()]


def _note_traces(job: Job, _progress: Progress) -> None:
    """Note what the scan looks for: of keys one half, so that the note opens nothing."""
    store, facts = job.store, job.facts
    known = store.keyring.traces(facts["subject"])
    names = list(known)
    if facts["scope"] != "person":
        gone = set(facts["keys"])
        numbers = [
            number
            for number, key in enumerate(store.keyring.data_keys(facts["subject"]))
            if key.row in gone
        ]
        each = ("data key {}", "wrapped key {}", "slot of data key {}")
        names = [name.format(number) for number in numbers for name in each]
    facts["needles"] = {name: _text(_noted(name, known[name])) for name in names}
    wanted = set(facts["batches"])
    places = [place for place in store.batches_of(facts["subject"]) if place.row in wanted]
    facts["deltas"] = []
    for _, plain in store.read(places):
        _, rows = decode(plain)
        deltas = rows.column("dt_us").to_numpy()[1:].astype("<i8")
        facts["deltas"].append(_text(deltas.tobytes()))


def _noted(name: str, needle: bytes) -> bytes:
    whole_key = name == "key" or name.startswith("data key")
    return needle[: len(needle) // 2] if whole_key else needle


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _keys(job: Job, _progress: Progress) -> None:
    own = [job.facts["subject"]] if job.facts["scope"] == "person" else []
    job.store.keyring.destroy(*own, *job.facts["keys"])


def _rows(job: Job, _progress: Progress) -> None:
    store, facts = job.store, job.facts
    if facts["scope"] == "person":
        store.overwrite_rows(facts["subject"])
        store.delete_control_rows(facts["subject"])
        return
    store.delete_batches(facts["batches"])
    if facts["scope"] != "batches":
        store.control.drop_batches(facts["batches"])


def _purge(job: Job, _progress: Progress) -> None:
    for attempt in range(1, PURGE_TRIES + 1):
        try:
            job.store.purge()
        except Refused:
            if attempt == PURGE_TRIES:
                raise
        else:
            return


def _derived(job: Job, progress: Progress) -> None:
    store, facts = job.store, job.facts
    study = facts["study"]
    if "models" not in facts:
        facts["models"] = {}
        for purpose in purposes_with_model(store, study):
            if facts["scope"] == "purposes" and purpose not in facts["purposes"]:
                continue
            model = newest(store, study, purpose)
            if model is not None:
                facts["models"][purpose] = {
                    "before": model.trained.sha256(),
                    "was_in_it": facts.get("subject") in model.manifest,
                }
        facts["destroyed"] = []
        job.file("derived")
    for subject in [facts["subject"]] if facts.get("subject") else facts.get("subjects", []):
        for artefact in store.artefacts.with_member(subject):
            if artefact.kind != KIND:
                store.artefacts.destroy(artefact.row)
                facts["destroyed"].append(artefact.kind)
                job.file("derived")
    for purpose, known in facts["models"].items():
        model = bring_in_line(store, study, purpose, progress)
        known["after"] = None if model is None else model.trained.sha256()
        known["certified"] = model is None or model.trained.certified


def _proof(job: Job, progress: Progress) -> None:
    for number, (purpose, known) in enumerate(job.facts["models"].items()):
        progress(purpose, number / len(job.facts["models"]))
        model = newest(job.store, job.facts["study"], purpose)
        known["never_met"] = None if model is None else never_met(job.store, model)


def _scan(job: Job, _progress: Progress) -> None:
    store, facts = job.store, job.facts
    needles = {name: base64.b64decode(text) for name, text in facts["needles"].items()}
    deltas = tuple(np.frombuffer(base64.b64decode(text), "<i8") for text in facts["deltas"])
    found = scan(store.layout.root, Traces(needles, deltas), store)
    facts["found"] = [f"{finding.path}: {finding.what}" for finding in found]
    facts["searched"] = {"needles": len(needles), "sequences": len(deltas)}
    del facts["needles"], facts["deltas"]


def _certify(job: Job, _progress: Progress) -> None:
    store, facts = job.store, job.facts
    if facts["scope"] == "retention":
        detail = {"event": "retention", "days": facts["days"], **facts["reached"]}
        salt = bytes.fromhex(facts["certificate_salt"])
        append_once(store, "retention", facts["study"], detail, salt, facts["since"])
        facts["certificate"] = detail
        for name in ("batches", "keys", "subjects", "openings"):
            facts[name] = []
        return
    if "certificate" not in facts:
        facts["certificate"] = log_of(store).sign("certificate", _certificate(job))
        job.file("certificate")
    detail = certificate_detail(facts["certificate"])
    salt = bytes.fromhex(facts["certificate_salt"])
    opening = append_once(store, "erasure", facts["study"], detail, salt, facts["since"])
    if facts["scope"] != "person" and not _has_left(job):
        store.put_opening(opening.n, facts["subject"], canonical(opening.as_dict()))
    kept = ("scope", "study", "begun_s", "day", "certificate")
    openings = [*facts.get("openings", []), opening.as_dict()]
    job.facts = {**{name: facts[name] for name in kept}, "openings": openings}


def _certificate(job: Job) -> dict[str, Any]:
    """Return what the certificate says; nothing in it names the person but the receipt's hash."""
    store, facts = job.store, job.facts
    last = store.backups_last_until()
    models = [
        {
            "purpose": purpose,
            "was_in_it": known["was_in_it"],
            "sha256_before": known["before"],
            "sha256_after": known["after"],
            "sha256_never_met": known["never_met"],
            "equal": known["after"] == known["never_met"],
            "certified": known["certified"],
        }
        for purpose, known in sorted(facts["models"].items())
    ]
    return {
        "schema": CERTIFICATE,
        "job": job.id,
        "study": facts["study"],
        "scope": facts["scope"],
        "purposes": facts["purposes"],
        "receipt_sha256": facts["receipt_sha256"],
        "begun_day": facts["day"],
        "steps": [{"name": n, "done": TITLES[n]} for n in STEPS[facts["scope"]]],
        "reached": {**facts["reached"], "artefacts_destroyed": sorted(facts["destroyed"])},
        "models": models,
        "model_equals_never_seen": all(model["equal"] for model in models),
        **learned_together(facts["purposes"]),
        "bytes_found": len(facts["found"]),
        "found": facts["found"],
        "searched": facts["searched"],
        "not_reached": {
            "releases": 0,
            "backups_until": None if last is None else last.isoformat(),
        },
    }


def learned_together(purposes: list[str]) -> dict[str, Any]:
    """Return what a certificate says of purposes whose models cannot be rebuilt without anyone."""
    said = [
        {"purpose": one, "exact_rebuild": False, "instead": TOGETHER[one].on_leaving}
        for one in sorted(purposes)
        if one in TOGETHER
    ]
    return {"learned_together": said} if said else {}


_DO: dict[str, Callable[[Job, Progress], None]] = {
    "stop": _stop,
    "log": _log,
    "traces": _note_traces,
    "keys": _keys,
    "rows": _rows,
    "purge": _purge,
    "derived": _derived,
    "proof": _proof,
    "scan": _scan,
    "certificate": _certify,
}
