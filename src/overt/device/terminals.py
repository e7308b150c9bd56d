"""Whether what is typed into a terminal may be recorded: only at the prompt of a shell.

A program inside of a terminal may ask for a password at any moment, and nothing on the screen says
so. So keys exist only while the shell itself waits for a line. `sudo`, `ssh`, editors and whatever
else runs there: suppressed, because it is unknown what they ask for.
"""

from __future__ import annotations

import os
import termios
import time
from collections import deque
from collections.abc import Iterator

SHELLS = frozenset({"bash", "dash", "fish", "ksh", "mksh", "sh", "zsh"})
_HIDE = frozenset({"fish"})
"""Those which hide what they read (`read -s`) in the way of their prompt, so that only a screen
tells (`terminal_shown`)."""

_READ_LINES = frozenset({"dash", "ksh", "sh"})
"""Those whose prompt may leave lines and echo to the terminal. What others read so is none."""

_ICANON_ECHO = termios.ICANON | termios.ECHO
_PART_BYTES = 4096


def at_a_prompt(pid: int, *, is_watched: bool = False) -> bool:
    """Return whether every shell that a terminal emulator runs waits for a line that it shows.

    `pid` is the emulator's process; `is_watched`: whether it shows what is typed is known besides.
    A shell that reads with editing has neither echo nor lines of the terminal's own; one that reads
    without has both; lines without echo are a password. A program within `$(...)`, or where jobs
    have no groups of their own, shares the shell's group.
    """
    shells = list(shells_of(pid))
    return bool(shells) and all(_waits(shell, is_watched=is_watched) for shell in shells)


class Unread:
    """Whether the shells of a terminal have read what was typed there.

    A busy machine gives a shell its keys late: what follows a command that asks for a password is
    typed while the shell seems to wait at its prompt still. So keys count only once the shell has
    read as many bytes as were typed, which the kernel tells of each process.
    """

    def __init__(self) -> None:
        self._pid = 0
        self._read: deque[int] = deque(maxlen=3)
        """At this look and the two before: the oldest is from before anything that is new now."""
        self._base = self._keys = self._lines = 0
        self._accounted = 0
        """What will have been read with all that was typed before; other reading comes on top."""
        self._since_s = 0.0

    def look(self, pid: int) -> None:
        """Note at every look how much was read so far in this terminal."""
        if pid != self._pid:
            self._pid, self._keys, self._lines, self._accounted = pid, 0, 0, 0
            self._read.clear()
        self._read.append(_bytes_read(pid))

    def typed(self, keys: int, lines: int) -> None:
        """Add what was typed since the look before: keys that give a character, and Enter."""
        if not keys or not self._read:
            return
        if not self._keys:
            self._base = max(self._read[0], self._accounted)
            self._since_s = time.monotonic()
        self._keys += keys
        self._lines += lines

    def waits_s(self) -> float | None:
        """Return for how long something typed has not been read; None if all was."""
        if not self._keys:
            return None
        # A terminal that hands over whole lines owes no more than those.
        owed = self._lines if _hands_over_lines(self._pid) else self._keys
        read = _bytes_read(self._pid)
        if read >= 0 and read - self._base >= owed:
            self._accounted = self._base + owed
            self.forget()
            return None
        return time.monotonic() - self._since_s

    def forget(self) -> None:
        """Wait for nothing any more."""
        self._keys = self._lines = 0


def _bytes_read(pid: int) -> int:
    """Return how many bytes the shells of a terminal have read; -1 where that is not told."""
    total = 0
    for shell in shells_of(pid):
        try:
            total += int(_told(f"/proc/{shell}/io").split()[1])
        except (OSError, ValueError, IndexError):
            return -1
    return total


def _hands_over_lines(pid: int) -> bool:
    return all(
        modes is not None and modes[1] & termios.ICANON for modes in map(_modes, shells_of(pid))
    )


def shells_of(pid: int) -> Iterator[int]:
    """Yield what a terminal emulator runs: the processes it started."""
    try:
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - a path an entry
            yield from map(int, _told(f"/proc/{pid}/task/{task}/children").split())
    except (OSError, ValueError):
        return


def _told(place: str) -> bytes:
    """Return what the kernel says at a place of `/proc`, without objects in between.

    A terminal is asked fifty times a second while a key waits; this is a third of what it cost.
    """
    number, parts = os.open(place, os.O_RDONLY), []
    try:
        while part := os.read(number, _PART_BYTES):
            parts.append(part)
    finally:
        os.close(number)
    return b"".join(parts)


def _waits(shell: int, *, is_watched: bool) -> bool:
    try:
        group, front = _groups(shell)
        if front != group or any(_groups(one)[0] == group for one in shells_of(shell)):
            return False
        program = os.readlink(f"/proc/{shell}/exe").rpartition("/")[2]  # noqa: PTH115 - as above
    except (OSError, ValueError, IndexError):
        return False
    modes = _modes(shell)
    known = SHELLS if is_watched else SHELLS - _HIDE
    return modes is not None and program in known and _edits_or_reads(program, *modes)


def _edits_or_reads(program: str, inputs: int, local: int) -> bool:
    """Return whether a terminal's modes are those of a prompt, by what shells set for it.

    Editing takes carriage returns as they come, or exchanges the two ends of a line (zsh);
    `read -sn1` does neither. `read -s` of bash takes ECHOK away, also where it edits (`-e`).
    """
    if local & _ICANON_ECHO:
        return local & _ICANON_ECHO == _ICANON_ECHO and program in _READ_LINES
    if inputs & (termios.ICRNL | termios.INLCR) == termios.ICRNL:
        return False
    return program != "bash" or bool(local & termios.ECHOK)


def _groups(pid: int) -> tuple[int, int]:
    """Return the process group of a process, and the one that has its terminal."""
    fields = _told(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return int(fields[2]), int(fields[5])


def _modes(shell: int) -> tuple[int, int] | None:
    """Return `c_iflag` and `c_lflag` of a shell's terminal; None where they are not told."""
    try:
        terminal = os.open(f"/proc/{shell}/fd/0", os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            modes = termios.tcgetattr(terminal)
            return modes[0], modes[3]
        finally:
            os.close(terminal)
    except (OSError, termios.error):
        return None
