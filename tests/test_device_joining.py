"""Joining on a page of one's own: the notice's words, one's own choice, and nothing before it."""

from __future__ import annotations

import os
import re
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from desktop_fixtures import add_study, until
from overt.commands import joining as terminal
from overt.commands.at_login import still_stands
from overt.commands.recording import notice_to_show
from overt.consent.invitation import Invitation
from overt.device import at_login, browser
from overt.device.account import Account
from overt.device.join_page import BEGINS, DECLINED, JOINED, LATER, JoinPage
from overt.device.joining import has_unseen_code
from overt.device.page import HANDED, Page
from overt.device.vault import Vault
from overt.device.wording import Words
from overt.gateway import studies
from overt.schema.errors import InvalidInput, Refused, Withdrawn
from overt.schema.study import template
from overt.store.store import Store
from studio_fixtures import studio

pytest.importorskip("httpx")

CHOSEN = {
    "purpose.typing-assist": "on",
    "detail": "rhythm/1",
    "application.editor": "on",
    "window.terminal": "on",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("join")
    add_study(folder / "data", screen=True)
    with Store.open(folder / "data") as store:
        studies.register(store, template("english", "In English alone").encode())
    with studio(folder) as made:
        yield made.url.rstrip("/")


@pytest.fixture
def person(server: str, tmp_path: Path) -> Iterator[tuple[Account, Vault]]:
    with ExitStack() as stack:
        vault = Vault(tmp_path / "desk")
        stack.callback(vault.close)
        account = Account(server, "desk", vault)
        stack.callback(account.close)
        yield account, vault


@contextmanager
def asking(person: tuple[Account, Vault], lang: str = "en") -> Iterator[JoinPage]:
    page = JoinPage(*person, person[0].notice(lang), ["Can record keys."])
    try:
        yield page
    finally:
        page.close()


def got(page: JoinPage, path: str = "", form: dict[str, str] | None = None) -> str:
    parts = urllib.parse.urlsplit(page.url)
    data = None if form is None else urllib.parse.urlencode(form).encode()
    headers = {"Origin": f"{parts.scheme}://{parts.netloc}"}
    with urllib.request.urlopen(urllib.request.Request(page.url + path, data, headers)) as answer:
        return str(answer.read().decode())


@pytest.mark.parametrize("lang", ["en", "de"])
def test_the_page_says_every_word_of_the_notice_and_chooses_nothing(
    person: tuple[Account, Vault], lang: str
) -> None:
    notice = person[0].notice(lang).notice
    with asking(person, lang) as page:
        shown = got(page)
    plain = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", shown)).replace("&#39;", "'")
    words = [notice["title"], notice["about"], notice["join"], notice["decline"]]
    words += [text for section in notice["sections"] for text in section["text"]]
    choices = [*notice["choices"]["purposes"], *notice["choices"]["details"]["levels"]]
    words += [text for one in choices for text in (one["title"], one["text"])]
    words += [one["title"] for one in notice["settings"]["applications"]]
    for text in words:
        assert " ".join(text.split()) in plain, text
    assert f'<html lang="{lang}">' in shown
    assert " checked>" not in shown
    assert "<script" not in shown
    join, decline = re.findall(r"<button[^>]*>", shown)
    assert (join, decline) == ("<button>", '<button formaction="decline">'), "of one kind"


def test_who_joins_there_gets_exactly_what_they_chose_and_says_that_they_have_the_code(
    person: tuple[Account, Vault], monkeypatch: pytest.MonkeyPatch
) -> None:
    account, vault = person
    with asking(person) as page:
        for missing, words in (
            ("purpose.typing-assist", "Choose at least one purpose"),
            ("detail", "Choose how exactly"),
            ("application.editor", "Switch on at least one application"),
        ):
            less = {name: value for name, value in CHOSEN.items() if name != missing}
            said = got(page, "join", less)
            assert words in said
            assert said.count(" checked>") == len(less.keys() - {"window.terminal"})
            assert account.grant is None
        got(page, "begin", {})
        assert account.grant is None, "nothing begins before one has joined"
        shown = got(page, "join", {**CHOSEN, "application.none": "on", "purpose.mood": "on"})
        assert page.state == JOINED
        assert account.grant is not None
        grant = account.grant
        assert (grant.purposes, grant.transform) == (("typing-assist",), "rhythm/1")
        assert [(one["id"], one["screen"]) for one in grant.applications] == [("editor", False)]
        assert grant.receipt["recovery_code"] in shown
        assert grant.receipt["recovery_code"] in got(page), "until they say that they have it"
        got(page, "join", CHOSEN)
        got(page, "decline", {})
        assert account.receipt_id == grant.receipt_id, "once"
        assert has_unseen_code(vault)
        assert "what waits" in begun(page), "the next page is at the same address"
        assert page.state == BEGINS
    assert not has_unseen_code(vault)


def begun(page: JoinPage) -> str:
    """Press "begin", while somebody goes on as `overt record` does; return what is shown then."""
    following: list[Page] = []

    def goes_on() -> None:
        page.wait()
        page.close(hand_over=True)
        following.append(Page(lambda *_: "<p>what waits"))

    other = threading.Thread(target=goes_on)
    other.start()
    shown = got(page, "begin", {})
    other.join()
    assert following[0].url == page.url
    following[0].close()
    assert HANDED not in os.environ
    return shown


def test_who_goes_on_without_has_joined_nothing_and_who_waits_begins_nothing(
    person: tuple[Account, Vault],
) -> None:
    account, vault = person
    with asking(person) as page:
        assert "You do not take part" in got(page, "decline", CHOSEN)
        assert page.wait() == DECLINED
        got(page, "join", CHOSEN)
        assert account.grant is None
        assert vault.names("") == []
    with asking(person, "de") as page:
        got(page, "join", CHOSEN)
        assert "Nichts wird aufgezeichnet, bis Sie" in got(page, "later", {})
        assert page.wait() == LATER
        got(page, "begin", {})
        assert page.state == LATER


def test_a_code_that_nobody_said_they_have_is_shown_again_in_the_terminal(
    person: tuple[Account, Vault], capsys: pytest.CaptureFixture[str]
) -> None:
    account, vault = person
    with asking(person) as page:
        got(page, "join", CHOSEN)
    assert has_unseen_code(vault)
    with pytest.raises(urllib.error.URLError):
        got(page)
    terminal.show_code(account, vault, Words("en"))
    assert account.grant is not None
    assert account.grant.receipt["recovery_code"] in capsys.readouterr().out
    assert not has_unseen_code(vault)


def test_nobody_joins_from_another_site_or_without_the_pages_address(
    person: tuple[Account, Vault],
) -> None:
    with asking(person) as page:
        parts = urllib.parse.urlsplit(page.url)
        own, form = f"http://{parts.netloc}", urllib.parse.urlencode(CHOSEN).encode()
        for url, headers in (
            (page.url + "join", {"Origin": "https://example.org"}),
            (page.url + "join", {}),
            (page.url + "join", {"Origin": own, "Host": "example.org"}),
            (f"{own}/join", {"Origin": own}),
            (f"{own}/guessed/join", {"Origin": own}),
        ):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(urllib.request.Request(url, form, headers))
            assert refused.value.code == 403
            refused.value.close()
        assert person[0].grant is None


def test_what_the_server_says_against_joining_stands_on_the_page_and_nothing_is_kept(
    person: tuple[Account, Vault],
) -> None:
    account, _ = person
    shown = account.notice("en")
    page = JoinPage(*person, type(shown)(shown.notice, "0" * 64), [])
    try:
        assert "You have not joined." in got(page, "join", CHOSEN)
        assert page.state != JOINED
        assert account.grant is None
    finally:
        page.close()


def test_the_browser_is_told_of_the_page_in_a_file_of_ones_own_never_on_a_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    (tmp_path / "xdg-open").write_text(f'#!/bin/sh\necho "$*" > {told}.new; mv {told}.new {told}\n')
    (tmp_path / "xdg-open").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not browser.is_there()
    monkeypatch.setenv("DISPLAY", ":7654")
    assert browser.is_there()
    with browser.opened("http://127.0.0.1:1/secret/"):
        until(told.exists, "the browser is asked")
        place = Path(urllib.parse.urlsplit(told.read_text().strip()).path)
        assert "secret" not in told.read_text()
        assert 'url=http://127.0.0.1:1/secret/"' in place.read_text()
        assert place.parent.stat().st_mode & 0o777 == 0o700
    assert not place.parent.exists()


def test_at_login_nothing_begins_under_a_changed_notice_or_after_a_withdrawal(
    person: tuple[Account, Vault], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    account, vault = person
    place = tmp_path / "desk"
    with asking(person) as page:
        got(page, "join", CHOSEN)
    grant = account.granted()
    at_login.switch(vault, place, "https://example.org/study/desk", on=True)
    still_stands(account, vault, place)
    account.grant = replace(grant, notice_sha256="0" * 64)
    with pytest.raises(Refused, match="notice has changed since you agreed"):
        still_stands(account, vault, place)
    account.grant = grant
    account.withdraw(account.proofs())
    with pytest.raises(Withdrawn, match="left this study elsewhere"):
        still_stands(account, vault, place)
    assert vault.is_gone
    assert not at_login.entry(place).exists()


def test_only_the_notice_that_an_invitation_promises_is_shown_and_in_a_language_there_is(
    server: str, person: tuple[Account, Vault], monkeypatch: pytest.MonkeyPatch
) -> None:
    account, vault = person
    promised = {lang: account.notice(lang).sha256 for lang in ("en", "de")}
    invitation = Invitation("it.toml", f"{server}/study/desk", promised)
    assert notice_to_show(account, invitation, "de").notice["language"] == "de"
    assert notice_to_show(account, invitation, "fr").notice["language"] == "en"
    for other in ({"en": promised["de"]}, {"en": "0" * 64}, {"de": promised["en"]}):
        with pytest.raises(Refused, match="other than this invitation promises"):
            notice_to_show(account, replace(invitation, notices=other), None)
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    english = Account(server, "english", vault)
    assert notice_to_show(english, None, None).notice["language"] == "en"
    with pytest.raises(InvalidInput, match="no notice in this language"):
        notice_to_show(english, None, "de")
    english.close()
