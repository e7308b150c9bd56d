"""Level `keys`: which key it was, in the fields of applications for which study and person say so.

A field takes it only if the accessibility service says, when the key is settled, that it may be
edited and is of a listed kind; a terminal never does. Everywhere else a key stays its
class. Which key it was is in memory alone until then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from overt.device.fields import LISTED, Field
from overt.device.keyboard import Keymap
from overt.schema.applications import KEY_FIELDS
from overt.schema.event import SYMBOL_NAMED_BASE, KeyClass, Role

MOVED_S = 3.0
"""As `capture.MOVED_S`, where it is kept which key it was: a busy program has so long to move the
keyboard to a field for passwords before what was typed for that one could count as this one's."""


class Letters:
    """Says which key it was, where that may be."""

    def __init__(self, roles: Mapping[int, frozenset[Role]] | None = None) -> None:
        """`roles`: number of an application → kinds of its fields in which keys are told."""
        self._roles = {number: listed for number, listed in (roles or {}).items() if listed}
        self._down: dict[int, int] = {}
        """Slot → the symbol of its press, as long as the key is down."""

    @classmethod
    def of(cls, applications: Iterable[Mapping[str, Any]], level: str) -> Letters:
        """Return those that a person switched on; none below level `keys`."""
        return cls(
            {
                int(one["number"]): frozenset(KEY_FIELDS[name] for name in one.get("keys", ()))
                for one in applications
                if level == "keys" and not one.get("terminal")
            }
        )

    def at(self, application: int) -> bool:
        """Return whether an application has fields in which keys are told."""
        return application in self._roles

    def symbol(
        self, application: int, keymap: Keymap, code: int, state: int, key_class: KeyClass
    ) -> int:
        """Return which key it is, to be held until its field is known; 0 where none may be told."""
        if not self.at(application):
            return 0
        point = keymap.character(code, state) if key_class != KeyClass.COMPOSING else 0
        return point or SYMBOL_NAMED_BASE + key_class

    def told(self, symbol: int, slot: int, application: int, field: Field, *, down: bool) -> int:
        """Return what is kept of a symbol in this field: itself, or 0. A release has its press'."""
        held = self._down.pop(slot, 0)
        roles = self._roles.get(application, frozenset())
        if field.verdict != LISTED or field.kind not in roles:
            return 0
        if down and symbol:
            self._down[slot] = symbol
        return symbol if down else held
