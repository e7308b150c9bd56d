"""`overt erase` and `overt retention`."""

from __future__ import annotations

import json
import sys
from getpass import getpass
from pathlib import Path

from overt.commands.console import progress, say, say_json
from overt.commands.place import opened
from overt.schema.errors import InvalidInput

STDIN_BYTES_MAX = 256 * 1024


def recovery_code(text: str) -> str:
    """Return the recovery code in what a person handed over: the code, or a receipt with it."""
    if not text.lstrip().startswith("{"):
        return text.strip()
    try:
        receipt = json.loads(text)
        code = receipt["recovery_code"]
    except (ValueError, KeyError, RecursionError) as error:
        raise InvalidInput(
            "is neither a recovery code nor a receipt that holds one",
            where="standard input",
            do="Use the receipt as it was downloaded at joining.",
        ) from error
    return str(code)


def asked_code(question: str = "Recovery code, then Enter (it is not shown): ") -> str:
    """Return the recovery code from standard input; at a terminal it is asked for and not shown.

    On a command line every user of the computer could read it meanwhile.
    """
    if sys.stdin.isatty():
        return recovery_code(getpass(question, sys.stderr))
    return recovery_code(sys.stdin.read(STDIN_BYTES_MAX))


def erase_person(data_dir: Path, purposes: list[str] | None, *, as_json: bool) -> None:
    """Erase whoever standard input proves to be; exit with 1 if the certificate falls short."""
    from overt.gateway import enrol, erase

    code = asked_code()
    with opened(data_dir) as store, progress("erase") as update:
        person = enrol.by_recovery(store, code)
        job = erase.begin(store, person, purposes, update)
        certificate = erase.finish(store, job, update)
        status = erase.status(store, job)
    if as_json:
        say_json(status)
    else:
        reached = certificate["reached"]
        say(
            f"Erased: {reached['keys']} keys, {reached['batches']} rows, "
            f"{reached['events']} events. Found afterwards: {certificate['bytes_found']}."
        )
        for model in certificate["models"]:
            verdict = "equals" if model["equal"] else "DOES NOT EQUAL"
            say(f"Model {model['purpose']} {verdict} one that never met the person.")
        until = certificate["not_reached"]["backups_until"]
        say(f"Backups: {'none' if until is None else f'the last one expires on {until}'}.")
        say(f"Certificate {job}, signed and logged. With --json it is printed in full.")
    if certificate["bytes_found"] or not certificate["model_equals_never_seen"]:
        raise SystemExit(1)


def expire_old(data_dir: Path, *, as_json: bool) -> None:
    """Erase what studies have kept for long enough, and backups past their day."""
    from overt.gateway import erase, retention
    from overt.schema.manifest import bucket

    with opened(data_dir) as store, progress("retention") as update:
        erase.resume_erasures(store, update)
        done = retention.expire(store, update)
    # What expires on one day may be one person's: how much it was stays in a range.
    erased = {
        study: {name: bucket(count) for name, count in reached.items()}
        for study, reached in done["studies"].items()
    }
    if as_json:
        say_json({**done, "studies": erased})
        return
    for study, reached in erased.items():
        say(f"Study {study}: {reached['batches']} rows, {reached['events']} events erased.")
    if not erased:
        say("Nothing is older than its study keeps it.")
    for place in done["backups_not_reached"]:
        say(f"A backup is past its day and could not be reached: {place}")
