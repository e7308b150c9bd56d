"""A press says what lay under it, in its place among the others, and goes without where unknown."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest

from overt.device import pointing
from overt.device.elements import PASSWORD, Box, Place, Suppressed
from overt.device.pointing import PATIENCE_S, Pointing
from overt.device.screen import Moment
from overt.device.stream import BUTTON_PRESS, BUTTON_RELEASE, EVENT, MOTION
from overt.device.targets import Spot, Target, target
from overt.schema.event import Kind, Role

WINDOW = Box(0, 0, 200, 100)
BUTTON = Target((":1.1", "/button"), Role.BUTTON, Box(40, 40, 64, 16))


def moment(left: int = 0) -> Moment:
    rectangles = np.array([(left, 0, left + 200, 100)], np.int32)
    return Moment(rectangles=rectangles, numbers=np.array([1], np.int16), pids=(7,))


@dataclass
class Answers:
    """What lies at spots, as a test has it; `late`: nobody has answered yet."""

    found: Target | None = BUTTON
    late: bool = False
    asked: list[Spot] = field(default_factory=list)

    def ask(self, spot: Spot, *, in_passing: bool) -> int:
        self.asked.append(spot)
        return len(self.asked)

    def answered(self, _: int) -> bool:
        return not self.late

    def answer(self, _: int) -> Target | None:
        found, self.found = (None if self.late else self.found), None
        return found


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock = SimpleNamespace(s=100.0)
    told = SimpleNamespace(monotonic=lambda: clock.s)
    monkeypatch.setattr(pointing, "time", told)
    return clock


def did(what: Pointing, *events: tuple[int, int, int, int], now_is: Moment | None = None) -> list:
    """Return the rows of events (code, ms, x, y) and of a look after them."""
    heard = np.zeros(len(events), EVENT)
    for at, (code, time_ms, x, y) in enumerate(events):
        heard[at]["code"], heard[at]["time_ms"] = code, time_ms
        heard[at]["x"], heard[at]["y"], heard[at]["detail"] = x, y, code != MOTION
    what.hear(heard, 0)
    after = now_is or moment()
    rows = what.judged(moment(), after, (9_000, 9), changed=now_is is not None)
    return [row for part in rows for row in part]


PRESS, RELEASE = (BUTTON_PRESS, 2, 72, 40), (BUTTON_RELEASE, 3, 72, 41)


def new(under: Answers) -> Pointing:
    return Pointing(120, lambda ms: np.asarray(ms, np.int64) * 1000, under)


def test_a_press_waits_for_its_element_and_what_came_of_it_waits_behind_it(
    now: SimpleNamespace,
) -> None:
    under = Answers(late=True)
    what = new(under)
    rows = did(what, (MOTION, 1, 70, 40), PRESS, RELEASE, (MOTION, 4, 73, 41))
    assert [int(row["t_us"]) for row in rows] == [1000, 4000]
    assert what.first_waiting()["t_us"] == 2000, "what is later waits in `Capture`"
    under.late = False
    down, up, click = did(what)
    assert [row["kind"] for row in (down, up, click)] == [
        *(Kind.POINTER_DOWN, Kind.POINTER_UP, Kind.CLICK)
    ]
    assert {(int(row["role"]), int(row["element"])) for row in (down, up, click)} == {(1, 1)}
    assert (down["value"], down["scroll_x_css_px"], down["scroll_y_css_px"]) == (16, 0, -8)
    assert click["value"] == 1, "the count of clicks stays"
    assert what.first_waiting() is None


def test_a_program_that_never_answers_holds_a_press_up_for_half_a_second_and_no_longer(
    now: SimpleNamespace,
) -> None:
    what = new(Answers(late=True))
    did(what, PRESS)
    now.s += PATIENCE_S - 0.01
    assert not did(what)
    now.s += 0.02
    (down,) = did(what)
    assert (down["kind"], down["role"], down["element"]) == (Kind.POINTER_DOWN, 0, 0)


def test_an_answer_of_a_place_where_another_window_lies_now_is_nobodys(
    now: SimpleNamespace,
) -> None:
    what = new(Answers())
    did(what, PRESS)
    (down,) = did(what, now_is=moment(left=-8))
    assert (down["role"], down["element"], down["value"]) == (0, 0, 0)


def test_what_the_pointer_rests_on_is_said_once_and_once_that_it_left(
    now: SimpleNamespace,
) -> None:
    what = new(Answers())
    did(what, (MOTION, 1, 70, 44))
    rows = [*did(what), *did(what), *did(what), *did(what, (MOTION, 9, 71, 45))]
    rows += did(what, (MOTION, 10, 150, 90), (MOTION, 11, 160, 90))
    hovers = [(int(r["role"]), int(r["t_us"])) for r in rows if r["kind"] == Kind.HOVER]
    assert hovers == [(Role.BUTTON, 9_000), (Role.NONE, 10_000)]


def test_a_press_where_the_pointer_rested_is_of_what_was_there_before_it(
    now: SimpleNamespace,
) -> None:
    under = Answers()
    what = new(under)
    rows = did(what, (MOTION, 1, 70, 44)) + did(what) + did(what) + did(what, PRESS)
    assert rows[-1]["role"] == Role.BUTTON
    assert len(under.asked) == 1


class Tree:
    """A window with a part in it, as the accessibility service lists them."""

    def __init__(self, role: int, window: Box = WINDOW, around: int = 0) -> None:
        """`around`: role of what the part is in, if it is in something."""
        self._role, self._window, self._around = role, window, around
        self.top, self.part = (":1.1", "/window"), (":1.1", "/part")

    def tops(self, _: int) -> list[Place]:
        return [self.top]

    def shows(self, _: Place) -> bool:
        return True

    def hit(self, place: Place, _x: int, _y: int) -> Place:
        return self.part if place == self.top else ("", "")

    def children(self, _: Place) -> list[Place]:
        return []

    def role(self, place: Place) -> int:
        return {self.top: 23, self.part: self._role}.get(place, self._around)

    def box(self, place: Place) -> Box:
        return self._window if place == self.top else BUTTON.box

    def parent(self, place: Place) -> Place:
        return (":1.1", "/around") if place == self.part and self._around else self.top


def test_a_password_field_or_a_window_measured_otherwise_is_no_target() -> None:
    spot = Spot(72, 40, WINDOW, 7)
    assert target(Tree(43), spot).role == Role.BUTTON  # type: ignore[arg-type]
    assert target(Tree(1), spot).role == Role.OTHER  # type: ignore[arg-type]
    assert target(Tree(43, around=39), spot).role == Role.BUTTON  # type: ignore[arg-type]
    in_one = (Tree(43, around=PASSWORD), Tree(1, around=PASSWORD))  # a button that shows it
    for tree in (Tree(PASSWORD), *in_one, Tree(43, Box(0, 0, 100, 50))):
        with pytest.raises(Suppressed):
            target(tree, spot)  # type: ignore[arg-type]
