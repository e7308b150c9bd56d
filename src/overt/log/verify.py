"""The verifier: is this log whole, is it the one my receipt names, and what does it say of me?

It needs no network, no store and no key but public ones. It imports the standard library, the
verifying half of `cryptography`, and the reading modules of the log; no code that writes.

`verify` never raises: whatever is wrong with the input is a line of the report that says which
entry, and nothing of a detail beyond those the holder of the bundle can open anyway.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from overt.log.checkpoint import Checkpoint, VerifierKey, open_checkpoint
from overt.log.document import check_document, document_sha256
from overt.log.entry import Entry, read_entry
from overt.log.merkle import root, verify_consistency
from overt.log.opening import Opening, opens, read_opening
from overt.schema.errors import Damaged, OvertError

SCHEMA = "overt-bundle/1"
_MUST = {"schema", "key", "checkpoint", "entries", "openings"}
_MAY = {"certificate", "consistency"}
_TOLD = ("reader", "role", "action", "purpose", "suite", "level", "weights_sha256")
"""Parts of a detail that the report repeats, where they are text."""
_SCOPES = {
    "person": "everything of a person",
    "purposes": "what some purposes alone covered, and not everything,",
    "batches": "what was recorded in some minutes, and not everything,",
}
"""Scope of a certificate → of what it speaks: less must not pass for more."""
_EVENT_OF = {"erasure": "certificate"}
"""Kind of entry → `event` in its detail, where the two differ."""


class Line(NamedTuple):
    """One thing that was checked, in a sentence; `ok` tells whether it held."""

    ok: bool
    text: str


@dataclass(frozen=True)
class Report:
    """All that was checked. `trust` is "receipt" or "bundle": where the public key came from."""

    lines: tuple[Line, ...]
    trust: str

    @property
    def ok(self) -> bool:
        """Tell whether everything held."""
        return bool(self.lines) and all(line.ok for line in self.lines)

    def as_dict(self) -> dict[str, Any]:
        """Return the report for `--json`."""
        return {
            "ok": self.ok,
            "trust": self.trust,
            "lines": [{"ok": line.ok, "text": line.text} for line in self.lines],
        }


@dataclass
class _Case:
    """What has been established so far; a step that needs more than there is says so."""

    bundle: dict[str, Any]
    receipt: dict[str, Any] | None
    key: VerifierKey | None = None
    checkpoint: Checkpoint | None = None
    entries: list[Entry] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    openings: dict[int, Opening] = field(default_factory=dict)

    def need_key(self) -> VerifierKey:
        if self.key is None:
            raise Damaged("cannot be checked without a good key")
        return self.key

    def need_checkpoint(self) -> Checkpoint:
        if self.checkpoint is None:
            raise Damaged("cannot be checked without a good checkpoint")
        return self.checkpoint


def verify(bundle: Any, receipt: Any = None) -> Report:
    """Return what holds of `bundle` (a JSON object), and against `receipt` if there is one.

    With a receipt the public key and the earlier checkpoint are taken from it, so a second
    history, or one cut back, is found out. Without one the key is the bundle's own word.
    """
    trust = "bundle" if receipt is None else "receipt"
    lines: list[Line] = []
    if not isinstance(bundle, dict):
        return Report((Line(ok=False, text="The bundle is not a JSON object."),), trust)
    if receipt is not None and not isinstance(receipt, dict):
        return Report((Line(ok=False, text="The receipt is not a JSON object."),), trust)
    case = _Case(bundle, receipt)
    for step in _STEPS:
        lines += _carry_out(step, case)
    return Report(tuple(lines), trust)


def _carry_out(step: Callable[[_Case], Iterator[str]], case: _Case) -> Iterator[Line]:
    try:
        for text in step(case):
            yield Line(ok=True, text=text)
    except OvertError as error:
        yield Line(ok=False, text=str(error))
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError, OverflowError):
        name = step.__name__.strip("_")
        yield Line(ok=False, text=f"{name}: malformed, and therefore not verified")


def _form(case: _Case) -> Iterator[str]:
    names = set(case.bundle)
    if not _MUST <= names <= _MUST | _MAY:
        raise Damaged("fields are missing or unknown", where="bundle")
    if case.bundle["schema"] != SCHEMA:
        raise Damaged(f"is not {SCHEMA}", where="bundle.schema", do="Use a newer Overt.")
    for name in ("entries", "openings"):
        if not isinstance(case.bundle[name], list):
            raise Damaged("is not a list", where=f"bundle.{name}")
    yield f"The bundle has the form {SCHEMA}."


def _key(case: _Case) -> Iterator[str]:
    own = VerifierKey.parse(case.bundle["key"])
    if case.receipt is None:
        case.key = own
        yield (
            "The public key was taken from the bundle itself: this shows that the bundle agrees "
            "with itself, not that it is the log anyone else sees. Give a receipt to check that."
        )
        return
    case.key = VerifierKey.parse(case.receipt["log"]["key"])
    if case.key != own:
        raise Damaged("is not the key in the receipt: another log, or a fork", where="bundle.key")
    yield "The bundle's key is the one in the receipt."


def _checkpoint(case: _Case) -> Iterator[str]:
    case.checkpoint = open_checkpoint(case.bundle["checkpoint"], case.need_key())
    yield f"The checkpoint is signed by {case.checkpoint.origin}."


def _entries(case: _Case) -> Iterator[str]:
    for n, document in enumerate(case.bundle["entries"]):
        entry = read_entry(document, n)
        case.entries.append(entry)
        case.leaves.append(entry.leaf())
    checkpoint = case.need_checkpoint()
    if len(case.leaves) != checkpoint.size:
        raise Damaged(
            f"the checkpoint speaks of {checkpoint.size} entries, there are {len(case.leaves)}",
            where=f"entry {min(len(case.leaves), checkpoint.size)}",
        )
    yield f"{checkpoint.size} entries, numbered without a gap."


def _tree(case: _Case) -> Iterator[str]:
    checkpoint = case.need_checkpoint()
    if root(case.leaves) != checkpoint.root:
        raise Damaged(
            f"the root computed from entries 0 to {len(case.leaves) - 1} is not the signed one: "
            "at least one of them was changed, removed, added or moved",
            where="entries",
        )
    yield "The root computed from the entries is the one in the checkpoint."


def _openings(case: _Case) -> Iterator[str]:
    for document in case.bundle["openings"]:
        opening = read_opening(document)
        if opening.n in case.openings:
            raise Damaged("is opened twice", where=f"entry {opening.n}")
        _match(case, opening)
        case.openings[opening.n] = opening
        yield f"Entry {opening.n}: {_words(case.entries[opening.n], opening)}"
    closed = len(case.entries) - len(case.openings)
    if closed:
        yield (
            f"{closed} of {len(case.entries)} entries are not opened here: they are about others, "
            "or whoever made the bundle did not hand out what opens them."
        )


def _match(case: _Case, opening: Opening) -> None:
    where = f"entry {opening.n}"
    if opening.n >= len(case.entries):
        raise Damaged("is opened but not in the log", where=where)
    entry = case.entries[opening.n]
    if not opens(opening.salt, opening.detail, entry.commitment):
        raise Damaged("salt and detail do not open its commitment", where=where)
    if opening.detail.get("event") != _EVENT_OF.get(entry.kind, entry.kind):
        raise Damaged(f"its detail is not that of an entry of kind {entry.kind}", where=where)


def _words(entry: Entry, opening: Opening) -> str:
    what = f"{entry.kind} on {entry.day} in {entry.study}"
    purposes = opening.detail.get("purposes")
    if isinstance(purposes, list) and purposes and all(isinstance(p, str) for p in purposes):
        what += f", purposes {', '.join(purposes)}"
    told = [
        f"{name} {value}"
        for name in _TOLD
        if isinstance(value := opening.detail.get(name), str) and value.isprintable()
    ]
    return "; ".join([what, *told, "opens as committed."])


def _receipt(case: _Case) -> Iterator[str]:
    if case.receipt is None:
        return
    check_document("receipt", case.receipt, case.need_key())
    yield "The receipt's signature is good."
    openings = case.receipt["log"]["entries"]
    if not isinstance(openings, list) or not openings:
        raise Damaged("names no log entry", where="receipt.log.entries")
    for document in openings:
        opening = read_opening(document)
        _match(case, opening)
        yield f"The receipt's entry {opening.n} is in the log as the receipt says."
    for n, opening in case.openings.items():
        if opening.detail.get("receipt", case.receipt["receipt_id"]) != case.receipt["receipt_id"]:
            raise Damaged("is opened, but is about another receipt", where=f"entry {n}")


def _extends(case: _Case) -> Iterator[str]:
    if case.receipt is None:
        return
    older = open_checkpoint(case.receipt["log"]["checkpoint"], case.need_key())
    if older.size > len(case.leaves):
        raise Damaged(
            f"the log had {older.size} entries when the receipt was issued and has "
            f"{len(case.leaves)} now: it was cut back",
            where=f"entry {len(case.leaves)}",
        )
    own = max(read_opening(document).n for document in case.receipt["log"]["entries"])
    if own >= older.size:
        raise Damaged(
            f"covers {older.size} entries and not entry {own}, which the receipt rests on",
            where="receipt.log.checkpoint",
        )
    if root(case.leaves[: older.size]) != older.root:
        raise Damaged(
            f"the first {older.size} entries are not those the receipt's checkpoint signed: "
            "a fork, two histories under one key",
            where="receipt.log.checkpoint",
        )
    yield f"The log extends the receipt's checkpoint of {older.size} entries: no fork, no cut."


def _consistency(case: _Case) -> Iterator[str]:
    given = case.bundle.get("consistency")
    if given is None:
        return
    if set(given) != {"size", "proof"} or type(given["size"]) is not int:
        raise Damaged("is not a consistency proof", where="bundle.consistency")
    size, checkpoint = given["size"], case.need_checkpoint()
    if not 0 <= size <= len(case.leaves):
        raise Damaged("speaks of more entries than there are", where="bundle.consistency")
    proof = [bytes.fromhex(step) for step in given["proof"]]
    if [step.hex() for step in proof] != given["proof"]:
        raise Damaged("is not in its canonical form", where="bundle.consistency")
    older = root(case.leaves[:size])
    if not verify_consistency(size, older, checkpoint.size, checkpoint.root, proof):
        raise Damaged(f"does not lead from {size} entries", where="bundle.consistency")
    yield f"The consistency proof leads from {size} to {checkpoint.size} entries."


def _certificate(case: _Case) -> Iterator[str]:
    certificate = case.bundle.get("certificate")
    if certificate is None:
        return
    check_document("certificate", certificate, case.need_key())
    yield "The certificate's signature is good."
    yield f"It states that {_SCOPES[certificate['scope']]} was erased."
    if case.receipt is not None:
        receipt_sha256 = hashlib.sha256(case.receipt["receipt_id"].encode()).hexdigest()
        if certificate["receipt_sha256"] != receipt_sha256:
            raise Damaged("is about another receipt", where="certificate")
        yield "The certificate is about this receipt."
    if certificate.get("bytes_found", 0) != 0:
        raise Damaged("says itself that something was found afterwards", where="certificate")
    if certificate.get("model_equals_never_seen", True) is not True:
        raise Damaged(
            "says itself that a model differs from one that never met the person",
            where="certificate",
        )
    digest = document_sha256(certificate)
    for n, opening in case.openings.items():
        if case.entries[n].kind == "erasure" and (
            opening.detail.get("certificate_sha256") == digest
        ):
            yield f"The certificate is entry {n} of the log."
            return
    raise Damaged("no opened erasure entry of the log is about it", where="certificate")


_STEPS = (
    _form,
    _key,
    _checkpoint,
    _entries,
    _tree,
    _openings,
    _receipt,
    _extends,
    _consistency,
    _certificate,
)
