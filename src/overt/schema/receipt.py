"""Receipts as data: what a signed consent record says, read strictly.

A receipt is a JSON document with the fields of ISO/IEC TS 27560:2023 (names and meaning as in the
W3C DPV guide to it) plus `overt` and `log`, which bind it to the notice's bytes and to the log.
`overt.consent.receipt` issues and checks them; `spec/receipt.md` describes each field.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from overt.schema.errors import InvalidInput
from overt.schema.purpose import REGISTRY

SCHEMA_VERSION = "https://w3id.org/dpv/schema/dpv-27560#receipt"
OVERT_VERSION = "receipt/1"
GIVEN = "https://w3id.org/dpv#ConsentGiven"
WITHDRAWN = "https://w3id.org/dpv#ConsentWithdrawn"

MANDATORY = ("schema_version", "record_id", "receipt_id", "pii_principal_id")
MANDATORY_PROCESSING = (
    "privacy_notice",
    "language",
    "purposes",
    "pii_information",
    "pii_controllers",
    "storage_locations",
    "retention_period",
    "jurisdictions",
    "recipient_third_parties",
    "withdrawal_method",
)
MANDATORY_PARTY = ("party_id", "party_address", "party_name", "party_contact", "party_type")
MANDATORY_EVENT = ("event_time", "validity_duration", "entity_id", "event_type", "event_state")

_ID = re.compile(r"[0-9a-f]{32}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What the parts of Overt need to know of a receipt."""

    id: str
    study: str
    study_version: int
    study_sha256: str
    purposes: tuple[str, ...]
    """Purposes consented to now, sorted; empty once withdrawn."""
    level: str
    language: str
    notice_sha256: str
    withdrawn: bool
    key: str
    """Text form of the key that signs this receipt and the log."""
    checkpoint: str
    entries: tuple[dict[str, Any], ...]
    """Openings of the person's own log entries: n, salt (hex), detail."""


def read_receipt(document: Any) -> Receipt:
    """Return the receipt in a JSON object; the signature is `overt.consent.receipt.check`'s part.

    Raises:
        InvalidInput: a field is missing or not of its form; names the field.
    """
    _has(document, MANDATORY, "receipt")
    if document["schema_version"] != SCHEMA_VERSION:
        raise _bad("is not a schema this version reads", "schema_version")
    own = _has(document, ("overt", "log", "processing", "parties", "events"), "receipt")
    overt = _has(
        own["overt"], ("version", "study", "study_version", "study_sha256", "level"), "overt"
    )
    if overt["version"] != OVERT_VERSION:
        raise _bad(f"is not {OVERT_VERSION}", "overt.version", "Use the Overt that issued it.")
    processing = _has(own["processing"], MANDATORY_PROCESSING, "processing")
    notice = _has(processing["privacy_notice"], ("sha256",), "processing.privacy_notice")
    for name, required in (("parties", MANDATORY_PARTY), ("events", MANDATORY_EVENT)):
        if not isinstance(document[name], list) or not document[name]:
            raise _bad("must be a list with at least one item", name)
        for k, item in enumerate(document[name]):
            _has(item, required, f"{name}[{k}]")
    log = _has(own["log"], ("key", "checkpoint", "entries"), "log")
    if not isinstance(log["entries"], list) or not all(isinstance(e, dict) for e in log["entries"]):
        raise _bad("must be a list of openings", "log.entries")
    return Receipt(
        id=_match(document, "receipt_id", _ID),
        study=_text(overt, "study", "overt."),
        study_version=_count(overt, "study_version", "overt."),
        study_sha256=_match(overt, "study_sha256", _SHA256, "overt."),
        purposes=_purposes(processing["purposes"]),
        level=_text(overt, "level", "overt."),
        language=_text(processing, "language", "processing."),
        notice_sha256=_match(notice, "sha256", _SHA256, "processing.privacy_notice."),
        withdrawn=document["events"][-1]["event_state"] == WITHDRAWN,
        key=_text(log, "key", "log."),
        checkpoint=_text(log, "checkpoint", "log."),
        entries=tuple(log["entries"]),
    )


def _bad(what: str, where: str, do: str = "") -> InvalidInput:
    return InvalidInput(what, where=where, do=do)


def _has(value: Any, names: tuple[str, ...], where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _bad("must be an object", where)
    for name in names:
        if name not in value:
            raise _bad("is missing", f"{where}.{name}")
    return value


def _text(table: dict[str, Any], name: str, path: str = "") -> str:
    value = table[name]
    if not isinstance(value, str) or not value:
        raise _bad("must be text", f"{path}{name}")
    return value


def _count(table: dict[str, Any], name: str, path: str) -> int:
    value = table[name]
    if type(value) is not int or value < 0:
        raise _bad("must be a whole number", f"{path}{name}")
    return value


def _match(table: dict[str, Any], name: str, form: re.Pattern[str], path: str = "") -> str:
    value = table[name]
    if not isinstance(value, str) or not form.fullmatch(value):
        raise _bad("is not of its form (lower-case hex)", f"{path}{name}")
    return value


def _purposes(items: Any) -> tuple[str, ...]:
    if not isinstance(items, list):
        raise _bad("must be a list", "processing.purposes")
    names = []
    for k, item in enumerate(items):
        where = f"processing.purposes[{k}]"
        name = _has(item, ("purpose", "lawful_basis"), where)["purpose"]
        if not isinstance(name, str) or name not in REGISTRY:
            raise _bad("is not in the registry of purposes", f"{where}.purpose")
        names.append(name)
    if len(set(names)) != len(names):
        raise _bad("names a purpose twice", "processing.purposes")
    return tuple(sorted(names))
