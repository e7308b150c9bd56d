"""Notice, choices and consent on a page of the person's own; nothing on it is chosen for them.

The page is one of this computer alone (`overt.device.page`): only who was given its address sees
it, no other site can press its buttons, and without a script each press is the person's. What it
shows are the notice's bytes as the server sent them, and the agent's own words around them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

from overt.device.account import Account, Shown
from overt.device.joining import Offer, code_seen, join, letters_where
from overt.device.page import Page, rendered
from overt.device.vault import Vault
from overt.device.wording import Words, in_own_words
from overt.schema.errors import OvertError

ASKED, JOINED, DECLINED, BEGINS, LATER = "asked", "joined", "declined", "begins", "later"
SHOWN_PATIENCE_S = 5.0
"""So long a browser has to fetch the page that says how it ended."""


class JoinPage:
    """Asks, until the person has answered (`wait`), or whoever started it closes it."""

    def __init__(self, account: Account, vault: Vault, shown: Shown, told: list[str]) -> None:
        """`told`: what this computer can record, and what stands in the way, in words."""
        self._account, self._vault, self._told = account, vault, told
        self._shown, self._offer = shown, Offer(shown.notice)
        self._w = Words(shown.notice["language"])
        self._has_changed = account.grant is not None
        self.state = ASKED
        self._answered_s: float | None = None
        self._over, self._closed = threading.Event(), False
        self._alone = threading.Lock()
        self._form: Mapping[str, str] = {}
        self._problems: list[str] = []
        self._page = Page(self.shown, self.done, after=self._after)
        self.url = self._page.url

    def close(self, *, hand_over: bool = False) -> None:
        """Stop serving; `hand_over`: the next page of this process goes on at this address."""
        with self._alone:  # not while somebody is joining
            self._closed = True
            self._page.close(hand_over=hand_over)

    def wait(self) -> str:
        """Wait until the person has answered; return `DECLINED`, `BEGINS` or `LATER`."""
        while not self._over.wait(0.2):
            at_s = self._answered_s
            if at_s is not None and time.monotonic() - at_s > SHOWN_PATIENCE_S:
                break
        return self.state

    def shown(self, path: str, nonce: str, _languages: str) -> str | None:
        """Return the page, in the language of the notice."""
        if path != "/":
            return None
        grant = self._account.grant
        return rendered(
            "join.html",
            nonce=nonce,
            w=self._w,
            state=self.state,
            notice=self._offer.notice,
            sha256=self._shown.sha256,
            offer=self._offer,
            letters_where=letters_where,
            told=self._told,
            has_changed=self._has_changed,
            form=self._form,
            problems=self._problems,
            grant=grant if self.state == JOINED else None,
        )

    def done(self, path: str, form: Mapping[str, str]) -> str | None:
        """Do what a form asks; each works in the one state in which it is shown."""
        with self._alone:
            if self._closed:
                return None
            if self.state == ASKED and path == "/join":
                self._join(form)
            elif self.state == ASKED and path == "/decline":
                self._answer(DECLINED)
            elif self.state == JOINED and path in ("/begin", "/later"):
                code_seen(self._vault)
                if path == "/begin":
                    self._page.rest()  # what the browser asks next is for the page of what waits
                self._answer(BEGINS if path == "/begin" else LATER)
            elif path not in ("/join", "/decline", "/begin", "/later"):
                return None
        return "/#missing" if self._problems else "/"

    def _answer(self, state: str) -> None:
        self.state = state
        self._answered_s = time.monotonic()

    def _after(self, method: str) -> None:
        """End once the browser has what it has to show; where recording begins, all it needs."""
        ended = method == "GET" and self.state in (DECLINED, LATER)
        if ended or self.state == BEGINS:
            self._over.set()

    def _join(self, form: Mapping[str, str]) -> None:
        offer, w = self._offer, self._w
        self._form = form
        purposes = _picked(form, "purpose")
        applications = _picked(form, "application")
        detail = form.get("detail", "")
        if not offer.levels:
            detail = offer.notice["settings"]["level"]
        choice = offer.choice(
            *(purposes, detail, applications),
            *(_picked(form, "window"), _picked(form, "letters")),
        )
        known = not offer.levels or detail in [one["id"] for one in offer.levels]
        missing = {
            "purposes": bool(choice.purposes),
            "detail": known,
            "applications": bool(choice.applications) or not offer.applications,
        }
        self._problems = [w(f"join.missing_{name}") for name, there in missing.items() if not there]
        if self._problems:
            self._problems.append(w("join.missing_or"))
            return
        try:
            with in_own_words():
                join(self._account, self._vault, self._shown, choice)
        except OvertError as error:
            self._problems = [w("join.failed", why=str(error))]
            return
        self.state = JOINED


def _picked(form: Mapping[str, str], what: str) -> set[str]:
    """Return the ids of the boxes `what` that are ticked."""
    return {name.removeprefix(f"{what}.") for name in form if name.startswith(f"{what}.")}
