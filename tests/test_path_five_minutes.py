"""The whole five-minute path in a real Chromium: by mouse, on a phone, by keyboard alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from overt.log.verify import verify
from studio_fixtures import (
    Hands,
    Keyboard,
    Studio,
    Touch,
    chromium,
    counts,
    join,
    studio,
)

SENTENCE = "The quick brown fox jumps over the lazy dog, and nobody asks the dog."
FREE = (
    "I had two slices of toast with honey and a cup of black coffee, and yes, it was worth getting "
    "up for, because the kitchen is the warmest room in the morning."
)
WAYS: dict[str, tuple[type[Hands], dict[str, Any]]] = {
    "mouse": (Hands, {"viewport": {"width": 1280, "height": 800}}),
    "phone": (
        Touch,
        {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
    ),
    "keyboard": (Keyboard, {"viewport": {"width": 1280, "height": 800}}),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with studio(tmp_path_factory.mktemp("studio")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as made:
        yield made


def kept(hands: Hands, name: str) -> dict[str, Any]:
    """Press a download button and return the JSON that was kept."""
    with hands.page.expect_download() as download:
        hands.press(name)
    return dict(json.loads(Path(download.value.path()).read_bytes()))


def do_the_tasks(hands: Hands) -> None:
    hands.press("remember-keys")
    hands.write("task-copy", SENTENCE)
    hands.write("task-free", FREE)
    hands.menu("tea", "jasmine", "large")
    for name, value in (("continent", "Europe"), ("country", "Portugal"), ("city", "Lisbon")):
        hands.choose(f"select-{name}", value)
    hands.write("task-edit", "")
    hands.page.keyboard.press("Control+End")
    hands.page.keyboard.press("Control+Backspace")
    hands.page.keyboard.press("Control+z")
    hands.write("form-name", "Ada")
    hands.write("form-password", "made up")
    hands.press("form-show")
    expect(hands.on("form-password")).to_have_attribute("type", "text")
    hands.press("form-submit")
    hands.targets()
    hands.read()
    for task in range(1, 8):
        expect(hands.page.locator(f"[data-task='{task}'] .done")).to_be_visible()


def balance_the_outbox(hands: Hands) -> None:
    """Remove one group, send the rest, and see that the counts agree.

    On a slow machine all of the tasks may have left by now, so something new is written first; and
    the list holds still once nothing more is recorded.
    """
    hands.write("form-name", "Ada again")
    hands.press("pause")
    expect(hands.on("bar-state")).to_have_text("Paused")
    expect(hands.on("entry-remove").first).to_be_visible()
    hands.press("entry-remove")
    expect(hands.on("count-removed")).not_to_have_text("0")
    expect(hands.on("send-now")).to_be_enabled()
    hands.press("send-now")
    expect(hands.on("count-waiting")).to_have_text("0")
    expect(hands.on("count-stored")).to_have_text(hands.on("count-acknowledged").inner_text())
    seen = counts(hands)
    assert seen["produced"] == seen["acknowledged"] + seen["removed"]
    assert seen["stored"] == seen["acknowledged"] > 200
    assert seen["removed"] > 0
    assert seen["lost"] == 0
    hands.press("pause")
    expect(hands.on("bar-state")).to_have_text("Recording")


def learn(hands: Hands) -> None:
    hands.press("train")
    expect(hands.come("metrics-table")).to_contain_text("synthetic")
    expect(hands.on("predict")).to_be_visible()
    hands.write("task-predict", "what will it expect of me next")
    expect(hands.on("expect-list").locator("li")).to_have_count(5)
    expect(hands.on("predict-table")).to_contain_text("%")
    expect(hands.on("predict-chart").locator("polyline")).to_have_count(3)


def look_at_the_risk(hands: Hands) -> None:
    hands.press("risk-compare")
    for view in ("risk-raw", "risk-rhythm", "risk-coarse"):
        expect(hands.on(view)).to_contain_text("25")
    expect(hands.on("risk-chart").locator("circle")).to_have_count(25)
    expect(hands.on("risk-real")).not_to_contain_text("Asked only after")


@pytest.mark.parametrize(
    "way", [pytest.param(way, marks=pytest.mark.soak if way != "mouse" else ()) for way in WAYS]
)
def test_a_person_does_the_whole_path(server: Studio, browser: Any, way: str) -> None:
    kind, how = WAYS[way]
    context = browser.new_context(reduced_motion="reduce", **how)
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: message.type == "error" and troubles.append(message.text))
    gone = "Failed to load resource: the server responded with a status of 410 (Gone)"
    page.goto(server.url)
    hands = kind(page)
    expect(hands.on("bar-state")).to_have_text("Not recording")
    for purpose in ("next-action", "person-or-program", "typing-assist"):
        expect(hands.on(f"purpose-{purpose}")).not_to_be_checked()

    detail = "rhythm/1" if way == "phone" else "rhythm"
    join(hands, "next-action", "person-or-program", "typing-assist", detail=detail)
    expect(page.locator("overt-indicator")).to_be_visible()
    receipt = kept(hands, "receipt-download")
    assert receipt["recovery_code"] == hands.on("recovery-code").inner_text()

    do_the_tasks(hands)
    look_at_the_risk(hands)
    balance_the_outbox(hands)
    learns = way == "mouse"  # training and unlearning are the same behind every pair of hands
    if learns:
        learn(hands)

    hands.press("proof-load")
    expect(hands.on("proof-table")).to_contain_text("You consented")
    if learns:
        expect(hands.on("proof-table")).to_contain_text("Your data was read")
    report = verify(kept(hands, "bundle-download"), receipt)
    assert report.ok, report.lines

    hands.press("withdraw-all")
    hands.press("withdraw-confirm")
    expect(hands.on("bar-state")).to_have_text("Not recording")
    hands.come("certificate")
    if learns:
        expect(hands.on("model-equal")).to_contain_text("it never met you")
    bundle = kept(hands, "bundle-download")
    report = verify(bundle, receipt)
    assert report.ok, report.lines
    assert bundle["certificate"]["bytes_found"] == 0
    assert bundle["certificate"]["model_equals_never_seen"] is True or not learns
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert [trouble for trouble in troubles if trouble != gone] == []
    context.close()
