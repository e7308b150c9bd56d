"""A small collector on a real socket, and pages with the SDK, for the browser tests."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from overt.schema.batch import BatchHeader, decode, inflate, to_events

STATIC = Path(__file__).parents[1] / "src" / "overt" / "studio" / "static"
PURPOSES = ["next-action", "person-or-program", "typing-assist"]

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

FIELDS = ["#password", "#card", "#strange", "#hidden", "#listed", "#free", "#edit"]
"""Lists secret fields too: they must stay suppressed whatever a study says."""


@dataclass
class Server:
    """What arrived, and what to answer next."""

    url: str = ""
    level: str = "rhythm"
    outbox_delay_s: int = 1
    hold_days: int = 7
    version: int = 1
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """Answers to the next batches; then each is stored."""
    tries: list[tuple[int, bytes]] = field(default_factory=list)
    """Status and body of every batch that came."""
    received: list[bytes] = field(default_factory=list)
    """Every byte that came: request lines, headers, bodies."""
    stored: dict[tuple[str, int], bytes] = field(default_factory=dict)
    purposes: list[str] = field(default_factory=list)
    withdrawn: bool = False
    token: int = 0

    def notice(self) -> bytes:
        settings = {
            "level": self.level,
            "retention_days": 30,
            "outbox_delay_s": self.outbox_delay_s,
            "hold_days": self.hold_days,
            "fields": FIELDS,
        }
        choices = {"purposes": [{"id": name, "title": name, "text": ""} for name in PURPOSES]}
        notice = {
            "study": "test",
            "version": self.version,
            "title": "Test",
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

    def answer(self, method: str, path: str, bearer: str, body: bytes) -> tuple[int, Any, dict]:
        route = (method, path.partition("?")[0])
        if route == ("POST", "/v1/batches"):
            status, more = self._batch(bearer, body)
            self.tries.append((status, body))
            return status, {}, more
        if path.startswith("/v1/studies/test/notice"):
            return 200, self.notice(), {}
        if route == ("POST", "/v1/join"):
            asked = json.loads(body)
            if asked["notice_sha256"] != hashlib.sha256(self.notice()).hexdigest():
                return 422, {"error": {"what": "is of another notice"}}, {}
            self.purposes, self.withdrawn, self.token = asked["purposes"], False, self.token + 1
            receipt = {"receipt_id": "ab" * 16}
            made = {"receipt": receipt, "device_secret": "secret", "token": f"token{self.token}"}
            return 200, {**made, "expires_s": 900}, {}
        if route == ("POST", "/v1/token"):
            assert json.loads(body) == {"receipt_id": "ab" * 16, "device_secret": "secret"}
            self.token += 1
            return 200, {"token": f"token{self.token}", "expires_s": 900}, {}
        if route == ("POST", "/v1/withdraw"):
            gone = json.loads(body).get("purposes") or self.purposes
            self.purposes = [name for name in self.purposes if name not in gone]
            self.withdrawn = not self.purposes
            return 200, {"job": "1"}, {}
        if route == ("GET", "/v1/me/state"):
            return 200, {"purposes": self.purposes, "withdrawn": self.withdrawn}, {}
        return 404, {}, {}

    def _batch(self, bearer: str, body: bytes) -> tuple[int, dict[str, str]]:
        if bearer != f"Bearer token{self.token}":
            return 401, {}
        if self.withdrawn:
            return 410, {}
        if self.answers:
            return self.answers.pop(0)
        plain = inflate(body)
        header, _ = decode(plain)
        key = (header.session, header.batch)
        if key in self.stored:
            return 409, {}
        self.stored[key] = plain
        return 200, {}


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()
    lock = threading.Lock()

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kind, more = "text/html", {}
            if self.path in ("/", "/blank"):
                status, payload = 200, PAGE.encode() if self.path == "/" else b"<!doctype html>"
            elif self.path == "/static/overt.js":
                status, payload = 200, (STATIC / "overt.js").read_bytes()
                kind = "text/javascript"
            else:
                with lock:
                    head = f"{self.requestline}\n{self.headers}".encode()
                    server.received += [head, body]
                    bearer = self.headers.get("Authorization") or ""
                    status, made, more = server.answer(self.command, self.path, bearer, body)
                payload = made if isinstance(made, bytes) else json.dumps(made).encode()
                kind = "application/json"
            self.send_response(status)
            for name, value in {"Content-Type": kind, **more}.items():
                self.send_header(name, value)
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
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


def is_whole(numbers: list[int]) -> bool:
    """Whether these sequence numbers are 0, 1, 2 … without gap or double."""
    return bool(numbers) and np.array_equal(numbers, np.arange(len(numbers)))
