"""Keys on Windows and macOS: what they mean, and that only a field that is known gives any.

Nothing here ran on either system; see `hooks_fixtures`.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hooks_fixtures import (
    ALONE,
    COMMAND_FLAG,
    DOWN,
    GERMAN,
    LCONTROL,
    MAC_KEYS,
    MAC_WRITES,
    UP,
    WIN32_KEYS,
    Key,
    MacEvent,
    Quartz,
    Told,
)
from overt.device import (
    asked_fields,
    capture,
    coach,
    darwin_keys,
    hooks,
    platforms,
    uia,
    win32_keys,
)
from overt.device.applications import Application, Applications
from overt.device.asked_fields import (
    UIA_CLASS,
    UIA_FOCUS,
    UIA_PASSWORD,
    UIA_PROCESS,
    UIA_TYPE,
    Asked,
    AskedFields,
    of_accessibility,
    of_automation,
)
from overt.device.capture import Capture
from overt.device.fields import BUSY, LISTED, OUTSIDE, SUPPRESSED
from overt.device.hooks import Hooks
from overt.device.keyboard import Keymap
from overt.device.listeners import MacKeys, WindowsKeys
from overt.device.practice import Day, Practice
from overt.device.screen import Moment, Screen
from overt.device.seam import Window
from overt.device.stream import BUTTON_PRESS, KEY_PRESS
from overt.schema.event import Command, KeyClass, Kind, Modifier, Role

PID, OTHER = 11, 12
TEXT = Asked(PID, "a field", LISTED, Role.TEXT_FIELD, is_secret=False)
WINDOWS = win32_keys.keymap_of(lambda one: GERMAN.get(one, -1), lambda key: ALONE.get(key, 0))
MAC = darwin_keys.keymap_of(lambda code, flags: MAC_WRITES.get((code, flags), "?"))


class Silent:
    def start(self) -> None: ...

    def is_alive(self) -> bool:
        return True

    def stop(self) -> None: ...


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that the test moves."""
    made = SimpleNamespace(now_s=1000.0)
    made.monotonic = lambda: made.now_s
    made.monotonic_ns = lambda: round(1e9 * made.now_s)
    for module in (capture, hooks):
        monkeypatch.setattr(module, "time", made)
    return made


class Pc:
    """A computer on which a hand types."""

    def __init__(
        self, clock: SimpleNamespace, keymap: Keymap, program: str, *, letters: bool = False
    ) -> None:
        self.clock = clock
        self.told = Told({PID: Path(program)}, [Window(1, 0, 0, 800, 600, PID)], 1, TEXT)
        self.told.keys = keymap
        self.hear: list[Callable[[int, Any], Any]] = []

        def listener(put: Callable[..., None]) -> Silent:
            heard = WindowsKeys(put) if keymap is WINDOWS else MacKeys(put, Quartz)
            self.hear.append(heard.heard)
            return Silent()

        self.source = Hooks(self.told, listener)
        listed = Application(1, "editor", "Text editor", ("notepad.exe", "com.apple.TextEdit"))
        applications = Applications([listed], self.told.program)
        fields = AskedFields(applications, self.told.field, self.told.turns, tells=True)
        screen = Screen(self.source, applications, lambda: 0)
        origin_ms = self.source.now_ms()
        self.gates = Capture(self.source, screen, fields, origin_ms, letters=letters)
        self.rows = [self.gates.look(is_open=True), self.gates.look(is_open=True)]

    def type(self, *said: tuple[int, Any]) -> Any:
        """Let these messages come a tenth of a second apart, and return what is kept of them."""
        self.rows.clear()
        for message, about in said:
            self.hear[0](message, about)
            self.pass_s(0.1)
        self.pass_s(1.0)
        rows = np.concatenate(self.rows)
        return rows[np.isin(rows["kind"], [Kind.KEY_DOWN, Kind.KEY_UP, Kind.COMMAND])]

    def pass_s(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.05)):
            self.rows.append(self.gates.look(is_open=True))
            self.clock.now_s += 0.05


@pytest.fixture
def pc(clock: SimpleNamespace) -> Pc:
    return Pc(clock, WINDOWS, "C:/Windows/Notepad.exe")


@pytest.fixture
def mac(clock: SimpleNamespace) -> Pc:
    return Pc(clock, MAC, "com.apple.TextEdit")


CLASSES = [
    KeyClass.LETTER,
    KeyClass.SHIFT,
    KeyClass.PUNCTUATION,
    KeyClass.ALT,
    KeyClass.PUNCTUATION,
    KeyClass.COMPOSING,
    KeyClass.LETTER,
    KeyClass.LETTER,
    KeyClass.BACKSPACE,
    KeyClass.OTHER,
    KeyClass.DIGIT,
    KeyClass.ARROW,
]


def test_a_key_is_of_the_class_that_it_has_on_the_persons_layout_and_nothing_says_which(
    pc: Pc, mac: Pc
) -> None:
    on_windows = pc.type(*WIN32_KEYS)
    on_mac = mac.type(*MAC_KEYS)
    packet = CLASSES.index(KeyClass.OTHER)
    for rows, classes in (
        (on_windows, CLASSES),
        (on_mac, CLASSES[:packet] + CLASSES[packet + 1 :]),
    ):
        down = rows[rows["kind"] == Kind.KEY_DOWN]
        assert down["key_class"].tolist() == classes
        assert not rows["key_symbol"].any()
        repeats = np.flatnonzero(down["modifiers"] & Modifier.REPEAT).tolist()
        assert repeats == [7], "the letter that was held"
        assert not (down["modifiers"] & Modifier.CONTROL).any(), "AltGr is no Control"
        assert set(rows["role"].tolist()) == {Role.TEXT_FIELD}
        held = rows[np.isin(rows["key_class"], [KeyClass.ARROW])]
        assert held["kind"].tolist() == [Kind.KEY_DOWN, Kind.KEY_UP]
        assert held["slot"][0] == held["slot"][1] > 0


def test_a_shortcut_is_the_command_that_it_is_on_that_system(pc: Pc, mac: Pc) -> None:
    control_c = [(DOWN, Key(LCONTROL)), (DOWN, Key(0x43)), (UP, Key(0x43)), (UP, Key(LCONTROL))]
    command_c = [(12, MacEvent(0x37, COMMAND_FLAG)), (10, MacEvent(0x08)), (11, MacEvent(0x08))]
    for rows in (pc.type(*control_c), mac.type(*command_c)):
        assert rows["value"][rows["kind"] == Kind.COMMAND].tolist() == [Command.COPY]


def test_the_coach_counts_pairs_of_letters_there_and_lists_programs_in_sight(
    clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    mac = Pc(clock, MAC, "com.apple.TextEdit", letters=True)
    codes = {"c": 0x08, "l": 0x25}
    keys = [(how, MacEvent(codes[key])) for key in "clclcl" for how in (10, 11)]
    practice = Practice(Day())
    practice.take(mac.type(*keys))
    practice.rest()
    assert practice.day.keys == 6
    assert set(practice.day.pairs) == {"cl", "lc"}
    pc = Pc(clock, WINDOWS, "C:/Windows/Notepad.exe")
    monkeypatch.setattr(platforms, "kind", lambda: platforms.WINDOWS)
    monkeypatch.setattr(platforms, "_system", lambda: (pc.told, None, 120))
    assert coach.programs_in_sight() == ["Notepad.exe"]


def test_one_press_of_keys_pauses_on_both_also_where_nothing_is_recorded(pc: Pc) -> None:
    pressed: list[bool] = []
    pc.source.on_hotkey(lambda: pressed.append(True))
    pc.told.front = 0
    held = [(DOWN, Key(LCONTROL)), (0x0104, Key(0xA4)), (0x0104, Key(0x50)), (0x0104, Key(0x50))]
    assert not len(pc.type(*held, (0x0105, Key(0x50)), (0x0104, Key(0x50))))
    assert len(pressed) == 2, "held down it counts once"


A = [(DOWN, Key(0x41)), (UP, Key(0x41))]
SECRET = Asked(PID, "a password", LISTED, Role.TEXT_FIELD, is_secret=True)


@pytest.mark.parametrize(
    "has",
    [None, SECRET, Asked(OTHER, "x", LISTED, Role.TEXT_FIELD, is_secret=False)],
    ids=["nobody tells", "a password", "of another process"],
)
def test_what_is_not_known_to_take_plain_text_in_that_window_gives_no_key(
    pc: Pc, has: Asked | None
) -> None:
    assert len(pc.type(*A)) == 2
    pc.told.has = has
    assert not len(pc.type(*A))
    pc.told.has = Asked(PID, "a button", OUTSIDE, Role.BUTTON, is_secret=False)
    assert not len(pc.type(*A))
    assert len(pc.type((DOWN, Key(0x09)), (UP, Key(0x09)))) == 2, "but keys that write nothing"


def test_a_field_that_ever_was_for_passwords_stays_one(pc: Pc) -> None:
    pc.told.has = SECRET
    pc.pass_s(0.2)
    pc.told.has = Asked(PID, "a password", LISTED, Role.TEXT_FIELD, is_secret=False)
    assert not len(pc.type(*A)), "it shows what is in it now"


@pytest.mark.parametrize("how", ["asked", "told"])
def test_a_field_that_had_the_keyboard_for_a_moment_in_between_costs_the_keys_of_that_moment(
    pc: Pc, how: str
) -> None:
    pc.hear[0](*A[0])
    pc.rows.clear()
    pc.pass_s(0.05)
    if how == "told":  # there and back between two looks
        pc.told.turned += 2
    else:
        pc.told.has = SECRET
        pc.pass_s(0.05)
        pc.told.has = TEXT
    pc.pass_s(1.0)
    assert not [row for rows in pc.rows for row in rows if row["kind"] == Kind.KEY_DOWN]
    made = pc.type(A[1], *A)
    assert made["kind"].tolist() == [Kind.KEY_DOWN, Kind.KEY_UP], "no release without its press"


def test_in_a_terminal_no_key_exists_whatever_the_study_calls_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("WindowsTerminal.exe", "com.apple.Terminal"):
        listed = Application(1, "t", "Terminal", (name.lower(), name))
        fields = AskedFields(Applications([listed]), lambda: TEXT, lambda: 0, tells=True)
        moment = Moment(focus=1, focus_pid=PID, application=1, prompt=False)
        assert fields.confirmed(moment, fields.turn(moment)).verdict == SUPPRESSED
    plain = Application(1, "editor", "Text editor", ("notepad.exe",))
    fields = AskedFields(Applications([plain]), lambda: TEXT, lambda: 0, tells=True)
    fields.turn(moment)
    assert fields.confirmed(moment, fields.turn(moment)).verdict == LISTED


def test_a_program_that_is_late_keeps_nobody_waiting_and_its_late_answer_counts_for_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers, went_on = threading.Event(), threading.Event()
    says = [TEXT, SECRET]

    def ask() -> Asked:
        went_on.set()
        answers.wait()
        return says.pop()

    monkeypatch.setattr(asked_fields, "PATIENCE_S", 0.01)
    listed = Application(1, "editor", "Text editor", ("notepad.exe",))
    fields = AskedFields(Applications([listed]), ask, lambda: 0, tells=False)
    moment = Moment(focus=1, focus_pid=PID, application=1, prompt=False)
    assert fields.hurries(moment)
    turn = fields.turn(moment)
    went_on.wait()
    assert fields.confirmed(moment, turn).verdict == BUSY
    answers.set()
    monkeypatch.setattr(asked_fields, "PATIENCE_S", 10.0)
    assert fields.turn(moment) != turn, "asked anew"
    assert fields._secret == {"a password"}, "what it said late is remembered all the same"


UIA = {UIA_PROCESS: 7, UIA_TYPE: 50004, UIA_FOCUS: True, UIA_CLASS: "Edit", UIA_PASSWORD: False}


def test_what_ui_automation_says_counts_only_if_it_is_whole() -> None:
    whole = of_automation(UIA, (1, 2))
    assert whole == Asked(7, (1, 2), LISTED, Role.TEXT_FIELD, is_secret=False)
    secret = of_automation({**UIA, UIA_PASSWORD: True}, (1, 2))
    assert secret is not None
    assert secret.is_secret
    for number in UIA:
        for nonsense in (None, "1", 0.5):
            if not (number == UIA_CLASS and isinstance(nonsense, str)):
                assert of_automation({**UIA, number: nonsense}, (1, 2)) is None
        assert of_automation({k: v for k, v in UIA.items() if k != number}, (1, 2)) is None
    for other in ({UIA_TYPE: 50026}, {UIA_FOCUS: False}, {UIA_CLASS: "ConsoleWindowClass"}):
        assert of_automation({**UIA, **other}, (1, 2)) is None
    assert of_automation(UIA, None) is None, "one that cannot be told from others"


def test_what_macos_says_counts_only_for_kinds_that_are_known() -> None:
    plain = of_accessibility("AXTextField", None, 7, 3)
    assert plain == Asked(7, 3, LISTED, Role.TEXT_FIELD, is_secret=False)
    secret = of_accessibility("AXTextField", "AXSecureTextField", 7, 3)
    assert secret is not None
    assert secret.is_secret
    for role, subrole, pid in (
        ("AXTextField", "AXSomethingNew", 7),
        ("AXWebArea", None, 7),
        (None, None, 7),
        ("AXTextArea", None, None),
    ):
        assert of_accessibility(role, subrole, pid, 3) is None


@pytest.mark.parametrize(
    ("kind", "value", "is_read"),
    [
        (3, 2**32 - 1, -1),
        (11, 0xFFFF, True),
        (11, 0, False),
        (8, 0, ""),
        (13, 1, None),
        (0, 1, None),
    ],
)
def test_a_variant_is_read_by_its_kind_and_any_other_says_nothing(
    kind: int, value: int, is_read: object
) -> None:
    variant = uia.Variant(kind, (ctypes.c_ushort * 3)(), value)
    assert uia.value_of(variant) == is_read
    assert type(uia.value_of(variant)) is type(is_read)


def test_windows_keeps_its_dead_keys_and_macos_gets_each_event_back() -> None:
    """pynput would translate what is not refused, which can swallow a dead key."""
    heard: list[int] = []
    keys = WindowsKeys(lambda code, *_: heard.append(code))
    assert keys.heard(DOWN, Key(0xDC)) is False
    event = MacEvent(0x0A)
    assert MacKeys(lambda code, *_: heard.append(code), Quartz).heard(10, event) is event
    assert heard == [KEY_PRESS, KEY_PRESS]
    assert BUTTON_PRESS not in heard
