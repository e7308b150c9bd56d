"""What kind of field has the keyboard, asked of the desktop's accessibility service (AT-SPI).

The answer is one of three, as in the browser's gate: a text field (`listed`), something that takes
no text (`outside`), or unknown and secret (`suppressed`). Roles and states are read, and of text
fields the class that a page gives them; names, values and texts never are.
"""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from overt.device.carets import Carets, Moved, Place
from overt.device.questions import Questions
from overt.schema.event import Role

LISTED, OUTSIDE, SUPPRESSED = "listed", "outside", "suppressed"
TERMINAL = "terminal"
"""Suppressed too, unless somebody else says what runs in it (`overt.device.verdicts`)."""

BUSY = "busy"
"""No verdict yet: the program does not answer at the moment."""


_ROLES: dict[int, tuple[str, Role]] = {
    # numbers of AtspiRole; whatever is not here is suppressed
    61: (LISTED, Role.TEXT_AREA),  # text
    79: (LISTED, Role.TEXT_FIELD),  # entry
    77: (LISTED, Role.EDITABLE),  # editbar
    94: (LISTED, Role.EDITABLE),  # document text
    60: (TERMINAL, Role.TEXT_AREA),
    43: (OUTSIDE, Role.BUTTON),  # push button
    62: (OUTSIDE, Role.BUTTON),  # toggle button
    7: (OUTSIDE, Role.CHECKBOX),
    44: (OUTSIDE, Role.RADIO),
    8: (OUTSIDE, Role.CHECKBOX),  # check menu item
    35: (OUTSIDE, Role.MENU_ITEM),
    33: (OUTSIDE, Role.MENU_ITEM),  # menu
    37: (OUTSIDE, Role.TAB),  # page tab
    51: (OUTSIDE, Role.SLIDER),
    11: (OUTSIDE, Role.SELECT),  # combo box
    31: (OUTSIDE, Role.SELECT),  # list
    32: (OUTSIDE, Role.OPTION),  # list item
    88: (OUTSIDE, Role.LINK),
}
_PASSWORD = 40
_WINDOWS = frozenset({16, 23, 69})
"""Dialogs, frames and windows: what has the keyboard lies inside of them."""

REGISTRY = "org.a11y.atspi.Registry"
_ACCESSIBLE = "org.a11y.atspi.Accessible"
_TEXT = "org.a11y.atspi.Text"
_POSITIONS = 1 << 31
"""Places in a text are less: what is more is a negative number, for none."""

SEARCH_MAX = 1000
SEARCH_AGAIN_S = 0.5
_FOCUSED_BIT, _EDITABLE_BIT, _LINES_BIT, _LINE_BIT = 12, 7, 17, 26
"""Places of `focused`, `editable`, `multi-line` and `single-line` (AtspiStateType)."""
_ENTRY = 79

PATIENCE_S = 0.5
START_PATIENCE_S = 10.0
RETRY_S = 5.0
"""After the service could not be had, or went away."""


@dataclass(frozen=True)
class Field:
    """What has the keyboard: the verdict, its role, and which process it belongs to."""

    verdict: str = SUPPRESSED
    role: Role = Role.NONE
    pid: int = 0
    commands: bool = True
    """Whether shortcuts mean here what they usually mean: not in a terminal."""
    place: Place = ("", "")
    """Which one it is, on this computer and now."""
    kind: Role = Role.NONE
    """What it says of itself when it is confirmed, if it may be edited: a field of one line, an
    area of several, a document. Roles do not tell: GTK 3 and Qt have the same for both."""


class Fields:
    """Follows the field that has the keyboard, on a thread of its own.

    `turn` grows with each sign that it changed. A key is recorded only if the turn at its hook is
    still the turn when the field has confirmed, asked later, that it has the keyboard.
    """

    def __init__(self) -> None:
        self.turn = 0
        self.now = Field()
        self.available = False
        self._place: tuple[str, str] | None = None
        self._lock = threading.Lock()
        self._bus: Any = None
        self._asking: Any = None
        self._again: Any = None
        """`Questions`: those of `confirmed`, which only one thread asks."""
        self._carets = Carets()
        self._secret: set[tuple[str, str]] = set()
        self._wanted = 0
        self._tried = threading.Event()
        self._sought = threading.Event()
        threading.Thread(target=self._follow, name="fields", daemon=True).start()
        threading.Thread(target=self._seek, name="field of a program", daemon=True).start()

    def wait(self) -> bool:
        """Wait for the first try to reach the service; returns whether it answers."""
        self._tried.wait(3 * START_PATIENCE_S)
        return self.available

    def want(self, pid: int) -> None:
        """Look for the field of a program that got the keyboard before we listened."""
        if self.available and pid not in (self.now.pid, self._wanted):
            self._wanted = pid
            self._sought.set()

    def _seek(self) -> None:
        while True:
            self._sought.wait()
            self._sought.clear()
            pid, turn = self._wanted, self.turn
            try:
                place = self._search(pid)
            except Exception:  # noqa: BLE001 - whatever goes wrong, the field stays unknown
                place = None
            if place is not None and turn == self.turn:
                self._took(place, gained=True)
            elif self.now.pid != pid:
                time.sleep(SEARCH_AGAIN_S)
            self._wanted = 0

    def _search(self, pid: int) -> tuple[str, str] | None:
        """Return the accessible that has the keyboard in a program, among its first thousand."""
        roots = self._children((REGISTRY, "/org/a11y/atspi/accessible/root"))
        layer = [root for root in roots if self._belongs(root[0], pid)]
        seen = 0
        while layer and seen < SEARCH_MAX:
            below: list[tuple[str, str]] = []
            for place in layer:
                seen += 1
                if self._states(place) >> _FOCUSED_BIT & 1 and self._role(place) not in _WINDOWS:
                    return place
                below += self._children(place)
            layer = below
        return None

    def _belongs(self, name: str, pid: int) -> bool:
        """Return whether a connection is of a process; one that has ended meanwhile is of none."""
        try:
            return self._pid(name) == pid
        except Exception:  # noqa: BLE001 - whatever goes wrong, it is not the one
            return False

    def _children(self, place: tuple[str, str]) -> list[tuple[str, str]]:
        with _ONE_AT_A_TIME:
            return [(str(name), str(path)) for name, path in self._ask(place, "GetChildren")]

    def confirmed(self, pid: int, turn: int) -> Field:
        """Ask the field of this turn whether it has the keyboard still; suppressed if not."""
        with self._lock:
            place, now = self._place, self.now
        if not self.available or place is None or turn != self.turn or now.pid != pid:
            return Field()
        try:
            asked = ("GetRole", "GetState")
            (role,), (_, *states) = self._again.ask(place, _ACCESSIBLE, asked, PATIENCE_S)
            secret = self._is_secret(place, role)
            focused = is_still(now, role, states[0])
            now = replace(now, kind=kind_of(role, states[0]))
        except TimeoutError:
            return Field(BUSY)
        except Exception:  # noqa: BLE001 - whatever goes wrong, the answer is no
            focused = secret = False
        if not focused:
            self._forget(turn)
        return now if focused and not secret and turn == self.turn else Field()

    def carets(self, pid: int, turn: int) -> list[Moved]:
        """Return where the caret has been in the field of this turn since the last call.

        A field that takes no plain text, or another program's, is not listened to.
        """
        with self._lock:
            place, now = self._place, self.now
        is_it = now.verdict == LISTED and now.pid == pid > 0 and turn == self.turn
        self._carets.watch(place if is_it else None)
        return self._carets.moves() if is_it else []

    def selected(self, field: Field) -> int:
        """Return how many characters are selected in a field that was just confirmed; 0: none."""
        asked = ("GetSelection", "i", (0,))
        try:
            ((start, end),) = self._again.ask(field.place, _TEXT, (asked,), PATIENCE_S)
        except Exception:  # noqa: BLE001 - whatever goes wrong, it is not known
            return 0
        return end - start if start < end < _POSITIONS else 0

    def _forget(self, turn: int) -> None:
        """Look anew for what has the keyboard: what said so last has it no longer.

        A window or a piece that is being dragged may say that it got the keyboard after the field
        did, and nothing more is said when it is the field's again.
        """
        with self._lock:
            if turn == self.turn:
                self.turn += 1
                self._place, self.now = None, Field()

    def _is_secret(self, place: tuple[str, str], role: int) -> bool:
        """Return whether a field takes passwords or ever did, as far as we looked."""
        if role == _PASSWORD:
            self._secret.add(place)
        return place in self._secret

    def _follow(self) -> None:
        while True:
            try:
                with ExitStack() as stack:
                    buses = [stack.enter_context(accessibility_bus()) for _ in range(3)]
                    self._bus, self._asking, self._again = *buses[:2], Questions(buses[2])
                    self._signals()
            except Exception:  # noqa: BLE001 - no service: every field is unknown until one answers
                self.available = False
                self.turn += 1
            self._tried.set()
            time.sleep(RETRY_S)

    def _signals(self) -> None:
        from jeepney import DBusAddress, MatchRule, message_bus, new_method_call

        rule = MatchRule(
            type="signal", interface="org.a11y.atspi.Event.Object", member="StateChanged"
        )
        rule.add_arg_condition(0, "focused")  # programs say far more at each key
        self._bus.send_and_get_reply(message_bus.AddMatch(rule))
        registry = DBusAddress(
            "/org/a11y/atspi/registry", "org.a11y.atspi.Registry", "org.a11y.atspi.Registry"
        )
        asked = new_method_call(registry, "RegisterEvent", "s", ("object:state-changed:focused",))
        self._bus.send_and_get_reply(asked, timeout=START_PATIENCE_S)
        self.available = True
        self._tried.set()
        while True:
            message = self._bus.receive()
            fields = message.header.fields
            if not message.body or message.body[0] != "focused":
                continue
            from jeepney import HeaderFields

            place = (str(fields[HeaderFields.sender]), str(fields[HeaderFields.path]))
            self._took(place, gained=bool(message.body[1]))

    def _took(self, place: tuple[str, str], *, gained: bool) -> None:
        with self._lock:
            self.turn += 1
            turn = self.turn
            self._place, self.now = None, Field()
        if not gained:
            return
        try:
            number = self._role(place)
            secret = self._is_secret(place, number)
            verdict, role = _ROLES.get(number, (SUPPRESSED, Role.NONE))
            pid = self._pid(place[0])
            if verdict == LISTED and draws_terminal(self._attributes(place)):
                verdict, role = SUPPRESSED, Role.NONE
        except Exception:  # noqa: BLE001 - whatever goes wrong, the field stays unknown
            return
        with self._lock:
            if turn == self.turn and not secret:
                self._place, self.now = place, Field(verdict, role, pid, place=place)

    def _ask(self, place: tuple[str, str], member: str) -> Any:
        from jeepney import DBusAddress, new_method_call

        address = DBusAddress(place[1], place[0], _ACCESSIBLE)
        reply = self._asking.send_and_get_reply(
            new_method_call(address, member), timeout=PATIENCE_S
        )
        return reply.body[0]

    def _role(self, place: tuple[str, str]) -> int:
        with _ONE_AT_A_TIME:
            return int(self._ask(place, "GetRole"))

    def _attributes(self, place: tuple[str, str]) -> Any:
        with _ONE_AT_A_TIME:
            return self._ask(place, "GetAttributes")

    def _states(self, place: tuple[str, str]) -> int:
        with _ONE_AT_A_TIME:
            low, *high = self._ask(place, "GetState")
        return int(low) | (int(high[0]) << 32 if high else 0)

    def _pid(self, name: str) -> int:
        from jeepney import message_bus, new_method_call

        with _ONE_AT_A_TIME:
            asked = new_method_call(message_bus, "GetConnectionUnixProcessID", "s", (name,))
            return int(self._asking.send_and_get_reply(asked, timeout=PATIENCE_S).body[0])


_ONE_AT_A_TIME = threading.Lock()


def is_still(field: Field, role: int, states: int) -> bool:
    """Return whether a field has the keyboard, and is of the kind that it was found to be.

    One of which nothing is recorded is, whatever it has become.
    """
    same = field.verdict == SUPPRESSED or _ROLES.get(role) == (field.verdict, field.role)
    return same and bool(states >> _FOCUSED_BIT & 1)


def draws_terminal(attributes: Any) -> bool:
    """Return whether a field is where xterm.js takes keys, which editors made of pages draw.

    What asks for a password there is known to nobody, and its role is that of a text field.

    >>> draws_terminal({"tag": "textarea", "class": "xterm-helper-textarea"}), draws_terminal({})
    (True, False)
    """
    return isinstance(attributes, dict) and "xterm" in str(attributes.get("class", ""))


def kind_of(role: int, states: int) -> Role:
    """Return which kind of field a role and states tell of; `NONE` where that is not sure.

    >>> gtk_entry, gtk_text_view = 1 << _EDITABLE_BIT | 1 << _LINE_BIT, 1 << 7 | 1 << _LINES_BIT
    >>> kind_of(61, gtk_entry).name, kind_of(61, gtk_text_view).name, kind_of(61, 1 << 7).name
    ('TEXT_FIELD', 'TEXT_AREA', 'NONE')
    """
    verdict, known = _ROLES.get(role, (SUPPRESSED, Role.NONE))
    if verdict != LISTED or not states >> _EDITABLE_BIT & 1:
        return Role.NONE
    if known == Role.EDITABLE:
        return known
    if states >> _LINES_BIT & 1:
        return Role.TEXT_AREA
    return Role.TEXT_FIELD if states >> _LINE_BIT & 1 or role == _ENTRY else Role.NONE


def is_there() -> bool:
    """Return whether the accessibility service answers now."""
    try:
        accessibility_bus().close()
    except Exception:  # noqa: BLE001 - whatever goes wrong, it does not
        return False
    return True


def accessibility_bus() -> Any:
    """Return a new connection to the accessibility bus. Raises whatever stands against it."""
    from jeepney import DBusAddress, new_method_call
    from jeepney.io.blocking import open_dbus_connection

    with open_dbus_connection("SESSION") as session:
        where = DBusAddress("/org/a11y/bus", "org.a11y.Bus", "org.a11y.Bus")
        reply = session.send_and_get_reply(
            new_method_call(where, "GetAddress"), timeout=START_PATIENCE_S
        )
    return open_dbus_connection(str(reply.body[0]))
