"""The form that asks whether a person writes: nothing before consent, and nobody kept out."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from overt.gateway import population, studies, train
from overt.store.store import Store
from studio_fixtures import chromium

FORM = Path(__file__).parents[1] / "examples" / "contact-form"
READS = {"/site/", "/site/form.css", "/site/form.js", "/static/overt.js"}
READS |= {"/static/person-or-program.js", "/v1/studies/contact-form/notice"}


@dataclass
class Visitor:
    """Somebody at the form, who counts what it asks of them."""

    page: Any
    url: str
    steps: list[str] = field(default_factory=list)
    wire: list[Any] = field(default_factory=list)

    def come(self) -> None:
        self.page.on("request", self.heard)
        self.page.goto(self.url)
        expect(self.page.locator("#ask")).to_be_visible()

    def heard(self, request: Any) -> None:
        self.wire.append(request)

    def press(self, what: str) -> None:
        self.steps.append("press")
        self.page.locator(what).click()

    def write(self, what: str, text: str) -> None:
        self.steps.append("write")
        self.page.locator(what).press_sequentially(text, delay=5)

    def wander(self) -> None:
        for number in range(30):
            self.page.mouse.move(100 + 19 * number, 300 + 40 * (number % 5), steps=6)
            self.page.evaluate("() => new Promise((seen) => requestAnimationFrame(seen))")

    def fill_in(self) -> None:
        self.write("#from", "Ada")
        self.write("#text", "Is plot seven free?")

    def send(self) -> str:
        self.press("#send")
        expect(self.page.locator("h1")).to_contain_text("Thank you")
        return str(self.page.locator("body").inner_text())

    def sent(self) -> list[Any]:
        """Return the requests that carry anything at all from this browser."""
        return [one for one in self.wire if one.method != "GET" or "authorization" in one.headers]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Callable[[], str]]]:
    """The form's server, over a study that has learned from synthetic people; and its next line."""
    folder = tmp_path_factory.mktemp("form") / "data"
    with Store.open(folder, create=True) as store:
        studies.register(store, (FORM / "study.toml").read_bytes())
        population.fill(store, "contact-form", 12, minutes=0.4)
        train.train(store, "contact-form", "person-or-program")
    command = [sys.executable, str(FORM / "serve.py"), "--data-dir", str(folder), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        yield f"{url}site/", process.stdout.readline
        process.terminate()


pytestmark = pytest.mark.soak
"""A model is trained first."""


def test_nothing_is_on_the_wire_or_kept_before_consent_and_refusing_costs_no_step_more(
    served: tuple[str, Callable[[], str]], tmp_path: Path
) -> None:
    url, next_line = served
    with chromium() as browser:
        refuser = Visitor(
            browser.new_context(viewport={"width": 390, "height": 844}).new_page(), url
        )
        refuser.come()
        loaded = len(refuser.wire)
        assert {
            one.url.partition("?")[0][len(url) - len("/site/") :] for one in refuser.wire
        } == READS
        refuser.wander()
        refuser.fill_in()
        refuser.steps.clear()
        assert len(refuser.wire) == loaded, "nothing, while somebody moves and writes"
        assert refuser.sent() == []
        assert kept(refuser.page) == [[], {}, {}, ""]
        shown(refuser.page, tmp_path, "asked")
        refuser.page.locator("#from").fill("")
        refuser.page.locator("#text").fill("")

        refuser.press("#no")
        refuser.fill_in()
        assert refuser.sent() == []
        refused = refuser.send()
        (message,) = refuser.sent()
        assert message.post_data == "from=Ada&text=Is+plot+seven+free%3F&looked="
        assert kept(refuser.page) == [[], {}, {}, ""]
        assert next_line().startswith("to be read first")

        for detail in ("rhythm/1", "rhythm"):
            context = browser.new_context(viewport={"width": 1280, "height": 800})
            joiner = Visitor(context.new_page(), url)
            joiner.come()
            joiner.press(f"[data-detail='{detail}']")
            expect(joiner.page.locator("overt-indicator")).to_be_visible()
            joiner.wander()
            joiner.fill_in()
            expect(joiner.page.locator("#state")).to_contain_text("Your browser")
            shown(joiner.page, tmp_path, detail.replace("/", "-"))
            assert joiner.send() == refused, "the same answer, whatever was chosen"
            assert joiner.steps == refuser.steps, "of equal effort"
            (form,) = [one for one in joiner.sent() if one.url.endswith("/message")]
            looked = form.post_data.rpartition("=")[2]
            assert looked in ("person", "program", "cannot-tell")
            line = next_line()
            assert line.startswith("passed on" if looked == "person" else "to be read first")
            bodies = [one for one in joiner.sent() if one is not form]
            assert not any(b"plot" in (one.post_data_buffer or b"") for one in bodies)
            assert {one.url.rpartition("/v1/")[2].partition("?")[0] for one in bodies} <= {
                "join",
                "me/model",
                "me/state",
                "batches",
                "token",
            }


def test_who_leaves_is_asked_again_and_who_has_no_scripts_can_write_too(
    served: tuple[str, Callable[[], str]],
) -> None:
    url, next_line = served
    with chromium() as browser:
        page = browser.new_page()
        visitor = Visitor(page, url)
        visitor.come()
        visitor.press("[data-detail='rhythm/1']")
        expect(page.locator("#leave")).to_be_visible()
        visitor.press("#leave")
        expect(page.locator("#leave")).to_be_hidden()
        page.wait_for_function("indexedDB.databases().then((all) => all.length === 0)")
        visitor.fill_in()
        visitor.send()
        assert next_line().startswith("to be read first")
        plain = browser.new_context(java_script_enabled=False).new_page()
        plain.goto(url)
        expect(plain.locator("#ask")).to_be_hidden()
        plain.locator("#from").fill("Ada")
        plain.locator("#text").fill("Hello")
        plain.locator("#send").click()
        expect(plain.locator("h1")).to_contain_text("Thank you")
        assert next_line().startswith("to be read first")


def kept(page: Any) -> Any:
    script = """async () => JSON.stringify([await indexedDB.databases(), { ...localStorage },
      { ...sessionStorage }, document.cookie])"""
    return json.loads(page.evaluate(script))


def shown(page: Any, folder: Path, name: str) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=str(folder / f"form-{name}.png"), full_page=True)
