"""The researcher's page in a real browser, on a phone and by keyboard alone."""

from pathlib import Path

from playwright.sync_api import expect

from gateway_fixtures import STUDY, new_store
from overt.gateway import researcher
from studio_fixtures import Keyboard, chromium, studio

PHONE = {"width": 390, "height": 844}


def test_a_count_is_started_and_seen_on_a_phone_by_keyboard_alone(tmp_path: Path) -> None:
    with new_store(tmp_path / "data", people=10) as store:
        key = researcher.key(store)
    with studio(tmp_path) as server, chromium() as browser:
        page = browser.new_page(viewport=PHONE, color_scheme="dark")
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        hands = Keyboard(page)
        page.goto(f"{server.url}/research/{STUDY}")
        hands.write("research-key", key)
        hands.press("research-open")
        expect(hands.on(f"study-{STUDY}")).to_be_visible()
        hands.press(f"study-{STUDY}")
        expect(hands.on("run-counts")).to_be_enabled()
        hands.press("run-counts")
        expect(page.locator("#counts")).to_contain_text("10–19")
        expect(page.locator("[data-job]")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        page.goto(f"{server.url}/research")
        expect(hands.on("research-close")).to_be_visible()
        hands.press("research-close")
        expect(page.get_by_test_id("research-key")).to_be_visible()
        assert not wrong
