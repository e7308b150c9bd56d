"""Signed JSON documents: receipts and certificates. Reads only.

The signature is Ed25519 over `overt <kind> 1`, a line feed, and the canonical JSON of the document
without `signature` and without `recovery_code` (which only the person's copy carries). The first
line keeps kinds apart: a receipt's signature can never pass for a certificate's or a checkpoint's,
because the name in a checkpoint has no spaces.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

from overt.log.checkpoint import VerifierKey
from overt.schema.canonical import canonical
from overt.schema.errors import Damaged

KINDS = ("receipt", "certificate")
UNSIGNED = ("signature", "recovery_code")


def signed_bytes(kind: str, document: dict[str, Any]) -> bytes:
    """Return the bytes that the signature of `document` covers.

    Raises:
        Damaged: not one of `KINDS`, or the document has no canonical form.
    """
    if kind not in KINDS:
        raise Damaged("no such kind of signed document", where="kind")
    body = {name: value for name, value in document.items() if name not in UNSIGNED}
    try:
        return f"overt {kind} 1\n".encode() + canonical(body)
    except (ValueError, RecursionError) as error:
        raise Damaged("has no canonical form", where=kind) from error


def check_document(kind: str, document: dict[str, Any], key: VerifierKey) -> None:
    """Return if `document` is signed by `key`; raises `Damaged` otherwise."""
    signature = document.get("signature")
    if not isinstance(signature, dict) or set(signature) != {"key", "value"}:
        raise Damaged("is not signed", where=kind)
    if signature["key"] != str(key):
        raise Damaged("is signed by another key than expected", where=kind)
    try:
        value = base64.b64decode(str(signature["value"]), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Damaged("signature is not base64", where=kind) from error
    if not key.accepts(value, signed_bytes(kind, document)):
        raise Damaged(
            "the signature does not verify: something in it was changed",
            where=kind,
            do="Use the copy that was handed out.",
        )


def document_sha256(document: dict[str, Any]) -> str:
    """Return the hash (hex) of a signed document with its signature, without recovery code."""
    body = {name: value for name, value in document.items() if name != "recovery_code"}
    return hashlib.sha256(canonical(body)).hexdigest()
