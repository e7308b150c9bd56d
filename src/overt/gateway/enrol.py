"""Joining, coming back, and what a person's device may know of their own part.

A person is known by one of three proofs: a token that lasts some minutes, the device's secret, or
the recovery code on the receipt. Of the last two only hashes are kept, in the keyring, so they go
with the person's slot. Nothing here asks who somebody is.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from overt.consent.receipt import issue
from overt.consent.recovery import recovery_hash
from overt.consent.token import check_token, issue_token
from overt.gateway.ledger import log_of
from overt.gateway.studies import study_of
from overt.log.opening import Opening, read_opening
from overt.schema.canonical import canonical
from overt.schema.errors import InvalidInput, NotConsented, Refused, Withdrawn
from overt.schema.limits import TOKEN_TTL_S
from overt.store.control import Grant
from overt.store.store import Store

_WHO = "Show the device's secret or the recovery code on the receipt."


@dataclass(frozen=True)
class Person:
    """Somebody who proved to hold a receipt: rows of the control database, nothing else."""

    subject: str
    receipt: str
    study: str


@dataclass(frozen=True)
class Token:
    """An access token and the seconds it is good for."""

    token: str = field(repr=False)
    expires_s: int


@dataclass(frozen=True)
class Joined:
    """What a device gets when its person has joined; `receipt` is the person's copy."""

    receipt: dict[str, Any] = field(repr=False)
    token: str = field(repr=False)
    expires_s: int
    device_secret: str = field(repr=False)


def _now_s() -> int:
    return int(time.time())


def _device_hash(device_secret: str) -> bytes:
    return hashlib.sha256(b"overt device 1\n" + device_secret.encode()).digest()


def join(
    store: Store,
    study_id: str,
    purposes: Iterable[str],
    notice_sha256: str,
    lang: str = "en",
    detail: str | None = None,
) -> Joined:
    """Enrol somebody who read the notice with this hash and chose these purposes.

    `detail` is the detail level they chose (`overt.schema.study.DETAILS`); None: the study's own.
    The receipt is in the log before it exists. Raises `InvalidInput` for another notice than the
    study has now, for no purpose, or one the study does not have; `Refused` for imported studies.
    """
    study = study_of(store, study_id)
    if study.origin != "live":
        raise Refused("nobody can join imported data", where="study")
    issued = issue(study, purposes, notice_sha256, lang, log_of(store), _now_s(), detail)
    receipt_id = str(issued.stored["receipt_id"])
    chosen = tuple(item["purpose"] for item in issued.stored["processing"]["purposes"])
    device_secret = secrets.token_urlsafe(32)
    subject = store.add_subject(
        study.id,
        "live",
        recovery_hash=recovery_hash(issued.recovery_code),
        device_hash=_device_hash(device_secret),
    )
    level = str(issued.stored["overt"]["level"])
    store.put_receipt(receipt_id, subject, chosen, level, canonical(issued.stored))
    for entry in issued.stored["log"]["entries"]:
        opening: Opening = read_opening(entry)
        store.put_opening(opening.n, subject, canonical(entry))
    token = issue_token(store.token_secret(), receipt_id, _now_s())
    return Joined(issued.copy, token, TOKEN_TTL_S, device_secret)


def refresh_token(store: Store, receipt_id: str, device_secret: str) -> Token:
    """Return a fresh token for the device that joined. Raises `Withdrawn` or `Refused`."""
    person = by_device(store, receipt_id, device_secret)
    token = issue_token(store.token_secret(), person.receipt, _now_s())
    return Token(token, TOKEN_TTL_S)


def by_token(store: Store, token: str) -> Person:
    """Return whose token this is. Raises `Withdrawn`, or `Refused` when it proves nothing."""
    return _active(store, check_token(store.token_secret(), token, _now_s()))


def by_device(store: Store, receipt_id: str, device_secret: str) -> Person:
    """Return whose device this is. Raises `Withdrawn`, or `Refused` when it proves nothing."""
    person = _active(store, receipt_id)
    subject = store.keyring.subject(person.subject)
    if subject is None:
        raise Withdrawn("the person has withdrawn", where="receipt")
    if not hmac.compare_digest(subject.device_hash, _device_hash(device_secret)):
        raise Refused("does not belong to this receipt", where="device_secret", do=_WHO)
    return person


def by_recovery(store: Store, code: str) -> Person:
    """Return who wrote down this recovery code. Raises `Refused` if it is nobody's any more."""
    subject = store.keyring.by_recovery(recovery_hash(code))
    receipts = [] if subject is None else store.control.receipts_of(subject.row)
    if subject is None or not receipts:
        raise Refused(
            "belongs to nobody here",
            where="recovery_code",
            do="If you have withdrawn already, there is nothing left to withdraw.",
        )
    return Person(subject.row, receipts[0].receipt, subject.study)


def _active(store: Store, receipt_id: str) -> Person:
    if len(receipt_id) != 32 or not set(receipt_id) <= set("0123456789abcdef"):
        raise InvalidInput("is not 32 hexadecimal digits", where="receipt_id")
    grant = store.control.grant(receipt_id)
    if store.is_gone(receipt_id) or (grant is not None and not grant.active):
        raise Withdrawn("the person has withdrawn", where="receipt")
    if grant is None or grant.origin != "live":
        raise NotConsented("there is no such receipt", where="receipt", do=_WHO)
    return Person(grant.subject, grant.receipt, grant.study)


def grant_of(store: Store, person: Person) -> Grant:
    """Return what the person's receipt allows at this moment."""
    grant = store.control.grant(person.receipt)
    if grant is None:
        raise Withdrawn("the person has withdrawn", where="receipt")
    return grant


def receipt_of(store: Store, person: Person) -> dict[str, Any]:
    """Return the person's receipt as it is now, without recovery code."""
    document: dict[str, Any] = json.loads(store.receipt(person.receipt))
    return document


def state(store: Store, person: Person) -> dict[str, Any]:
    """Return what a device shows its person: consented purposes, level, stored counts."""
    grant = grant_of(store, person)
    by_purposes: Counter[str] = Counter()
    for place in store.batches_of(person.subject):
        by_purposes["+".join(place.purposes)] += place.events
    return {
        "study": grant.study,
        "receipt": grant.receipt,
        "purposes": list(grant.active),
        "withdrawn_purposes": [p for p in grant.granted if p not in grant.active],
        "level": grant.level,
        "state": "given" if grant.active else "withdrawn",
        "stored": {**store.stored_counts(person.subject), "by_purposes": dict(by_purposes)},
    }
