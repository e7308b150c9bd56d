"""What lies under the pointer, asked of the accessibility service on a thread of its own.

Role and place are read; names and texts never are. Only windows of applications that the person
switched on are asked about, and what may be for passwords is no target. A program that does not
answer in time gives none either: whoever asks goes on without.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from overt.device.elements import PASSWORD, ROLES, Box, Elements, Place, Suppressed
from overt.device.hits import TOPS, hit
from overt.schema.event import Role

SHARE_MAX = 0.005
"""Of a core, for what the pointer rests on without a press."""

ASKED_MAX = 8
"""Questions that wait; older ones are not answered any more."""

RETRY_S = 5.0
UP_MAX = 6
"""So many steps up from what was hit one looks for what is pressed as a whole, as in a page."""


class Spot(NamedTuple):
    """A place under the pointer, pixels, and the window that is there."""

    x: int
    y: int
    window: Box
    pid: int


@dataclass(frozen=True)
class Target:
    """What is pressed as a whole at a spot; else the smallest part that is there."""

    place: Place
    role: Role
    box: Box

    @property
    def can_be_aimed_at(self) -> bool:
        """Whether it is pressed as a whole: buttons, links, fields and the like."""
        return is_aim(self.role)


class Under(Protocol):
    """Answers what lies at a spot, later."""

    def ask(self, spot: Spot, *, in_passing: bool) -> int:
        """Return the number of the question; 0 where it is not asked. `in_passing`: may wait."""

    def answered(self, number: int) -> bool:
        """Return whether a question was answered, or never will be."""

    def answer(self, number: int) -> Target | None:
        """Return what it was, once; None where that is not known or nobody's business."""


def is_aim(role: Role) -> bool:
    """Return whether something of a role is pressed as a whole."""
    return Role.NONE < role < Role.IMAGE or role == Role.TARGET


class Targets:
    """Asks the accessibility service. `ask` and `answer` never wait."""

    def __init__(self, connect: Callable[[], Elements] = Elements) -> None:
        self._connect = connect
        self._lock = threading.Condition()
        self._asked: OrderedDict[int, Spot] = OrderedDict()
        self._answers: dict[int, Target | None] = {}
        self._number = 0
        self._due_s = 0.0
        self._works = False
        threading.Thread(target=self._follow, name="targets", daemon=True).start()

    def ask(self, spot: Spot, *, in_passing: bool) -> int:
        """Ask what is there; `in_passing`: not while there is other work, and not too often."""
        with self._lock:
            late = time.monotonic() < self._due_s or bool(self._asked)
            if not self._works or (in_passing and late):
                return 0
            self._number += 1
            self._asked[self._number] = spot
            while len(self._asked) > ASKED_MAX:
                self._asked.popitem(last=False)
            self._answers = dict(list(self._answers.items())[-ASKED_MAX:])
            self._lock.notify()
            return self._number

    def answered(self, number: int) -> bool:
        """Return whether the answer is there, or will not come."""
        with self._lock:
            return number not in self._asked

    def answer(self, number: int) -> Target | None:
        """Return the answer, once; what was asked is not asked any more."""
        with self._lock:
            self._asked.pop(number, None)
            return self._answers.pop(number, None)

    def _follow(self) -> None:
        while True:
            try:
                with closing(self._connect()) as elements:
                    self._works = True
                    self._work(elements)
            except Exception:  # noqa: BLE001 - no service: nothing is known of any place
                self._works = False
                with self._lock:
                    self._asked.clear()
            time.sleep(RETRY_S)

    def _work(self, elements: Elements) -> None:
        while True:
            with self._lock:
                self._lock.wait_for(lambda: self._asked)
                number, spot = next(iter(self._asked.items()))
            began_s = time.thread_time()
            try:
                found = target(elements, spot)
            except (Suppressed, TimeoutError):
                found = None
            with self._lock:
                if self._asked.pop(number, None) is not None:
                    self._answers[number] = found
                spent_s = time.thread_time() - began_s
                self._due_s = time.monotonic() + spent_s / SHARE_MAX


def target(elements: Elements, spot: Spot) -> Target:
    """Return what lies at a spot. Raises `Suppressed`, or what the connection raises."""
    leaf, role = hit(elements, spot.pid, spot.window, spot.x, spot.y)
    place, known = leaf, ROLES.get(role, Role.OTHER)
    found: Place | None = None
    for _ in range(UP_MAX):
        if is_aim(known):
            found = place
        above = elements.parent(place)
        if above[0] != leaf[0] or (role_above := elements.role(above)) in TOPS:
            break
        if role_above == PASSWORD:  # also around what is pressed as a whole, as to show it
            raise Suppressed("a password field")
        if found is not None:
            break
        place, known = above, ROLES.get(role_above, Role.OTHER)
    if found is not None:
        return Target(found, known, elements.box(found))
    return Target(leaf, ROLES.get(role, Role.OTHER), elements.box(leaf))
