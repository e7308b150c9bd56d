"""Secrets everywhere a page can hold them, searched for in all that is sent, queued or logged."""

from __future__ import annotations

import base64
import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from overt.schema.batch import inflate
from overt.schema.coarse import GONE, HELD, STEP_US, TIMED, TYPED
from overt.schema.event import Kind, Role
from overt.schema.fold import MAGIC
from overt.store.scan import Traces, scan
from overt.store.store import Store
from sdk_fixtures import (
    DUMP,
    FIXTURES,
    KEYBOARD,
    PURPOSES,
    STATIC,
    Server,
    listened,
    seen,
    send,
    serving,
    until,
)
from studio_fixtures import studio, wire

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
import probes

browser, context, own, page, server, shared = FIXTURES

RECORDER = """<script type="module">
import { open } from "/static/overt.js";
window.overt = await open({ study: "STUDY" });
window.seen = [];
overt.watch((watched) => seen.push({ ...watched.event, purposes: watched.purposes }));
await overt.notice();
window.ready = true;
</script>"""
SECRET = ["#password", "#revealed", "#code", "#card", "#hidden", "#mirrored"]
"""Fields that a study lists in vain."""


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """Another origin, for a frame."""
    with serving() as other:
        other.pages["/frame"] = probes.FRAME
        yield other.url


def queued_and_logged(page: Any, url: str, detail: str) -> list[bytes]:
    """Do all that the probes do, and return what the page holds of it before it leaves."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    probes.visit(page, f"{url}/probed")
    page.wait_for_function("window.ready")
    page.evaluate("([purposes, detail]) => overt.join(purposes, detail)", [PURPOSES, detail])
    until(page, "recording")
    probes.use(page)
    page.wait_for_function("(kind) => seen.at(-1).kind === kind", arg=Kind.CLICK)
    dump = page.evaluate(DUMP)
    assert len(dump) > 4
    keyboard = [event for event in seen(page) if event["kind"] in {*KEYBOARD, Kind.SELECTION}]
    assert {(event["element"], event["role"]) for event in keyboard} == {(1, Role.TEXT_AREA)}, (
        "of all places only the listed field, the first that was touched, has keys at all"
    )
    queued = [text.encode("latin-1", "replace") for text in dump]
    return [*queued, *map(str.encode, page.console), json.dumps(seen(page)).encode()]


def test_at_level_keys_nothing_but_the_listed_field_is_sent_queued_or_logged(
    page: Any, server: Server, elsewhere: str
) -> None:
    server.level = "keys"
    server.fields = ["#listed", *SECRET]
    recorder = RECORDER.replace("STUDY", "test")
    server.pages = {"/probed": probes.page(recorder, elsewhere), "/frame": probes.FRAME}
    here = queued_and_logged(page, server.url, "keys")
    send(page)
    sent = [inflate(body) for body in server.received if body[:4] == MAGIC]
    found = probes.search([*here, *server.received, *sent, *probes.typed(server.events())])
    assert found.pop(probes.CONTROL) == {"plain"}, "the search would find keys"
    assert found == {}


@pytest.mark.soak
def test_at_rhythm_1_nothing_is_sent_queued_or_logged_of_any_place_nor_of_the_rhythm(
    page: Any, server: Server, elsewhere: str
) -> None:
    server.fields = ["#listed", *SECRET]
    recorder = RECORDER.replace("STUDY", "test")
    server.pages = {"/probed": probes.page(recorder, elsewhere), "/frame": probes.FRAME}
    here = queued_and_logged(page, server.url, "rhythm/1")
    send(page)
    sent = [inflate(body) for body in server.received if body[:4] == MAGIC]
    events = server.events()
    assert {header.transform for header, _ in server.batches()} == {"rhythm/1"}
    assert probes.search([*here, *server.received, *sent, *probes.typed(events)]) == {}
    for event in [*events, *seen(page)]:
        assert event["kind"] not in GONE
        assert event["slot"] == event["modifiers"] == event["key_symbol"] == 0
        assert event["key_class"] not in {*HELD, *TYPED}
        if event["kind"] in TIMED:
            assert event["t_us"] % STEP_US == 0
    assert sum(event["kind"] == Kind.KEY_DOWN for event in events) > 10


def test_at_level_rhythm_a_real_collector_gets_keeps_and_says_nothing_of_any_place(
    own: Any, elsewhere: str, tmp_path: Path
) -> None:
    page = listened(own.new_page())
    recorder = RECORDER.replace("STUDY", "five-minutes")
    shown = probes.page(recorder, elsewhere).replace(b'id="listed"', b'id="listed" data-overt')
    html, script = "text/html", "text/javascript"
    bodies = {
        "probed?*": (shown, html),
        "frame": (probes.FRAME, html),
        "static/overt.js": ((STATIC / "overt.js").read_bytes(), script),
    }

    def answer(route: Any) -> None:
        path = urlsplit(route.request.url).path
        body, kind = next(bodies[name] for name in bodies if path == f"/{name.rstrip('?*')}")
        route.fulfill(body=body, content_type=kind)

    with studio(tmp_path) as collector, wire(collector.url) as relay:
        for path in bodies:
            page.route(f"{relay.url}/{path}", answer)
        page.route(f"{elsewhere}/frame", answer)
        here = queued_and_logged(page, relay.url, "rhythm")
        assert send(page)["stored"] > 60
        found = probes.search([*here, *relay.passed])
        assert any(b"/v1/batches" in passed for passed in relay.passed)
        page.close()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    found |= probes.search([path.read_bytes() for path in files])
    assert found == {}
    needles = {place: text.encode() for place, text in probes.SECRETS.items()}
    with Store.open(collector.data_dir) as store:
        assert scan(collector.data_dir, Traces(needles), store) == []


WRITTEN = {
    "gzipped": lambda text: b"POST / HTTP/1.1\r\n\r\n" + gzip.compress(text.encode()),
    "compressed in JSON": lambda text: json.dumps(
        {"data": gzip.compress(json.dumps([1, text]).encode()).decode("latin-1")}
    ).encode(),
    "base64 within a text": lambda text: b"a" + base64.b64encode(b"ab" + text.encode() + b"cd"),
    "UTF-16": lambda text: text.encode("utf-16-le"),
    "percent": lambda text: "".join(f"%{ord(letter):02X}" for letter in text).encode(),
    "hexadecimal": lambda text: text.encode().hex().upper().encode(),
    "backwards": lambda text: text[::-1].encode(),
    "lower case": lambda text: text.lower().encode(),
    "key by key": lambda text: json.dumps(
        [{"type": "keydown", "key": letter} for letter in text]
    ).encode(),
    "character codes": lambda text: next(
        probes.typed({"kind": 1, "key_symbol": ord(letter)} for letter in text)
    ),
}


@pytest.mark.parametrize("how", WRITTEN)
def test_the_search_finds_a_secret_however_it_is_written(how: str) -> None:
    assert set(probes.search([WRITTEN[how](probes.SECRETS["page title"])])) == {"page title"}
    assert probes.search([WRITTEN[how]("nobody put this anywhere")]) == {}
