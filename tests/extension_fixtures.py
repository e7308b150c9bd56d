"""A real Chromium with the built extension, a real server, sites on the study's list and off it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from local_http import Silent, answering
from overt.gateway import studies
from overt.schema.study import template
from overt.store.store import Store
from studio_fixtures import chromium, studio

ROOT = Path(__file__).parents[1]
ID = "kajbjcckeohpidjpdfjgmidjemgdhnmd"
"""What Chromium makes of the key in the manifest."""

PANEL = f"chrome-extension://{ID}/panel.html"
PAGE = """<!doctype html><meta charset="utf-8"><title>site</title><link rel="icon" href="data:,">
<input id="listed" data-overt><input id="unlisted"><input id="password" type="password" data-overt>
<button id="button" type="button">press</button>"""

FRAMES = """<iframe id="inner" src="/write/inner"></iframe><iframe id="off" src="/private"></iframe>
<iframe id="boxed" sandbox="allow-scripts" src="/write/boxed"></iframe>
<p class="private"><iframe id="kept" src="/write/kept"></iframe></p>"""


COUNT_KEYS = """() => {
  window.keys = 0;
  addEventListener("keydown", (event) => {
    event.preventDefault();
    window.keys += 1;
  }, true);
}"""
"""Keys do nothing in the page until it is loaded again, but it notes that they came."""


@dataclass
class Site:
    """A site of somebody else's."""

    url: str
    asked: list[str] = field(default_factory=list)
    """Paths that were asked for."""


@contextmanager
def site() -> Iterator[Site]:
    made = Site("")

    class Answers(Silent):
        def respond(self) -> None:
            made.asked.append(self.path)
            framed = FRAMES if self.path == "/write/framed" else ""
            self.answer(200, (PAGE + framed).encode(), Content_Type="text/html")

    with answering(Answers) as made.url:
        yield made


@contextmanager
def screen() -> Iterator[str]:
    """Run a screen that nobody sees: a browser's own prompts cannot be answered without one."""
    if not shutil.which("Xvfb") or not shutil.which("xdotool"):
        pytest.skip("Xvfb and xdotool are not here: python tools/chromium.py gets them")
    reading, writing = os.pipe()
    command = [
        "Xvfb",
        "-displayfd",
        str(writing),
        "-screen",
        "0",
        "1280x900x24",
        "-nolisten",
        "tcp",
    ]
    process = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as told:
            yield f":{told.readline().strip()}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def built(folder: Path) -> Path:
    """Build the extension for both browsers into a folder."""
    command = [sys.executable, "tools/node.py", "node", "sdk/extension/build.mjs", str(folder)]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if "Cannot find package" in made.stderr:
        pytest.skip("the tools that build the extension are not installed: make test gets them")
    assert made.returncode == 0, made.stderr
    return folder


@dataclass
class Extended:
    """A browser with the extension, beside a server and two sites."""

    context: BrowserContext
    server: str
    listed: Site
    other: Site
    unlisted: Site
    display: str
    data_dir: Path

    def away(self, away: bool) -> None:
        """Cut the browser off from every server, or bring it back."""
        self.context.set_offline(away)

    def panel(self) -> Page:
        """Return the panel, in a tab of its own."""
        for page in self.context.pages:
            if page.url.startswith(PANEL):
                page.bring_to_front()
                return page
        page = self.context.new_page()
        page.goto(f"{PANEL}#tab")
        return page

    def ask(self, **command: Any) -> Any:
        """Ask the worker for something as the panel does."""
        answer = self.panel().evaluate("(command) => chrome.runtime.sendMessage(command)", command)
        assert "error" not in answer, answer
        return answer.get("value")

    def view(self, study: int = 0) -> Any:
        """Return how a study stands that the person takes part in, by its place; None: in none."""
        studies = self.ask(do="view")["studies"]
        return studies[study] if studies else None

    def records(self, page: Page, sessions: int) -> None:
        """Wait until a page and the frames in it have so many sessions."""
        ask = """async (url) => {
          const [tab] = await chrome.tabs.query({ url });
          const all = await chrome.tabs.sendMessage(tab.id, { call: "sessions" }, { frameId: 0 });
          return all.length;
        }"""
        panel = self.panel()
        until(lambda: panel.evaluate(ask, page.url) == sessions)
        page.bring_to_front()

    def press(self, name: str) -> None:
        on(self.panel(), name).click()

    def join(self, *purposes: str, study: str = "writing") -> str:
        """Join a study by the panel, as a person does; returns its address."""
        panel = self.panel()
        panel.reload()
        on(panel, "another").or_(panel.locator("#address")).first.wait_for()
        if on(panel, "another").count():
            self.press("another")
        panel.fill("#address", address := f"{self.server}/study/{study}")
        self.press("read")
        for purpose in purposes:
            panel.check(f"[name=purpose][value={purpose}]")
        panel.check("[name=detail][value=rhythm]")
        self.press("join")
        expect(on(panel, "state")).to_be_visible()
        return address

    def enable(self, site: Site) -> None:
        """Switch a site on, and allow it in the browser's own prompt."""
        panel = self.panel()
        self.press(f"site {site.url}")
        row = panel.locator(f"[data-origin='{site.url}']")
        panel.evaluate(COUNT_KEYS)
        for _ in range(10):
            # The prompt takes the keyboard from the page. It opens on "Deny"; the next one allows.
            if self._prompts(panel):
                self._key("Tab", "Return")
            with suppress(AssertionError):
                expect(row).to_have_attribute("data-state", "on", timeout=3000)
                panel.reload()
                return
            if row.get_by_role("button").is_enabled():
                self.press(f"site {site.url}")
        raise AssertionError("the browser's prompt did not come, or would not be answered")

    def _prompts(self, panel: Page) -> bool:
        before = panel.evaluate("window.keys")
        self._key("Shift_L")
        for _ in range(10):
            if panel.evaluate("window.keys") > before:
                return False
            time.sleep(0.05)
        return True

    def _key(self, *names: str) -> None:
        environment = {**os.environ, "DISPLAY": self.display}
        subprocess.run(["xdotool", "key", *names], env=environment, check=True)

    def visit(self, url: str, *, recording: bool = True) -> Page:
        page = self.context.new_page()
        page.goto(url)
        if recording:
            expect(page.locator("[data-state=recording]")).to_be_attached()
        return page

    def badge(self, page: Page) -> str:
        """Return what the toolbar icon says of a tab."""
        page.bring_to_front()
        script = """async () => {
          const [tab] = await chrome.tabs.query({ active: true });
          return chrome.action.getBadgeText({ tabId: tab.id });
        }"""
        (worker,) = self.context.service_workers
        return str(worker.evaluate(script))

    def stop_worker(self, page: Page) -> None:
        """Stop the worker at once, whatever it is doing."""
        session = self.context.new_cdp_session(page)
        session.send("ServiceWorker.enable")
        session.send("ServiceWorker.stopAllWorkers")
        session.detach()

    def stored(self, **of: str) -> list[list[dict[str, Any]]]:
        """Send what waits and return what the server has: for each session its events.

        `at`: address of the study, where there are several.
        """
        self.ask(do="send", **of)
        found = self.ask(do="export", **of)
        receipts = found if isinstance(found, list) else [found]
        tables = [table for receipt in receipts for table in receipt["sessions"]]
        sessions = []
        for table in tables:
            names = list(table)
            rows = [dict(zip(names, row, strict=True)) for row in zip(*table.values(), strict=True)]
            sessions.append(sorted(rows, key=lambda row: row["seq"]))
        return sessions


def on(page: Page, name: str) -> Any:
    return page.locator(f'[data-id="{name}"]')


def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


POLICIES = Path("/etc/chromium/policies/managed")
POLICY = POLICIES / "overt-test.json"
"""Where Debian's Chromium looks for what the keeper of a machine sets."""


def can_manage() -> bool:
    return os.access("/etc/chromium", os.W_OK)


@contextmanager
def policy(**states: Any) -> Iterator[dict[str, Any]]:
    """Set a policy for the extension while this lasts; it takes effect in a running browser."""
    POLICY.write_text(json.dumps({"3rdparty": {"extensions": {ID: states}}}))
    try:
        yield states
    finally:
        POLICY.unlink()


@contextmanager
def extended(folder: Path, build: Path) -> Iterator[Extended]:
    """Run it all."""
    with suppress(PermissionError):
        POLICY.unlink(missing_ok=True)  # of a run that was killed: it would hold here too
    with ExitStack() as stack:
        listed, other, unlisted = (stack.enter_context(site()) for _ in range(3))
        with Store.open(folder / "data", create=True) as store:
            lines = (
                'paths = ["/", "/write/:id"]\n'
                f'[[sites]]\norigin = "{listed.url}"\npaths = ["/", "/write/*"]\n'
                'fields = ["[data-overt]", "!.private"]\n'
                f'[[sites]]\norigin = "{other.url}"\n'
            )
            text = template("writing", "How people write")
            text = text.replace("\n[notice.en]", f"\n{lines}[notice.en]")
            text = text.replace('purposes = ["next-action", "typing-assist"]', PURPOSES)
            studies.register(store, text.encode())
            desktop = 'id = "editor"\ntitle = "Text editor"\nexecutables = ["mousepad"]'
            second = (
                f'\n[[sites]]\norigin = "{listed.url}"\n[[applications]]\n{desktop}\n[notice.en]'
            )
            text = template("second", "A second study").replace("\n[notice.en]", second)
            studies.register(store, text.encode())
        if can_manage():
            POLICIES.mkdir(parents=True, exist_ok=True)  # a browser watches what is there
        server = stack.enter_context(studio(folder))
        display = stack.enter_context(screen())
        extension = build / "extension-chromium"
        context = stack.enter_context(
            chromium(
                user_data_dir=str(folder / "profile"),
                headless=False,
                env={**os.environ, "DISPLAY": display},
                args=[
                    "--no-sandbox",
                    f"--load-extension={extension}",
                    f"--disable-extensions-except={extension}",
                ],
            )
        )
        context.set_default_timeout(60_000)
        if not context.service_workers:
            context.wait_for_event("serviceworker")
        data_dir = server.data_dir
        yield Extended(context, server.url, listed, other, unlisted, display, data_dir)


PURPOSES = 'purposes = ["next-action", "person-or-program", "typing-assist"]'
