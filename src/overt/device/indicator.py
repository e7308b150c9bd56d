"""The agent's end of its sign, a chip or an icon in the tray: what to show, whether it lives."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from overt.device.seam import Sight
from overt.device.signs import COACH
from overt.schema.environment import keyless

GONE_AFTER_S = 0.8
TRAY_PATIENCE_S = 4.0
AGAIN_S = 5.0
"""Between two tries to put a chip in the place of a sign that has gone."""

HUNG_S = 5.0
"""A sign that says nothing for so long hangs; a busy computer may make one late."""
CHIP, TRAY, LAYER = "overt.device.chip", "overt.device.tray", "overt.device.layer_chip"


class Indicator:
    """A sign in a process of its own. `is_seen` is asked before anything is looked at.

    Where a sign goes away that could be seen before, a chip takes its place: it shows that nothing
    is recorded, until the person goes on (`accept`).
    """

    def __init__(
        self,
        display: str,
        lang: str,
        toggled: Callable[[], None],
        *,
        program: str = CHIP,
        coach: bool = False,
    ) -> None:
        self._display, self._toggled = display, toggled
        self._words = [lang, COACH] if coach else [lang]
        self.lost = False
        """A sign that could be seen has gone, and the person has not gone on since."""
        self._start(program)

    def _start(self, program: str) -> None:
        self.program = program
        self._was_alive, self._gone, self._started_s = False, False, time.monotonic()
        self._beat_s, self._shown = 0.0, ""
        variable = "WAYLAND_DISPLAY" if program == LAYER else "DISPLAY"
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", program, *self._words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=keyless(**{variable: self._display}),
        )
        self._thread = threading.Thread(
            target=self._listen, args=(self._process,), name="sign", daemon=True
        )
        self._thread.start()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            if process is not self._process:
                return
            if line.strip() == "beat":
                self._beat_s, self._was_alive = time.monotonic(), True
            elif line.strip() == "gone":
                self._gone, self._beat_s = True, 0.0
            elif line.strip() == "toggle":
                self._toggled()
        if process is self._process:
            self._beat_s = 0.0

    @property
    def has_window(self) -> bool:
        """Whether it is a window, of which it can be told that nothing covers it."""
        return self.program == CHIP

    @property
    def pid(self) -> int:
        """Process of the sign, as it is now."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Return whether the sign lives and says that it can be seen."""
        return time.monotonic() - self._beat_s < GONE_AFTER_S

    def is_seen(self, sight: Sight) -> bool:
        """Return whether it lives, nothing covers it where it is a window, and none was lost."""
        if self.lost or not self.is_alive():
            return False
        return not self.has_window or sight.shows(self.pid)

    def keep(self) -> None:
        """Put a chip in the place of a sign that has gone; called at every look."""
        now_s = time.monotonic()
        if self.is_alive():
            return
        if self._was_alive and self._has_gone(now_s):
            self.lost = True
            self._replace()
        elif self.lost and not self._was_alive and now_s - self._started_s > AGAIN_S:
            self._replace()

    def _has_gone(self, now_s: float) -> bool:
        """Return whether it has ended, has nobody who shows it, or hangs; late is not gone."""
        return self._gone or self._process.poll() is not None or now_s - self._beat_s > HUNG_S

    def _replace(self) -> None:
        self._end()
        self._start(LAYER if self.program == LAYER else CHIP)

    def accept(self) -> None:
        """Go on after a sign was lost, by the person's own act; nothing while none is there."""
        if self.is_alive():
            self.lost = False

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
        self._end(2.0)

    def _end(self, patience_s: float = 0.0) -> None:
        process, thread = self._process, self._thread
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        thread.join(2)
        if process.stdout is not None:
            process.stdout.close()


def sign(
    display: str, lang: str, toggled: Callable[[], None], *, chip: bool, coach: bool = False
) -> Indicator:
    """Return an icon in the tray where one shows it, else (or where `chip`) a chip."""
    from overt.device.tray import is_there

    if not chip and is_there():
        icon = Indicator(display, lang, toggled, program=TRAY, coach=coach)
        end_s = time.monotonic() + TRAY_PATIENCE_S
        while time.monotonic() < end_s:
            if icon.is_alive():
                return icon
            time.sleep(0.05)
        icon.close()
    return Indicator(display, lang, toggled, coach=coach)
