"""The person's own terminal while Overt has it: in raw mode, on its other screen, and given back.

Whatever happens short of `kill -9`, it is given back as it was; after that, `reset` mends it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import termios
import time
import tty
from collections.abc import Callable
from typing import Any

from overt.schema.errors import Missing

PART_BYTES = 1 << 14
END_S = 1.0
"""So long it may take to give it back."""


def silent() -> Missing:
    """Return what is said of a terminal that does not answer."""
    return Missing(
        "this terminal does not answer, so nobody can tell whether it shows the sign; nothing is "
        "recorded",
        where="terminal",
        do="Start it in another one.",
    )


def read(number: int) -> bytes | None:
    """Return what is there to read; nothing where it has ended, None where there is nothing yet."""
    try:
        return os.read(number, PART_BYTES)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def _own() -> str:
    try:
        return os.ttyname(0)
    except OSError:  # of another file system, as in a container
        return "/dev/tty"


class Pending:
    """What waits until a terminal takes it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.data = bytearray()

    def write(self) -> bool:
        """Write what there is room for; returns whether the terminal is there."""
        try:
            del self.data[: os.write(self.number, self.data[:PART_BYTES])]
        except BlockingIOError:
            pass
        except OSError:
            return False
        return True


class Owned:
    """The terminal at standard input, opened anew: nobody else's reading or writing changes."""

    def __init__(self) -> None:
        flags = os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        self.number = os.open(_own(), flags)
        self.before = termios.tcgetattr(self.number)
        """Its modes, which are given back, and which the person's shell begins with."""
        self.pending = Pending(self.number)
        self.woken, self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._handlers: dict[int, Any] = {}
        self.continues = False
        """It was stopped from outside and goes on: somebody else had the terminal meanwhile."""

    def listen(self) -> None:
        """Hear of another size, and of going on after a stop; do not stop at Ctrl+Z."""
        with contextlib.suppress(ValueError):  # not in the main thread, as only in a test
            for number in (signal.SIGWINCH, signal.SIGCONT):
                self._handlers[number] = signal.signal(number, self._signalled)
            self._handlers[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, signal.SIG_IGN)

    def _signalled(self, number: int, _frame: object) -> None:
        self.continues = self.continues or number == signal.SIGCONT
        self.stir()

    def stir(self) -> None:
        """Wake who waits for what comes."""
        with contextlib.suppress(OSError):
            os.write(self._wake, b"!")

    def slept(self) -> None:
        """Take in that one was woken."""
        read(self.woken)

    def take_over(self, begins: bytes) -> None:
        """Get every byte as it comes, and show what begins."""
        tty.setraw(self.number, termios.TCSANOW)
        self.pending.data += begins

    def give_back(self, ends: bytes, hears: Callable[[bytes], bool]) -> None:
        """Show what ends, and leave the terminal as it was.

        `hears` takes what still comes, and returns whether more must: answers that came later would
        stand on the person's next line.
        """
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self.pending.data += ends
        end_s = time.monotonic() + END_S
        waits = hears(b"")
        while (waits or self.pending.data) and (left_s := end_s - time.monotonic()) > 0:
            writes = [self.number] * bool(self.pending.data)
            ready, room, _ = select.select([self.number], writes, [], left_s)
            if room and not self.pending.write():
                break
            if ready:
                waits = hears(read(self.number) or b"") and waits
        with contextlib.suppress(OSError, termios.error):
            termios.tcsetattr(self.number, termios.TCSAFLUSH, self.before)
        for number in (self.number, self.woken, self._wake):
            os.close(number)

    def size(self) -> tuple[int, int]:
        """Return rows and columns; where it does not say, the usual ones."""
        try:
            columns, lines = os.get_terminal_size(self.number)
        except OSError:
            columns, lines = 0, 0
        return (lines or 24), (columns or 80)
