"""The agent at work, from the grant until it ends: its page, its line, what it says."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from overt.commands.console import remark, say
from overt.commands.status_line import StatusLine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from overt.device.account import Account, Grant
    from overt.device.agent import State
    from overt.device.vault import Vault
    from overt.device.wording import Words

PAGE = "page"
"""Name in the vault of the address of the person's page, while the agent runs."""


def until_ended(
    vault: Vault,
    account: Account,
    place: Path,
    display: str | None,
    *,
    chip: bool,
    heard: Callable[[State], None] | None = None,
) -> None:
    """Record with what was granted until it is stopped or withdrawn.

    `heard`: it began at login, and this hears of each change of phase before anything is recorded.
    """
    from overt.device import at_login
    from overt.device.agent import Agent
    from overt.device.outbox_page import OutboxPage
    from overt.device.wording import Words

    grant = account.granted()
    agent = Agent(vault, account, display, chip=chip, resumed=heard is not None)
    stop_on_signals(agent.stop)
    w = Words(grant.lang)
    begins = "begins_within" if agent.has_terminal else "begins"
    greeting = [f"overt: {w(f'terminal.{begins}', titles=titles(grant, w))}"]
    login = at_login.Login(vault, place, joined_at(grant), chip) if at_login.is_there() else None
    if login is not None and login.is_on and heard is None:
        greeting.append(f"overt: {w('login.at_login', address=joined_at(grant))}")
    own = OutboxPage(
        agent,
        {one["number"]: one["title"] for one in grant.applications},
        grant.study,
        server=grant.base,
        language=grant.lang,
        login=login,
        end=agent.stop,
    )
    vault.change({PAGE: own.url.encode()})
    if not agent.has_terminal:
        remark("\n".join(greeting))
        say(w("terminal.page", url=own.url))
    greeting.append(w("terminal.page", url=own.url))
    line = StatusLine(w)

    def told(state: State) -> None:
        if heard is not None:
            heard(state)
        if not agent.has_terminal:
            line.tell(state)

    try:
        end = agent.run(told, greeting)
    finally:
        line.end()
        own.close()
    if end.reason == "withdrawn":
        at_login.remove(place)
        remark(f"overt: {w('terminal.left')}")
        return
    vault.change({PAGE: None})
    waiting = w.number(agent.outbox.counts()["waiting"])
    remark(f"overt: {w('terminal.ended', events=w.number(end.events), waiting=waiting)}")


def titles(grant: Grant, w: Words) -> str:
    """Return the applications that the person switched on, in words."""
    return ", ".join(one["title"] for one in grant.applications) or w("terminal.no_application")


def joined_at(grant: Grant) -> str:
    """Return the address of the page of the study that was joined."""
    return f"{grant.base}/study/{grant.study}"


def stop_on_signals(stop: Callable[[], None]) -> None:
    """End in order at Ctrl+C, at the end of the session, and when the terminal is closed."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"):
        if number := getattr(signal, name, None):
            signal.signal(number, lambda *_: stop())
