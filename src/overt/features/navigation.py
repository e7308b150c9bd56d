"""Sums of navigation: from which kind of element to which, how long on each, when one begins.

An **act** is a key down, a click or a focus on an element that is known. Acts in a row on the same
element are one **visit**. Roles are told apart in four groups, so that what goes to what fits into
sixteen columns: `field`, `choice`, `command` and `page` (everything else).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from overt.features.kernel import kernel
from overt.features.movements import BREAKS
from overt.features.sums import Columns, Cut, Events, Family, add
from overt.schema.event import Kind, Modifier, Role

GROUPS: dict[str, tuple[Role, ...]] = {
    "field": (Role.TEXT_FIELD, Role.TEXT_AREA, Role.EDITABLE),
    "choice": (Role.CHECKBOX, Role.RADIO, Role.SELECT, Role.OPTION, Role.SLIDER),
    "command": (Role.BUTTON, Role.LINK, Role.MENU_ITEM, Role.TAB, Role.TARGET),
    "page": (Role.NONE, Role.IMAGE, Role.HEADING, Role.TEXT, Role.PAGE, Role.OTHER),
}
TRANSITIONS = tuple(f"{before}_to_{after}" for before in GROUPS for after in GROUPS)
COLUMNS = Columns(
    measures=("visit_us", "first_action_us"),
    counts=("acts", "transitions", "role_changes", *TRANSITIONS),
)
_VISIT, _FIRST_ACTION, _ACTS, _CHANGES, _ROLE_CHANGES, _FIRST_TRANSITION = (
    COLUMNS.at(name) for name in (*COLUMNS.measures, *COLUMNS.counts[:4])
)
_GROUPS = len(GROUPS)
_GROUP_OF = np.zeros(128, np.int64)
for _number, _roles in enumerate(GROUPS.values()):
    _GROUP_OF[[int(role) for role in _roles]] = _number
_KEY, _CLICK, _FOCUS = int(Kind.KEY_DOWN), int(Kind.CLICK), int(Kind.FOCUS)
_POINTER, _MOVE, _TASK = int(Kind.POINTER_DOWN), int(Kind.POINTER_MOVE), int(Kind.TASK)
_REPEAT = int(Modifier.REPEAT)


@kernel
def _add_acts(
    kind: Any, t_us: Any, role: Any, element: Any, modifiers: Any, group_of: Any, breaks: Any,
    start: int, window: int, total: Any,
) -> None:  # fmt: skip
    waiting = True
    began, came = t_us[0], t_us[0]
    on, on_role = 0, 0
    for i in range(kind.shape[0]):
        k = kind[i]
        if k == _MOVE:
            continue
        if breaks[k] or k == _TASK:
            waiting, began = True, t_us[i]
            if breaks[k]:
                on = 0
            continue
        acts = (k == _KEY and modifiers[i] & _REPEAT == 0) or k == _CLICK
        if not acts and k != _POINTER and k != _FOCUS:
            continue
        w = (t_us[i] - start) // window
        if waiting and k != _FOCUS:
            waiting = False
            add(total, w, _FIRST_ACTION, max(t_us[i] - began, 0))
        if k == _POINTER or element[i] <= 0:
            continue
        total[w, _ACTS] += 1.0
        if element[i] == on:
            continue
        if on > 0:
            total[w, _CHANGES] += 1.0
            total[w, _ROLE_CHANGES] += int(role[i] != on_role)
            pair = _GROUPS * group_of[on_role] + group_of[role[i]]
            total[w, _FIRST_TRANSITION + pair] += 1.0
            add(total, w, _VISIT, max(t_us[i] - came, 0))
        on, on_role, came = element[i], role[i], t_us[i]


def _add(events: Events, cut: Cut, total: Any) -> None:
    names = ("kind", "t_us", "role", "element", "modifiers")
    columns = [events[name] for name in names]
    _add_acts(*[*columns, _GROUP_OF, BREAKS, cut.start_us, cut.width_us, total])


FAMILY = Family(COLUMNS, _add)
"""A visit and a transition belong to the window in which the next element is reached."""
