"""A real desktop: Xvfb, a session bus, a window manager, real programs and injected input."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from overt.gateway import studies
from overt.store.store import Store

NEEDED = (
    "Xvfb",
    "openbox",
    "xdotool",
    "dbus-daemon",
    "dbus-send",
    "mousepad",
    "xterm",
    "zenity",
    "xev",
)
PATIENCE_S = 60.0
APPLICATIONS = """
[[applications]]
id = "editor"
title = "Text editor"
executables = ["mousepad"]

[[applications]]
id = "terminal"
title = "Terminal"
executables = ["xterm"]
terminal = true

[[applications]]
id = "dialog"
title = "Dialog"
executables = ["zenity"]

[[applications]]
id = "browser"
title = "Chromium"
executables = ["chromium"]
private_windows = true
"""
PAGE = """<title>Three fields</title>
<input autofocus size=40><br><input type=password size=40><br><textarea cols=40 rows=5></textarea>
<script>document.querySelector("input").focus()</script>
"""


def until(holds: Callable[[], object], what: str) -> None:
    """Wait for what another process does; no time is part of any promise here."""
    end_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end_s, f"never: {what}"
        select.select([], [], [], 0.02)


@dataclass
class Desktop:
    """A display with a window manager; programs started on it end with it."""

    environment: dict[str, str]
    stack: ExitStack = field(repr=False)
    server: subprocess.Popen[bytes] = field(repr=False)

    @property
    def display(self) -> str:
        return self.environment["DISPLAY"]

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.stack.callback(ended, process)
        return process

    def do(self, *words: str) -> str:
        """Inject through XTEST, or ask, with xdotool."""
        done = subprocess.run(
            ["xdotool", *words], env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def window(
        self, name: str, x: int, y: int, width: int, height: int, *, by: str = "--class"
    ) -> str:
        """Wait for a program's window by its class (or title), and put it in place."""
        found: list[str] = []

        def seen() -> bool:
            ask = ["xdotool", "search", "--onlyvisible", by, name]
            out = subprocess.run(ask, env=self.environment, capture_output=True, text=True)
            found[:] = out.stdout.split()
            return bool(found)

        until(seen, f"a window of {name}")
        self.do("windowsize", "--sync", found[-1], str(width), str(height))
        self.do("windowmove", "--sync", found[-1], str(x), str(y))
        return found[-1]

    def editor_and_terminal(self) -> tuple[str, str]:
        """Start an editor and a terminal, side by side."""
        self.start("mousepad")
        self.start("xterm", "-e", "bash", "--norc", "--noprofile")
        editor = self.window("mousepad", 20, 80, 520, 500)
        return editor, self.window("xterm", 620, 80, 520, 500)

    def browser(self, folder: Path) -> str:
        """Start Debian's Chromium at a page with a text field, a password field and a text area."""
        page = folder / "fields.html"
        page.write_text(PAGE)
        as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
        told = ["--no-first-run", "--password-store=basic", f"--user-data-dir={folder / 'profile'}"]
        accessible = [
            "env",
            "ACCESSIBILITY_ENABLED=1",
            "chromium",
            "--force-renderer-accessibility",
        ]
        self.start(*accessible, *as_root, *told, page.as_uri())
        return self.window("chromium", 620, 80, 600, 500)

    def focus(self, window: str) -> None:
        self.do("windowactivate", "--sync", window)
        until(lambda: self.do("getwindowfocus") == window, "the window takes the keyboard")

    def screenshot(self, path: Path) -> None:
        """Write what the screen shows (needs ImageMagick; for people who look at it)."""
        subprocess.run(["import", "-window", "root", str(path)], env=self.environment, check=True)


class Hand:
    """Injects keys and pointer through XTEST, and remembers when."""

    def __init__(self, display: str) -> None:
        import xcffib
        import xcffib.xtest

        self._x = xcffib.connect(display=display)
        self._test = self._x(xcffib.xtest.key)
        self._root = self._x.get_setup().roots[0].root
        self.log: list[tuple[int, int, int]] = []
        """Nanoseconds of the monotonic clock, type of the event (2 to 6), key code or button."""

    def _do(self, code: int, detail: int, x: int = 0, y: int = 0) -> None:
        self.log.append((time.monotonic_ns(), code, detail))
        self._test.FakeInput(code, detail, 0, self._root, x, y, 0)
        self._x.flush()

    def key(self, code: int, *, every_s: float = 0.004) -> None:
        self._do(2, code)
        time.sleep(every_s)
        self._do(3, code)
        time.sleep(every_s)

    def shortcut(self, held: int, code: int, *, every_s: float = 0.01) -> None:
        self._do(2, held)
        time.sleep(every_s)
        self.key(code, every_s=every_s)
        self._do(3, held)
        time.sleep(every_s)

    def button(self, number: int, *, every_s: float = 0.02) -> None:
        self._do(4, number)
        time.sleep(every_s)
        self._do(5, number)
        time.sleep(every_s)

    def move(self, x: int, y: int) -> None:
        self._do(6, 0, x, y)

    def moves(self, places: Sequence[tuple[int, int]], hz: float) -> None:
        """Move through places on a schedule; where it falls behind, it does not catch up."""
        at_s = time.monotonic()
        for x, y in places:
            at_s = max(at_s + 1 / hz, time.monotonic() - 1 / hz)
            if (wait_s := at_s - time.monotonic()) > 0:
                time.sleep(wait_s)
            self.move(x, y)

    def drag(self, places: Sequence[tuple[int, int]], hz: float) -> None:
        self.move(*places[0])
        self._do(4, 1)
        self.moves(places[1:], hz)
        self._do(5, 1)

    @contextmanager
    def on_its_own(self) -> Iterator[None]:
        """Be a second keyboard and pointer, with a focus of their own, as if just plugged in."""
        import xcffib.xinput

        devices = self._x(xcffib.xinput.key)
        devices.XIQueryVersion(2, 0).reply()
        _hierarchy(devices, struct.pack("=HHHBB8s", 1, 4, 6, 1, 1, b"second"))
        there = devices.XIQueryDevice(1).reply().infos  # 1: pointers that are masters, 2: keyboards
        pointer = max(one.deviceid for one in there if one.type == 1)
        devices.XISetClientPointer(0, pointer, is_checked=True).check()
        try:
            yield
        finally:
            _hierarchy(devices, struct.pack("=HHHBxHH", 2, 3, pointer, 2, 0, 0))

    def close(self) -> None:
        self._x.disconnect()


def _hierarchy(devices: Any, change: bytes) -> None:
    """Ask for a change of devices (XIChangeHierarchy), which xcffib cannot pack."""
    request = BytesIO()
    request.write(struct.pack("=xx2xB3x", 1) + change)
    devices.send_request(43, request, is_checked=True).check()


def ended(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def own_bus(environment: dict[str, str], stack: ExitStack) -> None:
    """Start a session bus for these programs alone, and put its address into `environment`."""
    bus = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    stack.callback(ended, bus)
    assert bus.stdout is not None
    stack.callback(bus.stdout.close)
    environment["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().strip()


@contextmanager
def desktop(folder: Path) -> Iterator[Desktop]:
    """Run a desktop of 1280 by 800 for the length of the block."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        pytest.skip(f"no {', '.join(missing)} on PATH; `make test` installs them as root")
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        read, write = os.pipe()
        command = [
            "Xvfb",
            "-displayfd",
            str(write),
            "-screen",
            "0",
            "1280x800x24",
            "-noreset",  # else it starts anew when its first client has gone
            "-nolisten",
            "tcp",
        ]
        server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        stack.callback(ended, server)
        with os.fdopen(read) as told:
            display = f":{told.readline().strip()}"
        home = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "XDG_DATA_HOME": str(folder)}
        keep = {
            name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ
        }
        environment = {**keep, **home, "DISPLAY": display, "GSETTINGS_BACKEND": "memory"}
        own_bus(environment, stack)
        made = Desktop(environment, stack, server)
        made.start("openbox")
        until(lambda: _manages(environment), "a window manager")
        yield made


def _manages(environment: dict[str, str]) -> bool:
    ask = ["xprop", "-root", "_NET_SUPPORTING_WM_CHECK"]
    out = subprocess.run(ask, env=environment, capture_output=True, text=True)
    return "window id" in out.stdout


def add_study(
    data_dir: Path,
    study: str = "desk",
    outbox_delay_s: int = 10,
    *,
    screen: bool = False,
    keys: bool = False,
) -> None:
    """Register a study with a text editor and a terminal.

    `screen`: it looks at the editor; `keys`: it asks which key it is in the editor's text areas.
    """
    from overt.schema.study import template

    source = template(study, "Writing at a desk").replace(
        "\n[notice.en]", APPLICATIONS + "\n[notice.en]"
    )
    source = re.sub(r"outbox_delay_s = \d+", f"outbox_delay_s = {outbox_delay_s}", source)
    source = source.replace('"typing-assist"]', '"typing-assist", "person-or-program"]')
    if screen:
        chosen = 'executables = ["mousepad"]\nscreen = true\n\n[[applications]]\nid = "terminal"'
        source = re.sub(
            r'executables = \["mousepad"\]\n\n\[\[applications\]\]\nid = "terminal"', chosen, source
        )
        looks = '"person-or-program", "screen-elements", "screen-pictures"]'
        source = source.replace('"person-or-program"]', looks)
    if keys:
        source = source.replace(
            '\nexecutables = ["mousepad"]', '\nexecutables = ["mousepad"]\nkeys = ["text-area"]'
        )
        source = source.replace('level = "rhythm"', 'level = "keys"')
    source += '\n[notice.de]\nabout = "Wir untersuchen, wie Menschen schreiben."\n'
    with Store.open(data_dir, create=True) as store:
        studies.register(store, source.encode())


@dataclass
class Terminal:
    """`overt record` at a terminal of its own, as a person starts it."""

    process: subprocess.Popen[bytes]
    screen: int
    shown: str = ""

    def until(self, words: str, patience_s: float = PATIENCE_S) -> None:
        """Read until the terminal shows these words."""
        end_s = time.monotonic() + patience_s
        while words not in self.shown:
            assert time.monotonic() < end_s, f"never showed {words!r}:\n{self.shown[-2000:]}"
            ready, _, _ = select.select([self.screen], [], [], 0.1)
            if ready:
                try:
                    self.shown += os.read(self.screen, 65536).decode(errors="replace")
                except OSError:
                    break
        assert words in self.shown, self.shown[-2000:]

    def read(self) -> str:
        """Read what the terminal shows by now, and return all of it."""
        while select.select([self.screen], [], [], 0)[0]:
            self.shown += os.read(self.screen, 65536).decode(errors="replace")
        return self.shown

    def answer(self, question: str, line: str) -> None:
        self.until(question)
        self.shown = ""
        os.write(self.screen, line.encode() + b"\n")


@contextmanager
def recording(desk: Desktop, address: str, folder: Path) -> Iterator[Terminal]:
    """Run `overt record` for the length of the block; who joins does so in the terminal."""
    overt = [sys.executable, "-m", "overt", "record", "--study", address, "--terminal"]
    with at_a_terminal(desk, [*overt, "--device-dir", str(folder)]) as made:
        yield made


@contextmanager
def at_a_terminal(desk: Desktop, command: list[str]) -> Iterator[Terminal]:
    """Run a command at a terminal of its own for the length of the block."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command,
        env=desk.environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
        process.wait()
        os.close(ours)


def join(
    terminal: Terminal, applications: str = "all", *, screen: bool = False, keys: bool = False
) -> None:
    """Answer as a person who chooses everything; `keys`: of a study of that level."""
    terminal.answer("Choose purposes", "all")
    if not keys:
        terminal.answer("Choose one of them", "1")
    terminal.answer("Choose applications", applications)
    if screen:
        terminal.answer("Choose windows", "1")
    if keys:
        terminal.until("What you type there can then be read")
        terminal.answer("Choose applications", "1")
    terminal.answer('Type "join"', "join")
    terminal.until("overt: recording")
