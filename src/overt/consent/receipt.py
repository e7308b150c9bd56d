"""Receipts: signed consent records that the person keeps.

`issue` logs the consent, takes a checkpoint, and signs both together with the hash of the exact
notice; `withdraw` writes the next state of the same record. The person's copy carries a recovery
code beside the signed part; the copy that is stored never does.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from overt.consent.notice import KIND_GROUPS, notice_sha256
from overt.consent.recovery import new_code
from overt.log.checkpoint import VerifierKey, open_checkpoint
from overt.log.document import check_document
from overt.log.journal import Log
from overt.log.opening import Opening, commit
from overt.schema.errors import InvalidInput, NotConsented
from overt.schema.event import MARKS
from overt.schema.purpose import REGISTRY
from overt.schema.receipt import (
    GIVEN,
    OVERT_VERSION,
    SCHEMA_VERSION,
    WITHDRAWN,
    Receipt,
    read_receipt,
)
from overt.schema.study import DETAILS, Study, study_sha256

CONTEXT = "urn:overt:receipt:1"
"""JSON-LD context by reference; the mapping to DPV is in `spec/receipt.context.json`."""

_CONSENT = "https://w3id.org/dpv#Consent"
_EXPRESSED = "https://w3id.org/dpv#ExpressedConsent"
_CONTROLLER = "https://w3id.org/dpv#DataController"
_RIGHTS = ("access", "portability", "erasure", "withdrawal of consent", "complaint")


@dataclass(frozen=True)
class Issued:
    """What joining yields. `stored` goes to the store, `copy` to the person."""

    stored: dict[str, Any]
    """The signed receipt, without recovery code."""
    recovery_code: str = field(repr=False)
    """For the person only; the store keeps `overt.consent.recovery.recovery_hash` of it."""

    @property
    def copy(self) -> dict[str, Any]:
        """The person's copy: the signed receipt and the recovery code."""
        return {**self.stored, "recovery_code": self.recovery_code}


def issue(
    study: Study,
    purposes: Iterable[str],
    notice_hash: str,
    language: str,
    log: Log,
    now_s: int,
    detail_level: str | None = None,
) -> Issued:
    """Log a person's consent and return their signed receipt.

    `detail_level` is the person's choice among `overt.schema.study.DETAILS`; None: the study's own.
    `notice_hash` is the SHA-256 (hex) of the notice bytes the person was shown, `now_s` the time
    in seconds since 1970. The consent is in the log, durably, before the receipt exists.

    Raises:
        InvalidInput: no purpose, one that the study does not have, not the notice of now, or a
            detail level that the study does not offer.
    """
    level = study.level if detail_level is None else detail_level
    if level not in DETAILS[study.level]:
        raise InvalidInput(
            "is not offered by the study",
            where="detail",
            do=f"It offers: {', '.join(DETAILS[study.level])}.",
        )
    chosen = tuple(sorted(set(purposes)))
    if not chosen:
        raise InvalidInput("no purpose was chosen, so there is nothing to join", where="purposes")
    if not set(chosen) <= set(study.purposes):
        raise InvalidInput(
            "names a purpose that the study does not have",
            where="purposes",
            do=f"It has: {', '.join(study.purposes)}.",
        )
    if notice_hash != notice_sha256(study, language):
        raise InvalidInput(
            "is not the notice of this study as it is now",
            where="notice_sha256",
            do="Show the notice again and ask again.",
        )
    receipt_id = secrets.token_hex(16)
    event = _event(GIVEN, now_s, receipt_id, chosen)
    detail = {
        "event": "consent",
        "receipt": receipt_id,
        "study_sha256": study_sha256(study),
        "notice_sha256": notice_hash,
        "purposes": list(chosen),
        "level": level,
    }
    document = {
        "@context": CONTEXT,
        "schema_version": SCHEMA_VERSION,
        "record_id": receipt_id,
        "receipt_id": receipt_id,
        "pii_principal_id": f"holder of receipt {receipt_id}",
        "processing": _processing(study, chosen, notice_hash, language),
        "parties": [_controller(study)],
        "events": [event],
        "overt": {
            "version": OVERT_VERSION,
            "study": study.id,
            "study_version": study.version,
            "study_sha256": study_sha256(study),
            "level": level,
            "outbox_delay_s": study.outbox_delay_s,
            **({"sites": [site.origin for site in study.sites]} if study.sites else {}),
        },
    }
    return Issued(_logged("consent", document, detail, (), log), new_code())


def withdraw(
    receipt: dict[str, Any], purposes: Iterable[str] | None, log: Log, now_s: int
) -> dict[str, Any]:
    """Log the withdrawal of some purposes (all if None) and return the record's next state.

    The result is signed and carries no recovery code: the person's stays good for the rest.

    Raises:
        Damaged: the receipt is not this log's.
        NotConsented: nothing of that is consented to.
    """
    known = check(receipt, log.key)
    leaving = set(known.purposes) if purposes is None else set(purposes)
    if not leaving or not leaving <= set(known.purposes):
        raise NotConsented("is not among what the receipt covers", where="purposes")
    left = tuple(p for p in known.purposes if p not in leaving)
    processing = receipt["processing"]
    event = {
        **receipt["events"][-1],
        "event_time": _time(now_s),
        "event_state": WITHDRAWN if not left else GIVEN,
        "purposes": list(left),
    }
    document = {
        **receipt,
        "processing": {
            **processing,
            "purposes": [item for item in processing["purposes"] if item["purpose"] in left],
        },
        "events": [*receipt["events"], event],
    }
    detail = {"event": "withdrawal", "receipt": known.id, "purposes": sorted(leaving)}
    return _logged("withdrawal", document, detail, known.entries, log)


def check(receipt: dict[str, Any], public_key: str) -> Receipt:
    """Return what a receipt says, after checking its signature and that of its checkpoint.

    `public_key` is the text form of the log's key.

    Raises:
        InvalidInput: it is not a receipt.
        Damaged: it is signed by another key, or was changed.
    """
    key = VerifierKey.parse(public_key)
    read = read_receipt(receipt)
    check_document("receipt", receipt, key)
    open_checkpoint(read.checkpoint, key)
    return read


def _logged(
    kind: str,
    document: dict[str, Any],
    detail: dict[str, Any],
    earlier: tuple[dict[str, Any], ...],
    log: Log,
) -> dict[str, Any]:
    """Append the entry, then sign the document with its opening and a checkpoint over it."""
    salt, commitment = commit(detail)
    n = log.append(kind, document["overt"]["study"], commitment)
    openings = [*earlier, Opening(n, salt, detail).as_dict()]
    body = {name: v for name, v in document.items() if name not in ("signature", "recovery_code")}
    body["log"] = {
        "origin": log.origin,
        "key": log.key,
        "checkpoint": log.checkpoint(),
        "entries": openings,
    }
    return log.sign("receipt", body)


def _time(now_s: int) -> str:
    return dt.datetime.fromtimestamp(now_s, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _event(state: str, now_s: int, receipt_id: str, purposes: tuple[str, ...]) -> dict[str, Any]:
    return {
        "event_time": _time(now_s),
        "validity_duration": "until withdrawn",
        "entity_id": f"holder of receipt {receipt_id}",
        "event_type": _EXPRESSED,
        "event_state": state,
        "purposes": list(purposes),
    }


def _controller(study: Study) -> dict[str, Any]:
    return {
        "party_id": "controller",
        "party_name": study.controller,
        "party_address": study.address,
        "party_contact": study.contact,
        "party_type": _CONTROLLER,
        "party_role": _CONTROLLER,
    }


def _processing(
    study: Study, purposes: tuple[str, ...], notice_hash: str, language: str
) -> dict[str, Any]:
    return {
        "privacy_notice": {
            "path": f"/v1/studies/{study.id}/notice?lang={language}",
            "version": study.version,
            "sha256": notice_hash,
        },
        "language": language,
        "purposes": [
            {
                "purpose": purpose,
                "purpose_type": "https://w3id.org/dpv#ResearchAndDevelopment",
                "description": REGISTRY[purpose].explanation,
                "lawful_basis": _CONSENT,
            }
            for purpose in purposes
        ],
        "pii_information": _information(study, purposes),
        "pii_controllers": ["controller"],
        "collection_method": "recorded in the page while its indicator is visible",
        "processing_method": "features, training and audit, each read checked and logged",
        "storage_locations": [study.storage],
        "retention_period": f"P{study.retention_days}D",
        "jurisdictions": list(study.jurisdictions),
        "recipient_third_parties": [],
        "recipients": list(study.readers),
        "withdrawal_method": "in the page, or on any device at /v1/withdraw with the recovery code",
        "privacy_rights": list(_RIGHTS),
    }


def _information(study: Study, purposes: tuple[str, ...]) -> list[dict[str, Any]]:
    kinds = frozenset().union(*(REGISTRY[purpose].kinds for purpose in purposes)) - MARKS
    return [
        {
            "pii_type": name,
            "pii_attribute_id": sorted(kind.name.lower() for kind in group & kinds),
            "pii_optional": False,
            "sensitive_pii_category": name == "pictures"
            or (study.level == "keys" and name == "keyboard"),
            "special_pii_category": False,
        }
        for name, group in KIND_GROUPS.items()
        if group & kinds
    ]
