"""`overt coach`: the same capture for one person alone. No study, no server, nothing leaves.

What it keeps are a day's sums (`overt.device.practice`), sealed on this computer.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from collections.abc import Callable, Sequence

from overt.device import platforms
from overt.device.applications import TERMINALS, Application
from overt.device.capture import Capture
from overt.device.fields import is_there
from overt.device.locks import Locks
from overt.device.practice import Day, Practice
from overt.device.signs import ELSEWHERE, GONE
from overt.device.vault import Vault, as_json
from overt.schema.applications import secretive
from overt.schema.errors import Missing

KEEP_S = 5.0
INTERPRETERS = ("bash", "java", "node", "perl", "python", "ruby", "sh")
"""Programs whose file says nothing of what they run; they cannot be switched on."""


def programs_in_sight(display: str | None = None) -> list[str]:
    """Return the programs that have a window now, by name, to choose from."""
    return [name for name in platforms.programs(display) if refused(name) is None]


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
        on_linux = platforms.kind() in (platforms.X11, platforms.WAYLAND)
        if on_linux and not set(programs) <= TERMINALS and not is_there():
            raise Missing(
                "the accessibility service does not answer; without it no field can be told from "
                "a password, so the coach cannot count keys but in terminals",
                where="AT-SPI",
                do="Install at-spi2-core, switch accessibility on and log in again; or count in "
                "a terminal alone: overt coach --program xterm",
            )
        platforms.look(display)
        self._vault = vault
        listed = [
            Application(number, name, name, (name,), terminal=name in TERMINALS)
            for number, name in enumerate(programs, 1)
        ]
        platform = platforms.opened(display, listed, lang, self.toggle, chip=chip, coach=True)
        self._source, self._sight = platform.source, platform.sight
        self._indicator = platform.indicator
        origin_ms = self._source.now_ms()
        self._capture = Capture(
            self._source, self._sight, platform.verdicts, origin_ms, letters=True
        )
        self._source.on_hotkey(self.toggle)
        platform.on_lock(self.interrupt)
        self._locks = Locks(self.interrupt)
        self._stop = threading.Event()
        self._paused = False

    def toggle(self) -> None:
        """Pause without limit, or go on; after its sign was gone, go on. Nothing while locked."""
        if self._locks.closed:
            return
        lost = self._indicator.lost
        self._indicator.accept()
        self._paused = not self._paused and not lost

    def interrupt(self) -> None:
        """Pause until the person's own act: whoever comes back may be somebody else."""
        self._paused = True

    def stop(self) -> None:
        """End; `run` returns."""
        self._stop.set()

    def run(self, told: Callable[[str], None]) -> None:
        """Count what is typed and pointed; `told` hears `recording` and `paused`."""
        self._locks.wait()
        phase, kept_s = "", time.monotonic()
        today = dt.date.today()  # noqa: DTZ011 - the person's own day
        practice = Practice(self._day(today))
        try:
            while not self._stop.is_set():
                self._capture.rest()
                self._locks.look()
                self._indicator.keep()
                is_open = self._indicator.is_seen(self._sight) and not self._paused
                is_open = is_open and not self._locks.closed
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
            self._source.close()

    def _day(self, date: dt.date) -> Day:
        return Day.of_json(self._vault.get_json(f"day/{date.isoformat()}", {}))

    def _keep(self, date: dt.date, day: Day) -> None:
        self._vault.change({f"day/{date.isoformat()}": as_json(day.to_json())})
