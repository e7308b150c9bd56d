"""The extension in a real Firefox, into a real server and its store."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from extension_fixtures import built, site
from firefox_fixtures import firefox
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
ASK = "return (await browser.runtime.sendMessage(a[0])).value"


@pytest.mark.soak
def test_it_joins_records_over_a_stopped_background_and_leaves(tmp_path: Path) -> None:
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
        fox.tab(other.url)
        fox.write("#listed", "not for you")
        assert fox.run("return document.querySelector('[data-state]') === null")
        fox.do("WebDriver:SwitchToWindow", handle=panel)
        assert fox.run(ASK, {"do": "leave"}) is True
        assert fox.run("return (await browser.permissions.getAll()).origins") == []
        assert fox.run("return (await indexedDB.databases()).length") == 0
