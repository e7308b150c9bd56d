"""`overt record` and `overt device`: the desktop agent, from the notice to leaving."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from overt.commands.alone import go_on
from overt.commands.console import progress, remark, say, say_json, table
from overt.commands.running import PAGE, until_ended
from overt.commands.whereabouts import invited, study_at
from overt.schema.errors import InvalidInput, Missing, NotConsented, Refused, Withdrawn

if TYPE_CHECKING:
    from overt.consent.invitation import Invitation
    from overt.device.account import Account, Shown
    from overt.device.vault import Vault


BROWSER_S = 5.0
"""So long a browser has to read the file that leads it to the page."""


def record(
    folder: Path,
    address: str,
    lang: str | None,
    display: str | None,
    *,
    chip: bool,
    page: bool | None = None,
    has_joined: bool = False,
) -> None:
    """Join if nobody has on this computer, then record until Ctrl+C. Needs a terminal.

    `lang`: of the notice; None: that of the session, or English where the study has none in it.
    `page`: join on a page of the person's own, or in the terminal; None: they are asked. Joining
    takes colours and tables; after it one begins anew without them, and `has_joined`.
    """
    if not sys.stdin.isatty():
        raise Refused(
            "recording starts only with a person's own act",
            where="overt record",
            do="Run it in a terminal.",
        )
    from overt.device.platforms import require_display

    require_display(display)
    if display:
        os.environ.setdefault("DISPLAY", display)
    require()
    from overt.commands import joining
    from overt.device import fields, leaving
    from overt.device.account import Account
    from overt.device.joining import has_unseen_code
    from overt.device.notice import check_notice
    from overt.device.platforms import TERMINAL, WAYLAND, X11, kind, look, never_run, records
    from overt.device.policy import policy
    from overt.device.vault import Vault
    from overt.device.wording import Words, here

    w = Words(lang or here())
    base, study = study_at(address)
    invitation = invited(address)
    if (untried := never_run(w)) is not None:
        remark(f"overt: {untried}")
    policy().check(base)
    look(display)
    told = [w("terminal.records", kind=kind(), what=records(w))]
    if not has_joined:
        say(told[0])
    leaving.tell(folder / study, study)
    vault = Vault(folder / study)
    vault.hold()
    account = Account(base, study, vault)
    has_grant, begins = False, False
    try:
        shown = notice_to_show(account, invitation, lang)
        check_notice(shown.notice, study)
        if account.grant is None or account.grant.notice_sha256 != shown.sha256:
            if kind() in (X11, WAYLAND) and not fields.is_there():
                told.append(w("terminal.no_accessibility"))
                remark(f"overt: {told[-1]}")
            begins = joining.asked(account, vault, shown, f"{base}/study/{study}", told, page=page)
        else:
            has_grant = True
            if has_unseen_code(vault):
                joining.show_code(account, vault, Words(account.granted().lang))
    finally:
        if account.grant is None:
            vault.destroy()  # nobody joined: nothing stays
    grant = account.grant
    if grant is None or not (has_grant or begins):
        return
    if begins:
        if kind() == TERMINAL:  # which is taken over: the code has to be written down before
            input(w("terminal.enter"))
        account.close()
        vault.close()
        same = {"address": address, "lang": lang, "display": display, "chip": chip}
        go_on("record", folder=str(folder), has_joined=True, **same)
        return
    until_ended(vault, account, folder / study, display, chip=chip)


def notice_to_show(account: Account, invitation: Invitation | None, lang: str | None) -> Shown:
    """Return the notice in the language that is wanted, and as the invitation promises it."""
    from overt.device.wording import here
    from overt.schema.study import LANGUAGES

    wanted = lang or here()
    if account.grant is not None:
        wanted = account.grant.lang
    elif invitation is not None:
        wanted = invitation.language(wanted)
    try:
        shown = account.notice(wanted)
    except InvalidInput as error:
        if error.where != "lang" or lang is not None or account.grant is not None:
            raise
        wanted = LANGUAGES[0]
        shown = account.notice(wanted)
    if invitation is not None:
        invitation.check(wanted, shown.sha256)
    return shown


def outbox(folder: Path, address: str, *, remove_minutes: int | None, as_json: bool) -> None:
    """Show what waits to leave; take out what is of the last minutes."""
    from overt.device.outbox import Outbox

    held = Outbox(opened(folder, address))
    removed, before = 0, held.kept.count()
    if remove_minutes is not None:
        removed = held.remove_since(time.time_ns() // 1_000_000 - remove_minutes * 60_000)
    kept = held.kept.count()
    entries = held.entries()
    counts = held.counts()
    if as_json:
        said = {"counts": counts, "removed": removed, "kept": kept, "forgotten": before - kept}
        say_json({**said, "batches": [_entry(e) for e in entries]})
        return
    rows = [
        (
            time.strftime("%d %b %H:%M", time.localtime(entry.closed_ms / 1000)),
            str(entry.rows),
            str(len(entry.plain)),
            "handed to the network" if entry.sent else "waits",
        )
        for entry in entries
    ]
    table("Waiting on this computer", ("closed", "events", "bytes", ""), rows)
    if remove_minutes is not None:
        say(f"Removed {removed} events; they never left.")
    if before:
        say(f"Kept here to be learned from, never to leave: {kept}; forgotten {before - kept}.")
    say(" · ".join(f"{name} {count}" for name, count in counts.items()))


def _entry(entry: Any) -> dict[str, Any]:
    return {
        "closed_ms": entry.closed_ms,
        "due_ms": entry.due_ms,
        "rows": entry.rows,
        "sent": entry.sent,
        "bytes": len(entry.plain),
    }


def page(folder: Path, address: str) -> None:
    """Say where the person's own page is, of a recording that runs now, and open it."""
    from overt.device import browser

    vault = opened(folder, address)
    url = (vault.get(PAGE) or b"").decode()
    try:
        if sys.platform != "win32":  # there nobody can tell
            vault.hold()
            url = ""  # nobody records: what stands there is of an agent that was killed
    except Refused:
        pass
    finally:
        vault.close()
    if not url:
        raise Missing("nothing is recorded now", where="--study", do="Start it: overt record.")
    say(url)
    with browser.opened(url):
        time.sleep(BROWSER_S if browser.is_there() else 0)


def send(folder: Path, address: str, *, as_json: bool) -> None:
    """Send all that waits now, without the delay; each is tried once."""
    require()
    from overt.device import at_login
    from overt.device.account import Account
    from overt.device.outbox import Outbox

    base, study = study_at(address)
    vault = opened(folder, address)
    account, held = Account(base, study, vault), Outbox(vault)
    if account.grant is None:
        raise NotConsented("nobody has joined on this computer", where="grant")
    with progress("send") as update:
        update("handing over what waits", 0.0)
        stays = held.send(account, account.grant.hold_days, force=True)
    if not stays and account.standing() == ():
        vault.destroy()
        at_login.remove(folder / study)
        raise Withdrawn(
            "you have left this study elsewhere; what was on this computer is destroyed",
            where="receipt",
        )
    counts = held.counts()
    if as_json:
        say_json({"counts": counts})
    else:
        say(" · ".join(f"{name} {count}" for name, count in counts.items()))


def leave(folder: Path, address: str, *, recovery: bool, as_json: bool) -> None:
    """Withdraw: the server erases, and what is on this computer is destroyed at once."""
    from overt.commands.erasing import asked_code
    from overt.device import leaving
    from overt.device.wording import Words, here

    w = Words(here())
    base, study = study_at(address)
    if recovery:
        job: str | None = leaving.by_recovery(base, study, asked_code(w("terminal.recovery")))
    else:
        require()
        job = leaving.tell(folder / study, study)
        if job is None or (folder / study / "key").exists():
            opened(folder, address, "Join it first; or, from any computer, add --recovery.").close()
            job = leaving.leave(folder / study, base, study)
    if as_json:
        say_json({"job": job})
        return
    url = f"{base}/v1/erasures/{job}"
    parts = ["has_left", *["here_destroyed"] * (not recovery), "erases" if job else "unreached"]
    say(" ".join(w(f"terminal.{part}", url=url) for part in parts))


def opened(folder: Path, address: str, otherwise: str = "Join it first.") -> Vault:
    """Open what is on this computer of a study. Raises `Missing` where nothing is."""
    from overt.device.vault import Vault

    _, study = study_at(address)
    if not (folder / study / "key").exists():
        raise Missing("nothing of this study is on this computer", where="--study", do=otherwise)
    return Vault(folder / study)


def require() -> None:
    """Raise `Missing` where the desktop agent cannot run, with what to do."""
    from overt.device.platforms import require as require_platform

    require_platform()
