"""What is built of the extension: the same bytes again, asking for little."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZipFile

import pytest

from extension_fixtures import built
from npm_fixtures import installed, tool

LINTER = "10.14.0"


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("build"))


@pytest.fixture(scope="module")
def twice(build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("again"))


def test_the_same_sources_give_the_same_bytes(build: Path, twice: Path) -> None:
    files = sorted(path.relative_to(build) for path in build.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(twice) for path in twice.rglob("*") if path.is_file())
    for file in files:
        assert (build / file).read_bytes() == (twice / file).read_bytes(), file
    for name in ("chromium", "firefox"):
        with ZipFile(build / f"overt-{name}.zip") as archive:
            assert archive.testzip() is None
            folder = build / f"extension-{name}"
            for entry in archive.namelist():
                assert archive.read(entry) == (folder / entry).read_bytes()
            assert len(archive.namelist()) == sum(path.is_file() for path in folder.rglob("*"))


@pytest.mark.parametrize("name", ["chromium", "firefox"])
def test_it_asks_for_little_and_runs_nothing_from_elsewhere(build: Path, name: str) -> None:
    folder = build / f"extension-{name}"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["permissions"] == ["alarms", "scripting", "storage"]
    assert manifest["incognito"] == "not_allowed"
    assert {"host_permissions", "content_scripts", "web_accessible_resources"} & set(
        manifest
    ) == set()
    policy = manifest["content_security_policy"]["extension_pages"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    assert list(manifest["background"]) == [
        "service_worker" if name == "chromium" else "scripts",
    ]
    for script in folder.glob("*.js"):
        for word in (
            "eval(",
            "new Function",
            "importScripts",
            "import(",
            "innerHTML",
            "document.write",
        ):
            assert word not in script.read_text(), (script.name, word)
    for page in folder.glob("*.html"):
        assert "http" not in page.read_text()
    named = [*manifest["icons"].values(), manifest["action"]["default_popup"]]
    assert all((folder / file).is_file() for file in named)
    texts = [json.loads(file.read_text()) for file in (folder / "_locales").glob("*/*.json")]
    assert len(texts) == 2
    assert {frozenset(text) for text in texts} == {frozenset({"name", "description"})}


@pytest.mark.soak
def test_mozillas_linter_finds_nothing_in_the_build_for_firefox(
    build: Path, tmp_path: Path
) -> None:
    (tmp_path / "package.json").write_text('{"private": true}')
    installed(tmp_path, f"addons-linter@{LINTER}")
    linter = tmp_path / "node_modules" / "addons-linter" / "bin" / "addons-linter"
    said = tool("node", linter, "--output", "json", build / "extension-firefox", cwd=tmp_path)
    found = json.loads(said)
    assert found["summary"] == {"errors": 0, "warnings": 0, "notices": 0}, said
    assert found["metadata"]["id"] == "extension@overt.invalid"
