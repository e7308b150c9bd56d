"""Pages for a browser to be measured on, and a small collector behind them.

`/page?with=WHAT&rows=N` is one page for all: WHAT is `overt`, `rrweb`, `listener` (a bare listener
that keeps type, time and place of the same events) or `nothing`. It calls nothing by itself: the
benchmark calls `begin()`, which runs `start` from a timer, where script time is counted. A table of
N rows makes the page as long as wanted.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from overt.commands import chromium

SDK = Path(__file__).parents[1] / "src" / "overt" / "studio" / "static" / "overt.js"
RECORD = SDK.with_name("overt-record.js")
PURPOSES = ["next-action", "person-or-program", "typing-assist"]
INDICATOR = {
    "recording": "Recording",
    "paused": "Paused",
    "off": "Not recording",
    "pause": "Pause recording",
    "resume": "Resume recording",
    "direction": "ltr",
}
WAYS = ("overt", "rrweb", "listener", "nothing")
HELD_S = 12.0
"""So long Overt's server keeps the question open how a person stands, if there is no news."""
DEAF, DUMB = 0, 1
"""The collector dies before it has kept a batch, or after that and before it says so."""

_BODY = """<!doctype html><meta charset="utf-8"><title>page</title><link rel="icon" href="data:,">
<style>#box{height:120px;width:300px;overflow:auto}#tall{height:3000px}
table{font:12px sans-serif}</style>
<p>Write, point, press and scroll.</p>
<textarea id="text" rows="5" cols="60"></textarea>
<p><button id="one" type="button">one</button> <button id="two" type="button">two</button>
<input id="check" type="checkbox"> <a href="#one">link</a></p>
<div id="box"><div id="tall">a long box</div></div>
<script>
window.begin = () => new Promise((go) => setTimeout(() => start().then(go)));
</script>
"""
_SCRIPTS = {
    "overt": """<script type="module">
import { open } from "/overt.js";
window.start = async () => {
  window.overt = await open({ study: "bench" });
  if (overt.state().phase !== "recording") {
    await overt.notice();
    await overt.join(PURPOSES);
  }
  while (overt.state().phase !== "recording") await new Promise((go) => setTimeout(go, 2));
};
window.ready = true;
</script>""",
    "rrweb": """<script src="/peers/rrweb.js"></script><script>
window.kept = [];
window.start = async () => void rrwebRecord.record({ emit: (event) => kept.push(event) });
window.ready = true;
</script>""",
    "listener": """<script>
window.kept = [];
const keys = "keydown keyup beforeinput input focusin focusout";
const hands = "pointermove pointerdown pointerup click wheel scroll";
window.start = async () => {
  for (const type of `${keys} ${hands}`.split(" "))
    addEventListener(
      type,
      (event) => kept.push({ type, at: event.timeStamp, x: event.clientX, y: event.clientY }),
      { capture: true, passive: true },
    );
};
window.ready = true;
</script>""",
    "nothing": "<script>window.start = async () => {}; window.ready = true;</script>",
}


@dataclass
class Pages:
    """A running server: its address, and the batches that came."""

    url: str = ""
    batches: list[bytes] = field(default_factory=list)
    peers: dict[str, bytes] = field(default_factory=dict)
    """Scripts of other recorders, by name."""
    bodies: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """More pages, by path: media type and body."""
    faults: list[int] = field(default_factory=list)
    """Statuses of the next batches, which are not kept; `DEAF` and `DUMB` cut the connection."""
    token: str = "token"
    received: list[bytes] = field(default_factory=list)
    """Addresses and bodies of all that recorders sent."""

    def page(self, way: str, rows: int) -> bytes:
        """Return the page for one way of listening."""
        cells = "".join(f"<tr><td>{n}<td>a row<td>of a table" for n in range(rows))
        script = _SCRIPTS[way].replace("PURPOSES", json.dumps(PURPOSES))
        return f"{_BODY}<table>{cells}</table>{script}".encode()

    def notice(self) -> bytes:
        """Return the notice of the study."""
        settings = {
            "level": "rhythm",
            "retention_days": 30,
            "outbox_delay_s": 60,
            "hold_days": 7,
            "fields": ["#text", "#listed"],
        }
        choices = {"purposes": [{"id": name, "title": name, "text": ""} for name in PURPOSES]}
        return json.dumps(
            {"study": "bench", "version": 1, "title": "Bench", "choices": choices,
             "settings": settings, "indicator": INDICATOR}
        ).encode()  # fmt: skip

    def batch(self, bearer: str, body: bytes) -> tuple[int, str, bytes]:
        """Return the answer to a batch; `faults` come first."""
        if bearer != f"Bearer {self.token}":
            return 401, "application/json", b"{}"
        fault = self.faults.pop(0) if self.faults else 200
        if fault in (200, DUMB):
            self.batches.append(body)
        said = b'{"stored": 1}' if fault == 200 else b'{"error": {}}'
        return fault, "application/json", said

    def answer(self, path: str, query: str, body: bytes, bearer: str) -> tuple[int, str, bytes]:
        """Return status, media type and body."""
        if path == "/page":
            asked = parse_qs(query)
            page = self.page(asked["with"][0], int(asked["rows"][0]))
            return 200, "text/html", page
        if path in ("/overt.js", "/overt-record.js", "/overt-more.js"):
            return 200, "text/javascript", (SDK.parent / path[1:]).read_bytes()
        if path.startswith("/peers/"):
            return 200, "text/javascript", self.peers[path[len("/peers/") : -len(".js")]]
        if path in self.bodies:
            return 200, *self.bodies[path]
        self.received += [f"{path}?{query}".encode(), body]
        if path.startswith("/v1/studies/bench/notice"):
            return 200, "application/json", self.notice()
        made: dict[str, Any] = {}
        if path == "/v1/join":
            if json.loads(body)["notice_sha256"] != hashlib.sha256(self.notice()).hexdigest():
                return 422, "application/json", b"{}"
            made = {"receipt": {"receipt_id": "0" * 32}, "device_secret": "secret"}
        elif path == "/v1/batches":
            return self.batch(bearer, body)
        elif path == "/v1/me/state":
            if "known=" in query:
                time.sleep(HELD_S)
            made = {"purposes": PURPOSES, "withdrawn": False}
        elif path.startswith("/v1/") and path != "/v1/token":
            return 404, "application/json", b"{}"
        return (
            200,
            "application/json",
            json.dumps({**made, "token": self.token, "expires_s": 900}).encode(),
        )


@contextmanager
def browser() -> Iterator[Any]:
    """Yield a headless Chromium."""
    from playwright.sync_api import sync_playwright

    path = chromium.require()
    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


@contextmanager
def serving(peers: dict[str, bytes]) -> Iterator[Pages]:
    """Serve until the block ends."""
    pages = Pages(peers=peers)

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            bearer = self.headers.get("Authorization") or ""
            status, kind, payload = pages.answer(parts.path, parts.query, body, bearer)
            if status in (DEAF, DUMB):
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        do_POST = do_GET  # noqa: N815 - the name http.server looks for

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A page that closes cuts its connections."""

    http = Quiet(("127.0.0.1", 0), Answers)
    pages.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield pages
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
