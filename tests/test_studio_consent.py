"""The question as an element of its own: whole, in any language, by keyboard alone, and closed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from consent_fixtures import HOOK, sentences
from overt.gateway import studies
from overt.store.store import Store
from pseudo_locales import LONG, RTL, notice
from studio_fixtures import Studio, chromium, studio

EXAMPLES = Path(__file__).parents[1] / "examples"
SCREENS = {"phone": (390, 844), "desktop": (1280, 800), "zoom of 200 %": (640, 400)}
PAGE = """<!doctype html><html lang="LANG"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<link rel="stylesheet" href="hostile.css"><title>x</title><main></main>
<script type="module" src="page.js"></script></html>"""
HOSTILE = """overt-consent, overt-consent * { display: none; opacity: 0; direction: ltr;
  font-size: 1px; } * { visibility: hidden }"""
SCRIPT = """import { open } from "/static/overt.js";
import { ask } from "/static/consent.js";
window.overt = await open({ study: "site-example", lang: document.documentElement.lang });
ask(overt, document.querySelector("main")).then((receipt) => {
  window.answer = receipt ? "joined" : "declined";
});"""
SHAPE = """() => {
  const box = (element) => element.getBoundingClientRect().toJSON();
  const [join, decline] = [...root.querySelectorAll(".equal button")];
  const parts = [...root.querySelectorAll("h2, h3, p, li, label, legend, button")];
  return { join: box(join), decline: box(decline),
    way: getComputedStyle(root.querySelector("section")).direction,
    cut: parts.filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent),
    wide: document.documentElement.scrollWidth - innerWidth };
}"""

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("consent")
    pages = folder / "pages"
    pages.mkdir()
    text = (EXAMPLES / "site" / "study.toml").read_text() + notice(LONG) + notice(RTL)
    for language in ("en", LONG, RTL):
        (pages / f"{language}.html").write_text(PAGE.replace("LANG", language))
    (pages / "page.js").write_text(SCRIPT)
    (pages / "hostile.css").write_text(HOSTILE)
    with Store.open(folder / "data", create=True) as store:
        studies.register(store, text.encode())
    with studio(folder, pages) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as made:
        yield made


def come(browser: Any, url: str, *, hooked: bool) -> Any:
    page = browser.new_context().new_page()
    if hooked:
        page.add_init_script(HOOK)
    page.goto(url)
    expect(page.locator("overt-consent")).to_be_attached()
    return page


@pytest.mark.parametrize("language", ["en", LONG, RTL])
def test_it_is_whole_on_every_screen_in_any_language_whatever_the_page_styles(
    served: Studio, browser: Any, tmp_path: Path, language: str
) -> None:
    page = come(browser, f"{served.url}/site/{language}.html", hooked=True)
    read = page.evaluate("root.querySelector('section').textContent")
    said = page.evaluate("overt.notice().then(({ notice }) => notice)")
    assert {one for one in sentences(said) if one not in read} == set()
    for screen, (width, height) in SCREENS.items():
        page.set_viewport_size({"width": width, "height": height})
        shape = page.evaluate(SHAPE)
        assert (shape["wide"], shape["cut"]) == (0, []), screen
        assert shape["way"] == ("rtl" if language == RTL else "ltr")
        for side in ("width", "height"):
            assert abs(shape["join"][side] - shape["decline"][side]) < 2, "of equal effort"
        assert shape["join"]["height"] >= 44
        page.screenshot(path=str(tmp_path / f"{language}-{screen}.png"), full_page=True)
    page.emulate_media(forced_colors="active", reduced_motion="reduce")
    seen = "getComputedStyle(root.querySelector('h2')).visibility"
    assert page.evaluate(seen) == "visible"
    page.context.close()


def test_by_keyboard_alone_nothing_is_chosen_for_anyone_and_who_joins_is_recorded(
    served: Studio, browser: Any
) -> None:
    page = come(browser, f"{served.url}/site/en.html", hooked=True)
    chosen = "root.querySelectorAll(':checked').length"
    assert page.evaluate(chosen) == 0
    join = "root.activeElement?.type === 'submit'"

    def go(until: str) -> None:
        for _ in range(12):
            page.keyboard.press("Tab")
            if page.evaluate(until):
                return
        raise AssertionError(f"Tab does not reach {until}")

    go(join)
    page.keyboard.press("Enter")
    assert page.evaluate("root.activeElement.type") == "checkbox", "what is missing has the focus"
    assert page.evaluate("overt.state().phase") == "none"
    page.keyboard.press("Space")
    go("root.activeElement?.type === 'radio'")
    page.keyboard.press("Space")
    go(join)
    page.keyboard.press("Enter")
    page.wait_for_function("() => window.answer === 'joined'")
    expect(page.locator("overt-consent")).not_to_be_attached()
    assert page.evaluate("overt.state().purposes") == ["typing-assist"]
    page.context.close()


def test_who_goes_on_without_leaves_no_trace_and_a_page_cannot_look_inside(
    served: Studio, browser: Any
) -> None:
    page = come(browser, f"{served.url}/site/en.html", hooked=False)
    assert page.evaluate("document.querySelector('overt-consent').shadowRoot") is None
    page.context.close()
    page = come(browser, f"{served.url}/site/en.html", hooked=True)
    page.evaluate("root.querySelector('.equal button:last-child').click()")
    page.wait_for_function("() => window.answer === 'declined'")
    assert page.evaluate("indexedDB.databases()") == []
    expect(page.locator("overt-consent")).not_to_be_attached()
    page.context.close()
