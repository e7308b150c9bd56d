"""A desktop with the agent at work, and what tests ask of it."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from desktop_fixtures import Desktop, Hand, Terminal, until
from overt.device.facts import FACTS
from overt.schema.event import Kind

A, DIGIT_7, TAB, RETURN = 38, 16, 23, 36
"""Key codes of the usual keyboard of Xvfb."""

EDGE, EDGE_Y = 40, 560
"""Where moves that only say "until here" begin: in the editor, near its lower edge."""


@dataclass
class Desk:
    """A desktop with an editor, a terminal, a server, and the agent at work."""

    screen: Desktop
    url: str
    folder: Path
    data_dir: Path
    agent: Terminal
    editor: str
    terminal: str
    hand: Hand = field(repr=False)
    page: str
    """Address of the person's page."""
    signals: int = 0

    def events(self) -> Any:
        """Return every event on the device, journalled or waiting, in the order of each session."""
        from overt.device.outbox import Outbox
        from overt.device.session import unpacked
        from overt.device.vault import Vault
        from overt.schema import batch

        vault = Vault(self.folder / "desk")
        found: dict[str, list[Any]] = {}
        try:
            with vault.alone:
                for entry in Outbox(vault).entries():
                    table = batch.to_events(*batch.decode(entry.plain))
                    rows = np.zeros(table.num_rows, FACTS)
                    for name in rows.dtype.names:
                        rows[name] = table.column(name).to_numpy()
                    found.setdefault(entry.session, []).append(rows)
                for name, value in vault.items("part/"):
                    found.setdefault(name.split("/")[1], []).extend(unpacked(value).values())
        finally:
            vault.close()
        sessions = [np.concatenate(parts) for parts in found.values()]
        made = [rows[np.unique(rows["seq"], return_index=True)[1]] for rows in sessions]
        return np.concatenate([np.zeros(0, FACTS), *made])

    def keys(self) -> int:
        return int((self.events()["kind"] == Kind.KEY_DOWN).sum())

    def ready(self, window: str) -> None:
        """Give a window the keyboard and wait until keys in it are recorded."""
        self.screen.focus(window)
        before = self.keys()

        def heard() -> bool:
            self.hand.key(A)
            return self.keys() > before

        until(heard, "a key in this window is recorded")
        self.settled()

    def heard(self) -> None:
        """Wait until the agent has acted on the keys pressed until now, and shown it.

        One look hears them, the next says so; what is open is closed by a look.
        """
        own = self.page.rpartition("/")[0].rpartition("/")[0]
        for _ in range(2):
            page_of(self, "remove-application", own, application="99")

    def go_on(self) -> None:
        """Press the keys to go on until it does: nothing comes of it while something forbids it."""
        self.agent.read()
        self.agent.shown = ""

        def goes_on() -> bool:
            self.screen.do("key", "ctrl+alt+p")
            self.heard()
            return "overt: recording" in self.agent.read()

        until(goes_on, "it goes on by the person's own act")

    def settled(self) -> Any:
        """Wait until all that was injected is decided, and return every event until now.

        Events come out in order, so a move that has come out says that all before it is decided.
        """
        self.signals += 1
        x = EDGE + self.signals
        self.hand.move(x, EDGE_Y)
        until(lambda: _is_at(self.events(), x), "a move after all of it is recorded")
        made = self.events()
        return made[~np.isin(made["y_8th_css_px"], [EDGE_Y * 8])]


def _is_at(events: Any, x: int) -> bool:
    moves = events[events["kind"] == Kind.POINTER_MOVE]
    return bool(((moves["x_8th_css_px"] == x * 8) & (moves["y_8th_css_px"] == EDGE_Y * 8)).any())


def page_of(desk: Desk, path: str = "", origin: str = "", **form: str) -> str:
    """Return what the person's page answers: its text, or its status."""
    data = urllib.parse.urlencode(form).encode() if origin else None
    asked = urllib.request.Request(urllib.parse.urljoin(desk.page, path), data)
    if origin:
        asked.add_header("Origin", origin)
    try:
        with urllib.request.urlopen(asked) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return str(error.code)


def device(desk: Desk, what: str) -> Any:
    """Run `overt device` with a word, and return what it says as JSON."""
    where = ("--study", desk.url, "--device-dir", str(desk.folder), "--json")
    done = subprocess.run(
        [sys.executable, "-m", "overt", "device", what, *where],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def headers(desk: Desk) -> list[Any]:
    """Return the header of each batch that waits, once its times are those of the wall clock."""
    from overt.device.outbox import Outbox
    from overt.device.vault import Vault
    from overt.schema import batch

    vault = Vault(desk.folder / "desk")
    headers = []
    for entry in Outbox(vault).entries():
        header, _ = batch.read_header(entry.plain)
        age_ms = entry.closed_ms - header.time_origin_ms - header.t0_us / 1000
        assert -100 < age_ms < 60_000, "closed within a minute of its first event"
        headers.append(header)
    vault.close()
    return headers
