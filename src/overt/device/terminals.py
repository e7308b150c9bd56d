"""Whether what is typed into a terminal may be recorded: only at the prompt of a shell.

A program inside of a terminal may ask for a password at any moment, and nothing on the screen says
so. So keys exist only while the shell itself waits for a line. `sudo`, `ssh`, editors and whatever
else runs there: suppressed, because it is unknown what they ask for.
"""

from __future__ import annotations

import os
import termios
from collections.abc import Iterator
from pathlib import Path

SHELLS = frozenset({"bash", "dash", "fish", "ksh", "mksh", "sh", "zsh"})
_ICANON_ECHO = termios.ICANON | termios.ECHO


def at_a_prompt(pid: int) -> bool:
    """Return whether every shell that a terminal emulator runs waits for a line that it shows.

    `pid` is the emulator's process. A shell that reads with editing has neither echo nor lines of
    the terminal's own; one that reads without has both; lines without echo are a password.
    """
    shells = list(_children(pid))
    return bool(shells) and all(_waits(shell) for shell in shells)


def _children(pid: int) -> Iterator[int]:
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            yield from map(int, (task / "children").read_text().split())
    except (OSError, ValueError):
        return


def _waits(shell: int) -> bool:
    try:
        fields = Path(f"/proc/{shell}/stat").read_text().rpartition(")")[2].split()
        front = int(fields[5])  # the process group that has the terminal
        if front != int(fields[2]) or Path(f"/proc/{shell}/exe").readlink().name not in SHELLS:
            return False
        terminal = os.open(f"/proc/{shell}/fd/0", os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            modes = termios.tcgetattr(terminal)[3]
        finally:
            os.close(terminal)
    except (OSError, ValueError, IndexError, termios.error):
        return False
    return modes & _ICANON_ECHO in (0, _ICANON_ECHO)
