"""A log, a study and a receipt to test with: real parts, fixed key, fixed day."""

from __future__ import annotations

from pathlib import Path

import overt.studio
from overt.consent.notice import notice_sha256
from overt.consent.receipt import Issued, issue
from overt.log.journal import Log
from overt.log.opening import Opening, commit
from overt.log.signer import Signer
from overt.schema.study import Study, load_study

ORIGIN = "overt.local/test"
SEED = bytes(range(32))
NOW_S = 1_795_305_600
STUDY = "five-minutes"
FIVE_MINUTES = Path(overt.studio.__path__[0]) / "studies" / "five-minutes.toml"


def open_log(directory: Path, seed: bytes = SEED, origin: str = ORIGIN) -> Log:
    return Log.open(directory, Signer(origin, seed), today=lambda: "2026-11-22")


def study() -> Study:
    return load_study(FIVE_MINUTES)


def join(log: Log, *purposes: str) -> Issued:
    chosen = purposes or ("next-action", "typing-assist")
    return issue(study(), chosen, notice_sha256(study(), "en"), "en", log, NOW_S)


def note(log: Log, kind: str = "read", **detail: object) -> Opening:
    """Append one entry and return its opening."""
    content = {"event": kind, **detail}
    salt, commitment = commit(content)
    return Opening(log.append(kind, STUDY, commitment), salt, content)
