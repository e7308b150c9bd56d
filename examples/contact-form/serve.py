"""A contact form that asks whether a person writes, and keeps nobody out.

    overt study new examples/contact-form/study.toml
    python examples/contact-form/serve.py --data-dir overt-data

Messages go to the association's inbox whatever the visitor chose. What their browser said decides
one thing only: whether somebody reads the message before it is passed on.
"""

import argparse
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs

import uvicorn
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from overt.studio.app import App, create_app

PAGES = Path(__file__).parent
BYTES_MAX = 16 * 1024
HEADERS = {"Content-Security-Policy": "default-src 'none'", "Referrer-Policy": "no-referrer"}
THANKS = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Thank you</title>
<h1>Thank you. Your message has arrived.</h1><p><a href="/site/">Back</a></p></html>"""


@dataclass
class Inbox:
    """Serves Overt and, beside it, takes what the form sends."""

    overt: App
    passed_on: list[dict[str, str]] = field(default_factory=list)
    to_read_first: list[dict[str, str]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["path"] not in ("/", "/message"):
            await self.overt(scope, receive, send)
            return
        answer = await self._answer(Request(scope, receive))
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.method != "POST" or request.url.path != "/message":
            return RedirectResponse("/site/")
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > BYTES_MAX:
                return PlainTextResponse("That is too long for one message.", 413)
        sent = parse_qs(body.decode("utf-8", "replace"))
        message = {name: sent.get(name, [""])[0] for name in ("from", "text")}
        # The visitor's browser said this, and a program can say it as well: so it spares people a
        # wait, and must never be all that stands between a program and harm.
        person = sent.get("looked") == ["person"]
        (self.passed_on if person else self.to_read_first).append(message)
        print(f"{'passed on' if person else 'to be read first'}: {len(body)} bytes", flush=True)
        return HTMLResponse(THANKS, headers=HEADERS)


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, default=Path("overt-data"))
    parser.add_argument("--port", type=int, default=8770, help="0 for a free one")
    asked = parser.parse_args()
    listening = socket.create_server(("127.0.0.1", asked.port))
    inbox = Inbox(create_app(asked.data_dir, site=PAGES))
    print(f"http://127.0.0.1:{listening.getsockname()[1]}/", flush=True)
    config = uvicorn.Config(inbox, log_level="warning", access_log=False, server_header=False)
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    sys.exit(main())
