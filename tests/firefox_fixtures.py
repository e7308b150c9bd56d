"""Firefox by its own remote protocol (Marionette), which needs nothing beside Firefox."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
PATIENCE_S = 90


class Firefox:
    """A running Firefox with one window."""

    def __init__(self, port: int) -> None:
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                self._socket = socket.create_connection(("127.0.0.1", port))
                break
            except OSError:
                assert time.monotonic() < end, "Firefox did not start"
                time.sleep(0.1)
        self._file = self._socket.makefile("rb")
        self._read()
        self._number = 0
        self.do("WebDriver:NewSession", capabilities={})

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def _read(self) -> Any:
        length = b""
        while (byte := self._file.read(1)) != b":":
            length += byte
        return json.loads(self._file.read(int(length)))

    def do(self, command: str, **arguments: Any) -> Any:
        """Give one command of the protocol and return its value."""
        self._number += 1
        message = json.dumps([0, self._number, command, arguments]).encode()
        self._socket.sendall(b"%d:%s" % (len(message), message))
        _, _, error, result = self._read()
        assert error is None, f"{command}: {error}"
        return result["value"] if set(result or {}) == {"value"} else result

    def run(self, script: str, *arguments: Any) -> Any:
        """Return what an async function body comes to in the page; its arguments are `a`."""
        body = "const done = arguments[arguments.length - 1];"
        body += f"(async (...a) => {{{script}}})(...arguments).then(done, (e) => done(String(e)));"
        return self.do("WebDriver:ExecuteAsyncScript", script=body, args=list(arguments))

    def inside(self, script: str) -> Any:
        """Return what a script comes to in the browser itself: its prompts, its add-ons."""
        self.do("Marionette:SetContext", value="chrome")
        try:
            return self.run(script)
        finally:
            self.do("Marionette:SetContext", value="content")

    def until(self, script: str, *arguments: Any) -> Any:
        end = time.monotonic() + PATIENCE_S
        while (value := self.run(script, *arguments)) is not True:
            assert time.monotonic() < end, f"waited in vain for: {script} ({value})"
            time.sleep(0.1)

    def _element(self, css: str) -> str:
        self.until("return document.querySelector(a[0]) !== null", css)
        found = self.do("WebDriver:FindElement", using="css selector", value=css)
        return str(next(iter(found.values())))

    def click(self, css: str) -> None:
        self.do("WebDriver:ElementClick", id=self._element(css))

    def press_right(self, css: str, x_css_px: int, y_css_px: int) -> None:
        """Press the right button, so far from the middle of an element."""
        origin = {"element-6066-11e4-a52e-4f735466cecf": self._element(css)}
        move = {"type": "pointerMove", "origin": origin, "x": x_css_px, "y": y_css_px}
        buttons = [{"type": type_, "button": 2} for type_ in ("pointerDown", "pointerUp")]
        mouse = {"type": "pointer", "id": "mouse", "actions": [move, *buttons]}
        self.do("WebDriver:PerformActions", actions=[mouse])

    def write(self, css: str, text: str) -> None:
        self.do("WebDriver:ElementSendKeys", id=self._element(css), text=text)

    def tab(self, url: str) -> str:
        """Open a tab and return its handle."""
        handle = str(self.do("WebDriver:NewWindow", type="tab")["handle"])
        self.do("WebDriver:SwitchToWindow", handle=handle)
        self.do("WebDriver:Navigate", url=url)
        return handle


@contextmanager
def firefox(folder: Path) -> Iterator[Firefox]:
    """Start a Firefox that nobody sees; without one the test is skipped."""
    if FIREFOX is None:
        pytest.skip("there is no Firefox here")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    profile = folder / "firefox"
    profile.mkdir()
    (profile / "user.js").write_text(f'user_pref("marionette.port", {port});\n')
    command = [FIREFOX, "-headless", "-marionette", "-remote-allow-system-access", "-no-remote"]
    process = subprocess.Popen(
        [*command, "-profile", str(profile)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        with closing(Firefox(port)) as made:
            yield made
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20)
