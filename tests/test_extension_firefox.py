"""The extension in a real Firefox, into a real server and its store."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from extension_fixtures import Site, built, site
from firefox_fixtures import Firefox, firefox
from overt.gateway import studies
from overt.schema.event import Kind
from overt.schema.study import template
from overt.store.store import Store
from studio_fixtures import studio

ID = "extension@overt.invalid"
ALLOW = """const w = Services.wm.getMostRecentWindow("navigator:browser");
const prompt = w.PopupNotifications.panel.firstElementChild;
if (prompt?.id !== "addon-webext-permissions-notification") return false;
prompt.button.click();
return true;"""
REST = f"await WebExtensionPolicy.getByID('{ID}').extension.terminateBackground();"
SESSIONS = """const tab = (await browser.tabs.query({})).find(({ url }) => url === a[0]);
const all = await browser.tabs.sendMessage(tab.id, { call: "sessions" }, { frameId: 0 });
return all.length === a[1];"""
ASK = "return (await browser.runtime.sendMessage(a[0])).value"


@dataclass
class Foxed:
    """A Firefox with the extension, joined to a study, beside two sites of which one is listed."""

    fox: Firefox
    panel: str
    listed: Site
    other: Site


@contextmanager
def foxed(tmp_path: Path) -> Iterator[Foxed]:
    build = built(tmp_path / "build")
    with ExitStack() as stack:
        listed, other = (stack.enter_context(site()) for _ in range(2))
        with Store.open(tmp_path / "data", create=True) as store:
            lines = f'\n[[sites]]\norigin = "{listed.url}"\n[notice.en]'
            text = template("writing", "x").replace("\n[notice.en]", lines)
            studies.register(store, text.encode())
        server = stack.enter_context(studio(tmp_path))
        fox = stack.enter_context(firefox(tmp_path))
        fox.do("Addon:Install", path=str(build / "extension-firefox"), temporary=True)
        host = fox.inside(f"return WebExtensionPolicy.getByID('{ID}').mozExtensionHostname")
        panel = fox.tab(f"moz-extension://{host}/panel.html#tab")
        fox.write("#address", f"{server.url}/study/writing")
        fox.click("[data-id=read]")
        fox.click("[name=purpose][value=typing-assist]")
        fox.click("[name=detail][value=rhythm]")
        fox.click("[data-id=join]")
        fox.until("return document.querySelector('[data-id=state]') !== null")
        yield Foxed(fox, panel, listed, other)


@pytest.mark.soak
def test_it_joins_records_over_a_stopped_background_and_leaves(tmp_path: Path) -> None:
    with foxed(tmp_path) as made:
        fox, listed, panel = made.fox, made.listed, made.panel
        fox.click(f"[data-id='site {listed.url}']")
        while not fox.inside(ALLOW):
            pass
        fox.until("return document.querySelector('[data-state=on]') !== null")
        fox.tab(listed.url)
        fox.until("return document.querySelector('[data-state=recording]') !== null")
        fox.write("#listed", "a ferry")
        fox.inside(REST)
        fox.write("#listed", " crosses")
        fox.write("#password", "hunter")
        fox.do("WebDriver:SwitchToWindow", handle=panel)
        fox.run(ASK, {"do": "send"})
        (session,) = fox.run(ASK, {"do": "export"})["sessions"]
        assert session["seq"] == list(range(len(session["seq"])))
        assert session["kind"].count(Kind.KEY_DOWN) == len("a ferry crosses")
        framed = fox.tab(f"{listed.url}/write/framed")
        fox.until("return document.querySelector('[data-state=recording]') !== null")
        fox.do("WebDriver:SwitchToFrame", id=0)
        fox.click("#button")
        # Until the page around has said that its sign is seen.
        fox.do("WebDriver:SwitchToWindow", handle=panel, focus=False)
        fox.until(SESSIONS, f"{listed.url}/write/framed", 2)
        fox.do("WebDriver:SwitchToWindow", handle=framed, focus=False)
        fox.do("WebDriver:SwitchToFrame", id=0)
        fox.write("#password", "hunter")
        fox.write("#listed", "framed")
        fox.do("WebDriver:SwitchToWindow", handle=panel)
        fox.run(ASK, {"do": "send"})
        sessions = fox.run(ASK, {"do": "export"})["sessions"]
        assert [one["kind"].count(Kind.KEY_DOWN) for one in sessions].count(len("framed")) == 1
        fox.tab(made.other.url)
        fox.write("#listed", "not for you")
        assert fox.run("return document.querySelector('[data-state]') === null")
        fox.do("WebDriver:SwitchToWindow", handle=panel)
        assert fox.run(ASK, {"do": "leave"}) is True
        assert fox.run("return (await browser.permissions.getAll()).origins") == []
        assert fox.run("return (await indexedDB.databases()).length") == 0


POLICIES = Path("/etc/firefox/policies/policies.json")
"""Where a Firefox on Linux looks for what the keeper of the machine sets."""


@pytest.mark.soak
@pytest.mark.skipif(not os.access("/etc", os.W_OK), reason="only root may write policies")
def test_a_managed_policy_narrows_and_is_shown_whole(tmp_path: Path) -> None:
    stated = {"sites": ["https://elsewhere.example"]}
    POLICIES.parent.mkdir(parents=True, exist_ok=True)
    assert not POLICIES.exists(), "somebody manages this machine's Firefox"
    POLICIES.write_text(json.dumps({"policies": {"3rdparty": {"Extensions": {ID: stated}}}}))
    try:
        with foxed(tmp_path) as made:
            shown = made.fox.run("return document.querySelector('[data-id=policy]').textContent")
            assert json.loads(shown) == stated
            state = "return document.querySelector('[data-origin]').dataset.state"
            assert made.fox.run(state) == "policy"
            assert made.fox.run(ASK, {"do": "enable", "origin": made.listed.url}) is None
            assert made.fox.run(state) == "policy"
    finally:
        POLICIES.unlink()
