"""What is in front in a terminal within the terminal, as the gate asks of a window on a desktop.

The one window there is belongs to this process, which runs the person's shell as a terminal on a
desktop does. It counts as an application only while that shell is one that the study lists and the
person switched on, and stands at its own prompt (`terminals`): not while anything else is in front.
"""

from __future__ import annotations

import os

from overt.device.applications import Applications
from overt.device.carets import Moved
from overt.device.fields import Field, Fields
from overt.device.screen import Moment
from overt.device.terminal_keys import keymap
from overt.device.terminal_within import TerminalWithin
from overt.device.terminals import at_a_prompt

_WINDOW = 1


class Front:
    """A `seam.Sight` of a terminal."""

    def __init__(self, terminal: TerminalWithin, applications: Applications) -> None:
        self._terminal, self._applications = terminal, applications
        self.keymap = keymap()

    def poll(self) -> bool:
        """Return true: nobody tells which program is in front, so one has to look."""
        return True

    def moment(self) -> tuple[Moment, bool]:
        """Return who has the keyboard; windows never change."""
        pid = os.getpid()
        return Moment(_WINDOW, pid, self._application(pid), prompt=False), False

    def _application(self, pid: int) -> int:
        shell = self._terminal.shell
        if shell is None or not at_a_prompt(pid, is_watched=True):
            return 0
        number = self._applications.of(shell.process.pid)
        return number if number and self._applications.is_terminal(number) else 0

    def shows(self, _pid: int) -> bool:
        """Return false: the sign is no window (`Line.is_seen` tells)."""
        return False


class NoFields(Fields):
    """Where there is no desktop there are no fields: whatever is asked is suppressed."""

    def __init__(self) -> None:
        self.turn, self.now, self.available = 0, Field(), False

    def want(self, _pid: int) -> None:
        """Look for nothing."""

    def confirmed(self, _pid: int, _turn: int) -> Field:
        """Return that it is suppressed."""
        return Field()

    def carets(self, _pid: int, _turn: int) -> list[Moved]:
        """Return nothing."""
        return []

    def selected(self, _field: Field) -> int:
        """Return 0."""
        return 0
