"""Person or program on the five-minute page, in a real Chromium."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import TimeoutError as Waited
from playwright.sync_api import expect

from overt.models.programs import fitted
from overt.models.programs.features import NAMES
from programs_vectors import VECTORS, vectors
from studio_fixtures import PATIENCE_MS, Hands, chromium, counts, join, studio

AXIS = NAMES.index("axis_steps_median")


def test_the_vectors_are_those_python_computes() -> None:
    stored, made = json.loads(VECTORS.read_text()), vectors()
    assert len(stored["windows"]) == len(made["windows"])
    for before, now in zip(stored["windows"], made["windows"], strict=True):
        assert now["said"] == before["said"]
        assert now["samples"] == before["samples"]
        for name in ("odds", "as_person", "as_program"):
            assert now[name] == pytest.approx(before[name], rel=1e-4, abs=1e-5)
        for old, new in zip(before["numbers"], now["numbers"], strict=True):
            assert (old is None) == (new is None)
            assert old is None or new == pytest.approx(old, rel=1e-6, abs=1e-6)
    assert {one["said"] for one in stored["windows"]} == {"person", "program", "cannot-tell"}
    assert fitted.SAMPLE_ID == "programs/1"


def test_among_the_vectors_is_movement_by_keys_that_would_be_called_a_programs() -> None:
    stored = json.loads(VECTORS.read_text())
    page, (one,) = stored["page"], [w for w in stored["windows"] if w["numbers"][AXIS] == 1]
    assert one["as_person"] <= page["wronged"]
    assert one["as_program"] > page["missed"]
    assert one["said"] == "cannot-tell"


def test_a_script_is_judged_in_the_page_and_nothing_of_it_is_recorded(tmp_path: Path) -> None:
    with studio(tmp_path) as server, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(server.url)
        hands = Hands(page)
        expect(hands.on("script-run")).to_be_disabled()
        join(hands, "person-or-program")
        hands.press("who-train")
        expect(hands.on("who-from")).to_contain_text("synthetic", timeout=PATIENCE_MS)
        _wander(page)
        expect(hands.on("verdict-person")).to_contain_text("Rests on")
        page.mouse.move(5, 5)
        page.select_option("[data-testid='script-kind']", "jump")
        newest = hands.on("live-table").locator("tbody tr").first
        page.wait_for_function(STEADY, polling=1500)
        before, last = counts(hands), newest.inner_text()
        # Not pressed, but told: a press would be the person's own event.
        page.evaluate("() => document.querySelector('[data-testid=script-run]').click()")
        expect(hands.on("verdict-script")).to_have_attribute(
            "data-verdict", re.compile("^(program|cannot-tell)$")
        )
        expect(hands.on("verdict-script")).to_contain_text("Probability of a program")
        page.wait_for_function(STEADY, polling=1500)
        after = counts(hands)
        assert newest.inner_text() == last
        assert after["produced"] == before["produced"]
        assert after["waiting"] + after["stored"] == before["waiting"] + before["stored"]
        _shown(page, tmp_path)


STEADY = """() => {
  const now = document.querySelector("[data-testid=count-produced]").textContent;
  const same = window.countBefore === now;
  window.countBefore = now;
  return same;
}"""
"""The counts on the page follow the events by up to a second, when the journal is written."""


def _wander(page: Any) -> None:
    for number in range(40):
        page.mouse.move(200 + 17 * number, 300 + 40 * (number % 5), steps=6)
        page.evaluate("() => new Promise((seen) => requestAnimationFrame(seen))")


WIDE = """() => [...document.querySelectorAll("body *")]
  .filter((one) => one.getBoundingClientRect().right > innerWidth)
  .map((one) => [one.localName, one.className, one.dataset.testid])"""


def until_fits(page: Any, width: int) -> None:
    """Charts are drawn anew when the page's width has changed, which is after it has."""
    fits = "(width) => document.documentElement.scrollWidth <= width"
    try:
        page.wait_for_function(fits, arg=width, timeout=PATIENCE_MS)
    except Waited:
        pytest.fail(f"wider than {width}: {page.evaluate(WIDE)}")


def _shown(page: Any, folder: Path) -> None:
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        until_fits(page, width)
        section = page.locator("section[aria-labelledby='who-h']")
        section.screenshot(path=str(folder / f"who-{width}.png"))
