"""`overt record --at-login`: switching it on and off, and what happens when the person logs in."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from overt.commands.console import say
from overt.commands.running import joined_at, titles, until_ended
from overt.commands.whereabouts import study_at
from overt.schema.errors import Missing, OvertError, Refused, Withdrawn

if TYPE_CHECKING:
    from overt.device.account import Account
    from overt.device.agent import State
    from overt.device.vault import Vault

SERVER_PATIENCE_S = 600.0
"""A network may take its time after login."""

AGAIN_S = 5.0
FAILURE_STAYS_S = 300.0


def switch(folder: Path, study: str, *, on: bool, chip: bool) -> None:
    """Switch on or off that recording begins when the person logs in; say how it stands then."""
    from overt.commands.recording import opened
    from overt.device import at_login
    from overt.device.account import Account
    from overt.device.policy import policy
    from overt.device.wording import Words, here

    at_login.require()
    base, name = study_at(study)
    place = folder / name
    if on and not sys.stdin.isatty():
        raise Refused(
            "recording starts only with a person's own act",
            where="--at-login on",
            do="Run it in a terminal.",
        )
    vault = opened(folder, study)
    account = Account(base, name, vault)
    try:
        if on:
            policy().check(base)
        at_login.switch(vault, place, f"{base}/study/{name}", on=on, chip=chip)
        grant = account.grant
    finally:
        account.close()
        vault.close()
    w = Words(here() if grant is None else grant.lang)
    if on and grant is not None:
        say(w("login.told_on", titles=titles(grant, w), address=joined_at(grant)))
    else:
        say(w("login.told_off"))


def begin(folder: Path, address: str, display: str | None, *, chip: bool) -> None:
    """Record again as the person logs in, where they chose so; else tell them why not."""
    from overt.device import notification
    from overt.device.wording import Words, here, in_own_words

    w = Words(here())
    try:
        with in_own_words():
            _begin(folder, address, display, chip=chip)
    except OvertError as error:
        if not notification.tell(w("login.failed"), str(error)):
            _show_failure(display, w.language)
        raise


def _begin(folder: Path, address: str, display: str | None, *, chip: bool) -> None:
    from overt.commands.recording import require
    from overt.device import at_login, notification
    from overt.device.account import Account
    from overt.device.platforms import look, require_display
    from overt.device.policy import policy
    from overt.device.vault import Vault
    from overt.device.wording import Words

    base, study = study_at(address)
    place = folder / study
    at_login.check(place)
    policy().check(base)
    require_display(display)
    require()
    look(display)
    vault = Vault(place)
    account = Account(base, study, vault)
    grant = account.granted()
    still_stands(account, vault, place)
    vault.hold()
    w = Words(grant.lang)
    about = w("login.resumed_about", titles=titles(grant, w), address=joined_at(grant))
    first = threading.Event()

    def heard(state: State) -> None:
        """Say once that it began; the sign, which is there by now, says it all the time."""
        if not first.is_set():
            first.set()
            title = "paused" if state.phase == "paused" else "resumed"
            notification.tell(w(f"login.{title}"), about)

    until_ended(vault, account, place, display, chip=chip, heard=heard)


def still_stands(account: Account, vault: Vault, place: Path) -> None:
    """Wait for the server; raise unless the person still takes part, under the notice they read."""
    from overt.device import at_login
    from overt.device.notice import check_notice

    grant = account.granted()
    end_s = time.monotonic() + SERVER_PATIENCE_S
    while True:
        try:
            shown = account.notice(grant.lang)
            break
        except Missing as error:
            if error.what != "cannot be reached" or time.monotonic() > end_s:
                raise
        time.sleep(AGAIN_S)
    check_notice(shown.notice, grant.study)
    if shown.sha256 != grant.notice_sha256:
        raise Refused(
            "the notice has changed since you agreed to it; nothing is recorded",
            where=grant.study,
            do=f"Read it, and choose: overt record --study {joined_at(grant)}",
        )
    if account.standing() == ():
        vault.destroy()
        at_login.remove(place)
        raise Withdrawn(
            "you have left this study elsewhere; what was on this computer is destroyed",
            where="receipt",
        )


def _show_failure(display: str | None, lang: str) -> None:
    """Say by a sign, for some minutes or until it is clicked, that nothing is recorded."""
    import os

    from overt.device.indicator import CHIP, LAYER, Indicator
    from overt.device.platforms import WAYLAND, kind
    from overt.device.signs import FAILED

    on_wayland = kind() == WAYLAND
    shown = display or os.environ.get("WAYLAND_DISPLAY" if on_wayland else "DISPLAY")
    if not shown:
        return
    seen = threading.Event()
    sign = Indicator(shown, lang, seen.set, program=LAYER if on_wayland else CHIP)
    sign.show(f"paused {FAILED}")
    seen.wait(FAILURE_STAYS_S)
    sign.close()
