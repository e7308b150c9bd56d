"""A secret typed into a page: searched in every byte on the wire, on disk, in logs and errors."""

from __future__ import annotations

import gzip
from pathlib import Path

from playwright.sync_api import expect

from overt.store.scan import Traces, scan
from overt.store.store import Store
from studio_fixtures import DUMP, Hands, chromium, counts, holds, join, studio, wire

CANARIES = {
    "password": "Qz7-heron-Vk",
    "shown": "Xw4-otter-Jb",
    "hidden": "Kv9-magpie-Zt",
    "editable": "Jq3-badger-Wx",
    "textarea": "Zx8-lizard-Qf",
}


def type_the_canaries(hands: Hands) -> None:
    page = hands.page
    hands.write("form-password", CANARIES["password"])
    hands.press("form-show")
    expect(hands.on("form-password")).to_have_attribute("type", "text")
    hands.write("form-password", CANARIES["shown"])
    page.evaluate(
        "secret => { document.getElementById('form-hidden').value = secret }", CANARIES["hidden"]
    )
    hands.write("task-edit", CANARIES["editable"])
    hands.write("task-free", CANARIES["textarea"])


def search(data: bytes, where: str) -> list[str]:
    return [f"{name} in {where}" for name, secret in CANARIES.items() if holds(data, secret)]


def search_files(folder: Path) -> list[str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [line for path in files for line in search(path.read_bytes(), path.name)]


def search_store(data_dir: Path) -> list[str]:
    """Search with every surviving key: rows, artefacts, databases, archives."""
    traces = Traces({name: secret.encode() for name, secret in CANARIES.items()}, ())
    with Store.open(data_dir) as store:
        return [f"{f.what} in {f.path}" for f in scan(data_dir, traces, store)]


def test_a_secret_is_in_no_byte_on_the_wire_on_disk_or_in_a_log(tmp_path: Path) -> None:
    profile = tmp_path / "profile"
    said: list[str] = []
    with studio(tmp_path) as server:
        with (
            wire(server.url) as relay,
            chromium(
                user_data_dir=profile,
                viewport={"width": 1280, "height": 800},
                reduced_motion="reduce",
            ) as context,
        ):
            page = context.new_page()
            page.on("console", lambda message: said.append(message.text))
            page.on("pageerror", lambda error: said.append(str(error)))
            page.goto(relay.url)
            hands = Hands(page)
            join(hands, "next-action", "person-or-program", "typing-assist")
            type_the_canaries(hands)
            expect(hands.on("live-table")).to_contain_text("key up")
            hands.press("send-now")
            expect(hands.on("count-stored")).not_to_have_text("0")
            hands.press("proof-load")
            expect(hands.on("proof-table")).to_be_visible()
            with page.expect_download() as download:
                hands.press("export")
            found = search(Path(download.value.path()).read_bytes(), "the export")
            dump = page.evaluate(DUMP)
            found += search(dump.encode(), "IndexedDB")
            assert "overt-five-minutes" in dump
            stored = counts(hands)["stored"]
        found += search(relay.everything(), "the wire")
        found += search_files(profile / "Default" / "IndexedDB")
    found += search_files(tmp_path / "data")
    found += search(server.printed.read_bytes(), "what the server printed")
    found += search("\n".join(said).encode(), "the console")
    found += search_store(tmp_path / "data")
    assert found == []
    assert stored > 50, "what was typed beside the secrets was recorded, so the search is not idle"


def test_the_search_would_find_a_secret(tmp_path: Path) -> None:
    secret = CANARIES["password"]
    assert search(b"GET /" + secret.encode(), "the wire")
    assert search(b"body\r\n\r\n" + gzip.compress(secret.encode()), "the wire")
    assert search(secret.encode("utf-16-le"), "IndexedDB")
    Store.open(tmp_path / "data", create=True).close()
    assert search_store(tmp_path / "data") == []
    (tmp_path / "data" / "spill").write_bytes(gzip.compress(secret.encode()))
    assert search_store(tmp_path / "data")
    assert search_files(tmp_path / "data")
