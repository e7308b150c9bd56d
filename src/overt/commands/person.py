"""An unattended person in a headless Chromium: joins, types, points, looks, leaves.

Keys and pointer are injected through the browser's own input pipeline, so the page cannot tell them
from a hand. All text is made up; the password is a canary that must turn up nowhere.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from overt.commands import chromium
from overt.schema import batch as batches
from overt.schema.errors import Damaged
from overt.schema.fold import MAGIC as FOLDED

SENTENCE = "A quiet river finds its way home, even in the dark."
FREE = "Two slices of bread with plum jam, and it was worth getting up for, mostly."
PREDICTED = "we type a little more and watch what it expects of us"
TIMEOUT_MS = 60_000
LEARN_TIMEOUT_MS = 900_000
"""Training and erasing take a minute or so on two idle cores, and more on busy ones."""


@dataclass
class Seen:
    """What the page showed, and what went over the wire."""

    receipt: dict[str, Any] = field(default_factory=dict, repr=False)
    counts: dict[str, int] = field(default_factory=dict)
    card: dict[str, Any] = field(default_factory=dict)
    risk: dict[str, str] = field(default_factory=dict)
    bundle: dict[str, Any] = field(default_factory=dict, repr=False)
    sent: list[bytes] = field(default_factory=list, repr=False)
    """Bodies of all requests, inflated."""


class Visit:
    """One visit to the five-minute page."""

    def __init__(self, page: Any, canary: str) -> None:
        self._page, self._canary = page, canary
        self._random = random.Random(7)  # noqa: S311 - rhythm, not secrets
        self.seen = Seen()
        page.set_default_timeout(TIMEOUT_MS)
        page.on("request", self._note)

    def join(self, url: str) -> dict[str, Any]:
        """Open the page, choose every purpose, and return the receipt."""
        self._page.goto(url)
        self._at("detail-rhythm").check()
        for box in self._page.locator("input[name=purpose]").all():
            box.check()
        self._at("join").click()
        self._at("recovery-code").wait_for()
        self.seen.receipt = json.loads(self._at("receipt-text").text_content())
        return self.seen.receipt

    def do_tasks(self) -> None:
        """Type, correct, choose, fill in, hit and scroll."""
        self._at("remember-keys").check()
        self._type_into("task-copy", SENTENCE)
        self._type_into("task-free", FREE)
        for _ in range(3):
            self._press("Backspace")
        for name in ("select-continent", "select-country", "select-city"):
            self._at(name).select_option(index=1)
        self._at("task-edit").click()
        for keys in ("End", "Control+Backspace", "Control+z"):
            self._press(keys)
        self._type_into("form-name", "Ada Nobody")
        self._type_into("form-password", self._canary)
        self._at("form-show").click()
        self._at("form-submit").click()
        self._hit_targets()
        self._at("task-read").hover()
        for _ in range(8):
            self._page.mouse.wheel(0, 120)
            self._wait(90)

    def send(self) -> dict[str, int]:
        """Pause, send what waits, and return the page's counts once everything is settled."""
        self._recording(on=False)
        for _ in range(120):
            self.seen.counts = self._counts()
            if self.seen.counts["waiting"] == 0 and self.seen.counts["sent"] > 0:
                break
            # Between a look at the button and a click, the page may have sent the rest by itself.
            self._at("send-now").evaluate("button => button.click()")
            self._wait(500)
        return self.seen.counts

    def learn(self) -> dict[str, Any]:
        """Train from the page and return the card it shows; then type for its predictions."""
        self._at("train").click()
        self._page.locator("#metrics:not([hidden]), #train-error:not([hidden])").first.wait_for(
            timeout=LEARN_TIMEOUT_MS
        )
        if self._at("train-error").is_visible():
            raise Damaged("training failed", where="demo", do=self._text("train-error"))
        self.seen.card = json.loads(self._page.locator("#card-text").text_content())
        self._recording(on=True)
        self._type_into("task-predict", PREDICTED)
        return self.seen.card

    def look_at_risk(self) -> dict[str, str]:
        """Let the page try to recognise the person; return its verdicts."""
        self._at("risk-compare").click()
        self._page.locator("#risk-out:not([hidden]), #risk-few:not([hidden])").first.wait_for()
        names = ("risk-few", "risk-raw", "risk-rhythm", "risk-coarse", "risk-real")
        self.seen.risk = {name: text for name in names if (text := self._text(name))}
        return self.seen.risk

    def leave(self, progress: Callable[[str], None]) -> dict[str, Any]:
        """Withdraw, wait for the certificate, and return the bundle to verify."""
        self._at("withdraw-all").click()
        self._at("withdraw-confirm").click()
        status = self._page.locator("#erasure-status.good, #erasure-status.bad").first
        for _ in range(LEARN_TIMEOUT_MS // 1000):
            if status.count():
                break
            progress(self._text("erasure-status"))
            self._wait(1000)
        if "bad" in (self._at("erasure-status").get_attribute("class") or "bad"):
            raise Damaged("erasing failed", where="demo", do=self._text("erasure-status"))
        with self._page.expect_download() as download:
            self._at("bundle-download").click()
        self.seen.bundle = json.loads(Path(download.value.path()).read_bytes())
        return self.seen.bundle

    def _note(self, request: Any) -> None:
        body = request.post_data_buffer
        if body:
            is_folded = body[:4] == FOLDED
            self.seen.sent.append(batches.inflate(body) if is_folded else body)

    def _at(self, name: str) -> Any:
        return self._page.get_by_test_id(name)

    def _text(self, name: str) -> str:
        return str(self._at(name).text_content() or "").strip()

    def _recording(self, *, on: bool) -> None:
        """Pause or resume, unless it is so already, and wait until the page says it is."""
        state = "recording" if on else "paused"
        if self._at("bar-state").get_attribute("data-state") != state:
            self._at("pause").click()
        self._page.locator(f"#bar-state[data-state={state}]").wait_for()

    def _counts(self) -> dict[str, int]:
        names = (
            "produced",
            "waiting",
            "sent",
            "acknowledged",
            "stored",
            "removed",
            "lost",
        )
        digits = {name: "".join(filter(str.isdigit, self._text(f"count-{name}"))) for name in names}
        return {name: int(text or 0) for name, text in digits.items()}

    def _wait(self, ms: float) -> None:
        self._page.wait_for_timeout(ms)

    def _press(self, key: str) -> None:
        self._page.keyboard.press(key, delay=self._random.lognormvariate(4.4, 0.25))
        self._wait(self._random.lognormvariate(4.0, 0.5))

    def _type_into(self, name: str, text: str) -> None:
        field_ = self._at(name)
        field_.scroll_into_view_if_needed()
        box = field_.bounding_box()
        self._page.mouse.move(
            box["x"] + box["width"] / 3,
            box["y"] + box["height"] / 2,
            steps=self._random.randint(8, 16),
        )
        self._page.mouse.down()
        self._page.mouse.up()
        for character in text:
            self._press(character)

    def _hit_targets(self) -> None:
        self._at("targets-start").click()
        for _ in range(12):
            target = self._page.get_by_test_id("target")
            if not target.count():
                break
            box = target.first.bounding_box()
            if box is None:
                break
            x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
            self._page.mouse.move(x, y, steps=self._random.randint(8, 20))
            self._page.mouse.down()
            self._wait(self._random.uniform(40, 90))
            self._page.mouse.up()
            self._wait(60)


@contextmanager
def visiting(canary: str) -> Iterator[Visit]:
    """Yield a visit in a fresh headless Chromium. Raises `Missing` when there is none."""
    path = chromium.require()
    from playwright.sync_api import sync_playwright

    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox"] if as_root else []
        )
        try:
            context = browser.new_context(accept_downloads=True)
            yield Visit(context.new_page(), canary)
        finally:
            browser.close()
