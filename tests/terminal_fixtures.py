"""`overt record` in a terminal of another make, as a person without a display has it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from desktop_fixtures import until
from overt.device.facts import FACTS
from overt.device.outbox import Outbox
from overt.device.session import unpacked
from overt.device.vault import Vault
from overt.gateway import studies
from overt.schema import batch
from overt.schema.event import KeyClass, Kind
from overt.store.store import Store

SHELL = """
[[applications]]
id = "shell"
title = "The shell"
executables = ["bash"]
terminal = true
"""


def add_study(data_dir: Path) -> None:
    """Register a study of a shell."""
    from overt.schema.study import template

    source = template("desk", "Writing at a desk").replace("\n[notice.en]", SHELL + "\n[notice.en]")
    source = re.sub(r"outbox_delay_s = \d+", "outbox_delay_s = 600", source)
    source += '\n[notice.de]\nabout = "Wir untersuchen, wie Menschen schreiben."\n'
    with Store.open(data_dir, create=True) as store:
        studies.register(store, source.encode())


class Person:
    """A terminal with a program in it: what it shows, and whether it answers."""

    def __init__(self, command: list[str], environment: dict[str, str], size: tuple[int, int]):
        import pyte

        self.lines, self.columns = size
        self.screen = pyte.Screen(self.columns, self.lines)
        self._stream = pyte.ByteStream(self.screen)
        self.answers = True
        self.written = b""
        self.screen.write_process_input = self._answer
        self.number, theirs = pty.openpty()
        self._tell_size()
        self.before = termios.tcgetattr(theirs)
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", 'exec "$@" <>"$0" >&0 2>&1', os.ttyname(theirs), *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.theirs = theirs

    def _answer(self, data: str) -> None:
        if self.answers:
            os.write(self.number, data.encode())

    def _tell_size(self) -> None:
        fcntl.ioctl(
            self.number, termios.TIOCSWINSZ, struct.pack("HHHH", self.lines, self.columns, 0, 0)
        )

    def resize(self, lines: int, columns: int) -> None:
        self.lines, self.columns = lines, columns
        self.screen.resize(lines, columns)
        self._tell_size()

    def look(self) -> list[str]:
        """Take what was written by now, and return what the terminal shows."""
        while select.select([self.number], [], [], 0)[0]:
            try:
                data = os.read(self.number, 1 << 16)
            except OSError:
                break
            self.written += data
            self._stream.feed(data)
        return list(self.screen.display)

    def rests(self, seconds: float) -> bool:
        """Answer what the terminal is asked for a while."""
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0:
            if select.select([self.number], [], [], left_s)[0]:
                self.look()
        return True

    def sees(self, words: str) -> None:
        """Wait until the terminal shows these words."""
        try:
            until(lambda: any(words in line for line in self.look()), words)
        except AssertionError:
            raise AssertionError("\n".join([f"never: {words}", *self.look()])) from None

    def line(self) -> str:
        """Return the last row."""
        return self.look()[-1].strip()

    def says(self, words: str) -> None:
        """Wait until the last row says so."""
        try:
            until(lambda: words in self.line(), words)
        except AssertionError:
            raise AssertionError("\n".join([f"never: {words}", *self.look()])) from None

    def types(self, text: str | bytes) -> None:
        os.write(self.number, text.encode() if isinstance(text, str) else text)

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGHUP)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for one in (self.number, self.theirs):
            os.close(one)


def bare(folder: Path, **more: str) -> dict[str, str]:
    """Return the environment of a console: no display, no session bus, a home of its own."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    (home / ".bashrc").write_text("PS1='at-the-prompt> '\nHISTFILE=\n")
    (home / ".zshrc").write_text("PS1='at-the-prompt> '\nHISTFILE=\n")
    fish = home / ".config" / "fish" / "config.fish"
    for one in (fish.parent, home / ".local" / "share" / "fish" / "generated_completions"):
        one.mkdir(parents=True, exist_ok=True)  # else it makes the second one, which takes a while
    fish.write_text(
        "function fish_prompt; echo -n 'at-the-prompt> '; end\nset -g fish_history ''\n"
    )
    keep = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    told = {"HOME": str(home), "LANG": "C.UTF-8", "TERM": "xterm-256color", "SHELL": "/bin/bash"}
    return {**keep, **told, "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere", **more}


@contextmanager
def at_a_console(
    folder: Path, address: str, *, size: tuple[int, int] = (24, 80), **more: str
) -> Iterator[Person]:
    """Run `overt record` in a terminal for the length of the block."""
    overt = [sys.executable, "-m", "overt", "record", "--study", address]
    command = [*overt, "--device-dir", str(folder / "device")]
    person = Person(command, bare(folder, **more), size)
    try:
        yield person
    finally:
        person.close()


def join(person: Person, seen: list[str] | None = None) -> None:
    """Answer as a person who chooses everything, until their shell is there; they see all of it."""
    for question, answer in (
        ("Choose purposes", "all"),
        ("Choose one of them", "1"),
        ("Choose applications", "all"),
        ('Type "join"', "join"),
        ("when you have it", ""),
    ):
        person.sees(question)
        if seen is not None:
            seen += person.look()
        person.types(f"{answer}\r")
    person.sees("at-the-prompt>")


def keys(folder: Path) -> list[KeyClass]:
    """Return the class of each key that is on the device, in order."""
    vault = Vault(folder / "device" / "desk")
    rows = []
    try:
        with vault.alone:
            rows += [facts(entry.plain) for entry in Outbox(vault).entries()]
            for _, value in vault.items("part/"):
                rows += unpacked(value).values()
    finally:
        vault.close()
    found = np.concatenate([np.zeros(0, FACTS), *rows])
    found = found[np.lexsort((found["seq"], found["t_us"]))]
    return [KeyClass(one) for one in found["key_class"][found["kind"] == Kind.KEY_DOWN]]


def facts(plain: bytes) -> Any:
    """Return `FACTS[n]` of a batch."""
    table = batch.to_events(*batch.decode(plain))
    rows = np.zeros(table.num_rows, FACTS)
    for name in FACTS.names:
        rows[name] = table.column(name).to_numpy()
    return rows
