"""`overt verify`: what a proof says, checked offline with code that cannot write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from overt.commands.console import plain, say, say_json
from overt.schema.errors import InvalidInput, Missing

FILE_BYTES_MAX = 256 * 1024 * 1024
"""A bundle holds the hashes of the whole log; a million entries are about 200 MB."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object whose names are each there once: of two, a reader might see the other."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError
    return made


def read_object(path: Path, what: str) -> dict[str, Any]:
    """Return the JSON object in a file. Errors name the file and never repeat its content."""
    if not path.is_file():
        raise Missing(f"there is no such {what}", where=str(path), do="Check the path.")
    if path.stat().st_size > FILE_BYTES_MAX:
        raise InvalidInput(f"is too large for a {what}", where=str(path))
    try:
        data = json.loads(path.read_bytes(), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        what = "is not JSON in which each name of an object is there once"
        raise InvalidInput(what, where=str(path)) from error
    if not isinstance(data, dict):
        raise InvalidInput(f"is not the JSON object of a {what}", where=str(path))
    return data


def verify_bundle(bundle: Path, checkpoint: Path | None, *, as_json: bool) -> None:
    """Verify the file and print each thing that was checked; exit with 1 if any fails."""
    from overt.log.verify import verify

    receipt = read_object(checkpoint, "receipt") if checkpoint else None
    report = verify(read_object(bundle, "bundle"), receipt)
    if as_json:
        say_json({"log_verified": report.ok, **report.as_dict()})
    else:
        for line in report.lines:
            say(f"{'ok  ' if line.ok else 'FAIL'}  {plain(line.text)}")
        if receipt is None:
            say("The key came from the bundle itself; --checkpoint RECEIPT would tie it to yours.")
        say("Everything verifies." if report.ok else "This proof does NOT verify.")
    if not report.ok:
        raise SystemExit(1)
