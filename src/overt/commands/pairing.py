"""`overt device pair`: a second device of the same person, by a short-lived code from the first."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from overt.commands.options import StudyAddress
from overt.schema.errors import InvalidInput, Refused


def pair(
    *,
    study: StudyAddress,
    folder: Annotated[
        Path | None, typer.Option("--device-dir", help="Where the agent keeps things.")
    ] = None,
) -> None:
    """Make another computer of yours take part as you: once on the first, then once on the other.

    The first shows a code, and the other asks for it. Pausing, withdrawing and erasing on one acts
    on all of them.
    """
    from overt.commands.recording import require
    from overt.commands.whereabouts import device_folder, study_at
    from overt.device.wording import in_own_words

    with in_own_words():
        require()
        place = folder or device_folder()
        if (place / study_at(study)[1] / "key").exists():
            _offer(place, study)
        else:
            _take(place, study)


def _offer(folder: Path, address: str) -> None:
    from overt.commands.console import say
    from overt.commands.recording import opened
    from overt.commands.whereabouts import study_at
    from overt.device import pairing, qr
    from overt.device.account import Account
    from overt.device.wording import Words, here

    base, study = study_at(address)
    vault = opened(folder, address)
    try:
        code = pairing.offer(Account(base, study, vault), study)
    finally:
        vault.close()
    w = Words(here())
    say(w("terminal.code", code=code))
    if qr.is_there() and sys.stdout.isatty():
        say(qr.in_terminal(pairing.scanned(base, study, code)))
    say(w("terminal.lasts"))
    say(f"  overt device pair --study {address}")


def _asked() -> str:
    """Ask for the code: on a command line every user of the computer could read it meanwhile."""
    from overt.commands.console import remark
    from overt.device.pairing import code_in
    from overt.device.wording import Words, here

    remark(Words(here())("terminal.which_code"))
    said = sys.stdin.readline().strip()
    return code_in(said) or said


def _take(folder: Path, address: str) -> None:
    from overt.commands.console import say
    from overt.commands.whereabouts import invited, study_at
    from overt.device import pairing
    from overt.device.account import Account
    from overt.device.policy import policy
    from overt.device.vault import Vault
    from overt.device.wording import Words, here

    if not sys.stdin.isatty():
        raise Refused(
            "a device is paired only by a person's own act",
            where="overt device pair",
            do="Run it in a terminal.",
        )
    base, study = study_at(address)
    vault = Vault(folder / study)
    vault.hold()
    account = Account(base, study, vault)
    try:
        if account.grant is not None:
            raise InvalidInput("somebody has joined on this computer already", where="--study")
        policy().check(base)
        pairing.take(account, study, _asked(), _switched, invited(address))
    finally:
        if account.grant is None:
            vault.destroy()
        else:
            vault.close()
    say(Words(here())("terminal.paired"))
    say(f"  overt record --study {address}")


def _switched(notice: dict[str, Any], purposes: tuple[str, ...]) -> tuple[dict[str, Any], ...]:
    """Say for what the person takes part since they joined, and let them switch on programs."""
    from overt.commands.console import say
    from overt.commands.joining import applications_here
    from overt.device.wording import Words

    w = Words(notice["language"])
    titles = {one["id"]: one["title"] for one in notice["choices"]["purposes"]}
    say(f"\n{w('terminal.takes_part', title=notice['title'])}")
    for one in purposes:
        say(f"  {titles.get(one, one)}")
    return applications_here(notice, purposes)
