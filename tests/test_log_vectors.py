"""Golden logs and receipts stay readable, and an independent reading of their bytes agrees."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from log_vectors import VECTORS, make
from overt.consent.receipt import check
from overt.log.verify import verify
from overt.schema.canonical import canonical
from overt.schema.errors import Damaged
from test_log_merkle import mth

LOG = json.loads((VECTORS / "log.json").read_text(encoding="utf-8"))
RECEIPTS = json.loads((VECTORS / "receipt.json").read_text(encoding="utf-8"))


def sorted_json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def openssl_accepts(key: str, message: bytes, signature: bytes, directory: Path) -> bool:
    """Verify with OpenSSL's command line: nothing of ours, nothing of `cryptography`."""
    raw = base64.b64decode(key.split("+", 2)[2])[1:]
    der = bytes.fromhex("302a300506032b6570032100") + raw  # RFC 8410 SubjectPublicKeyInfo
    (directory / "key.der").write_bytes(der)
    (directory / "message").write_bytes(message)
    (directory / "signature").write_bytes(signature)
    command = "openssl pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin -in message"
    done = subprocess.run(
        [*command.split(), "-sigfile", "signature"], cwd=directory, capture_output=True
    )
    return done.returncode == 0


@pytest.mark.parametrize("case", LOG["cases"], ids=lambda case: case["name"])
def test_a_golden_bundle_verifies_or_is_refused_as_it_says(case: Any) -> None:
    assert verify(case["bundle"], case["receipt"]).ok == (case["expect"] == "verified")


@pytest.mark.parametrize("case", RECEIPTS["cases"], ids=lambda case: case["name"])
def test_a_golden_receipt_is_good_or_bad_as_it_says(case: Any) -> None:
    if case["expect"] == "good":
        known = check(case["receipt"], RECEIPTS["key"])
        assert known.notice_sha256 == hashlib.sha256(RECEIPTS["notice"].encode()).hexdigest()
    else:
        with pytest.raises(Damaged):
            check(case["receipt"], RECEIPTS["key"])


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command line")
def test_the_checkpoint_is_what_openssl_and_the_rfc_make_of_the_entries(tmp_path: Path) -> None:
    made = LOG["cases"][0]["bundle"]
    text, _, line = made["checkpoint"].rpartition("\n\n")
    signature = base64.b64decode(line.split(" ")[2])
    assert openssl_accepts(made["key"], f"{text}\n".encode(), signature[4:], tmp_path)
    assert not openssl_accepts(made["key"], f"{text}x\n".encode(), signature[4:], tmp_path)
    origin, size, root = text.split("\n")
    leaves = [sorted_json(entry) for entry in made["entries"]]
    assert LOG["leaf_0"].encode() == leaves[0]
    assert (origin, size) == ("overt.local/test", str(len(leaves)))
    assert base64.b64decode(root) == mth(leaves)
    for opening in made["openings"]:
        content = bytes.fromhex(opening["salt"]) + sorted_json(opening["detail"])
        expected = hashlib.sha256(content).hexdigest()
        assert made["entries"][opening["n"]]["commitment"] == expected


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command line")
def test_a_receipt_is_signed_over_the_bytes_the_specification_names(tmp_path: Path) -> None:
    for case in RECEIPTS["cases"]:
        body = {k: v for k, v in case["receipt"].items() if k not in ("signature", "recovery_code")}
        message = b"overt receipt 1\n" + sorted_json(body)
        assert hashlib.sha256(message).hexdigest() == case["signed_sha256"]
        signature = base64.b64decode(case["receipt"]["signature"]["value"])
        good = openssl_accepts(RECEIPTS["key"], message, signature, tmp_path)
        assert good == (case["expect"] == "good")


def test_what_is_written_today_has_the_form_of_the_golden_samples() -> None:
    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: shape(item) for name, item in value.items()}
        if isinstance(value, list):
            items = [shape(item) for item in value]
            # Of plain words, such as kinds of event, later versions may have more.
            return ["str"] if set(map(str, items)) == {"str"} else items
        return type(value).__name__

    today = make()
    assert shape(today["log.json"]) == shape(LOG)
    assert shape(today["receipt.json"]) == shape(RECEIPTS)


def test_canonical_json_has_one_form_and_refuses_what_has_several() -> None:
    document = {"b": [1, True, None, "é\u2028\n"], "a": {}, "B": -7, "aa": ["\x7f"]}
    assert (
        canonical(document)
        == '{"B":-7,"a":{},"aa":["\x7f"],"b":[1,true,null,"é\u2028\\n"]}'.encode()
    )
    for value in (1.0, float("nan"), b"x", {1: 2}, {"é": 1}, [{"a": 0.5}], {1, 2}):
        with pytest.raises(ValueError, match="canonical JSON"):
            canonical(value)
