"""The npm package: installed into an empty folder, type-checked, bundled and used in a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from npm_fixtures import ROOT, tool
from overt.schema.event import Kind
from sdk_fixtures import FIXTURES, STATIC, Server, eventually, until, write

browser, context, own, page, server, shared = FIXTURES

SDK = ROOT / "sdk"
THREE_LINES = """import { open } from "@overt/sdk";
const overt = await open({ study: "test" });
const { notice } = await overt.notice();
"""
USE = """import type { Overt } from "@overt/sdk";
import { ask } from "@overt/sdk/consent";
import { describe } from "@overt/sdk/more";
const hooks: Pick<Overt, "join" | "pause" | "resume" | "task" | "watch" | "outbox"> = overt;
Object.assign(window, { overt, title: notice.title, seen: [], told: [] });
overt.watch(({ event }) => {
  (window as unknown as { seen: unknown[] }).seen.push(event);
  (window as unknown as { told: string[] }).told.push(describe(event));
});
// @ts-expect-error: a level that does not exist
const level: ReturnType<typeof overt.state>["level"] = "everything";
const question: Promise<unknown> = document.title === "asks" ? ask(overt) : Promise.resolve(null);
export { hooks, level, question };
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (SDK / "node_modules").is_dir():
        pytest.skip("needs sdk/node_modules: make sdk")
    folder = tmp_path_factory.mktemp("package") / "sdk"
    tool("node", "sdk/package/build.mjs", folder)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_the_package_has_all_that_it_names_and_states_its_hash(built: Path) -> None:
    made = files(built)
    package = json.loads(made["package.json"])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (package["version"], package["license"]) == (project["version"], project["license"])
    named = json.dumps([package["exports"], package["types"], package["unpkg"]])
    for path in re.findall(r'"\./([^"]+)"(?!:)', named):
        assert path in made
    for path, text in made.items():
        assert not path.endswith(".d.ts") or b'.ts"' not in text, path
        assert str(ROOT).encode() not in text, path
    stated = json.loads(made["dist/integrity.json"])
    for name in ("text-assist.iife.js", "overt.iife.js", "overt-frame.js"):
        digest = base64.b64encode(hashlib.sha384(made[f"dist/{name}"]).digest()).decode()
        assert stated.pop(name) == f"sha384-{digest}"
    assert stated == {}
    assert made["dist/overt-frame.js"] == (STATIC / "overt-frame.js").read_bytes()
    assert digest.encode() in made["dist/overt.iife.js"], "it loads into frames what has this hash"
    assert digest.encode() not in made["dist/more.js"], "a bundler may have made it smaller"


@pytest.mark.soak
def test_an_empty_folder_installs_checks_bundles_and_records_with_three_lines(
    built: Path, tmp_path: Path, own: Any, server: Server
) -> None:
    tool("node", "sdk/package/build.mjs", tmp_path / "again" / "sdk")
    assert files(tmp_path / "again" / "sdk") == files(built), "the same sources, the same bytes"
    archives = []
    for folder in (built, tmp_path / "again" / "sdk"):
        (name,) = json.loads(tool("npm", "pack", "--json", folder, cwd=folder.parent))
        archives.append(folder.parent / name["filename"])
        assert {entry["path"] for entry in name["files"]} == set(files(folder))
    first, second = (archive.read_bytes() for archive in archives)
    assert first == second

    site = tmp_path / "site"
    site.mkdir()
    (site / "package.json").write_text('{"private": true, "type": "module"}')
    tool("npm", "install", "--offline", "--no-audit", "--no-fund", archives[0], cwd=site)
    assert os.listdir(site / "node_modules" / "@overt") == ["sdk"]  # noqa: PTH208 - names only
    (site / "page.ts").write_text(THREE_LINES + USE)
    strict = ["--strict", "--noEmit", "--target", "es2022", "--lib", "es2022,dom"]
    for module, how in (("esnext", "bundler"), ("nodenext", "nodenext")):
        how_found = ["--module", module, "--moduleResolution", how, "--types", ""]
        tool("node", SDK / "node_modules/.bin/tsc", *strict, *how_found, "page.ts", cwd=site)
    bundled = ["--bundle", "--format=esm", "--minify", "--outfile=page.js"]
    esbuild = SDK / "node_modules" / ".bin" / "esbuild"
    subprocess.run([str(esbuild), "page.ts", *bundled], cwd=site, check=True, capture_output=True)

    files_of_the_site = {
        "page.js": (site / "page.js").read_bytes(),
        "overt.iife.js": (built / "dist" / "overt.iife.js").read_bytes(),
        "overt-frame.js": (built / "dist" / "overt-frame.js").read_bytes(),
        "text-assist.iife.js": (built / "dist" / "text-assist.iife.js").read_bytes(),
    }
    server.pages = {f"/assets/{name}": script for name, script in files_of_the_site.items()}
    server.pages["/inside"] = FRAME
    module = '<script type="module" src="/assets/page.js"></script>'
    loaded = (
        f'<script src="/assets/{name}.iife.js"></script>' for name in ("overt", "text-assist")
    )
    one_file = f"{''.join(loaded)}<script>{ONE_FILE}</script>"
    for path, scripts in {"/modules": module, "/one-file": one_file}.items():
        server.pages[path] = f"{FIELD}{scripts}".encode()
        its_hooks_work(own.new_page(), server, path)
    del server.pages["/assets/overt-frame.js"]
    without_its_file_no_frame_is_entered(own.new_page(), server)


FIELD = """<!doctype html><link rel="icon" href="data:,"><textarea id="listed"></textarea>
<iframe src="/inside"></iframe>"""
FRAME = b"""<!doctype html><input id="listed"><input id="password" type="password">
<script>addEventListener("overt-frame", () => { document.title = "entered" })</script>"""
ONE_FILE = """
(async () => {
  const overt = await Overt.open({ study: "test" });
  const { notice } = await overt.notice();
  Object.assign(window, { overt, title: notice.title, seen: [], told: [] });
  overt.watch(({ event }) => { seen.push(event); told.push(Overt.describe(event)); });
  const how = { wanted: () => true, common: ["abacus"] };
  const field = document.querySelector("#listed");
  OvertAssist.assist(overt, field, ({ words }) => { if (words[0]) told.push(words[0]); }, how);
})();"""


def its_hooks_work(page: Any, server: Server, path: str) -> None:
    page.goto(server.url + path)
    page.wait_for_function("window.overt && title === 'Test'")
    assert page.evaluate("overt.state().phase") == "none"
    page.evaluate("overt.join(['typing-assist'])")
    until(page, "recording")
    page.evaluate("overt.task(7)")
    write(page)
    assert "key down · letter · text area" in page.evaluate("told")
    if path == "/one-file":
        assert "abacus" in page.evaluate("told"), "helps with writing, from a file of its own"
    assert page.evaluate("overt.outbox().then(Array.isArray)")
    write_in_a_frame(page)
    page.evaluate("overt.pause()")
    before = page.evaluate("seen.length")
    page.keyboard.type("unheard")
    assert page.evaluate("seen.length") <= before + 1, "the pause itself, and no more"
    page.evaluate("overt.resume()")
    until(page, "recording")
    page.evaluate("overt.withdraw()")
    assert page.evaluate("indexedDB.databases()") == []
    page.close()


def write_in_a_frame(page: Any) -> None:
    page.evaluate("overt.frames()")
    eventually(page, "frames[0].document.title === 'entered'")
    inside = page.frame_locator("iframe")
    for field, text in (("#password", "hunter"), ("#listed", "ab")):
        inside.locator(field).click()
        page.keyboard.type(text)
    keys = f"seen.filter(({{ kind }}) => kind === {Kind.KEY_DOWN}).map(({{ element }}) => element)"
    assert [element >= 1024 for element in page.evaluate(keys)] == [False] * 3 + [True] * 2


def without_its_file_no_frame_is_entered(page: Any, server: Server) -> None:
    page.goto(server.url + "/one-file")
    page.wait_for_function("window.overt && title === 'Test'")
    page.evaluate("overt.join(['typing-assist'])")
    until(page, "recording")
    with page.expect_console_message(lambda message: "leaves frames out" in message.text):
        page.evaluate("overt.frames()")
    page.frame_locator("iframe").locator("#listed").click()
    page.keyboard.type("ab")
    write(page)
    assert page.evaluate(f"seen.filter(({{ kind }}) => kind === {Kind.KEY_DOWN}).length") == 3
