"""The parts of a window, asked of the desktop's accessibility service (AT-SPI).

Role, place and state are read; names, values and texts never are. What cannot be told is no tree:
a program that does not answer, a window that is not the one asked for, one with a password field,
an open dialog, more parts than anyone lists.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from overt.schema.event import Role, State

PATIENCE_S = 0.5
ELEMENTS_MAX = 400
DEPTH_MAX = 40
NUMBERS_MAX = 30_000
"""Elements in a session; beyond it nothing is looked at any more."""

STEP_PX = 8
"""Edges are known to this: the length of a label says little of what it says."""

_REGISTRY = ("org.a11y.atspi.Registry", "/org/a11y/atspi/accessible/root")
_ACCESSIBLE, _COMPONENT = "org.a11y.atspi.Accessible", "org.a11y.atspi.Component"
_ON_SCREEN = 0
_ACTIVE, _MODAL, _SHOWING = 1, 16, 25
_FRAME, PASSWORD = 23, 40
_DIALOGS = frozenset({2, 9, 16, 19, 22})
"""Alerts, dialogs, and choosers of colours, files and fonts."""

_STATES = {12: State.FOCUSED, 24: State.ENABLED, 4: State.CHECKED, 23: State.SELECTED}
_STATES |= {10: State.EXPANDED, 20: State.PRESSED, 7: State.EDITABLE}

ROLES: dict[int, Role] = {
    # numbers of AtspiRole; the rest is OTHER
    **dict.fromkeys((43, 62, 129), Role.BUTTON),
    **dict.fromkeys((7, 8), Role.CHECKBOX),
    **dict.fromkeys((44, 45), Role.RADIO),
    **dict.fromkeys((33, 35), Role.MENU_ITEM),
    **dict.fromkeys((11, 31, 98), Role.SELECT),
    **dict.fromkeys((32, 56, 91), Role.OPTION),
    **dict.fromkeys((29, 73, 81), Role.TEXT),
    **dict.fromkeys((26, 27), Role.IMAGE),
    **dict.fromkeys((82, 92, 93, 95, 96), Role.PAGE),
    **dict.fromkeys((77, 94), Role.EDITABLE),
    37: Role.TAB,
    51: Role.SLIDER,
    52: Role.TEXT_FIELD,
    60: Role.TEXT_AREA,
    61: Role.TEXT_AREA,
    79: Role.TEXT_FIELD,
    83: Role.HEADING,
    88: Role.LINK,
}

_BARE = frozenset({20, 30, 34, 38, 39, 46, 48, 49, 50, 51, 53, 63, 68})
"""What shows no text by itself: filler, panes and panels, bars, separators, sliders, viewports."""


Place = tuple[str, str]
"""An object of the service: its connection and path."""


class Box(NamedTuple):
    """A place on the screen, pixels."""

    x: int
    y: int
    width: int
    height: int

    def holds(self, x: int, y: int) -> bool:
        """Return whether a point lies in it."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height


class Numbers:
    """Numbers elements within a session in order of first contact, from 1."""

    def __init__(self) -> None:
        self._numbers: dict[Place, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def of(self, place: Place) -> int:
        """Return the number of an element; all beyond `NUMBERS_MAX` have that one."""
        if place not in self._numbers and len(self._numbers) >= NUMBERS_MAX:
            return NUMBERS_MAX
        return self._numbers.setdefault(place, len(self._numbers) + 1)


@dataclass(frozen=True)
class Element:
    """A part of a window."""

    place: Place
    """Connection and path: which one it is, on this computer and now."""
    parent: int
    """Where its parent stands in the tree; -1 for the window."""
    role: Role
    state: int
    """`State` bits."""
    box: Box
    bare: bool
    """It shows no text, and lies in nothing that may."""


Tree = tuple[Element, ...]


class Suppressed(Exception):
    """There is no tree that may be looked at; why is nobody's business."""


class Elements:
    """A connection of its own for questions. Not to be shared between threads."""

    def __init__(self) -> None:
        from overt.device.fields import accessibility_bus

        self._bus = accessibility_bus()
        self._pids: dict[str, int] = {}
        """Connection → its process, which stays: a name is given once."""

    def close(self) -> None:
        """Hang up."""
        self._bus.close()

    def tree(self, pid: int, places: Collection[Box]) -> Tree:
        """Return the showing parts of a program's active window, which must lie at such a place.

        Raises `Suppressed`, or what the connection raises: both mean that nothing may be kept.
        """
        frame = self._frame(pid)
        box = self.box(frame)
        if box not in places:
            raise Suppressed("another window, or one that is measured otherwise")
        found = [Element(frame, -1, Role.PAGE, self._state_bits(frame)[0], box, bare=False)]
        self._below(frame, 0, found, bare=True, depth=0)
        return tuple(found)

    def tops(self, pid: int) -> Iterator[Place]:
        """Return the windows of a program, as the service lists them."""
        for root in self.children(_REGISTRY):
            if self._pid(root[0]) == pid:
                yield from self.children(root)

    def shows(self, place: Place) -> bool:
        """Return whether something can be seen."""
        return bool(self._state_bits(place)[1] >> _SHOWING & 1)

    def parent(self, place: Place) -> Place:
        """Return what something is a part of."""
        from jeepney import DBusAddress, MessageType, Properties

        asked = Properties(DBusAddress(place[1], place[0], _ACCESSIBLE)).get("Parent")
        reply = self._bus.send_and_get_reply(asked, timeout=PATIENCE_S)
        if reply.header.message_type != MessageType.method_return:
            raise Suppressed("no answer")
        name, path = reply.body[0][1]
        return str(name), str(path)

    def hit(self, place: Place, x: int, y: int) -> Place:
        """Return the part of something that it says lies at a point, or ("", "")."""
        found = self._ask(place, _COMPONENT, "GetAccessibleAtPoint", x, y, _ON_SCREEN)
        return str(found[0]), str(found[1])

    def _frame(self, pid: int) -> Place:
        """Return the one active window of a program that shows no dialog."""
        frames = []
        for root in self.children(_REGISTRY):
            if self._pid(root[0]) != pid:
                continue
            for top in self.children(root):
                _, states = self._state_bits(top)
                if not states >> _SHOWING & 1:
                    continue
                role = self.role(top)
                if role in _DIALOGS or states >> _MODAL & 1:
                    raise Suppressed("a dialog")
                if states >> _ACTIVE & 1:
                    frames.append((top, role))
        if len(frames) != 1 or frames[0][1] != _FRAME:
            raise Suppressed("not one window")
        return frames[0][0]

    def _below(
        self, place: Place, at: int, found: list[Element], *, bare: bool, depth: int
    ) -> None:
        if depth > DEPTH_MAX:
            raise Suppressed("too deep")
        for child in self.children(place):
            bits, states = self._state_bits(child)
            if not states >> _SHOWING & 1:
                continue
            role = self.role(child)
            if role == PASSWORD:
                raise Suppressed("a password field")
            box = self.box(child)
            if box.width <= 0 or box.height <= 0:
                # It is at no place itself, as tabs that are not drawn; what it holds may be.
                self._below(child, at, found, bare=False, depth=depth + 1)
                continue
            if len(found) >= ELEMENTS_MAX:
                raise Suppressed("too many")
            shows_none = bare and role in _BARE
            mine = len(found)
            known = ROLES.get(role, Role.OTHER)
            found.append(Element(child, at, known, bits, box, shows_none))
            self._below(child, mine, found, bare=shows_none, depth=depth + 1)

    def _ask(self, place: Place, interface: str, member: str, *body: Any) -> Any:
        from jeepney import DBusAddress, MessageType, new_method_call

        address = DBusAddress(place[1], place[0], interface)
        signature = {0: None, 1: "u", 3: "iiu"}[len(body)]
        call = new_method_call(address, member, signature, body)
        reply = self._bus.send_and_get_reply(call, timeout=PATIENCE_S)
        if reply.header.message_type != MessageType.method_return:
            raise Suppressed("no answer")
        return reply.body[0]

    def children(self, place: Place) -> list[Place]:
        """Return the parts of something, as the service lists them."""
        return [(str(a), str(b)) for a, b in self._ask(place, _ACCESSIBLE, "GetChildren")]

    def role(self, place: Place) -> int:
        """Return the number of a role (AtspiRole)."""
        return int(self._ask(place, _ACCESSIBLE, "GetRole"))

    def _state_bits(self, place: Place) -> tuple[int, int]:
        """Return what is recorded of a state, and all of it."""
        low, *high = self._ask(place, _ACCESSIBLE, "GetState")
        states = int(low) | (int(high[0]) << 32 if high else 0)
        return sum(int(bit) for at, bit in _STATES.items() if states >> at & 1), states

    def box(self, place: Place) -> Box:
        """Return where something lies on the screen; sides of 0 or less where it lies nowhere."""
        return Box(*map(int, self._ask(place, _COMPONENT, "GetExtents", _ON_SCREEN)))

    def _pid(self, name: str) -> int:
        if name not in self._pids:
            self._pids[name] = self._asked_pid(name)
        return self._pids[name]

    def _asked_pid(self, name: str) -> int:
        from jeepney import MessageType, message_bus, new_method_call

        call = new_method_call(message_bus, "GetConnectionUnixProcessID", "s", (name,))
        reply = self._bus.send_and_get_reply(call, timeout=PATIENCE_S)
        ok = reply.header.message_type == MessageType.method_return
        return int(reply.body[0]) if ok else 0


def stepped(box: Box) -> Box:
    """Return a place with its edges moved outwards to steps."""
    left, top = box.x // STEP_PX * STEP_PX, box.y // STEP_PX * STEP_PX
    right = -(-(box.x + box.width) // STEP_PX) * STEP_PX
    below = -(-(box.y + box.height) // STEP_PX) * STEP_PX
    return Box(left, top, right - left, below - top)


def boxes(tree: Tree, *, bare: bool) -> Iterator[Box]:
    """Yield the places of what shows no text, or of the rest, with some room around it.

    The window itself is neither.
    """
    return (one.box if bare else stepped(one.box) for one in tree[1:] if one.bare == bare)
