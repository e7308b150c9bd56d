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
_ICANON_ECHO = termios.ICANON | termios.ECHO
_PART_BYTES = 4096


def at_a_prompt(pid: int) -> bool:
    """Return whether every shell that a terminal emulator runs waits for a line that it shows.

    `pid` is the emulator's process. A shell that reads with editing has neither echo nor lines of
    the terminal's own; one that reads without has both; lines without echo are a password.
    """
    shells = list(shells_of(pid))
    return bool(shells) and all(_waits(shell) for shell in shells)


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
        modes is not None and modes & termios.ICANON for modes in map(_modes, shells_of(pid))
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


def _waits(shell: int) -> bool:
    try:
        fields = _told(f"/proc/{shell}/stat").rpartition(b")")[2].split()
        front = int(fields[5])  # the process group that has the terminal
        if front != int(fields[2]):
            return False
        program = os.readlink(f"/proc/{shell}/exe")  # noqa: PTH115 - as above
        if program.rpartition("/")[2] not in SHELLS:
            return False
    except (OSError, ValueError, IndexError):
        return False
    modes = _modes(shell)
    return modes is not None and modes & _ICANON_ECHO in (0, _ICANON_ECHO)


def _modes(shell: int) -> int | None:
    """Return the local modes of a shell's terminal (`c_lflag`); None where they are not told."""
    try:
        terminal = os.open(f"/proc/{shell}/fd/0", os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            return int(termios.tcgetattr(terminal)[3])
        finally:
            os.close(terminal)
    except (OSError, termios.error):
        return None
