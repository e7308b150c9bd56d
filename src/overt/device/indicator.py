"""The agent's end of its sign, a chip or an icon in the tray: what to show, whether it lives."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from overt.device.seam import Sight

GONE_AFTER_S = 0.8
TRAY_PATIENCE_S = 4.0
CHIP, TRAY, LAYER = "overt.device.chip", "overt.device.tray", "overt.device.layer_chip"


class Indicator:
    """A sign in a process of its own. `is_seen` is asked before anything is looked at."""

    def __init__(
        self, display: str, lang: str, toggled: Callable[[], None], *, program: str = CHIP
    ) -> None:
        self.has_window = program == CHIP
        """Whether it is a window, of which it can be told that nothing covers it."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", program, lang],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "WAYLAND_DISPLAY" if program == LAYER else "DISPLAY": display},
        )
        self._toggled = toggled
        self._beat_s = 0.0
        self._shown = ""
        self._thread = threading.Thread(target=self._listen, name="chip", daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            if line.strip() == "beat":
                self._beat_s = time.monotonic()
            elif line.strip() == "toggle":
                self._toggled()
        self._beat_s = 0.0

    @property
    def pid(self) -> int:
        """Process of the sign."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Return whether the sign lives and says that it can be seen."""
        return time.monotonic() - self._beat_s < GONE_AFTER_S

    def is_seen(self, sight: Sight) -> bool:
        """Return whether it lives, and nothing covers it where it is a window."""
        return self.is_alive() and (not self.has_window or sight.shows(self.pid))

    def show(self, state: str) -> None:
        """Show a state: `recording` or `paused`, and a word more."""
        if state == self._shown or self._process.stdin is None:
            return
        try:
            self._process.stdin.write(state + "\n")
            self._process.stdin.flush()
            self._shown = state
        except OSError:
            self._beat_s = 0.0

    def close(self) -> None:
        """Take the sign away."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._thread.join(2)
        if self._process.stdout is not None:
            self._process.stdout.close()


def sign(display: str, lang: str, toggled: Callable[[], None], *, chip: bool) -> Indicator:
    """Return an icon in the tray where one shows it, else (or where `chip`) a chip."""
    from overt.device.tray import is_there

    if not chip and is_there():
        icon = Indicator(display, lang, toggled, program=TRAY)
        end_s = time.monotonic() + TRAY_PATIENCE_S
        while time.monotonic() < end_s:
            if icon.is_alive():
                return icon
            time.sleep(0.05)
        icon.close()
    return Indicator(display, lang, toggled)
