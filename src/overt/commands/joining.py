"""Joining from `overt record`: notice, choices and consent, in the terminal or on a page."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from overt.commands.console import say

if TYPE_CHECKING:
    from overt.device.account import Account, Shown
    from overt.device.joining import Offer
    from overt.device.vault import Vault
    from overt.device.wording import Words


def asked(
    account: Account,
    vault: Vault,
    shown: Shown,
    address: str,
    told: list[str],
    *,
    page: bool | None,
) -> bool:
    """Ask whether the person joins; return whether they did and recording may begin.

    `told`: what this computer can record, in words. `page`: on a page in a browser, or in the
    terminal; None: where they say, if a browser can be opened.
    """
    from overt.device.wording import Words

    w = Words(shown.notice["language"])
    has_changed = account.grant is not None
    if has_changed:
        say(w("terminal.changed"))
    if page if page is not None else _wants_page(w):
        return _on_a_page(account, vault, shown, address, told)
    if _in_the_terminal(account, vault, shown, w):
        return True
    say(w("terminal.declined_kept" if has_changed else "terminal.declined", address=address))
    return False


def _wants_page(w: Words) -> bool:
    from rich.prompt import Prompt

    from overt.device import browser

    if not browser.is_there():
        return False
    word = w("terminal.page_word")
    said = Prompt.ask(w("terminal.where", page=word), default="", show_default=False)
    return said.strip().lower() in (word, "page")


def _on_a_page(account: Account, vault: Vault, shown: Shown, address: str, told: list[str]) -> bool:
    from overt.device import browser
    from overt.device.join_page import BEGINS, DECLINED, JOINED, LATER, JoinPage
    from overt.device.wording import Words

    w = Words(shown.notice["language"])
    has_changed = account.grant is not None
    page = JoinPage(account, vault, shown, told)
    try:
        say(w("terminal.asks", url=page.url))
        with browser.opened(page.url):
            page.wait()
    finally:
        page.close(hand_over=page.state == BEGINS)
        if page.state == JOINED:  # stopped before they said that they have it
            show_code(account, vault, w)
        if page.state in (DECLINED, LATER):
            name = "declined_kept" if has_changed and page.state == DECLINED else page.state
            say(w(f"terminal.{name}", address=address))
    return page.state == BEGINS


def _in_the_terminal(account: Account, vault: Vault, shown: Shown, w: Words) -> bool:
    from rich.prompt import Prompt

    from overt.device.joining import Offer, join

    notice, offer = shown.notice, Offer(shown.notice)
    _show(notice)
    say(f"\n{notice['choices']['heading']} {' '.join(notice['choices']['text'])}")
    purposes = [one["id"] for one in chosen(offer.purposes, "purposes", w)]
    if not purposes:
        return False
    detail = notice["settings"]["level"]
    if offer.levels:
        say(f"\n{notice['choices']['details']['heading']}")
        picked: list[dict[str, Any]] = []
        while len(picked) != 1:
            picked = chosen(offer.levels, "one_of_them", w, all_allowed=False)
        detail = picked[0]["id"]
    switched = _switched(offer, purposes, w)
    word = w("terminal.join")
    if Prompt.ask(f"\n{w('terminal.confirm', join=word)}").strip() not in ("join", word):
        return False
    join(account, vault, shown, offer.choice(purposes, detail, *switched))
    say()
    show_code(account, vault, w)
    return True


def show_code(account: Account, vault: Vault, w: Words) -> None:
    """Show the recovery code in the terminal, and keep that it was."""
    from overt.device.joining import code_seen

    if account.grant is not None and (code := account.grant.receipt.get("recovery_code")):
        say(w("terminal.joined", code=code))
        say(w("terminal.write_down"))
    code_seen(vault)


def applications_here(
    notice: dict[str, Any], purposes: Collection[str]
) -> tuple[dict[str, Any], ...]:
    """Let the person switch on, of a study's applications, those of this computer."""
    from overt.device.joining import Offer
    from overt.device.wording import Words

    offer = Offer(notice)
    switched = _switched(offer, purposes, Words(notice["language"]))
    return offer.choice(purposes, "", *switched).applications


def _switched(
    offer: Offer, purposes: Collection[str], w: Words
) -> tuple[list[str], list[str], list[str]]:
    """Ask for applications, whose windows may be looked at, and where keys are told; return ids."""
    from overt.device.joining import letters_where
    from overt.device.platforms import X11

    if offer.is_narrowed:
        count = len(offer.applications)
        say(f"\n{w('terminal.policy', where=offer.rules.where, count=count)}")
    say(f"\n{w('terminal.which_applications')}")
    applications = _ids(offer.applications, "applications", w)
    windows, letters = offer.windows(purposes, applications), offer.letters(applications)
    seen: list[str] = []
    if windows and not offer.has_windows:
        say(f"\n{w('terminal.no_windows', kind=X11)}")
    elif windows:
        say(f"\n{w('terminal.which_windows')}")
        seen = _ids(windows, "windows", w)
    told: list[str] = []
    if letters:
        say(f"\n{w('terminal.which_letters')}")
        letters = [{**one, "text": letters_where(one, w)} for one in letters]
        told = [str(one["id"]) for one in chosen(letters, "applications", w)]
    return applications, seen, told


def _ids(items: list[dict[str, Any]], what: str, w: Words) -> list[str]:
    return [str(one["id"]) for one in chosen([{**one, "text": ""} for one in items], what, w)]


def _show(notice: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.markdown import Markdown

    lines = [f"# {notice['title']}", notice["about"]]
    lines.append(f"{notice['controller']} · {notice['contact']}")
    for section in notice["sections"]:
        lines += [f"## {section['heading']}", *(f"- {text}" for text in section["text"])]
    Console().print(Markdown("\n\n".join(lines)))


def chosen(
    items: list[dict[str, Any]], what: str, w: Words, *, all_allowed: bool = True
) -> list[dict[str, Any]]:
    """Let the person choose by number; none is chosen for them. `what`: name of its words."""
    from rich.prompt import Prompt

    for number, item in enumerate(items, 1):
        say(f"  {number}  {item['title']}" + (f": {item['text']}" if item["text"] else ""))
    hint = w("terminal.several" if all_allowed else "terminal.single")
    asked = w("terminal.choose", what=w(f"terminal.{what}"), hint=hint)
    while True:
        said = Prompt.ask(asked, default="", show_default=False).strip()
        if said in ("all", w("terminal.all")) and all_allowed:
            return items
        try:
            places = [int(part) for part in said.replace(",", " ").split()]
        except ValueError:
            places = [0]
        if all(1 <= place <= len(items) for place in places):
            return [items[place - 1] for place in dict.fromkeys(places)]
        say(w("terminal.numbers"))
