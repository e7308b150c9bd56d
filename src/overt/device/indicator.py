"""The agent's end of the chip: tells it what to show, and whether it lives."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable

GONE_AFTER_S = 0.8


class Indicator:
    """A chip in a process of its own. `is_alive` is asked before anything is looked at."""

    def __init__(self, display: str, lang: str, toggled: Callable[[], None]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "overt.device.chip", lang],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "DISPLAY": display},
        )
        self._toggled = toggled
        self._beat_s = 0.0
        self._shown = ""
        threading.Thread(target=self._listen, name="chip", daemon=True).start()

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            if line.strip() == "beat":
                self._beat_s = time.monotonic()
            elif line.strip() == "toggle":
                self._toggled()
        self._beat_s = 0.0

    @property
    def pid(self) -> int:
        """Process of the chip."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Return whether the chip lives and says that it can be seen."""
        return time.monotonic() - self._beat_s < GONE_AFTER_S

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
        """Take the chip away."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
