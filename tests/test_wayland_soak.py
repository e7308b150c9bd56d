"""A real Wayland compositor with real programs: what may be recorded there is, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from desktop_fixtures import add_study, until
from overt.device import evdev, permission, platforms, wayland
from overt.device.account import Account
from overt.device.agent import Agent
from overt.device.applications import Application, Applications
from overt.device.capture import Capture
from overt.device.coach import Coach, days, programs_in_sight
from overt.device.evdev import Device
from overt.device.facts import FACTS
from overt.device.fields import LISTED, Fields
from overt.device.fields import TERMINAL as TERMINAL_FIELD
from overt.device.indicator import LAYER, Indicator
from overt.device.session import unpacked
from overt.device.vault import Vault
from overt.device.verdicts import FieldsAndTerminals
from overt.device.wayland import Wayland
from overt.device.wire import Toplevels, Wire
from overt.schema import batch
from overt.schema.columns import to_columns
from overt.schema.errors import Missing
from overt.schema.event import Command, KeyClass, Kind, Role
from overt.store.store import Store
from studio_fixtures import studio
from wayland_fixtures import Keyboard, Launcher, Session, record, session

pytest.importorskip("jeepney", reason="the desktop extra is not installed")
pytestmark = pytest.mark.soak

EDITOR = Application(1, "editor", "Text editor", ("mousepad",))
TERMINAL = Application(2, "terminal", "Terminal", ("sakura",), terminal=True)
A, C, P, U, SPACE, RETURN, CANARY, CONTROL, ALT = 30, 46, 25, 22, 57, 28, 8, 29, 56
"""The kernel's codes; the canary is the key 7, pressed only where nothing may be recorded."""

_ROWS = ((16, "qwertyuiop"), (30, "asdfghjkl"), (44, "zxcvbnm"), (SPACE, " "), (12, "-"))
KEY_OF = {letter: first + k for first, row in _ROWS for k, letter in enumerate(row)}
"""Letters of the usual layout → the kernel's codes."""


@dataclass
class Desk:
    """A session with an editor and a password prompt, and the capture at work."""

    place: Session
    keyboard: Keyboard
    capture: Capture
    source: Wayland
    fields: Fields
    rows: list[Any] = field(default_factory=list)
    toggled: list[float] = field(default_factory=list)
    failed: list[Exception] = field(default_factory=list)

    def made(self) -> Any:
        return np.concatenate([np.zeros(0, FACTS), *self.rows])

    def keys(self) -> int:
        return int((self.made()["kind"] == Kind.KEY_DOWN).sum())

    def decided(self) -> None:
        """Wait until all that was typed is decided: looks have begun since, and no key waits."""
        looks = len(self.rows) + 2
        until(lambda: len(self.rows) >= looks and not self.capture._waiting, "nothing waits")

    def focus(self, program: str) -> None:
        self.place.sway(f'[app_id="{program}"] focus')

    def ready(self, program: str = "mousepad") -> None:
        """Give a program the keyboard and wait until keys in it are recorded.

        What is recorded comes out in order: all that was typed before is decided then.
        """
        self.focus("zenity")
        self.focus(program)
        since = self.keys()

        def heard() -> bool:
            self.keyboard.key(A)
            return self.keys() > since

        until(heard, f"a key in {program} is recorded")
        self.decided()

    def has_keyboard(self, application: Application) -> bool:
        """Return whether window and field are those of an application, as far as we look."""
        there = self.capture.moment.application == application.number
        return there and self.fields.now.verdict == LISTED

    def line(self, words: str) -> None:
        """Type small letters, blanks and `-`, then Return."""
        for letter in words:
            self.keyboard.key(KEY_OF[letter], every_s=0.002)
        self.keyboard.key(RETURN)

    def run(self, stop: threading.Event) -> None:
        try:
            while not stop.is_set():
                self.capture.rest()
                self.rows.append(self.capture.look(is_open=True))
        except Exception as error:  # noqa: BLE001 - looked at by whoever waits
            self.failed.append(error)


@contextmanager
def _at_work(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with session(folder) as place:
        for name in ("DBUS_SESSION_BUS_ADDRESS", "WAYLAND_DISPLAY"):
            patch.setenv(name, place.environment[name])
        keyboard = Keyboard(place.path)
        (folder / "active").write_text("tty2")
        patch.setattr(wayland, "ACTIVE_TERMINAL", folder / "active")
        place.environment |= {"SHELL": "/bin/bash", "HISTFILE": ""}
        for program in (("zenity", "--password"), ("sakura",), ("mousepad",)):
            _started(place, *program)
        fields = Fields()
        assert fields.wait()
        applications = Applications([EDITOR, TERMINAL])
        source = Wayland(place.path, applications, fields, [Device(keyboard.node)])
        verdicts = FieldsAndTerminals(applications, fields, is_under_others=True)
        desk = Desk(place, keyboard, Capture(source, source, verdicts, 0), source, fields)
        source.on_hotkey(lambda: desk.toggled.append(time.monotonic()))
        stop = threading.Event()
        thread = threading.Thread(target=desk.run, args=[stop])
        thread.start()
        try:
            yield desk
        finally:
            stop.set()
            thread.join()
            source.close()
            keyboard.close()


def _started(place: Session, *command: str) -> subprocess.Popen[bytes]:
    """Start a program and wait for its window."""
    wire = Wire(place.path)
    windows = Toplevels(wire)
    before = len(windows.all)
    process = place.start(*command)

    def there() -> bool:
        wire.round_trip()
        return len(windows.all) > before

    until(there, f"a window of {command[0]}")
    wire.close()
    return process


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    patch = pytest.MonkeyPatch()
    with _at_work(tmp_path_factory.mktemp("wayland"), patch) as made:
        yield made
    patch.undo()


def _during(desk: Desk, work: Callable[[], None]) -> Any:
    """Return what is recorded of some work."""
    first = len(desk.made())
    work()
    desk.decided()
    return desk.made()[first:]


def test_keys_in_the_editor_come_out_whole_in_order_and_at_their_time(desk: Desk) -> None:
    desk.ready()
    begin = len(desk.keyboard.log)

    def work() -> None:
        for k in range(200):
            desk.keyboard.key((A, SPACE)[k % 2])

    rows = _during(desk, work)
    log = desk.keyboard.log[begin:]
    keys = rows[np.isin(rows["kind"], (Kind.KEY_DOWN, Kind.KEY_UP))]
    kind = {1: Kind.KEY_DOWN, 0: Kind.KEY_UP}
    key_class = {A: KeyClass.LETTER, SPACE: KeyClass.SPACE}
    done = [(kind[value], key_class[code]) for _, value, code in log]
    assert list(zip(keys["kind"].tolist(), keys["key_class"].tolist(), strict=True)) == done
    at_us = np.array([at_ns // 1000 for at_ns, _, _ in log]) % (2**32 * 1000)
    assert np.abs(keys["t_us"] - at_us).max() < 1000
    assert set(keys["role"].tolist()) == {Role.TEXT_AREA}
    focus = desk.made()
    assert focus["value"][focus["kind"] == Kind.FOCUS].tolist()[:1] == [EDITOR.number]


def test_a_shortcut_is_a_command_and_the_pause_keys_pause(desk: Desk) -> None:
    desk.ready()
    toggled = len(desk.toggled)

    def work() -> None:
        for held, key in (((CONTROL,), C), ((CONTROL, ALT), P)):
            for code in held:
                desk.keyboard._do(code, evdev.PRESSED)
            desk.keyboard._do(key, evdev.PRESSED)
            for _ in range(5 if key == P else 0):
                at_ns = time.monotonic_ns()
                desk.keyboard.write(record(at_ns, evdev.EV_KEY, key, evdev.REPEATED))
            desk.keyboard._do(key, evdev.RELEASED)
            for code in held:
                desk.keyboard._do(code, evdev.RELEASED)

    rows = _during(desk, work)
    assert rows["value"][rows["kind"] == Kind.COMMAND].tolist() == [Command.COPY]
    assert len(desk.toggled) == toggled + 1


def _digits(desk: Desk) -> int:
    return int((desk.made()["key_class"] == KeyClass.DIGIT).sum())


def test_nothing_of_another_window_is_recorded_however_the_focus_races(desk: Desk) -> None:
    desk.ready()

    def heard() -> bool:
        desk.keyboard.key(CANARY)
        desk.decided()
        return _digits(desk) > 0

    until(heard, "where it may be recorded, it is")
    digits = _digits(desk)
    for k in range(15):
        desk.focus("zenity")
        for _ in range(1 + k % 4):
            desk.keyboard.key(CANARY, every_s=0.002 * (k % 3))
        desk.focus("mousepad")
        desk.keyboard.key(A, every_s=0.002)
    desk.ready()
    assert _digits(desk) == digits


def test_while_a_password_prompt_is_open_nothing_typed_anywhere_is_recorded(desk: Desk) -> None:
    desk.ready()
    digits = _digits(desk)
    asked = _started(desk.place, "bash", "-c", "exec -a pinentry-gtk-2 zenity --entry")
    desk.focus("mousepad")
    until(lambda: desk.has_keyboard(EDITOR), "but for the prompt, keys would be recorded")
    for _ in range(10):
        desk.keyboard.key(CANARY)
    desk.decided()
    asked.kill()
    desk.ready()
    assert _digits(desk) == digits


def test_a_terminal_is_recorded_at_the_prompt_of_its_shell_and_nothing_else_is(desk: Desk) -> None:
    desk.ready("sakura")
    digits = _digits(desk)
    until(
        lambda: desk.fields.now.verdict == TERMINAL_FIELD, "the terminal says it has the keyboard"
    )

    def at_the_prompt() -> None:
        for _ in range(20):
            desk.keyboard.key(A)

    rows = _during(desk, at_the_prompt)
    assert int((rows["kind"] == Kind.KEY_DOWN).sum()) == 20
    assert set(rows["role"].tolist()) == {Role.TEXT_AREA}
    for line in ("read -s secret", "cat"):
        desk.keyboard.control(U)  # what was tried is taken away
        desk.line(line)
        for _ in range(20):
            desk.keyboard.key(CANARY, every_s=0.002)
        desk.decided()
        desk.keyboard.key(RETURN)
        if line == "cat":
            desk.keyboard.control(C)
    desk.ready("sakura")
    assert _digits(desk) == digits
    kept = desk.made()
    assert kept["value"][kept["kind"] == Kind.FOCUS].tolist()[-1] == TERMINAL.number


@pytest.mark.parametrize("below", ["sakura", "mousepad"])
def test_what_a_launcher_above_a_window_is_told_is_not_recorded(desk: Desk, below: str) -> None:
    """It lies in a layer of its own, takes the keyboard, and is in no list of windows."""
    desk.ready(below)
    digits = _digits(desk)
    launcher = Launcher(desk.place.path)
    until(launcher.has_keyboard, "the launcher takes the keyboard")
    for _ in range(20):
        desk.keyboard.key(CANARY)
    desk.decided()
    until(lambda: launcher.has_keyboard() and launcher.keys >= 20, "it got them")
    launcher.close()
    desk.ready(below)
    assert _digits(desk) == digits


def test_while_a_console_or_another_session_is_in_front_nothing_is_recorded(desk: Desk) -> None:
    desk.ready()
    digits = _digits(desk)
    wayland.ACTIVE_TERMINAL.write_text("tty3")
    for _ in range(10):
        desk.keyboard.key(CANARY)
    desk.decided()
    wayland.ACTIVE_TERMINAL.write_text("tty2")
    desk.ready()
    assert _digits(desk) == digits


def test_buttons_and_movement_are_read_past_and_nothing_of_the_pointer_exists(desk: Desk) -> None:
    def work() -> None:
        at_ns = time.monotonic_ns()
        moves = b"".join(record(at_ns, 2, axis, 3) for axis in (0, 1)) + record(at_ns, 0, 0, 0)
        click = record(at_ns, 1, 0x110, 1) + record(at_ns, 0, 0, 0) + record(at_ns, 1, 0x110, 0)
        desk.keyboard.write(moves * 100 + click + record(at_ns, 0, 0, 0))

    desk.ready()
    assert not len(_during(desk, work))
    desk.ready()


def test_the_chip_lives_only_while_the_compositor_draws_it(desk: Desk) -> None:
    chip = Indicator(str(desk.place.path), "en", lambda: None, program=LAYER)
    compositor = desk.place.compositor
    try:
        chip.show("recording")
        until(chip.is_alive, "the chip can be seen")
        compositor.send_signal(signal.SIGSTOP)
        until(lambda: not chip.is_alive(), "what is not drawn is not alive")
        compositor.send_signal(signal.SIGCONT)
        until(chip.is_alive, "the chip can be seen again")
    finally:
        compositor.send_signal(signal.SIGCONT)
        chip.close()


def test_the_agent_itself_records_and_sends_what_is_typed_and_shows_its_chip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_study(tmp_path / "data", outbox_delay_s=600)
    with session(tmp_path / "home") as place, studio(tmp_path) as server:
        for name in ("DBUS_SESSION_BUS_ADDRESS", "WAYLAND_DISPLAY"):
            monkeypatch.setenv(name, place.environment[name])
        keyboard = Keyboard(place.path)
        # There are no device nodes here, and the tests may run as root, who is refused.
        node = tmp_path / "event0"
        monkeypatch.setattr(evdev, "nodes", lambda: [node])
        monkeypatch.setattr(evdev, "opened", lambda _: Device(os.dup(keyboard.node)))
        monkeypatch.setattr(permission, "require", lambda: None)
        for program in (("zenity", "--password"), ("mousepad",)):
            _started(place, *program)
        vault = Vault(tmp_path / "device")
        account = Account(server.url, "desk", vault)
        shown = account.notice("en")
        purposes = tuple(one["id"] for one in shown.notice["choices"]["purposes"])
        listed = tuple(shown.notice["settings"]["applications"])
        account.join(shown, purposes, listed, "en", "rhythm")
        platforms.look(None)
        agent, phases = Agent(vault, account), list[str]()
        thread = threading.Thread(
            target=lambda: agent.run(lambda state: phases.append(state.phase))
        )
        thread.start()
        until(lambda: phases[-1:] == ["recording"], "the chip can be seen")

        def letters() -> int:
            with vault.alone:
                rows = [to_columns(one.plain)[1] for one in agent.outbox.entries()]
                parts = [unpacked(part) for _, part in vault.items("part/")]
            rows += [stream for part in parts for stream in part.values()]
            return sum(int((one["kind"] == Kind.KEY_DOWN).sum()) for one in rows)

        def heard() -> bool:
            since = letters()
            keyboard.key(A)
            return letters() > since

        for program in ("zenity", "mousepad", "zenity", "mousepad"):
            place.sway(f'[app_id="{program}"] focus')
            if program == "zenity":
                for _ in range(30):
                    keyboard.key(CANARY)
                continue
            until(heard, "keys in the editor are recorded, and what was typed before is decided")
            wanted = letters() + 30
            for _ in range(30):
                keyboard.key(A)
            until(partial(lambda wanted: letters() >= wanted, wanted), "all of them")
        agent.stop()
        thread.join()
        agent.outbox.send(account, 7, force=True)
        assert agent.outbox.counts()["waiting"] == 0
        account.close()
        vault.close()
        keyboard.close()
    with Store.open(tmp_path / "data") as store:
        (person,) = store.subjects("desk")
        tables = [
            batch.to_events(*batch.decode(body)) for _, body in store.read(store.batches_of(person))
        ]
    kinds = [(one["kind"], one["key_class"]) for table in tables for one in table.to_pylist()]
    pressed = [key_class for kind, key_class in kinds if kind == Kind.KEY_DOWN]
    assert set(pressed) == {KeyClass.LETTER}
    assert len(pressed) >= 60
    assert Kind.POINTER_MOVE not in {kind for kind, _ in kinds}
    views = [one for table in tables for one in table.to_pylist() if one["kind"] == Kind.VIEW]
    shown = views[0]["scroll_x_css_px"], views[0]["scroll_y_css_px"], views[0]["value"]
    assert shown == (1280, 832, 4), "as wl_output tells, up to 64"


def test_the_coach_counts_what_is_typed_in_the_editor_and_nothing_of_a_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with session(tmp_path / "home") as place:
        for name in ("DBUS_SESSION_BUS_ADDRESS", "WAYLAND_DISPLAY"):
            monkeypatch.setenv(name, place.environment[name])
        keyboard = Keyboard(place.path)
        node = tmp_path / "event0"
        monkeypatch.setattr(evdev, "nodes", lambda: [node])
        monkeypatch.setattr(evdev, "opened", lambda _: Device(os.dup(keyboard.node)))
        monkeypatch.setattr(permission, "require", lambda: None)
        for program in (("zenity", "--password"), ("mousepad",)):
            _started(place, *program)
        assert programs_in_sight() == ["mousepad", "zenity"]
        vault = Vault(tmp_path / "coach")
        coach, phases = Coach(vault, ["mousepad"]), list[str]()
        thread = threading.Thread(target=lambda: coach.run(phases.append))
        thread.start()
        until(lambda: phases[-1:] == ["recording"], "the chip can be seen")

        def counted() -> int:
            return sum(day.keys for day in days(vault).values())

        def heard() -> bool:
            for letter in "the":
                keyboard.key(KEY_OF[letter])
            return counted() > 0

        until(heard, "what is typed in the editor is counted")
        place.sway('[app_id="zenity"] focus')
        for _ in range(20):
            keyboard.key(CANARY)
            keyboard.key(P)
        coach.stop()
        thread.join()
        (day,) = days(vault).values()
        vault.close()
        keyboard.close()
        assert set("".join(day.pairs)) <= set("the")


def test_a_compositor_that_goes_away_ends_the_recording_with_a_line_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _at_work(tmp_path, monkeypatch) as made:
        made.ready()
        made.place.compositor.kill()
        until(lambda: made.failed, "the recording ends")
        assert isinstance(made.failed[0], Missing)
        assert "compositor has gone away" in str(made.failed[0])
