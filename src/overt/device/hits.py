"""Which part of a program lies at a point of its window, as the accessibility service has it.

Programs answer that question themselves (`GetAccessibleAtPoint`), some of them only for part of the
way: there one looks through the children. A menu is a window of its own to the display and a part
of a part to the service.
"""

from __future__ import annotations

from collections.abc import Iterator

from overt.device.elements import DEPTH_MAX, PASSWORD, Box, Elements, Place, Suppressed

CHILDREN_MAX = 64
MENU_STEPS_MAX = 60
"""Menus and their items that are looked at for one that is open."""

EDGE_PX, TITLE_PX = 32, 64
"""How far what the service calls a window may lie inside of what the display does: its frame and
title. More, and the two measure otherwise (a toolkit that scales)."""

TOPS = frozenset({2, 9, 16, 19, 22, 23, 69, 75})
"""Windows, dialogs and the application itself."""

_MENU, _MENU_BAR, _POPUP_MENU = 33, 34, 41
_FILLERS = frozenset({20, 39, 46, 63})
_ITEMS = frozenset({8, 33, 35, 45})


def hit(elements: Elements, pid: int, window: Box, x: int, y: int) -> tuple[Place, int]:
    """Return the smallest part of a program's window at a point, and its role's number.

    Raises `Suppressed` where the service does not know the window, where nothing is there, and
    where that lies in a password field.
    """
    others = []
    for top in elements.tops(pid):
        if not elements.shows(top):
            continue
        if _is(elements.box(top), window):
            found = _below(elements, top, x, y, 0)
            if found is None:
                raise Suppressed("nothing there")
            return found
        others.append(top)
    for top in others:
        for item in _open_items(elements, top):
            box = elements.box(item)
            if box.holds(x, y) and window.holds(box.x, box.y):
                return item, elements.role(item)
    raise Suppressed("no such window")


def _is(box: Box, window: Box) -> bool:
    """Return whether a window of the service is one of the display."""
    right = window.x + window.width - box.x - box.width
    below = window.y + window.height - box.y - box.height
    across = 0 <= box.x - window.x <= EDGE_PX and 0 <= right <= EDGE_PX
    return across and 0 <= box.y - window.y <= TITLE_PX and 0 <= below <= EDGE_PX


def _below(
    elements: Elements, place: Place, x: int, y: int, depth: int
) -> tuple[Place, int] | None:
    """Return the smallest part of something at a point, or None where it has none there."""
    if depth > DEPTH_MAX:
        raise Suppressed("too deep")
    for part, is_placed in _parts(elements, place, x, y):
        role = elements.role(part)
        if role == PASSWORD:
            raise Suppressed("a password field")
        smaller = _below(elements, part, x, y, depth + 1)
        if smaller or is_placed:
            return smaller or (part, role)
    return None


def _parts(elements: Elements, place: Place, x: int, y: int) -> Iterator[tuple[Place, bool]]:
    """Yield what may lie at a point, and whether it is placed there itself."""
    try:
        part = elements.hit(place, x, y)
    except Suppressed:  # it has no place of its own, and so no parts by place
        part = ("", "")
    if part[0] == place[0] and part != place and not part[1].endswith("/null"):
        yield part, True
        return
    for child in reversed(elements.children(place)[:CHILDREN_MAX]):
        if child[0] != place[0] or not elements.shows(child):
            continue
        try:
            box = elements.box(child)
        except Suppressed:
            continue
        if box.holds(x, y):
            yield child, True
        elif box.width <= 0 or box.height <= 0:
            yield child, False  # at no place itself, as tabs that are not drawn; its parts may be


def _open_items(elements: Elements, top: Place) -> Iterator[Place]:
    """Yield the items of menus that are open, the innermost first."""
    left = MENU_STEPS_MAX
    layer, found = [top], []
    while layer and left > 0:
        below: list[Place] = []
        for place in layer:
            for child in elements.children(place)[:CHILDREN_MAX]:
                left -= 1
                if left <= 0 or not elements.shows(child):
                    continue
                role = elements.role(child)
                if role in _FILLERS or role in (_MENU, _MENU_BAR, _POPUP_MENU):
                    below.append(child)
                if role in _ITEMS:
                    found.append(child)
        layer = below
    yield from reversed(found)
