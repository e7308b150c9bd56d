"""A person's own typo, put right in the page by what their own corrections taught."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect

from studio_fixtures import Hands, chromium, holds, join, studio, wire

SLIP, WORD = "qzanary", "zqanary"
"""A made-up slip and word: two letters swapped, found nowhere else."""
UNSEEN_SLIP, UNSEEN = "zehronaq", "zheronaq"
"""A word typed in a pause, and a slip of it: the same letters swapped as in teh."""


def test_a_slip_that_was_corrected_is_put_right_elsewhere_and_never_leaves(tmp_path: Path) -> None:
    with (
        studio(tmp_path) as server,
        wire(server.url) as relay,
        chromium() as browser,
    ):
        page = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        page.goto(relay.url)
        hands = Hands(page)
        field, line, put = (hands.on(name) for name in ("task-free", "typo-line", "typo-put"))
        expect(line).to_contain_text("tick the box")
        join(hands, "typing-assist")
        hands.write("task-free", f"a {SLIP} ")
        expect(put).to_be_hidden()
        hands.press("remember-keys")
        hands.write("task-free", f"one {SLIP}")
        expect(line).to_contain_text("Type teh")
        for _ in SLIP:
            page.keyboard.press("Backspace")
        hands.page.keyboard.type(f"{WORD} and more {SLIP} ", delay=4)
        expect(line).to_contain_text(f"{SLIP} → {WORD}, as you corrected before")
        page.keyboard.press("Control+.")
        expect(field).to_have_value(f"a {SLIP} one {WORD} and more {WORD} ")
        put.click()
        expect(field).to_have_value(f"a {SLIP} one {WORD} and more {SLIP} ")
        page.keyboard.type(f"then breakfast and {SLIP} ", delay=4)
        expect(put).to_be_hidden()
        # Both models are in the page: without a connection they go on as before.
        page.context.set_offline(True)
        page.keyboard.type(f"but {WORD}s and {SLIP}s ", delay=4)
        expect(line).to_contain_text(f"{SLIP}s → {WORD}s, two letters swapped")
        # What it expects next are words of mine, in the order in which I used them before.
        page.keyboard.type("then breakfast and then b", delay=4)
        first, expected = hands.on("expected-1"), hands.on("expected-line")
        expect(first).to_have_text("breakfast")
        page.keyboard.press("Control+,")
        expect(field).to_have_value(re.compile("and then breakfast $"))
        expect(first).to_have_text("and")
        first.click()
        expect(field).to_have_value(re.compile("then breakfast and $"))
        expect(expected).to_contain_text("words here stood among these")
        page.context.set_offline(False)
        hands.press("send-now")
        expect(hands.on("count-stored")).not_to_have_text("0")
        hands.press("pause")
        expect(line).to_contain_text("tick the box")
        expect(hands.on("expected-words")).to_be_hidden()
        hands.press("pause")
        hands.write("task-free", f"{SLIP} ")
        expect(put).to_be_hidden()
        # What is typed in a pause is not learned later either, though the field keeps the focus.
        hands.press("pause")
        hands.press("pause")
        field.focus()
        for typed in (UNSEEN, " teh\b\b\bthe "):
            hands.on("pause").dispatch_event("click")
            expect(hands.on("pause")).to_have_text("Resume" if typed == UNSEEN else "Pause")
            for key in typed:
                page.keyboard.press("Backspace") if key == "\b" else page.keyboard.type(key)
        expect(line).to_contain_text("Learned from you, here only: 1 correction")
        page.keyboard.type(f"{UNSEEN_SLIP} ", delay=4)
        expect(put).to_be_hidden()
        page.keyboard.type(UNSEEN[:3], delay=4)
        expect(hands.on("expected-words")).to_be_hidden()
        page.keyboard.type("m ", delay=4)
        expect(hands.on("expected-words")).to_be_visible()
        for secret in (SLIP, WORD):
            assert not holds(relay.everything(), secret)
