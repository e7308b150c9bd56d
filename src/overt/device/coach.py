"""`overt coach`: the same capture for one person alone. No study, no server, nothing leaves.

What it keeps are a day's sums (`overt.device.practice`), sealed on this computer.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from collections.abc import Callable, Sequence

from overt.device.applications import TERMINALS, Application, Applications, program_of
from overt.device.capture import Capture
from overt.device.fields import Fields
from overt.device.indicator import sign
from overt.device.practice import Day, Practice
from overt.device.screen import Screen
from overt.device.signs import ELSEWHERE, GONE
from overt.device.vault import Vault, as_json
from overt.device.verdicts import FieldsAndTerminals
from overt.device.x11 import Display, refuse_wayland
from overt.schema.applications import secretive
from overt.schema.errors import Missing

KEEP_S = 5.0
INTERPRETERS = ("bash", "java", "node", "perl", "python", "ruby", "sh")
"""Programs whose file says nothing of what they run; they cannot be switched on."""


def programs_in_sight(display: str | None = None) -> list[str]:
    """Return the programs that have a window now, by name, to choose from."""
    shown = Display(display)
    try:
        found = {program_of(window.pid) for window in shown.windows() if window.width > 1}
    finally:
        shown.close()
    names = {path.name for path in found if path is not None}
    return sorted(name for name in names if refused(name) is None)


def refused(name: str) -> str | None:
    """Return why a program cannot be switched on, or None."""
    if name.startswith(INTERPRETERS):
        return "an interpreter, which runs anything"
    return secretive(name)


def days(vault: Vault) -> dict[dt.date, Day]:
    """Return the sums of each day, oldest first."""
    return {
        dt.date.fromisoformat(name.removeprefix("day/")): Day.of_json(json.loads(value))
        for name, value in vault.items("day/")
    }


class Coach:
    """Counts until stopped, in the thread that calls `run`."""

    def __init__(
        self,
        vault: Vault,
        programs: Sequence[str],
        display: str | None = None,
        *,
        lang: str = "en",
        chip: bool = False,
    ) -> None:
        """`lang`: of the sign; `chip`: a chip even where the desktop has a tray."""
        refuse_wayland()
        fields = Fields()
        if not set(programs) <= TERMINALS and not fields.wait():
            raise Missing(
                "the accessibility service does not answer; without it no field can be told from "
                "a password, so the coach cannot count keys but in terminals",
                where="AT-SPI",
                do="Install at-spi2-core, switch accessibility on and log in again; or count in "
                "a terminal alone: overt coach --program xterm",
            )
        self._vault = vault
        listed = [
            Application(number, name, name, (name,), terminal=name in TERMINALS)
            for number, name in enumerate(programs, 1)
        ]
        self._display = Display(display)
        self._indicator = sign(self._display.name, lang, self.toggle, chip=chip, coach=True)
        applications = Applications(listed)
        self._screen = Screen(self._display, applications, lambda: self._indicator.pid)
        verdicts = FieldsAndTerminals(applications, fields)
        origin_ms = self._display.now_ms()
        self._capture = Capture(self._display, self._screen, verdicts, origin_ms, letters=True)
        self._display.on_hotkey(self.toggle)
        self._stop = threading.Event()
        self._paused = False

    def toggle(self) -> None:
        """Pause without limit, or go on; after its sign was gone, go on."""
        lost = self._indicator.lost
        self._indicator.accept()
        self._paused = not self._paused and not lost

    def stop(self) -> None:
        """End; `run` returns."""
        self._stop.set()

    def run(self, told: Callable[[str], None]) -> None:
        """Count what is typed and pointed; `told` hears `recording` and `paused`."""
        phase, kept_s = "", time.monotonic()
        today = dt.date.today()  # noqa: DTZ011 - the person's own day
        practice = Practice(self._day(today))
        try:
            while not self._stop.is_set():
                self._capture.rest()
                self._indicator.keep()
                is_open = self._indicator.is_seen(self._screen) and not self._paused
                now = "recording" if is_open else "paused"
                elsewhere = is_open and not self._capture.moment.application
                more = f" {GONE}" if self._indicator.lost else f" {ELSEWHERE}" if elsewhere else ""
                self._indicator.show(now + more)
                if now != phase:
                    phase = now
                    practice.rest()
                    told(phase)
                practice.take(self._capture.look(is_open=is_open))
                if time.monotonic() - kept_s < KEEP_S:
                    continue
                kept_s = time.monotonic()
                self._keep(today, practice.day)
                if (new := dt.date.today()) != today:  # noqa: DTZ011
                    practice.rest()
                    today, practice = new, Practice(self._day(new))
        finally:
            practice.take(self._capture.leave())
            practice.rest()
            self._keep(today, practice.day)
            self._indicator.close()
            self._display.close()

    def _day(self, date: dt.date) -> Day:
        return Day.of_json(self._vault.get_json(f"day/{date.isoformat()}", {}))

    def _keep(self, date: dt.date, day: Day) -> None:
        self._vault.change({f"day/{date.isoformat()}": as_json(day.to_json())})
