"""The SDK in a real Firefox: what holds in Chromium holds there."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from firefox_fixtures import firefox
from hostile import AGAIN, BEHIND_ITS_BACK
from overt.schema.event import Edit, Kind
from sdk_fixtures import PURPOSES, is_whole, serving

pytestmark = pytest.mark.soak

INSIDE = b"""<!doctype html><input id="listed"><input id="password" type="password">
<script>addEventListener("overt-frame", () => { document.title = "entered" })</script>"""
FRAME = """await overt.frames();
document.body.prepend(Object.assign(document.createElement("iframe"), { src: "/inside" }));"""
RECORDING = "return window.ready === true && overt.state().phase === 'recording'"
GO = "history.pushState({}, '', a[0])"


def test_it_records_frames_too_sends_goes_on_and_leaves(tmp_path: Path) -> None:
    with serving() as server, firefox(tmp_path) as fox:
        server.pages["/inside"] = INSIDE
        server.paths = ["/", "/inside"]
        fox.tab(server.url)
        fox.until("return window.ready === true")
        fox.run("await overt.join(a[0])", PURPOSES)
        fox.until(RECORDING)
        fox.write("#listed", "abc")
        fox.write("#password", "hunter")
        fox.run(GO, "/elsewhere")
        fox.write("#listed", "not here")
        fox.run(GO, "/")
        fox.until(RECORDING)
        fox.click("#button")
        fox.run(FRAME)
        fox.until("return frames[0].document.title === 'entered'")
        fox.do("WebDriver:SwitchToFrame", id=0)
        fox.write("#password", "hunter")
        fox.write("#listed", "de")
        fox.do("WebDriver:SwitchToFrame", id=None)
        first = fox.run("return overt.state().session")
        fox.run("await overt.sendNow()")
        events = server.events(first)
        assert is_whole([event["seq"] for event in events])
        found = Counter(event["kind"] for event in events)
        assert found[Kind.KEY_DOWN] == found[Kind.KEY_UP] == found[Kind.EDIT] == len("abcde")
        in_frame = [e for e in events if e["kind"] == Kind.KEY_DOWN and e["element"] >= 1024]
        assert len(in_frame) == len("de")
        assert found[Kind.POINTER_DOWN] > 0
        fox.run("location.reload()")
        fox.until(f"{RECORDING} && overt.state().session !== a[0]", first)
        fox.write("#listed", "f")
        fox.run("await overt.withdraw()")
        assert fox.run("return (await indexedDB.databases()).length") == 0
        assert fox.run("return document.querySelector('overt-indicator') === null")
        assert server.withdrawn
        assert server.strange == []


ENDLESS = """const sheet = new CSSStyleSheet();
sheet.replaceSync("::view-transition-group(*) { animation-duration: 1e6s }");
document.adoptedStyleSheets = [sheet];
window.turning = document.startViewTransition();"""
LIES = """let at = getComputedStyle(document.body);
while (!Object.getOwnPropertyDescriptor(at, "opacity")) at = Object.getPrototypeOf(at);
Object.defineProperty(at, "opacity", { get: () => "1" });
document.documentElement.style.opacity = ".01";"""


def test_whatever_hides_the_sign_stops_recording_here_too(tmp_path: Path) -> None:
    # A layer that lets presses through is seen by Chromium alone: SECURITY.md says so.
    over = AGAIN.replace("pointer-events:none", "")
    hiding = {how: f"{change} {over}" for how, change in BEHIND_ITS_BACK.items()}
    hiding |= {"a page that turns into another": ENDLESS, "lies of how it looks": LIES}
    with serving() as server, firefox(tmp_path) as fox:
        fox.tab(server.url)
        fox.until("return window.ready === true")
        fox.run("await overt.join(a[0])", PURPOSES)
        for change in hiding.values():
            fox.until(RECORDING)
            # In the page's own world, and not that of who drives it.
            fox.run("document.body.append(Object.assign(document.createElement('script'), a[0]))",
                    {"text": f"{{ const act = () => {{ {change} }}; act(); }}"})  # fmt: skip
            fox.until("return overt.state().phase !== 'recording'")
            fox.run("location.reload()")


PUT_RIGHT = """const menu = document.getElementById("contentAreaContextMenu");
const offered = menu.querySelector(".spell-suggestion");
offered?.doCommand();
menu.hidePopup();
return offered?.label ?? "";"""
"""As a press on the first word that the context menu offers."""


def test_a_word_that_the_browsers_spell_check_puts_right_is_one_replacement(
    tmp_path: Path,
) -> None:
    with serving() as server, firefox(tmp_path) as fox:
        fox.tab(server.url)
        fox.until("return window.ready === true")
        fox.run("await overt.join(a[0])", PURPOSES)
        fox.until(RECORDING)
        fox.run("free.lang = 'en-US'")
        fox.write("#free", "mistaek is here ")
        put = ""
        for _ in range(50):  # the browser looks at spelling when it has time
            fox.press_right("#free", -70, -8)
            fox.until("return document.hasFocus()")
            if put := fox.inside(PUT_RIGHT):
                break
        if not put:
            pytest.skip("this Firefox has no English dictionary")
        assert fox.run("return free.value") == f"{put} is here "
        fox.until("return seen.some(({ edit }) => edit === a[0])", Edit.INSERT_REPLACEMENT)
        fox.run("await overt.sendNow()")
        edits = [event for event in server.events() if event["kind"] == Kind.EDIT]
        assert len(edits) == len("mistaek is here ") + 1
        last = edits[-1]
        assert (last["edit_chars"], last["value"]) == (len(put), len("mistaek"))
