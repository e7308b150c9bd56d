"""Windows and macOS, from what pynput and the system would say: the pointer; keys beside it.

Nothing here ran on either system; see `hooks_fixtures`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path, PureWindowsPath
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hooks_fixtures import DARWIN, WIN32, Called, Message, Place, Told
from overt.commands import permitting
from overt.device import hooks, platforms
from overt.device.applications import Application, Applications
from overt.device.asked_fields import AskedFields
from overt.device.capture import Capture
from overt.device.hooks import Hooks
from overt.device.listeners import WindowsWheel, callbacks, on_scroll
from overt.device.screen import Screen
from overt.device.seam import Window
from overt.device.stream import BUTTON_PRESS, BUTTON_RELEASE, MOTION
from overt.schema.errors import Missing
from overt.schema.event import Kind

EDITOR, BROWSER, CHIP, PROMPT = 11, 12, 13, 14
NOTEPAD = Application(1, "editor", "Text editor", ("notepad.exe", "com.apple.TextEdit"))


class Silent:
    """A listener that the test speaks for."""

    alive = True

    def start(self) -> None: ...

    def is_alive(self) -> bool:
        return self.alive

    def stop(self) -> None: ...


def at_work(told: Told) -> tuple[Hooks, Callable[[list[Called]], None]]:
    """Return hooks on a system, and a way to call back."""
    heard: dict[str, Callable[..., None]] = {}

    def listener(put: Callable[..., None]) -> Silent:
        heard.update(callbacks(put))
        heard.update(on_scroll=on_scroll(put), on_wheel=WindowsWheel(put).heard)
        return Silent()

    made = Hooks(told, listener)

    def call(said: list[Called]) -> None:
        for name, arguments in said:
            heard[name](*arguments)

    return made, call


def fields(told: Told) -> AskedFields:
    return AskedFields(Applications([NOTEPAD]), told.field, told.turns, tells=True)


def windows_pc() -> Told:
    programs = {EDITOR: "Notepad.exe", BROWSER: "msedge.exe", CHIP: "python.exe"}
    return Told(
        {pid: Path("C:/Windows", name) for pid, name in programs.items()},
        [Window(1, 0, 0, 800, 600, EDITOR), Window(2, 400, 0, 900, 600, BROWSER)],
        front=1,
    )


@pytest.mark.parametrize(("said", "side"), [(WIN32, 8), (DARWIN, 2)])
def test_what_pynput_says_becomes_moves_buttons_and_turns(said: list[Called], side: int) -> None:
    source, call = at_work(windows_pc())
    before_ms = source.now_ms()
    call(said)
    events = source.heap().events
    done = [(MOTION, 0)] * 2 + [(BUTTON_PRESS, 1), (BUTTON_RELEASE, 1)] + [(BUTTON_PRESS, 5)] * 2
    done += [(BUTTON_PRESS, side), (BUTTON_RELEASE, side), (MOTION, 0)]
    assert list(zip(events["code"].tolist(), events["detail"].tolist(), strict=True)) == done
    assert events["x"][:3].tolist() == [110, 111, 111]
    assert not ((events["time_ms"] - before_ms) & 0x80000000).any()


def kept(told: Told, call: Callable[[list[Called]], None], gates: Capture) -> Any:
    """Return what is kept of the fixture's events, once the look that judges them is due."""
    call(WIN32[:6])
    gates._looked_s = 0.0  # the next look is due now
    return gates.look(is_open=True)


def test_the_pointer_exists_over_allowed_windows_that_can_be_seen_and_nowhere_else() -> None:
    told = windows_pc()
    source, call = at_work(told)
    screen = Screen(source, Applications([NOTEPAD], told.program), lambda: CHIP)
    gates = Capture(source, screen, fields(told), source.now_ms())
    gates.look(is_open=True)
    kinds = [Kind(kind) for kind in kept(told, call, gates)["kind"]]
    pointed = [Kind.POINTER_MOVE] * 2 + [Kind.POINTER_DOWN, Kind.POINTER_UP, Kind.CLICK]
    assert kinds == [*pointed, Kind.WHEEL, Kind.WHEEL, Kind.POINTER_DOWN]
    told.shown.append(Window(3, 100, 100, 50, 50, BROWSER))
    for _ in range(2):  # between two looks something came up: nobody knows what lay there
        assert not len(kept(told, call, gates))


@pytest.mark.parametrize("why", ["secure", "locked"])
def test_in_a_secure_moment_nothing_is_recorded_and_a_lock_pauses(why: str) -> None:
    told, paused = windows_pc(), list[bool]()
    source, call = at_work(told)
    source.on_lock(lambda: paused.append(True))
    screen = Screen(source, Applications([NOTEPAD], told.program), lambda: CHIP)
    gates = Capture(source, screen, fields(told), source.now_ms())
    gates.look(is_open=True)
    assert len(kept(told, call, gates))
    setattr(told, why, True)
    made = kept(told, call, gates)
    assert set(made["kind"].tolist()) <= {Kind.BLUR}
    assert not len(kept(told, call, gates))
    assert bool(paused) == (why == "locked")


def test_a_window_that_asks_for_a_password_and_a_program_that_is_not_known_are_out() -> None:
    programs = {
        EDITOR: Path("com.apple.TextEdit"),
        PROMPT: Path("com.apple.SecurityAgent"),
    }
    applications = Applications([NOTEPAD], programs.get)
    assert applications.of(EDITOR) == 1
    assert applications.of(99) == 0
    assert applications.asks_for_passwords(PROMPT)
    assert not applications.asks_for_passwords(EDITOR)
    windows = Applications([NOTEPAD], lambda _: Path(PureWindowsPath("C:/Windows/NOTEPAD.EXE")))
    assert windows.of(5) == 1


def test_more_than_the_queue_holds_makes_its_heap_void(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "QUEUE_MAX", 5)
    source, call = at_work(windows_pc())
    call(WIN32)
    heap = source.heap()
    assert heap.focus
    assert not len(heap.events)
    call(WIN32[:3])
    assert len(source.heap().events) == 3


@given(st.lists(st.integers(-400, 400), max_size=60))
@settings(max_examples=50, deadline=None)
def test_a_wheel_turned_by_parts_of_a_notch_counts_the_same_both_ways(turns: list[int]) -> None:
    counted = []
    for way in (1, -1):
        heard: list[int] = []
        wheel = WindowsWheel(lambda _, detail, *__, to=heard: to.append(detail))
        for turn in turns:
            assert wheel.heard(0x020A, Message(Place(1, 2), way * turn & 0xFFFF))
            assert wheel.heard(0x0200, Message(Place(1, 2), 0))  # a move
        counted.append([way * {4: 1, 5: -1}[detail] for detail in heard])
    assert counted[0] == counted[1]
    for up in (True, False):
        if all((turn > 0) == up for turn in turns):
            assert sum(counted[0]) == int(sum(turns) / 120)


def test_a_system_that_lets_nobody_listen_ends_the_recording_and_says_so() -> None:
    """Quartz gives a program without leave no event and no error; pynput's thread just ends."""
    told = windows_pc()
    source, call = at_work(told)
    call(WIN32)
    assert len(source.heap().events)
    for silent in ("its listener ended", "the leave was taken back"):
        told.trusted = silent == "its listener ended"
        monkey = pytest.MonkeyPatch()
        monkey.setattr(Silent, "alive", not told.trusted)
        with pytest.raises(Missing, match="does not let this program listen"):
            source.heap()
        monkey.undo()


def test_without_leave_macos_is_asked_for_it_and_nothing_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[object] = []
    services = SimpleNamespace(
        kAXTrustedCheckOptionPrompt="prompt",
        AXIsProcessTrustedWithOptions=asked.append,
    )
    monkeypatch.setitem(sys.modules, "HIServices", services)  # type: ignore[arg-type]
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(Missing, match="nothing is recorded"):
        platforms.look(None)
    assert asked == [{"prompt": True}]


@pytest.mark.parametrize(("notch_css_px", "made"), [(120, 120), (16, 16)])
def test_a_turn_of_the_wheel_is_as_far_as_the_system_means(notch_css_px: int, made: int) -> None:
    told = windows_pc()
    heard: dict[str, Callable[..., None]] = {}

    def listener(put: Callable[..., None]) -> Silent:
        heard.update(on_scroll=on_scroll(put))
        return Silent()

    source = Hooks(told, listener, notch_css_px=notch_css_px)
    screen = Screen(source, Applications([NOTEPAD], told.program), lambda: CHIP)
    gates = Capture(source, screen, fields(told), source.now_ms())
    gates.look(is_open=True)
    heard["on_scroll"](111.0, 120.0, 1, -1, False)  # to the left, and down
    gates._looked_s = 0.0
    rows = gates.look(is_open=True)
    assert rows["scroll_x_css_px"].tolist() == [-made, 0]
    assert rows["scroll_y_css_px"].tolist() == [0, made]


@pytest.mark.parametrize(("name", "shown"), [("win32", "Windows"), ("darwin", "macOS")])
def test_on_a_system_where_it_never_ran_it_says_so_and_refuses_without_its_parts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, shown: str
) -> None:
    monkeypatch.setattr(sys, "platform", name)
    monkeypatch.setattr(platforms, "find_spec", lambda part: None if part == "pynput" else part)
    assert platforms.kind() == shown
    with pytest.raises(Missing, match="needs pynput"):
        platforms.require()
    assert not permitting.doctor(None, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert "never been run" in told["steps"][0]
    assert "take plain text" in told["records"]


def test_time_is_told_by_the_clock_of_the_events() -> None:
    source, call = at_work(windows_pc())
    first_ms = source.now_ms()
    call(WIN32[:1])
    (at_ms,) = source.heap().events["time_ms"].tolist()
    assert first_ms <= at_ms <= time.monotonic_ns() // 1_000_000 & 0xFFFFFFFF
