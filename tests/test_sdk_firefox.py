"""The SDK in a real Firefox: what holds in Chromium holds there."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from firefox_fixtures import firefox
from overt.schema.event import Kind
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
