"""A real server, a wire that remembers every byte, and hands that work a page in three ways."""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

import ready
from overt.schema.errors import InvalidInput
from overt.schema.fold import MAGIC, unfold

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SERVER = Path(__file__).with_name("studio_server.py")
PATIENCE_MS = 300_000
"""Training on a busy machine is the slowest thing that is waited for."""

DUMP = """async () => {
  const found = [];
  for (const { name } of await indexedDB.databases()) {
    const db = await new Promise((done) => {
      const request = indexedDB.open(name);
      request.onsuccess = () => done(request.result);
    });
    for (const store of db.objectStoreNames) {
      const rows = await new Promise((done) => {
        const request = db.transaction(store).objectStore(store).getAll();
        request.onsuccess = () => done(request.result);
      });
      found.push(...rows.map((row) => [name, store, row]));
    }
    db.close();
  }
  const seen = (_, value) => {
    if (value instanceof ArrayBuffer) value = new Uint8Array(value);
    if (ArrayBuffer.isView(value)) return String.fromCharCode(...value);
    return value;
  };
  return JSON.stringify([found, { ...localStorage }, { ...sessionStorage }, document.cookie], seen);
}"""
COUNTS = ("produced", "waiting", "acknowledged", "stored", "removed", "lost")


@dataclass
class Studio:
    """A running server: its address, its data directory, and what it printed."""

    url: str
    data_dir: Path
    printed: Path
    process: ready.Forked


@contextmanager
def studio(folder: Path, *site: Path) -> Iterator[Studio]:
    """Run the studio in a process of its own over `folder`, with a site's own pages."""
    data_dir, printed = folder / "data", folder / "printed"
    with (
        printed.open("wb") as errors,
        ready.started(SERVER, data_dir, *site, stderr=errors) as process,
    ):
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()
            assert url, printed.read_text()
            yield Studio(url, data_dir, printed, process)
        finally:
            process.terminate()
            errors.write(process.stdout.read().encode())
            process.wait(20)


@contextmanager
def chromium(**options: Any) -> Iterator[Any]:
    """Start a headless Chromium, or a context with a profile where `user_data_dir` is given."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on PATH; `make test` installs one")
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        how = {"executable_path": CHROMIUM, "args": ["--no-sandbox"], **options}
        start = playwright.chromium
        made = (
            start.launch_persistent_context(**how)
            if "user_data_dir" in how
            else start.launch(**how)
        )
        try:
            yield made
        finally:
            made.close()


@dataclass
class Wire:
    """A relay in front of a server that remembers every byte in both directions."""

    url: str
    there: str
    """The server's address; may change, as that of one that was started again."""
    passed: list[bytes] = field(default_factory=list)

    def everything(self) -> bytes:
        return b"".join(self.passed)


@contextmanager
def wire(url: str) -> Iterator[Wire]:
    """Relay a free port to the server at `url`."""
    listening = socket.create_server(("127.0.0.1", 0))
    made = Wire(f"http://127.0.0.1:{listening.getsockname()[1]}", url)

    def pump(source: socket.socket, sink: socket.socket) -> None:
        kept: list[bytes] = []
        made.passed.append(b"")
        place = len(made.passed) - 1
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                kept.append(data)
                made.passed[place] = b"".join(kept)
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listening.accept()
                try:
                    far = socket.create_connection(
                        ("127.0.0.1", int(made.there.rpartition(":")[2]))
                    )
                except OSError:
                    near.close()
                    continue
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield made
    finally:
        listening.close()


def opened(data: bytes) -> Iterator[bytes]:
    """Yield bytes as they are, and what every gzip stream and folded batch in them is."""
    yield data
    for found in re.finditer(rb"\x1f\x8b\x08", data):
        with contextlib.suppress(zlib.error):
            yield zlib.decompressobj(wbits=31).decompress(data[found.start() :])
    for found in re.finditer(MAGIC, data):
        with contextlib.suppress(InvalidInput):
            yield unfold(data[found.start() :], alone=False)


def holds(data: bytes, secret: str) -> bool:
    """Tell whether text is in some bytes, plain or gzipped, in UTF-8 or UTF-16."""
    spellings = [secret.encode(), secret.encode("utf-16-le")]
    return any(spelling in plain for plain in opened(data) for spelling in spellings)


class Hands:
    """A person with a mouse. `press` activates a control, `write` types into a field."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def on(self, name: str) -> Locator:
        return self.page.get_by_test_id(name).first

    def come(self, name: str) -> Locator:
        """Wait for what takes long. (`expect` would describe the whole page at every look.)"""
        self.on(name).wait_for(timeout=PATIENCE_MS)
        return self.on(name)

    def press(self, name: str) -> None:
        self.on(name).click()

    def write(self, name: str, text: str) -> None:
        self.press(name)
        self.page.keyboard.type(text, delay=8)

    def choose(self, name: str, value: str) -> None:
        self.on(name).select_option(value)

    def menu(self, *path: str) -> None:
        self.press("menu-open")
        for depth in range(len(path)):
            self.press("menu-" + "-".join(path[: depth + 1]))

    def read(self) -> None:
        self.on("task-read").hover()
        for _ in range(6):
            self.page.mouse.wheel(0, 400)

    def targets(self) -> None:
        self.press("targets-start")
        for number in range(1, 13):
            expect(self.on("target")).to_have_text(str(number))
            self.press("target")


class Touch(Hands):
    """A person with a phone."""

    def press(self, name: str) -> None:
        self.on(name).tap()

    def read(self) -> None:
        self.on("task-read").evaluate("e => e.scrollTo(0, e.scrollHeight)")


class Keyboard(Hands):
    """A person without a pointer: Tab, arrows, Enter and Space alone."""

    def go(self, name: str) -> None:
        for _ in range(250):
            if self.page.evaluate("document.activeElement.dataset.testid ?? ''") == name:
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{name} is not reached by Tab")

    def press(self, name: str) -> None:
        self.go(name)
        box = name.startswith(("purpose-", "detail-", "remember-"))
        self.page.keyboard.press("Space" if box else "Enter")

    def write(self, name: str, text: str) -> None:
        self.go(name)
        self.page.keyboard.type(text, delay=8)

    def choose(self, name: str, value: str) -> None:
        self.go(name)
        self.page.keyboard.type(value)
        self.page.keyboard.press("Enter")
        expect(self.on(name)).to_have_value(value)

    def menu(self, *path: str) -> None:
        self.press("menu-open")
        for depth in range(len(path)):
            wanted = "menu-" + "-".join(path[: depth + 1])
            for _ in range(8):
                if self.page.evaluate("document.activeElement.dataset.testid") == wanted:
                    break
                self.page.keyboard.press("ArrowDown")
            self.page.keyboard.press("ArrowRight" if depth + 1 < len(path) else "Enter")

    def read(self) -> None:
        self.go("task-read")
        done = self.page.locator("[data-task='7'] .done")
        for _ in range(60):
            self.page.keyboard.press("PageDown")
            if done.is_visible():
                return

    def targets(self) -> None:
        self.press("targets-start")
        for number in range(1, 13):
            expect(self.on("target")).to_have_text(str(number))
            self.press("target")


def counts(hands: Hands) -> dict[str, int]:
    """Return the counts that the page shows."""
    return {name: int(hands.on(f"count-{name}").inner_text()) for name in COUNTS}


def join(hands: Hands, *purposes: str, detail: str = "rhythm") -> None:
    """Choose purposes and how exactly, and join."""
    for purpose in purposes:
        hands.press(f"purpose-{purpose}")
    hands.press(f"detail-{detail}")
    hands.press("join")
    expect(hands.on("joined")).to_be_visible()
    expect(hands.on("bar-state")).to_have_text("Recording")
