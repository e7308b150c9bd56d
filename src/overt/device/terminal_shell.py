"""The person's own shell, at a terminal that Overt is the other end of."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import struct
import subprocess
import termios
from typing import Any

from overt.device.terminal_owned import END_S, Pending, silent
from overt.schema.environment import keyless
from overt.schema.errors import Missing

_OPENS = 'exec "$@" <>"$0" >&0 2>&1'
"""Makes the terminal that it is given its own, as who leads a session and opens one does."""


def look() -> None:
    """Raise `Missing` where terminal or shell are such that nothing could begin."""
    if os.environ.get("TERM", "dumb") == "dumb":
        raise silent()
    own_shell()


def own_shell() -> str:
    """Return the person's shell. Raises `Missing` where it is no program that can be started."""
    shell = os.environ.get("SHELL") or "/bin/sh"
    if shutil.which(shell) is None:
        raise Missing(
            "your shell cannot be started",
            where="SHELL",
            do="Such as SHELL=/bin/bash overt record.",
        )
    return shell


class Shell:
    """The shell, and what waits for it. When the agent ends, however it does, it is hung up."""

    def __init__(self, lines: int, columns: int, modes: list[Any]) -> None:
        """`modes`: of the person's terminal: which key erases, and whether characters are UTF-8."""
        self.number, self._theirs = os.openpty()
        termios.tcsetattr(self._theirs, termios.TCSANOW, modes)
        os.set_blocking(self.number, False)
        self.pending = Pending(self.number)
        self.tell_size(lines, columns)
        self.process = _started(os.ttyname(self._theirs))
        self.ends = os.pidfd_open(self.process.pid)
        """Can be read once it has ended."""

    def tell_size(self, lines: int, columns: int) -> None:
        """Tell its programs how large their screen is."""
        fcntl.ioctl(self.number, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def close(self) -> None:
        """Hang up."""
        for number in (self.number, self._theirs, self.ends):
            os.close(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(END_S)


def _started(terminal: str) -> subprocess.Popen[bytes]:
    shell = own_shell()
    has_256 = "256" in os.environ.get("TERM", "") or bool(os.environ.get("COLORTERM"))
    told = keyless(TERM="xterm-256color" if has_256 else "xterm")
    for name in ("LINES", "COLUMNS", "TMUX", "STY"):  # of the terminal outside
        told.pop(name, None)
    return subprocess.Popen(
        ["/bin/sh", "-c", _OPENS, terminal, shell],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env=told,
    )
