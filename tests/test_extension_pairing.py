"""Browser and desktop as one person: paired by a code from either, paused and left together."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from clock_fixtures import pressed_at, record_a_press
from extension_fixtures import Extended, built, extended, on, until
from overt.device import pairing
from overt.device.account import Account
from overt.device.vault import Vault
from overt.schema.event import Kind
from overt.store.store import Store

pytestmark = pytest.mark.soak


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Extended]:
    with extended(tmp_path, built(tmp_path / "build")) as made:
        yield made


def desktop(browser: Extended, folder: Path, stack: ExitStack) -> Account:
    vault = Vault(folder)
    account = Account(browser.server.rstrip("/"), "second", vault)
    stack.callback(vault.close)
    stack.callback(account.close)
    return account


def everything(notice: dict[str, Any], _: tuple[str, ...]) -> tuple[dict[str, Any], ...]:
    return tuple(notice["settings"]["applications"])


def test_whoever_joined_on_the_desktop_takes_part_in_the_browser_and_leaves_from_there(
    browser: Extended, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        account = desktop(browser, tmp_path / "desk", stack)
        shown = account.notice("en")
        grant = account.join(shown, ("typing-assist",), (), "en", "rhythm")
        panel = browser.panel()
        code = pairing.offer(account, "second")
        panel.fill(
            "#address", pairing.scanned(browser.server.rstrip("/"), "second", "7Z3K-4QHM-0WXB")
        )
        browser.press("read")
        browser.press("pair")
        expect(panel.locator("#said")).to_contain_text("no device waits with this code")
        panel.fill("#code", code.lower())
        browser.press("pair")
        expect(on(panel, "state")).to_be_visible()
        assert browser.ask(do="receipt")["receipt_id"] == grant.receipt_id
        assert "recovery_code" not in browser.ask(do="receipt")
        browser.enable(browser.listed)
        page = browser.visit(browser.listed.url)
        page.click("#listed")
        page.keyboard.type("abc")
        (events,) = browser.stored()
        assert [event["kind"] for event in events].count(Kind.KEY_DOWN) == 3
        typed_us = time.time_ns() // 1000
        record_a_press(account, 73.0)
        in_browser, on_desktop = pressed_at(browser.ask(do="export"))
        assert 0 <= in_browser[1] < 2_000_000
        assert 0 <= on_desktop[1] < 2_000_000
        assert in_browser[0] - in_browser[1] <= typed_us <= on_desktop[0] + on_desktop[1]
        with Store.open(browser.data_dir) as store:
            assert len(store.subjects("second")) == 1, "one person"
        account.standing()
        browser.press("toggle")
        until(lambda: account.standing() is not None and account.paused_elsewhere())
        browser.press("toggle")
        account.pause()
        browser.ask(do="send")
        assert browser.view()["paused"], "a pause there is one here"
        page.close()
        browser.press("leave")
        browser.press("yes")
        until(lambda: browser.view() is None)
        assert account.standing() == ()


def test_whoever_joined_in_the_browser_takes_part_on_the_desktop_and_leaves_from_there(
    browser: Extended, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        account = desktop(browser, tmp_path / "desk", stack)
        browser.join("typing-assist", "next-action", study="second")
        browser.press("offer")
        panel = browser.panel()
        code = on(panel, "offered").text_content()
        grant = pairing.take(account, "second", str(code), everything)
        assert grant.purposes == ("next-action", "typing-assist")
        assert grant.receipt_id == browser.ask(do="receipt")["receipt_id"]
        assert "recovery_code" not in grant.receipt
        account.withdraw(account.proofs())
        browser.ask(do="send")
        assert browser.view() is None
