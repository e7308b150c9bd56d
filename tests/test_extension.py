"""The browser extension, in a real Chromium, into a real server and its store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from extension_fixtures import Extended, built, extended
from overt.schema.event import Kind


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("build"))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, build: Path) -> Iterator[Extended]:
    with extended(tmp_path_factory.mktemp("extended"), build) as made:
        made.join("typing-assist", "person-or-program")
        made.enable(made.listed)
        yield made


def test_a_site_that_the_person_switched_on_is_recorded_into_the_store(browser: Extended) -> None:
    page = browser.visit(browser.listed.url)
    page.click("#listed")
    page.keyboard.type("a ferry")
    page.close()
    (events,) = browser.stored()
    assert [event["seq"] for event in events] == list(range(len(events)))
    assert [event["kind"] for event in events].count(Kind.KEY_DOWN) == len("a ferry")
    assert events[-1]["kind"] == Kind.SESSION_END


def worlds(browser: Extended, page: Any) -> list[str]:
    """Return the names of the worlds that scripts of a page run in; the page's own has none."""
    session = browser.context.new_cdp_session(page)
    names: list[str] = []
    session.on("Runtime.executionContextCreated", lambda e: names.append(e["context"]["name"]))
    session.send("Runtime.enable")
    session.detach()
    return names


def test_no_site_off_the_list_or_not_switched_on_is_touched(browser: Extended) -> None:
    (worker,) = browser.context.service_workers
    scripts = worker.evaluate("chrome.scripting.getRegisteredContentScripts()")
    assert [script["matches"] for script in scripts] == [[f"{browser.listed.url}/*"]]
    granted = worker.evaluate("chrome.permissions.getAll()")["origins"]
    assert granted == [f"{browser.listed.url}/*"]
    before = browser.stored()
    for site in (browser.unlisted, browser.other):
        page = browser.visit(site.url, recording=False)
        page.click("#listed")
        page.keyboard.type("not for you")
        assert page.evaluate("document.documentElement.children.length") == 2
        assert page.evaluate("document.querySelector('[data-state]')") is None
        assert "Overt" not in worlds(browser, page)
        assert browser.badge(page) == ""
        page.close()
    assert browser.stored() == before
    assert "Overt" in worlds(browser, browser.visit(browser.listed.url))
