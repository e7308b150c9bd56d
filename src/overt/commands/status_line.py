"""The line of the terminal that says what the agent does now, written anew in place."""

from __future__ import annotations

import contextlib
import shutil
import sys
from typing import TYPE_CHECKING

from overt.commands.console import remark

if TYPE_CHECKING:
    from overt.device.agent import State
    from overt.device.wording import Words


class StatusLine:
    """What the agent does now, as one line of the terminal that is written anew in place."""

    def __init__(self, w: Words) -> None:
        self._w = w
        self._phase = ""
        self._open = False

    def tell(self, state: State) -> None:
        """Show a state; where nobody looks at a terminal, each phase once."""
        with contextlib.suppress(OSError):  # the terminal was closed; the session ends in order
            self._tell(state)

    def _tell(self, state: State) -> None:
        word = self._word
        phase = f"overt: {word(state.phase)}"
        phase += f" ({word(state.reason)})" if state.reason else ""
        more = f" · {word('elsewhere')}" * state.elsewhere + f" · {word('offline')}" * state.offline
        if not sys.stderr.isatty():
            if phase != self._phase:
                remark(phase)
        else:
            if phase != self._phase:
                self.end()
            wide = shutil.get_terminal_size().columns - 1
            sys.stderr.write(f"\r\x1b[2K{(phase + more)[:wide]}")
            sys.stderr.flush()
            self._open = True
        self._phase = phase

    def _word(self, name: str) -> str:
        return self._w(f"terminal.{name}")

    def end(self) -> None:
        """Go on to the next line."""
        if self._open:
            self._open = False
            with contextlib.suppress(OSError):
                remark("")
