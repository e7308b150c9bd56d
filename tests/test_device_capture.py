"""When a key is kept: only after its field, asked long enough after it, says that it has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from overt.device import capture, letters
from overt.device.capture import CONFIRM_AFTER_MOVE_S, CONFIRM_AFTER_S, Capture
from overt.device.fields import LISTED, Field
from overt.device.keyboard import Keymap
from overt.device.letters import Letters
from overt.device.screen import Moment
from overt.device.stream import EVENT, KEY_PRESS, KEY_RELEASE, Heap
from overt.schema.event import KeyClass, Kind, Role

A, TAB = 8, 9
A_POINT = ord("a")
KEYMAP = Keymap(8, [(0x61,), (0xFF09,)])
IN_THE_EDITOR = Moment(focus=1, focus_pid=2, application=1, prompt=False)


@dataclass
class Desk:
    """What a platform and its fields say, as a test has it, on a clock that a test moves."""

    now_s: float = 1000.0
    events: list[tuple[int, int, float]] = field(default_factory=list)
    lost: int = 0
    at: Moment = IN_THE_EDITOR
    moved: int = 0
    hurried: bool = False
    asked: list[float] = field(default_factory=list)
    is_editable: bool = False
    keymap: Keymap = KEYMAP
    notch_css_px: int = 120

    def press(self, code: int) -> None:
        self.events.append((KEY_PRESS, code, self.now_s))

    def release(self, code: int) -> None:
        self.events.append((KEY_RELEASE, code, self.now_s))

    def wait(self, seconds: float) -> None:
        self.now_s += 0 if self.events else seconds

    def heap(self) -> Heap:
        events = np.zeros(len(self.events), EVENT)
        for k, (code, detail, at_s) in enumerate(self.events):
            events[k]["code"], events[k]["detail"] = code, detail
            events[k]["time_ms"] = round(1000 * at_s)
        self.events, lost, self.lost = [], self.lost, 0
        return Heap(events, focus=bool(lost), lost=lost)

    def now_ms(self) -> int:
        return round(1000 * self.now_s)

    def outermost(self, window: int) -> int:
        return window

    def on_hotkey(self, _: Any) -> None: ...

    def close(self) -> None: ...

    def poll(self) -> bool:
        return False

    def moment(self) -> tuple[Moment, bool]:
        return self.at, False

    def shows(self, _: int) -> bool:
        return True

    def turn(self, _: Moment) -> int:
        return self.moved

    def hurries(self, _: Moment) -> bool:
        return self.hurried

    def typed(self, _moment: Moment, _keys: int, _lines: int) -> None: ...

    def carets(self, _moment: Moment, _turn: int) -> list[Any]:
        return []

    def selected(self, _: Field) -> int:
        return 0

    def confirmed(self, _moment: Moment, _turn: int) -> Field:
        self.asked.append(self.now_s)
        kind = Role.TEXT_AREA if self.is_editable else Role.NONE
        return Field(LISTED, Role.TEXT_AREA, kind=kind)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk()

    def sleep(seconds: float) -> None:
        made.now_s += seconds

    told = SimpleNamespace(monotonic=lambda: made.now_s, sleep=sleep)
    monkeypatch.setattr(capture, "time", told)
    return made


def at_work(desk: Desk) -> Capture:
    made = Capture(desk, desk, desk, 0)
    made.look(is_open=True)
    return made


def pressed(rows: list[Any]) -> int:
    return sum(int((one["kind"] == Kind.KEY_DOWN).sum()) for one in rows)


@pytest.mark.parametrize(
    ("first", "wait_s"), [(None, CONFIRM_AFTER_S), (TAB, CONFIRM_AFTER_MOVE_S)]
)
def test_a_key_waits_for_its_field_from_when_it_went_down_and_longer_after_a_move(
    desk: Desk, first: int | None, wait_s: float
) -> None:
    gates = at_work(desk)
    if first is not None:
        desk.press(first)
        desk.release(first)
    desk.press(A)
    began_s, rows = desk.now_s, []
    desk.now_s += 0.05  # the look comes later than the key
    while not desk.asked or pressed(rows) < 1 + (first is not None):
        rows.append(gates.look(is_open=True))
        desk.now_s += 0.005
        assert desk.now_s < began_s + 2
    assert wait_s <= desk.asked[-1] - began_s < wait_s + 0.02


@pytest.mark.parametrize("may", [True, False])
def test_which_key_it_was_waits_longer_for_its_field_and_goes_where_that_is_not_the_one(
    desk: Desk, may: bool
) -> None:
    told = Letters({1: frozenset({Role.TEXT_AREA})})
    gates = Capture(desk, desk, desk, 0, told=told)
    gates.look(is_open=True)
    desk.is_editable = may
    desk.press(TAB)
    desk.release(TAB)
    desk.now_s += 1.0  # a busy program moves the keyboard late
    desk.press(A)
    desk.release(A)
    began_s, rows = desk.now_s, []
    while pressed(rows) < 2:
        desk.now_s += 0.02
        rows.append(gates.look(is_open=True))
        assert desk.now_s < began_s + 5
    assert desk.now_s - began_s >= letters.MOVED_S - 1.0
    made = np.concatenate(rows)
    assert made["key_symbol"][made["slot"] == 1].tolist()[-2:] == ([A_POINT] * 2 if may else [0, 0])


@pytest.mark.parametrize(("after_s", "kept"), [(0.4, 0), (1.5, 1)])
@pytest.mark.parametrize("by", ["field", "window", "pause"])
def test_which_key_it_was_goes_and_its_class_stays_where_only_that_was_sure(
    desk: Desk, after_s: float, kept: int, by: str
) -> None:
    gates = Capture(desk, desk, desk, 0, told=Letters({1: frozenset({Role.TEXT_AREA})}))
    gates.look(is_open=True)
    desk.is_editable = True
    desk.press(TAB)
    desk.release(TAB)
    gates.look(is_open=True)
    desk.now_s += 0.3
    desk.press(A)
    rows, began_s = [], desk.now_s
    while desk.now_s < began_s + 4:
        if by == "pause" and desk.now_s >= began_s + after_s:
            rows.append(gates.leave())
            break
        rows.append(gates.look(is_open=True))
        desk.now_s += 0.02
        if desk.now_s >= began_s + after_s:
            desk.moved += by == "field" and not desk.moved
            desk.at = Moment() if by == "window" else desk.at
    made = np.concatenate(rows)
    letter = made[(made["kind"] == Kind.KEY_DOWN) & (made["key_class"] == KeyClass.LETTER)]
    assert len(letter) == kept
    assert not letter["key_symbol"].any()


def test_a_key_whose_field_lost_the_keyboard_meanwhile_never_exists(desk: Desk) -> None:
    gates = at_work(desk)
    for lost_in in range(4):
        desk.press(A)
        rows = []
        for k in range(20):
            desk.moved += k == lost_in
            rows.append(gates.look(is_open=True))
            desk.now_s += 0.02
        assert not pressed(rows)


@pytest.mark.parametrize(("hurried", "looks_per_s"), [(False, 9), (True, 40)])
def test_ten_keys_a_second_take_few_looks_and_every_key_is_kept(
    desk: Desk, hurried: bool, looks_per_s: int
) -> None:
    desk.hurried = hurried
    gates = at_work(desk)
    end_s, next_s, rows, looks, done = desk.now_s + 10, desk.now_s, [], 0, 0

    def hand_until(at_s: float) -> None:
        nonlocal next_s, done
        while next_s <= min(at_s, end_s):
            desk.events.append(((KEY_PRESS, KEY_RELEASE)[done % 2], A, next_s))
            next_s, done = next_s + 0.05, done + 1

    def wait(seconds: float) -> None:
        hand_until(desk.now_s)
        if not desk.events:
            desk.now_s = min(desk.now_s + seconds, max(desk.now_s, next_s))
            hand_until(desk.now_s)

    desk.wait = wait  # type: ignore[method-assign]
    while desk.now_s < end_s + 1:
        gates.rest()
        hand_until(desk.now_s)
        rows.append(gates.look(is_open=True))
        looks += 1
    assert pressed(rows) == (done + 1) // 2
    assert looks / 11 <= looks_per_s


def test_what_was_lost_is_counted_once_and_only_where_it_might_have_been_kept(desk: Desk) -> None:
    gates = at_work(desk)
    desk.lost = 2
    gates.look(is_open=True)
    assert (gates.lost(), gates.lost()) == (2, 0)
    desk.lost = 1
    gates.look(is_open=False)
    desk.at = Moment()
    desk.now_s += 1
    gates.look(is_open=True)
    desk.lost = 1
    gates.look(is_open=True)
    assert gates.lost() == 0


@pytest.mark.parametrize("is_open", [True, False])
def test_what_is_typed_while_paused_never_exists_even_if_one_goes_on_before_the_next_look(
    desk: Desk, is_open: bool
) -> None:
    gates = at_work(desk)
    gates.look(is_open=is_open)  # paused, or not
    desk.press(A)
    rows = [gates.look(is_open=True)]  # one goes on: this look hears what was typed before
    desk.now_s += 1
    rows.append(gates.look(is_open=True))
    assert pressed(rows) == is_open
