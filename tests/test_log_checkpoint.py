"""Checkpoints are notes that other implementations sign and read the same way."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from log_fixtures import ORIGIN, SEED
from overt.log.checkpoint import VerifierKey, open_checkpoint, open_note
from overt.log.document import check_document
from overt.log.signer import Signer
from overt.schema.errors import Damaged

# Published constants of golang.org/x/mod/sumdb/note, note_test.go (The Go Authors, BSD-3-Clause).
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
PETER_LINE = (
    "— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCH_LINE = (
    "— EnochRoot "
    "rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)


def test_the_published_note_is_signed_byte_for_byte() -> None:
    signer = Signer("PeterNeumann", PETER_SEED)
    assert str(signer.key) == PETER
    assert signer.note(TEXT) == TEXT + "\n" + PETER_LINE


@pytest.mark.parametrize("key", [PETER, ENOCH])
def test_the_published_note_opens_with_either_key_whoever_else_signed(key: str) -> None:
    note = TEXT + "\n" + PETER_LINE + ENOCH_LINE
    assert open_note(note, VerifierKey.parse(key)) == TEXT


def test_no_mangling_of_the_published_key_is_a_key() -> None:
    for start in range(len(PETER)):
        for stop in range(start + 1, len(PETER) + 1):
            if (start, stop) != (0, len(PETER)):
                with pytest.raises(Damaged):
                    VerifierKey.parse(PETER[start:stop])
    for k, symbol in enumerate(PETER):
        with pytest.raises(Damaged):
            VerifierKey.parse(PETER[:k] + chr(ord(symbol) + 1) + PETER[k + 1 :])
    for wrong in (
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ):
        with pytest.raises(Damaged):
            VerifierKey.parse(wrong)


@pytest.mark.parametrize(
    "note",
    [
        TEXT,
        TEXT + "\n",
        TEXT + "\n" + PETER_LINE[:-1],
        "\x01" + TEXT + "\n" + PETER_LINE,
        TEXT + "\n— Bad Name " + PETER_LINE.split(" ")[2],
        TEXT + "\n" + PETER_LINE + "Unexpected line.\n",
        TEXT + "\n" + ENOCH_LINE,
        TEXT + "\n" + PETER_LINE * 101,
        TEXT + "\n" + PETER_LINE[:60] + "ABCD" + PETER_LINE[60:],
        TEXT + "\n" + PETER_LINE.replace("AM=\n", "AN=\n"),  # same bytes, not canonical base64
        TEXT.replace("problem", "Problem") + "\n" + PETER_LINE,
        "x" * 20_000 + "\n\n" + PETER_LINE,
        "\udcff" + TEXT + "\n" + PETER_LINE,
    ],
)
def test_what_is_not_a_well_formed_note_by_this_key_does_not_open(note: str) -> None:
    with pytest.raises(Damaged):
        open_note(note, VerifierKey.parse(PETER))


def test_a_checkpoint_is_the_bytes_the_specification_lays_out() -> None:
    root = hashlib.sha256(b"root").digest()
    private = Ed25519PrivateKey.from_private_bytes(SEED)
    public = private.public_key().public_bytes_raw()
    text = f"{ORIGIN}\n7\n{base64.b64encode(root).decode()}\n"
    digest = hashlib.sha256(ORIGIN.encode() + b"\x0a\x01" + public).digest()[:4]
    line = base64.b64encode(digest + private.sign(text.encode())).decode()
    by_hand = f"{text}\n\u2014 {ORIGIN} {line}\n"

    assert Signer(ORIGIN, SEED).checkpoint(7, root) == by_hand
    opened = open_checkpoint(by_hand, Signer(ORIGIN, SEED).key)
    assert (opened.origin, opened.size, opened.root) == (ORIGIN, 7, root)


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n07\n{base64.b64encode(bytes(32)).decode()}\n",
        f"{ORIGIN}\n-7\n{base64.b64encode(bytes(32)).decode()}\n",
        f"{ORIGIN}\n٧\n{base64.b64encode(bytes(32)).decode()}\n",
        f"{ORIGIN}\n7\n{base64.b64encode(bytes(31)).decode()}\n",
        f"{ORIGIN}\n7\nnot base64\n",
        f"{ORIGIN}\n7\n",
        f"other.example/log\n7\n{base64.b64encode(bytes(32)).decode()}\n",
        f"{ORIGIN}\n7\n{base64.b64encode(bytes(32)).decode()}\n\nmore\n",
    ],
)
def test_a_signed_note_that_is_no_checkpoint_of_this_log_is_refused(text: str) -> None:
    signer = Signer(ORIGIN, SEED)
    with pytest.raises(Damaged):
        open_checkpoint(signer.note(text), signer.key)


@settings(deadline=None)
@given(st.data())
def test_no_single_changed_character_of_a_checkpoint_opens(data: st.DataObject) -> None:
    signer = Signer(ORIGIN, SEED)
    note = signer.checkpoint(1042, hashlib.sha256(b"r").digest())
    k = data.draw(st.integers(0, len(note) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda c: c != note[k]))
    with pytest.raises(Damaged):
        open_checkpoint(note[:k] + other + note[k + 1 :], signer.key)


def test_a_signature_for_one_kind_of_document_does_not_pass_for_another() -> None:
    signer = Signer(ORIGIN, SEED)
    signed = signer.document("receipt", {"a": 1})
    check_document("receipt", signed, signer.key)
    with pytest.raises(Damaged):
        check_document("certificate", signed, signer.key)
    with pytest.raises(Damaged, match="another key"):
        check_document("receipt", signed, Signer(ORIGIN, SEED[::-1]).key)
    with pytest.raises(Damaged, match="no such kind"):
        signer.document("letter", {"a": 1})


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "line\nbreak", "x" * 201])
def test_a_log_cannot_be_named_so_that_notes_become_ambiguous(origin: str) -> None:
    with pytest.raises(Damaged):
        Signer(origin, SEED)
