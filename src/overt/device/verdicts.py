"""Which field has the keyboard, for all applications: by accessibility, or by the terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from overt.device.applications import Applications
from overt.device.carets import Moved
from overt.device.fields import BUSY, LISTED, TERMINAL, Field, Fields
from overt.device.screen import Moment
from overt.device.terminals import Unread, at_a_prompt
from overt.schema.event import Role

if TYPE_CHECKING:
    from overt.device.terminal_shown import Shown

UNREAD_S = 4.0
"""So long a key waits for its shell to read it."""


class FieldsAndTerminals:
    """A terminal is asked what runs in it; every other application what has its keyboard."""

    def __init__(
        self,
        applications: Applications,
        fields: Fields,
        *,
        is_under_others: bool = False,
        shown: Callable[[], Shown | None] | None = None,
    ) -> None:
        """`is_under_others`: what nobody lists may lie above a window and take its keys.

        Then a terminal must say over AT-SPI, as other applications do, that it has them. `shown`
        tells whether a terminal of our own shows what is typed.
        """
        self._applications, self._fields = applications, fields
        self._is_under_others = is_under_others
        self._prompt_turn = 0
        self._waits = False
        self._unread = Unread()
        self._shown, self._hid = shown, 0

    def turn(self, moment: Moment) -> int:
        """Return a number that changes whenever the keyboard may have gone to another field.

        A terminal is looked at here each time, so a program that ran for one look is not missed.
        """
        is_terminal = self._is_terminal(moment)
        if moment.application and (self._is_under_others or not is_terminal):
            self._fields.want(moment.focus_pid)
        if not is_terminal:
            return 2 * self._fields.turn
        self._unread.look(moment.focus_pid)
        waits = self._at_a_prompt(moment)
        hid = 0 if (shown := self._watched()) is None else shown.hid()
        self._prompt_turn += waits != self._waits or hid != self._hid
        self._waits, self._hid = waits, hid
        return self._terminal_turn()

    def _terminal_turn(self) -> int:
        """Return a number that grows with the turns of the prompt and, if it counts, the field."""
        return 2 * (self._prompt_turn + self._is_under_others * self._fields.turn) + 1

    def hurries(self, moment: Moment) -> bool:
        """Return true in a terminal: nobody tells what runs there, so one has to look."""
        return self._is_terminal(moment)

    def typed(self, moment: Moment, keys: int, lines: int) -> None:
        """Take in how many keys gave a character since the look before, and how many were Enter."""
        if self._is_terminal(moment):
            self._unread.typed(keys, lines)

    def confirmed(self, moment: Moment, turn: int) -> Field:
        """Return the field of that turn if it has the keyboard still; suppressed otherwise."""
        if not self._is_terminal(moment):
            return self._fields.confirmed(moment.focus_pid, turn // 2)
        if turn != self._terminal_turn() or not self._waits:
            return Field()
        unread_s = self._unread.waits_s()
        if unread_s is not None:
            if unread_s < UNREAD_S:
                return Field(BUSY)
            self._unread.forget()
        elif (shown := self._watched()) is not None and (shown.waits or shown.is_hidden):
            return Field(BUSY) if shown.waits else Field()
        elif self._at_a_prompt(moment):  # after all was read, so it is this prompt's
            return self._of_terminal(moment.focus_pid, turn // 2 - self._prompt_turn)
        return Field()

    def _watched(self) -> Shown | None:
        return None if self._shown is None else self._shown()

    def _at_a_prompt(self, moment: Moment) -> bool:
        return at_a_prompt(moment.focus_pid, is_watched=self._shown is not None)

    def carets(self, moment: Moment, turn: int) -> list[Moved]:
        """Return where the caret has been since the last call; nothing of terminals."""
        is_terminal = self._is_terminal(moment)
        return self._fields.carets(0 if is_terminal else moment.focus_pid, turn // 2)

    def selected(self, field: Field) -> int:
        """Return how many characters are selected in a field that was just confirmed."""
        return self._fields.selected(field)

    def _of_terminal(self, pid: int, field_turn: int) -> Field:
        """Return the field of a terminal at a prompt; `field_turn` is that of its keyboard."""
        if self._is_under_others:
            field = self._fields.confirmed(pid, field_turn)
            if field.verdict != TERMINAL:
                return field if field.verdict == BUSY else Field()
        return Field(LISTED, Role.TEXT_AREA, pid, commands=False)

    def _is_terminal(self, moment: Moment) -> bool:
        return moment.application > 0 and self._applications.is_terminal(moment.application)
