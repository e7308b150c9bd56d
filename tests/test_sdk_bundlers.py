"""The npm package through other people's bundlers, and then in a browser: webpack, Vite, Parcel."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from npm_fixtures import installed, tool
from sdk_fixtures import FIXTURES, Server, until, write
from test_sdk_package import FRAME, built, write_in_a_frame

browser, context, own, page, server, shared = FIXTURES
__all__ = ["built"]

pytestmark = pytest.mark.soak

WEBPACK, WEBPACK_CLI, VITE, PARCEL = "5.102.1", "6.0.1", "7.1.12", "2.16.0"
INSTALLED = {
    "webpack": [f"webpack@{WEBPACK}", f"webpack-cli@{WEBPACK_CLI}"],
    "vite": [f"vite@{VITE}"],
    "parcel": [f"parcel@{PARCEL}"],
}
COMMANDS = {
    "webpack": "webpack-cli/bin/cli.js --mode production --entry ./page.js -o out",
    "vite": "vite/bin/vite.js build --outDir out",
    "parcel": "parcel/lib/bin.js build index.html --dist-dir out --no-cache --no-source-maps",
}
SITE = {"private": True, "type": "module"}
PARCEL_READS_EXPORTS = {"@parcel/resolver-default": {"packageExports": True}}
INDEX = """<!doctype html><link rel="icon" href="data:,"><textarea id="listed"></textarea>
<script type="module" src="./page.js"></script>"""
SCRIPT = """import { open } from "@overt/sdk";
import { describe } from "@overt/sdk/more";
open({ study: "test" }).then(async (overt) => {
  const { notice } = await overt.notice();
  Object.assign(window, { overt, title: notice.title, seen: [], told: [] });
  overt.watch(({ event }) => { seen.push(event); told.push(describe(event)); });
  const { assist } = await import("@overt/sdk/text-assist");
  const how = { wanted: () => true, common: ["banana"] };
  assist(overt, document.querySelector("#listed"), (help) => { window.help = help; }, how);
});"""


@pytest.mark.parametrize("bundler", INSTALLED)
def test_a_site_made_with_it_records_also_in_frames_and_helps_with_writing(
    bundler: str, built: Path, tmp_path: Path, own: Any, server: Server
) -> None:
    (made,) = json.loads(tool("npm", "pack", "--json", built, cwd=built.parent))
    site = tmp_path / "site"
    site.mkdir()
    more = PARCEL_READS_EXPORTS if bundler == "parcel" else {}
    (site / "package.json").write_text(json.dumps({**SITE, **more}))
    installed(site, *INSTALLED[bundler], built.parent / made["filename"])
    (site / "page.js").write_text(SCRIPT)
    (site / "index.html").write_text(INDEX)
    entry, *how = COMMANDS[bundler].split()
    tool("node", f"node_modules/{entry}", *how, cwd=site)

    out = site / "out"
    for path in out.rglob("*"):
        if path.is_file():
            server.pages[f"/{path.relative_to(out)}"] = path.read_bytes()
    index = out / "index.html"
    head = INDEX.replace("./page.js", "/main.js")
    text = index.read_text() if index.is_file() else head
    server.pages["/site"] = f"{text}<iframe src='/inside'></iframe>".encode()
    server.pages["/inside"] = FRAME
    page = own.new_page()
    page.goto(f"{server.url}/site")
    page.wait_for_function("window.overt && title === 'Test' && window.help")
    page.evaluate("overt.join(['typing-assist'])")
    until(page, "recording")
    write(page, "ban")
    page.wait_for_function("help.words.includes('banana')")
    assert "key down · letter · text area" in page.evaluate("told")
    write_in_a_frame(page)
    assert page.evaluate("overt.outbox().then(Array.isArray)")
