"""A page for the person alone: a random port of this computer, under an address nobody guesses.

Only who knows the address gets anything; it is printed in the person's own terminal, and stands on
no command line, which every user of a computer can read. The page loads nothing from anywhere, has
no script but the coach's one, and may be shown in no frame. A form
counts only if the browser says that it was on this very page, so no other site can press its
buttons.
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

POLICY = (
    "default-src 'none'; style-src 'nonce-{nonce}'; script-src {scripts}; img-src data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action {forms}"
)
"""Whatever script runs, it can ask nobody for anything, nor send anything anywhere."""

FORM_BYTES_MAX = 4096
PATIENCE_S = 10.0

HANDED = "OVERT_PAGE"
"""Variable with the socket and the secret of a page that this process goes on with."""

Shown = Callable[[str, str, str], str | None]
"""Path below the page's address, nonce, languages that the browser asks for → HTML, or None where
there is no such page."""
Done = Callable[[str, Mapping[str, str]], str | None]
"""Path, fields of a form → path to go on with, or None where there is no such form."""


def rendered(template: str, **values: Any) -> str:
    """Return a template of this package as HTML, everything escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("overt.device"), autoescape=True, undefined=StrictUndefined
    )
    return str(environment.get_template(template).render(**values))


class Page:
    """Serves until closed. `url` is where."""

    def __init__(
        self,
        shown: Shown,
        done: Done | None = None,
        *,
        script: bool = False,
        after: Callable[[str], None] | None = None,
    ) -> None:
        """`script`: the page has one of its own, inside of it; `after` hears of each answer given.

        It goes on at the address that the page before it handed over, if one did.
        """
        listening, self._secret = _handed()
        secret = self._secret

        class Own(Answers):
            """Answers for this page."""

        Own.secret, Own.about, Own.script = secret, (shown, done), script
        Own.after = staticmethod(after) if after else None
        self._server = _Quiet(("127.0.0.1", 0), Own, bind_and_activate=listening is None)
        if listening is not None:
            self._server.take(listening)
        Own.own = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{Own.own}/{secret}/"
        threading.Thread(target=self._server.serve_forever, name="page", daemon=True).start()

    def rest(self) -> None:
        """Take up nobody any more: whoever asks from now on waits for the next page here."""
        self._server.shutdown()

    def close(self, *, hand_over: bool = False) -> None:
        """Stop serving; `hand_over`: whoever asks meanwhile waits for the next page here.

        The next page of this process, also after it began anew (`exec`), is at this address.
        """
        self._server.shutdown()
        if hand_over:
            kept = os.dup(self._server.fileno())
            os.set_inheritable(kept, True)  # noqa: FBT003 - it has no name
            os.environ[HANDED] = f"{kept} {self._secret}"
        self._server.server_close()


def _handed() -> tuple[socket.socket | None, str]:
    """Return what a page before this one handed over, once; else a fresh secret."""
    number, _, secret = os.environ.pop(HANDED, "").partition(" ")
    if sys.platform == "win32" or not number.isdecimal():
        return None, secrets.token_urlsafe(16)
    os.set_inheritable(int(number), False)  # noqa: FBT003 - it has no name
    return socket.socket(fileno=int(number)), secret


class _Quiet(ThreadingHTTPServer):
    """Takes what other programs send it as it comes."""

    def take(self, listening: socket.socket) -> None:
        """Serve on a socket that listens already."""
        self.socket.close()
        self.socket = listening
        self.server_address = listening.getsockname()
        self.server_name, self.server_port = listening.getsockname()[:2]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: whoever hangs up too early must not write into the person's terminal."""


class Answers(BaseHTTPRequestHandler):
    """Answers for one page; its class attributes say which."""

    timeout = PATIENCE_S
    secret = own = ""
    about: tuple[Shown, Done | None]
    after: Callable[[str], None] | None = None
    script = False

    def do_GET(self) -> None:
        """Show a page."""
        nonce = secrets.token_urlsafe(12)
        path = self._path()
        languages = self.headers.get("Accept-Language", "")
        html = None if path is None else self.about[0](path, nonce, languages)
        if html is None:
            self._send(404, b"Not found.", "text/plain")
            return
        forms = "'self'" if self.about[1] else "'none'"
        scripts = f"'nonce-{nonce}'" if self.script else "'none'"
        policy = POLICY.format(nonce=nonce, scripts=scripts, forms=forms)
        told = {"Content-Security-Policy": policy}
        self._send(200, html.encode(), "text/html; charset=utf-8", **told)
        self._tell("GET")

    def do_POST(self) -> None:
        """Take a form that was on this page."""
        done = self.about[1]
        path, length = self._path(), self.headers.get("Content-Length", "")
        known = path is not None and done and length.isascii() and length.isdigit()
        if not known or int(length) > FORM_BYTES_MAX or self.headers["Origin"] != self._origin():
            self.close_connection = True
            self._send(403, b"Refused.", "text/plain")
            return
        form = dict(parse_qsl(self.rfile.read(int(length)).decode("utf-8", "replace")))
        further = done(str(path), form) if done else None
        if further is None:
            self._send(404, b"Not found.", "text/plain")
            return
        self._send(303, b"", "text/plain", Location=f"/{self.secret}{further}")
        self._tell("POST")

    def _tell(self, method: str) -> None:
        if self.after is not None:
            self.after(method)

    def _origin(self) -> str:
        return f"http://{self.own}"

    def _path(self) -> str | None:
        """Return the path below the page's address, or None where the address is another."""
        first, _, rest = self.path.lstrip("/").partition("/")
        same = secrets.compare_digest(first.encode(), self.secret.encode())
        return f"/{rest}" if same and self.headers.get("Host", "") == self.own else None

    def _send(self, status: int, body: bytes, kind: str, **headers: str) -> None:
        self.send_response(status)
        common = {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Referrer-Policy": "same-origin",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
        for name, value in {**common, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: a log is one more place to look."""
