"""Erasing by time: what a study has kept for long enough, and the minutes a person takes back."""

from __future__ import annotations

import datetime as dt
import json
import re
import time
from typing import Any

from overt.consent.policy import GIVEN, ReceiptState, decide
from overt.gateway import erase
from overt.gateway.enrol import Person, grant_of, receipt_of
from overt.gateway.erasure import load
from overt.gateway.model import Progress
from overt.schema.batch import decode
from overt.schema.errors import InvalidInput
from overt.schema.study import Study, load_study
from overt.store.control import today
from overt.store.store import Store

_DAYS = re.compile(r"P([0-9]{1,5})D", re.ASCII)
MINUTES_MAX = 10 * 365 * 24 * 60
CLOCK_OFF_US_MAX = 86_400_000_000
"""A clock that is off by less, such as by its time zone, is not set wrong."""


def delete_last(store: Store, person: Person, minutes: float) -> dict[str, Any]:
    """Erase what a person recorded in the last minutes; return counts and the job.

    Counted back from now, or from the last event if the device's clock puts that earlier; rounded
    outwards to whole batches, so that nothing asked for stays. What says that it is from before
    the person joined was recorded under a clock that was set wrong: nobody knows when, so it goes
    too. When this returns the rows are gone;
    `overt.gateway.erase.finish(store, job)` brings models in line and certifies. `job` is None
    when there was nothing to erase.
    """
    if not 0 < minutes <= MINUTES_MAX:
        raise InvalidInput("is not a number of minutes", where="minutes")
    grant = grant_of(store, person)
    for purpose in grant.active:
        state = ReceiptState(GIVEN, frozenset(grant.active))
        decide("participant", "erase-own", purpose, state)
    ended_us: dict[str, int] = {}
    events: dict[str, int] = {}
    for place, plain in store.read(store.batches_of(person.subject)):
        header, rows = decode(plain)
        offsets = rows.column("dt_us").to_numpy().astype("int64").cumsum()
        began = header.time_origin_ms * 1000 + header.t0_us
        ended_us[place.row] = began + int(offsets.max())
        events[place.row] = place.events
    if not ended_us:
        return {"batches": 0, "events": 0, "job": None}
    until_us = min(int(time.time() * 1e6), max(ended_us.values()))
    since_us = until_us - int(minutes * 60e6)
    never_us = _joined_us(store, person) - CLOCK_OFF_US_MAX
    rows_gone = sorted(r for r, ended in ended_us.items() if ended >= since_us or ended < never_us)
    facts = {
        "scope": "batches",
        "study": person.study,
        "subject": person.subject,
        "receipt_sha256": erase.receipt_sha256(person),
        "purposes": list(grant.active),
        "batches": rows_gone,
    }
    job = erase.start(store, facts)
    return {"batches": len(rows_gone), "events": sum(events[r] for r in rows_gone), "job": job}


def _joined_us(store: Store, person: Person) -> int:
    joined = receipt_of(store, person)["events"][0]["event_time"]
    return int(dt.datetime.fromisoformat(joined).timestamp() * 1_000_000)


def expire(
    store: Store, progress: Progress | None = None, *, day: int | None = None
) -> dict[str, Any]:
    """Erase what each study has kept for longer than it states, and backups past their day.

    Where a receipt states fewer days than the study does now, those count: a study that is changed
    keeps nobody's events for longer than they were told.
    Returns counts by study. `day` (days since 1970) stands for today.
    """
    now = today() if day is None else day
    done: dict[str, Any] = {}
    for row in store.control.studies():
        study = load_study(row.document)
        kept_days = {
            subject: _kept_days(store, subject, study) for subject in store.subjects(study.id)
        }
        old = [
            key
            for key in store.keyring.data_keys()
            if key.subject in kept_days and key.day < now - kept_days[key.subject]
        ]
        if not old:
            continue
        keys = [key.row for key in old]
        facts = {
            "scope": "retention",
            "study": study.id,
            "days": study.retention_days,
            "keys": keys,
            "subjects": sorted({key.subject for key in old}),
            "batches": [place.row for place in store.control.batches(data_keys=keys)],
        }
        job = erase.start(store, facts)
        erase.finish(store, job, progress)
        done[study.id] = load(store, job).facts["reached"]
    unreached = [backup.place for backup in store.expire_backups(day=now)]
    return {"studies": done, "backups_not_reached": unreached}


def _kept_days(store: Store, subject: str, study: Study) -> int:
    """Return for how many days a person's events are kept: their receipt's or the study's, less."""
    days = study.retention_days
    for grant in store.control.receipts_of(subject):
        processing = json.loads(store.receipt(grant.receipt)).get("processing", {})
        stated = _DAYS.fullmatch(processing.get("retention_period", ""))
        days = min(days, int(stated[1])) if stated else days
    return days
