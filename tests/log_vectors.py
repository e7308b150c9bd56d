"""Writes `spec/vectors/log.json` and `receipt.json`: run once for each version of the formats.

`python tests/log_vectors.py` from the root of the repository. Ids and salts are random, so what is
committed stays; a later version of the formats adds files and keeps these.
"""

from __future__ import annotations

import copy
import hashlib
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from log_fixtures import NOW_S, ORIGIN, SEED, join, note, open_log, study
from overt.consent.notice import notice_bytes
from overt.consent.receipt import withdraw
from overt.log.bundle import bundle, certificate_detail
from overt.log.document import signed_bytes
from overt.log.opening import read_opening
from overt.log.signer import Signer

VECTORS = Path(__file__).parents[1] / "spec" / "vectors"


def make() -> dict[str, Any]:
    """Return the two files' contents, by name."""
    with TemporaryDirectory() as directory:
        log = open_log(Path(directory))
        note(log, "training")
        given = join(log)
        note(log, "read")
        left = withdraw(given.copy, ["next-action"], log, NOW_S + 60)
        gone = withdraw(left, None, log, NOW_S + 120)
        openings = [read_opening(opening) for opening in gone["log"]["entries"]]
        certificate = log.sign(
            "certificate",
            {
                "schema": "overt-certificate/1",
                "scope": "person",
                "receipt_sha256": hashlib.sha256(given.copy["receipt_id"].encode()).hexdigest(),
                "reached": ["rows"],
                "not_reached": [],
            },
        )
        openings.append(note(log, "erasure", **certificate_detail(certificate)))
        whole = bundle(log, openings, certificate, given.stored)
        key = log.key

    def case(name: str, expect: str, made: Any, receipt: Any = None) -> dict[str, Any]:
        return {"name": name, "expect": expect, "bundle": made, "receipt": receipt}

    edited = copy.deepcopy(whole)
    edited["entries"][2]["kind"] = "audit"
    swapped = copy.deepcopy(whole)
    swapped["entries"][2:4] = swapped["entries"][3:1:-1]
    other_salt = copy.deepcopy(whole)
    other_salt["openings"][0]["salt"] = "00" * 32
    other_key = copy.deepcopy(given.copy)
    other_key["log"]["key"] = str(Signer(ORIGIN, bytes(32)).key)
    changed = copy.deepcopy(given.copy)
    changed["processing"]["retention_period"] = "P3650D"
    return {
        "log.json": {
            "key": key,
            "seed": SEED.hex(),
            "leaf_0": json.dumps(whole["entries"][0], sort_keys=True, separators=(",", ":")),
            "cases": [
                case("whole, alone", "verified", whole),
                case("whole, against the receipt", "verified", whole, given.copy),
                case("whole, against the last receipt", "verified", whole, gone),
                case("an entry edited", "refused", edited),
                case("an entry removed", "refused", {**whole, "entries": whole["entries"][1:]}),
                case("two entries swapped", "refused", swapped),
                case("cut at the end", "refused", {**whole, "entries": whole["entries"][:-1]}),
                case("an opening with another salt", "refused", other_salt),
                case("a receipt of another key", "refused", whole, other_key),
                case("a receipt that was changed", "refused", whole, changed),
            ],
        },
        "receipt.json": {
            "key": key,
            "notice": notice_bytes(study(), "en").decode(),
            "cases": [
                {
                    "name": name,
                    "expect": expect,
                    "signed_sha256": hashlib.sha256(signed_bytes("receipt", receipt)).hexdigest(),
                    "receipt": receipt,
                }
                for name, expect, receipt in (
                    ("given, the person's copy", "good", given.copy),
                    ("given, the stored copy", "good", given.stored),
                    ("one purpose withdrawn", "good", left),
                    ("all withdrawn", "good", gone),
                    ("retention changed", "bad", changed),
                )
            ],
        },
    }


if __name__ == "__main__":
    for name, content in make().items():
        path = VECTORS / name
        if path.exists():
            sys.exit(f"{path} is there; golden samples are not rewritten")
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
