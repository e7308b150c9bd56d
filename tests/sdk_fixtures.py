"""A small collector on a real socket, and pages with the SDK, for the browser tests.

One Chromium, one context and one tab serve a whole module. Each test has its own collector on its
own port: that is an origin of its own, so storage, locks and messages of other tests are not there.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from local_http import Silent, answering
from overt.schema.batch import BatchHeader, decode, inflate, to_events
from overt.schema.event import Kind
from overt.schema.fields import strangers

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

STATIC = Path(__file__).parents[1] / "src" / "overt" / "studio" / "static"
VECTOR = Path(__file__).parents[1] / "spec" / "vectors" / "batch-mark.json"
CANARY = "Xq7zCanaryZw3"
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
KEYBOARD = {Kind.KEY_DOWN, Kind.KEY_UP, Kind.EDIT, Kind.COMPOSITION_START, Kind.COMPOSITION_END}
PURPOSES = ["next-action", "person-or-program", "typing-assist"]

INDICATOR = {
    "recording": "Recording",
    "paused": "Paused",
    "off": "Not recording",
    "pause": "Pause recording",
    "resume": "Resume recording",
    "direction": "ltr",
}
PAGE = """<!doctype html><meta charset="utf-8"><title>page</title><link rel="icon" href="data:,">
<style>#box{height:80px;width:200px;overflow:auto}#tall{height:900px}body{min-height:3000px}</style>
<button id="button" type="button"><span id="inner">press</span></button>
<form onsubmit="return false">
<input id="password" type="password"><button id="show" type="button"
 onclick="password.type = password.type === 'text' ? 'password' : 'text'">show</button>
<input id="card" autocomplete="section-a cc-number"><input id="strange" type="date">
<input id="unlisted"><input id="hidden" type="hidden" value="">
<input id="listed" size="40"><textarea id="free"></textarea><button>send</button></form>
<div id="secretdiv" contenteditable></div><div id="edit" contenteditable></div>
<div id="box"><div id="tall">tall</div></div>
<script type="module">
import { open } from "/static/overt.js";
window.overt = await open({ study: "test" });
window.seen = [];
overt.watch((watched) => seen.push({ ...watched.event, purposes: watched.purposes }));
await overt.notice();
window.ready = true;
</script>"""

WITH_CLOCK = """AbortSignal.timeout = (ms) => {
  const ends = new AbortController();
  if (ms < 5000) setTimeout(() => ends.abort(), ms);
  return ends.signal;
};"""
"""For a page whose clock is faked, which is made of its timers: looks at the sign come by it too.
Requests take real time: of the faked one they would run out.
"""

CLOSE_LATER = """() => {
  const at = Date.now();
  Date.now = () => at + 7_200_000;
  window.dispatchEvent(new PageTransitionEvent("pagehide", { persisted: false }));
}"""
"""The page closes two hours later, all in one task: no timer runs in between."""

DUMP = """async () => {
  const bytes = [];
  for (const { name } of await indexedDB.databases()) {
    const db = await new Promise((done) => {
      const request = indexedDB.open(name); request.onsuccess = () => done(request.result); });
    for (const store of db.objectStoreNames) {
      const all = (what) => new Promise((done) => {
        const request = db.transaction(store).objectStore(store)[what]();
        request.onsuccess = () => done(request.result); });
      bytes.push(JSON.stringify(await all("getAllKeys")));
      for (const value of await all("getAll")) bytes.push(value instanceof Uint8Array
        ? [...value].map((byte) => String.fromCharCode(byte)).join("") : String(value));
    }
    db.close();
  }
  for (const entry of await overt.outbox())
    bytes.push(JSON.stringify({ ...entry, bytes: "" }), new TextDecoder().decode(entry.bytes));
  return bytes;
}"""
"""What lies in the browser, as it lies there and as the outbox shows it."""

FIELDS = ["#password", "#card", "#strange", "#hidden", "#listed", "#free", "#edit"]
"""Lists secret fields too: they must stay suppressed whatever a study says."""


DEAF: tuple[int, dict[str, str]] = (0, {})
"""The collector dies before it has stored what came,"""
DUMB: tuple[int, dict[str, str]] = (0, {"stored": "yes"})
"""or after that, and before it says so."""
BETWEEN: dict[str, str] = {"from": "a network that asks people to log in"}
"""Not the collector answers, but something in between."""


@dataclass
class Server:
    """What arrived, and what to answer next."""

    url: str = ""
    level: str = "rhythm"
    outbox_delay_s: int = 1
    hold_days: int = 7
    paths: list[str] = field(default_factory=list)
    version: int = 1
    fields: list[str] = field(default_factory=lambda: [*FIELDS])
    pages: dict[str, bytes] = field(default_factory=dict)
    """Pages of a test's own, by path."""
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """Answers to the next batches; then each is stored. `DEAF` and `DUMB` cut the connection."""
    tries: list[tuple[int, bytes]] = field(default_factory=list)
    """Status and body of every batch that came."""
    received: list[bytes] = field(default_factory=list)
    """Every byte that came: request lines, headers, bodies."""
    stored: dict[tuple[str, int], bytes] = field(default_factory=dict)
    purposes: list[str] = field(default_factory=list)
    withdrawn: bool = False
    token: int = 0
    """Tokens with another number have expired."""
    receipts: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    """Receipts this server does not know any more."""
    gone: list[str] = field(default_factory=list)
    """Receipts that were withdrawn from another device."""
    strange: list[str] = field(default_factory=list)
    """What arrived where the page of fields says nothing does."""
    news: threading.Event | None = None
    """Until it is set, the question how a person stands stays open where the page allows that."""
    between: int = 0
    """How many withdrawals something in between answers."""
    left: list[tuple[str, list[str] | None]] = field(default_factory=list)
    """Receipts withdrawn here, and which purposes of them (None: all)."""

    def notice(self) -> bytes:
        settings = {
            "level": self.level,
            "retention_days": 30,
            "outbox_delay_s": self.outbox_delay_s,
            "hold_days": self.hold_days,
            "fields": self.fields,
            "paths": self.paths,
        }
        choices = {
            "purposes": [{"id": name, "title": name, "text": ""} for name in PURPOSES],
            "details": {"heading": "", "levels": []},
        }
        notice = {
            "study": "test",
            "version": self.version,
            "title": "Test",
            "indicator": INDICATOR,
            "choices": choices,
            "settings": settings,
        }
        return json.dumps(notice).encode()

    def batches(self) -> list[tuple[BatchHeader, pa.RecordBatch]]:
        return [decode(plain) for plain in self.stored.values()]

    def events(self, session: str | None = None) -> list[dict[str, Any]]:
        """Return all stored events, in order of sequence; fails if one is there twice."""
        tables = [
            to_events(header, rows)
            for header, rows in self.batches()
            if session in (None, header.session)
        ]
        events = [event for table in tables for event in table.to_pylist()]
        if session is not None:
            numbers = [event["seq"] for event in events]
            assert len(set(numbers)) == len(numbers)
        return sorted(events, key=lambda event: event["seq"])

    def sessions(self) -> list[str]:
        ids = {header.session: header.time_origin_ms for header, _ in self.batches()}
        return sorted(ids, key=lambda session: ids[session])

    def answer(
        self, method: str, path: str, bearer: str, body: bytes
    ) -> tuple[int, Any, dict[str, str]]:
        route = (method, path.partition("?")[0])
        if route == ("POST", "/v1/batches"):
            status, more = self._batch(bearer, body)
            self.tries.append((status, body))
            if more is BETWEEN:
                return status, b"Please log in", {}
            return status, {"stored": 1} if status == 200 else {"error": {}}, more
        if path.startswith("/v1/studies/test/notice"):
            return 200, self.notice(), {}
        if route == ("POST", "/v1/join"):
            asked = json.loads(body)
            if asked["notice_sha256"] != hashlib.sha256(self.notice()).hexdigest():
                return 422, {"error": {"what": "is of another notice"}}, {}
            self.purposes, self.withdrawn = asked["purposes"], False
            self.receipts.append(f"{len(self.receipts):032x}")
            receipt = self.receipts[-1]
            made = {"receipt": {"receipt_id": receipt}, "device_secret": f"secret of {receipt}"}
            return 200, {**made, "token": self._token(receipt), "expires_s": 900}, {}
        if path in ("/v1/token", "/v1/withdraw"):
            asked = json.loads(body)
            assert asked["device_secret"] == f"secret of {asked['receipt_id']}"
        if route == ("POST", "/v1/token"):
            if asked["receipt_id"] in self.unknown:
                return 403, {"error": {"what": "there is no such receipt"}}, {}
            return 200, {"token": self._token(asked["receipt_id"]), "expires_s": 900}, {}
        if route == ("POST", "/v1/withdraw"):
            if self.between:
                self.between -= 1
                return 403, b"Please log in", {}
            self.left.append((asked["receipt_id"], asked.get("purposes")))
            if asked["receipt_id"] != self.receipts[-1]:
                return 200, {"job": "0"}, {}
            gone = asked.get("purposes") or self.purposes
            self.purposes = [name for name in self.purposes if name not in gone]
            self.withdrawn = not self.purposes
            return 200, {"job": "1"}, {}
        if route == ("GET", "/v1/me/state"):
            return 200, {"purposes": self.purposes, "withdrawn": self.withdrawn}, {}
        return 404, {}, {}

    def _token(self, receipt: str) -> str:
        return f"token {self.token} of {receipt}"

    def _batch(self, bearer: str, body: bytes) -> tuple[int, dict[str, str]]:
        receipt = bearer[-32:]
        if bearer != f"Bearer {self._token(receipt)}" or receipt in self.unknown:
            return 401, {}
        if self.withdrawn or receipt in self.gone:
            return 410, {}
        if self.answers and self.answers[0] is not DUMB:
            return self.answers.pop(0)
        cut = [self.answers.pop(0)] if self.answers else []
        plain = inflate(body)
        header, rows = decode(plain)
        self.strange += strangers(rows)
        if header.receipt != receipt:
            return 422, {}
        key = (header.session, header.batch)
        if key in self.stored:
            return 409, {}
        self.stored[key] = plain
        return cut[0] if cut else (200, {})


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()
    lock = threading.Lock()

    class Answers(Silent):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kind = "text/html"
            more: dict[str, str] = {}
            if self.path in ("/", "/blank"):
                status, payload = 200, PAGE.encode() if self.path == "/" else b"<!doctype html>"
            elif (named := self.path.partition("?")[0]) in server.pages:
                status, payload = 200, server.pages[named]
                kind = "text/javascript" if named.endswith(".js") else kind
            elif self.path.startswith("/static/overt"):
                status, payload = 200, (STATIC / self.path[8:]).read_bytes()
                kind = "text/javascript"
            else:
                if server.news and "?known=" in self.path:
                    server.news.wait(10)
                with lock:
                    head = f"{self.requestline}\n{self.headers}".encode()
                    server.received += [head, body]
                    bearer = self.headers.get("Authorization") or ""
                    status, made, more = server.answer(self.command, self.path, bearer, body)
                payload = made if isinstance(made, bytes) else json.dumps(made).encode()
                kind = "application/json"
            if status == 0:
                self.close_connection = True
                return
            self.answer(status, payload, **{"Content-Type": kind, **more})

    with answering(Answers) as server.url:
        yield server


def is_whole(numbers: list[int]) -> bool:
    """Whether these sequence numbers are 0, 1, 2 … without gap or double."""
    return bool(numbers) and np.array_equal(numbers, np.arange(len(numbers)))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium; without one the tests are skipped."""
    if not CHROMIUM:
        pytest.skip("there is no Chromium here: python tools/chromium.py says how to get one")
    # What checks rows is compiled when it is first used: not while a page waits for its answer.
    decode(bytes.fromhex(json.loads(VECTOR.read_text("utf-8"))["bytes"]))
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def shared(browser: Any) -> Iterator[Any]:
    """One context for a module, with one tab that is there all the time."""
    context = browser.new_context()
    context.set_default_timeout(60_000)
    listened(context.new_page())
    yield context
    context.close()


@pytest.fixture
def context(shared: Any) -> Iterator[Any]:
    """The module's context, as it was before the test."""
    yield shared
    for page in shared.pages[1:]:
        page.close()


@pytest.fixture
def own(browser: Any) -> Iterator[Any]:
    """A context of the test's own, where pages may crash."""
    context = browser.new_context()
    context.set_default_timeout(60_000)
    yield context
    context.close()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server
    assert server.strange == []


@pytest.fixture
def page(context: Any, server: Server) -> Any:
    """The module's tab, at this test's collector."""
    page = context.pages[0]
    page.goto("about:blank")
    page.console.clear()
    visit(page, server)
    return page


def listened(page: Any) -> Any:
    page.console = []
    hints = "[DOM]"  # what Chromium says of the test page's form
    page.on(
        "console",
        lambda message: message.text.startswith(hints) or page.console.append(message.text),
    )
    page.on("pageerror", lambda error: page.console.append(f"error: {error}"))
    return page


def visit(page: Any, server: Server) -> None:
    page.goto(server.url)
    page.wait_for_function("window.ready")


def opened(context: Any, server: Server) -> Any:
    """Return one more tab at this collector."""
    page = listened(context.new_page())
    visit(page, server)
    return page


def reloaded(page: Any) -> None:
    page.reload()
    page.wait_for_function("window.ready")


AT_ONCE_MS = 6_000
"""Where a promise is a second, in a browser that may share two cores with all other tests."""


def join(page: Any, purposes: list[str] | None = None) -> None:
    page.evaluate("(purposes) => overt.join(purposes)", purposes or PURPOSES)
    until(page, "recording")


def until(page: Any, phase: str) -> None:
    page.wait_for_function("(phase) => overt.state().phase === phase", arg=phase)


def eventually(page: Any, expression: str, argument: object = None, patience_s: int = 60) -> Any:
    """Return what a JavaScript expression (of `it`) comes to as soon as it is true."""
    script = """async (it) => {
      const end = performance.now() + PATIENCE_MS;
      for (;;) {
        const value = await (EXPRESSION);
        if (value) return value;
        if (performance.now() > end) throw new Error("waited in vain");
        await new Promise((again) => setTimeout(again, 20));
      }
    }"""
    script = script.replace("PATIENCE_MS", str(patience_s * 1000))
    return page.evaluate(script.replace("EXPRESSION", expression), argument)


def seen(page: Any) -> list[dict[str, Any]]:
    """Return the events created in this page."""
    return list(page.evaluate("seen"))


def kinds(page: Any) -> list[int]:
    return [event["kind"] for event in seen(page)]


def counts(page: Any) -> dict[str, int]:
    return dict(page.evaluate("overt.counts()"))


def send(page: Any) -> dict[str, int]:
    page.evaluate("overt.sendNow()")
    return counts(page)


def databases(page: Any) -> list[str]:
    return [entry["name"] for entry in page.evaluate("indexedDB.databases()")]


def use(page: Any) -> None:
    """Do a bit of everything in fields that may be recorded."""
    page.click("#listed")
    page.keyboard.type("ab c1.")
    page.mouse.move(300, 200, steps=5)
    page.click("#button")


def write(page: Any, text: str = "abc") -> None:
    page.click("#listed")
    page.keyboard.type(text)


def closed(page: Any) -> None:
    """Close what is open, so that it lies in the outbox; remove nothing."""
    assert page.evaluate("overt.removeSince(-1)") == 0


FIXTURES = (browser, context, own, page, server, shared)
"""What a test module binds to these names."""


def pressed(keys: Any, key: str, code: str, number: int, **more: object) -> None:
    """Press a key over the DevTools protocol; `number` is the one that Windows gives it."""
    common = {"key": key, "code": code, "windowsVirtualKeyCode": number}
    keys.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **common, **more})


def composed(keys: Any, *texts: str, end: str) -> None:
    """Compose these texts one after another, as an input method does, and end with one."""
    for text in texts:
        at = len(text)
        keys.send(
            "Input.imeSetComposition", {"text": text, "selectionStart": at, "selectionEnd": at}
        )
    keys.send("Input.insertText", {"text": end})
