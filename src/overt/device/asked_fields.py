"""Which field has the keyboard, where the system tells when it is asked: Windows and macOS.

It is asked at every look while a window that is switched on has the keyboard, and once more before
a key is kept; the same field must answer each time, in the process of that window, and take plain
text. What does not answer, answers in part, or is not on the list below is suppressed. Roles and a
mark for passwords are read; names, values and texts never are.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from overt.device.applications import Applications
from overt.device.carets import Moved
from overt.device.fields import BUSY, LISTED, OUTSIDE, PATIENCE_S, Field
from overt.device.screen import Moment
from overt.schema.event import Role


@dataclass(frozen=True)
class Asked:
    """What a system says of the field that has the keyboard."""

    pid: int
    place: Hashable
    """Tells it from other fields, as long as it is there."""
    verdict: str
    role: Role
    is_secret: bool


UIA_PROCESS, UIA_TYPE, UIA_FOCUS, UIA_CLASS, UIA_PASSWORD = 30002, 30003, 30008, 30012, 30019
"""Properties of UI Automation that are read: `UIA_ProcessIdPropertyId` and its like."""

_UIA: dict[int, tuple[str, Role]] = {
    50004: (LISTED, Role.TEXT_FIELD),  # Edit
    50030: (LISTED, Role.EDITABLE),  # Document
    50000: (OUTSIDE, Role.BUTTON),
    50002: (OUTSIDE, Role.CHECKBOX),
    50003: (OUTSIDE, Role.SELECT),  # ComboBox
    50005: (OUTSIDE, Role.LINK),
    50007: (OUTSIDE, Role.OPTION),  # ListItem
    50008: (OUTSIDE, Role.SELECT),  # List
    50011: (OUTSIDE, Role.MENU_ITEM),
    50013: (OUTSIDE, Role.RADIO),
    50015: (OUTSIDE, Role.SLIDER),
    50019: (OUTSIDE, Role.TAB),
}
_AX: dict[str, tuple[str, Role]] = {
    "AXTextField": (LISTED, Role.TEXT_FIELD),
    "AXTextArea": (LISTED, Role.TEXT_AREA),
    "AXButton": (OUTSIDE, Role.BUTTON),
    "AXCheckBox": (OUTSIDE, Role.CHECKBOX),
    "AXComboBox": (OUTSIDE, Role.SELECT),
    "AXPopUpButton": (OUTSIDE, Role.SELECT),
    "AXLink": (OUTSIDE, Role.LINK),
    "AXList": (OUTSIDE, Role.SELECT),
    "AXMenuItem": (OUTSIDE, Role.MENU_ITEM),
    "AXRadioButton": (OUTSIDE, Role.RADIO),
    "AXSlider": (OUTSIDE, Role.SLIDER),
}
_CONSOLES = ("console", "terminal", "termcontrol", "mintty", "putty")
"""What classes of windows are called in which other programs run, and ask for passwords unseen."""

_AX_SECRET = "AXSecureTextField"  # noqa: S105 - a subrole
_AX_PLAIN = ("", "AXSearchField")


def of_automation(told: dict[int, Any], place: Hashable) -> Asked | None:
    """Return what UI Automation said of an element, by property; None unless it said all."""
    pid, kind, name = told.get(UIA_PROCESS), told.get(UIA_TYPE), told.get(UIA_CLASS)
    secret, focused = told.get(UIA_PASSWORD), told.get(UIA_FOCUS)
    if type(pid) is not int or type(kind) is not int or not isinstance(name, str):
        return None
    if place is None or focused is not True or not isinstance(secret, bool) or kind not in _UIA:
        return None
    if any(one in name.lower() for one in _CONSOLES):
        return None
    return Asked(pid, place, *_UIA[kind], is_secret=secret)


def of_accessibility(role: Any, subrole: Any, pid: Any, place: Hashable) -> Asked | None:
    """Return what macOS said of the focused element; a kind of text field not known is none."""
    if role not in _AX or type(pid) is not int or place is None:
        return None
    verdict, known = _AX[role]
    subrole = subrole or ""
    if verdict == LISTED and subrole not in (*_AX_PLAIN, _AX_SECRET):
        return None
    return Asked(pid, place, verdict, known, is_secret=subrole == _AX_SECRET)


class AskedFields:
    """`seam.Verdicts` of a system that is asked, on a thread of its own."""

    def __init__(
        self,
        applications: Applications,
        ask: Callable[[], Asked | None],
        turns: Callable[[], int],
        *,
        tells: bool,
    ) -> None:
        """`turns` counts what the system says of changes; `tells`: whether it says all of them."""
        self._applications, self._turns, self._tells = applications, turns, tells
        self._questions: SimpleQueue[int] = SimpleQueue()
        self._answers: SimpleQueue[tuple[int, Asked | None]] = SimpleQueue()
        self._asked = self._answered = 0
        self._seen: tuple[int, Asked | None] = (0, None)
        self._turn = 0
        self._secret: set[Hashable] = set()
        work = (ask, self._questions, self._answers)
        threading.Thread(target=_answer, args=work, name="field", daemon=True).start()

    def turn(self, moment: Moment) -> int:
        """Return a number that changes whenever the keyboard may have gone to another field."""
        try:
            now = (self._turns(), self._ask() if self._counts(moment) else None)
        except TimeoutError:
            now = (self._turns(), None)
        if now != self._seen:
            self._seen = now
            self._turn += 1
        return self._turn

    def hurries(self, moment: Moment) -> bool:
        """Return whether only looks would tell of a change, where a key waits."""
        return not self._tells and self._counts(moment)

    def typed(self, moment: Moment, keys: int, lines: int) -> None:
        """Take nothing in."""

    def confirmed(self, moment: Moment, turn: int) -> Field:
        """Ask again: the field of this turn, if it has the keyboard still; suppressed otherwise."""
        if turn != self._turn or not self._counts(moment):
            return Field()
        try:
            now = (self._turns(), self._ask())
        except TimeoutError:
            return Field(BUSY)
        field = now[1]
        if now != self._seen or field is None or field.pid != moment.focus_pid:
            return Field()
        if field.is_secret or field.place in self._secret:
            return Field()
        return Field(field.verdict, field.role, field.pid)

    def carets(self, moment: Moment, turn: int) -> list[Moved]:  # noqa: ARG002
        """Return nothing: no caret is asked for on these systems."""
        return []

    def selected(self, field: Field) -> int:  # noqa: ARG002
        """Return nothing selected."""
        return 0

    def _counts(self, moment: Moment) -> bool:
        """Return whether keys in this window might be kept: never in a terminal."""
        return moment.application > 0 and not self._applications.runs_others(moment.application)

    def _ask(self) -> Asked | None:
        """Return what the system says now. Raises `TimeoutError` where it is late."""
        end_s = time.monotonic() + PATIENCE_S
        while self._answered < self._asked:
            self._take(end_s)  # a late answer, of what was then
        self._asked += 1
        self._questions.put(self._asked)
        return self._take(end_s)

    def _take(self, end_s: float) -> Asked | None:
        try:
            self._answered, field = self._answers.get(timeout=max(0.0, end_s - time.monotonic()))
        except Empty:
            raise TimeoutError from None
        if field is not None and field.is_secret:
            self._secret.add(field.place)
        return field


def _answer(
    ask: Callable[[], Asked | None],
    questions: SimpleQueue[int],
    answers: SimpleQueue[tuple[int, Asked | None]],
) -> None:
    while True:
        number = questions.get()
        try:
            field = ask()
        except Exception:  # noqa: BLE001 - whatever goes wrong, the field is not known
            field = None
        answers.put((number, field))
