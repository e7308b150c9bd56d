"""The file that an outsider verifies offline: all entries, the checkpoint, one person's openings.

Format: `spec/log.md`. The entries of others are in it as commitments, which say nothing of whom.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from overt.log.checkpoint import VerifierKey, open_checkpoint
from overt.log.document import document_sha256
from overt.log.journal import Log
from overt.log.merkle import consistency_proof
from overt.log.opening import Opening

SCHEMA = "overt-bundle/1"


def certificate_detail(certificate: dict[str, Any]) -> dict[str, Any]:
    """Return the detail to commit to when the signed `certificate` is logged (kind `erasure`)."""
    return {"event": "certificate", "certificate_sha256": document_sha256(certificate)}


def bundle(
    log: Log,
    openings: Iterable[Opening] = (),
    certificate: dict[str, Any] | None = None,
    receipt: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the bundle of the log as it is now.

    `openings` are the person's own entries and those about nobody in particular; `certificate` a
    signed certificate of erasure whose entry is among them; with `receipt` the proof is added that
    the log extends its checkpoint.
    """
    note = log.checkpoint()
    size = open_checkpoint(note, VerifierKey.parse(log.key)).size
    made: dict[str, Any] = {
        "schema": SCHEMA,
        "key": log.key,
        "checkpoint": note,
        "entries": [entry.as_dict() for entry in log.entries(0, size)],
        "openings": [opening.as_dict() for opening in sorted(openings, key=lambda o: o.n)],
    }
    if certificate is not None:
        made["certificate"] = certificate
    if receipt is not None:
        older = open_checkpoint(receipt["log"]["checkpoint"], VerifierKey.parse(log.key)).size
        proof = consistency_proof(log.leaves(size), older)
        made["consistency"] = {"size": older, "proof": [step.hex() for step in proof]}
    return made
