"""What must not happen on the five-minute page, tried in a real Chromium."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import expect

from studio_fixtures import DUMP, Hands, Studio, chromium, counts, join, studio, wire


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with studio(tmp_path_factory.mktemp("studio")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Any:
    with chromium() as made:
        yield made


def test_not_joining_leaves_the_page_usable_and_records_nothing(
    server: Studio, browser: Any
) -> None:
    with wire(server.url) as relay:
        context = browser.new_context()
        page = context.new_page()
        page.goto(relay.url)
        hands = Hands(page)
        hands.press("decline")
        expect(hands.on("declined")).to_be_visible()
        hands.write("task-free", "Nobody records this, and the task still knows when it is done.")
        hands.targets()
        for task in (2, 6):
            expect(page.locator(f"[data-task='{task}'] .done")).to_be_visible()
        expect(hands.on("bar-state")).to_have_text("Not recording")
        assert json.loads(page.evaluate(DUMP)) == [[], {}, {}, ""]
        assert page.locator("overt-indicator").count() == 0
        assert counts(hands)["produced"] == 0
        context.close()
    sent = relay.everything()
    assert b"GET /v1/studies/five-minutes/notice" in sent
    assert b"POST " not in sent


def test_nothing_is_joined_without_a_chosen_purpose(server: Studio, browser: Any) -> None:
    page = browser.new_page()
    page.goto(server.url)
    hands = Hands(page)
    hands.press("join")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(hands.on("joined")).to_be_hidden()
    page.close()


def test_a_shown_password_leaves_not_even_a_key_class(server: Studio, browser: Any) -> None:
    page = browser.new_page()
    page.goto(server.url)
    hands = Hands(page)
    join(hands, "typing-assist")
    hands.press("form-show")
    hands.press("form-password")
    newest = hands.on("live-table").locator("tbody tr").first
    expect(newest).to_contain_text("focus")
    rows = hands.on("live-table").locator("tbody tr").count()
    page.keyboard.type("nobody sees this")
    expect(hands.on("form-password")).to_have_value("nobody sees this")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    assert hands.on("live-table").locator("tbody tr").count() == rows
    page.close()


def test_withdrawing_stops_the_page_and_the_collector_and_empties_the_device(
    server: Studio, browser: Any
) -> None:
    context = browser.new_context()
    page = context.new_page()
    tokens: list[str] = []
    page.on("request", lambda r: tokens.append(r.headers.get("authorization", "")))
    page.goto(server.url)
    hands = Hands(page)
    join(hands, "typing-assist")
    hands.write("task-free", "Some words that will be gone in a moment.")
    hands.press("withdraw-all")
    hands.press("withdraw-confirm")
    expect(hands.on("bar-state")).to_have_text("Not recording")
    expect(page.locator("overt-indicator")).to_have_count(0)
    expect(hands.on("certificate")).to_be_visible(timeout=60_000)
    assert json.loads(page.evaluate(DUMP))[0] == []
    token = next(value for value in reversed(tokens) if value)
    request = urllib.request.Request(
        f"{server.url}/v1/batches", b"OVB1", {"Authorization": token}, method="POST"
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 410
    refused.value.close()
    hands.write("task-free", "Nothing of this is recorded.")
    assert hands.on("live-table").locator("tbody tr").count() == 0
    assert json.loads(page.evaluate(DUMP))[0] == []
    context.close()


def test_withdrawing_works_from_another_device_with_the_recovery_code(
    server: Studio, browser: Any
) -> None:
    here, elsewhere = browser.new_context(), browser.new_context()
    page = here.new_page()
    page.goto(server.url)
    hands = Hands(page)
    join(hands, "typing-assist")
    code = hands.on("recovery-code").inner_text()
    other = elsewhere.new_page()
    other.goto(f"{server.url}/leave")
    other.get_by_test_id("leave-code").fill(code.lower())
    other.get_by_test_id("leave-go").click()
    expect(other.get_by_test_id("certificate")).to_be_visible(timeout=60_000)
    expect(hands.on("bar-state")).to_have_text("Not recording")
    here.close()
    elsewhere.close()


def test_the_page_remembers_no_keys_until_asked_and_says_when_they_are_too_few(
    server: Studio, browser: Any
) -> None:
    page = browser.new_page()
    page.goto(server.url)
    hands = Hands(page)
    join(hands, "typing-assist")
    hands.write("task-copy", "Short.")
    hands.press("risk-compare")
    expect(hands.on("risk-few")).to_contain_text("remembers no keys until you tick")
    expect(page.get_by_text("0 keys in memory")).to_be_visible()
    hands.press("remember-keys")
    hands.write("task-copy", "Short.")
    hands.press("risk-compare")
    expect(hands.on("risk-few")).to_contain_text("Too few keys")
    expect(hands.on("risk-raw")).to_be_hidden()
    page.close()
