"""The extension: pages told apart, clocks that jump, and one purpose taken back of several."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from extension_fixtures import Extended, built, extended, on, until
from overt.schema.event import Kind

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Extended]:
    build = built(tmp_path_factory.mktemp("build"))
    with extended(tmp_path_factory.mktemp("extended"), build) as made:
        made.join("next-action", "typing-assist", "person-or-program")
        made.enable(made.listed)
        yield made


def write(page: Any, text: str) -> None:
    page.click("#listed")
    page.keyboard.type(text)


def in_our_world(browser: Extended, page: Any, expression: str) -> None:
    """Evaluate where the extension's script runs, which no script of the page reaches."""
    session = browser.context.new_cdp_session(page)
    worlds: list[dict[str, Any]] = []
    session.on("Runtime.executionContextCreated", lambda e: worlds.append(e["context"]))
    session.send("Runtime.enable")
    (ours,) = [world["id"] for world in worlds if world["name"] == "Overt"]
    session.send("Runtime.evaluate", {"expression": expression, "contextId": ours})
    session.detach()


def test_which_of_the_listed_pages_it_is_and_a_jump_of_the_clock_are_recorded(
    browser: Extended,
) -> None:
    page = browser.visit(f"{browser.listed.url}/write/4711?query#fragment")
    write(page, "ab")
    page.evaluate("history.pushState({}, '', '/')")
    write(page, "c")
    page.evaluate("history.pushState({}, '', '/write/18')")
    write(page, "d")
    in_our_world(browser, page, "{ const now = Date.now; Date.now = () => now() + 7_200_000 }")

    def clocks() -> list[int]:
        return [e["value"] for e in browser.stored()[0] if e["kind"] == Kind.CLOCK]

    until(lambda: clocks() == [7200])
    page.bring_to_front()
    write(page, "e")
    page.close()
    (events,) = browser.stored()
    assert [e["seq"] for e in events] == list(range(len(events)))
    assert [e["value"] for e in events if e["kind"] == Kind.NAVIGATION] == [2, 1, 2]
    assert [e["value"] for e in events if e["kind"] == Kind.CLOCK] == [7200]
    assert "4711" not in str([e for e in events if e["kind"] == Kind.NAVIGATION])


def test_one_purpose_is_taken_back_at_once_here_and_there_and_the_rest_goes_on(
    browser: Extended,
) -> None:
    panel = browser.panel()
    panel.reload()
    page = browser.visit(browser.listed.url)
    page.mouse.move(50, 50, steps=9)
    write(page, "abc")
    panel = browser.panel()
    browser.press("withdraw person-or-program")
    browser.press("yes")
    expect(panel.locator("[data-purpose]")).to_have_count(2)
    assert browser.ask(do="export")["state"]["purposes"] == ["next-action", "typing-assist"]
    expect(page.locator("[data-state=recording]")).to_be_attached()
    page.bring_to_front()
    page.mouse.move(90, 90, steps=9)
    write(page, "def")
    page.close()
    kinds = {event["kind"] for events in browser.stored() for event in events}
    assert Kind.POINTER_MOVE not in kinds, "what served it alone is gone, here and there"
    assert Kind.KEY_DOWN in kinds


def test_what_is_taken_back_offline_is_told_as_soon_as_it_can_be_and_the_last_is_leaving(
    browser: Extended,
) -> None:
    browser.panel().reload()
    browser.away(True)
    browser.press("withdraw next-action")
    browser.press("yes")
    panel = browser.panel()
    expect(panel.locator("[data-purpose]")).to_have_count(1)
    expect(panel.locator("[role=status]")).to_contain_text("as soon as it can be reached")
    browser.away(False)
    browser.ask(do="send")
    assert browser.ask(do="export")["state"]["purposes"] == ["typing-assist"]
    panel.reload()
    browser.press("withdraw typing-assist")
    browser.press("yes")
    expect(on(panel, "read")).to_be_visible()
    until(lambda: browser.view() is None)
