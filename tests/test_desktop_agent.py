"""The desktop agent on a real display: what it records is whole, and nothing else exists."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from desk_fixtures import DIGIT_7, RETURN, A, Desk, device, headers, page_of
from desktop_fixtures import Hand, add_study, desktop, join, recording, until
from overt.consent.invitation import invitation as made
from overt.device.terminals import shells_of
from overt.device.vault import Vault, as_json
from overt.gateway.studies import study_of
from overt.schema.event import Command, KeyClass, Kind, Role
from overt.store.store import Store
from studio_fixtures import studio

pytest.importorskip("xcffib", reason="the desktop extra is not installed (Linux only)")

EDITOR, TERMINAL = 1, 2
FILE_MENU = 40, 112
"""Where the editor's first menu is."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    with ExitStack() as stack:
        screen = stack.enter_context(desktop(folder / "home"))
        add_study(folder / "data", outbox_delay_s=600, screen=True)
        server = stack.enter_context(studio(folder))
        editor, terminal = screen.editor_and_terminal()
        address = f"{server.url.rstrip('/')}/study/desk"
        invitation = folder / "invitation.toml"
        with Store.open(server.data_dir) as store:
            invitation.write_text(made(study_of(store, "desk"), address))
        agent = stack.enter_context(recording(screen, str(invitation), folder / "device"))
        join(agent, screen=True)
        hand = Hand(screen.display)
        stack.callback(hand.close)
        device = folder / "device"
        page = re.findall(r"http://127\S+/", agent.shown)[-1]
        yield Desk(screen, address, device, server.data_dir, agent, editor, terminal, hand, page)


def test_what_is_done_in_an_allowed_window_is_recorded_whole_in_order_and_to_the_millisecond(
    desk: Desk,
) -> None:
    desk.ready(desk.editor)
    before = len(desk.settled())
    desk.hand.log.clear()
    for k in range(200):
        desk.hand.key((A, DIGIT_7)[k % 7 == 6])
    for k in range(1000):
        desk.hand.move(60 + k % 400, 150 + k % 300)
        time.sleep(0.001)
    injected = [(at, code) for at, code, _ in desk.hand.log]
    made = desk.settled()[before:]
    code_of = {Kind.KEY_DOWN: 2, Kind.KEY_UP: 3, Kind.POINTER_MOVE: 6}
    made = made[np.isin(made["kind"], list(code_of))]
    assert [code_of[Kind(kind)] for kind in made["kind"]] == [code for _, code in injected]
    classes = Counter(KeyClass(c) for c in made["key_class"][made["kind"] == Kind.KEY_DOWN])
    assert classes == {KeyClass.LETTER: 172, KeyClass.DIGIT: 28}
    error_us = made["t_us"] - np.array([at // 1000 for at, _ in injected])
    assert np.median(np.abs(error_us - np.median(error_us))) < 1000
    assert not made["key_symbol"].any()


def test_what_is_typed_where_nobody_switched_it_on_never_exists_not_even_in_a_race(
    desk: Desk,
) -> None:
    desk.screen.start("xev")
    other = desk.screen.window("Event Tester", 300, 600, 300, 100, by="--name")
    desk.ready(desk.editor)
    digits = _digits(desk)
    for _ in range(12):
        until(lambda: _has_keyboard(desk, other), "the other window has the keyboard")
        for _ in range(4):
            desk.hand.key(DIGIT_7, every_s=0.002)
        desk.screen.do("windowactivate", desk.editor)
        desk.hand.key(A, every_s=0.002)
    desk.hand.move(320, 640)
    desk.settled()
    assert _digits(desk) == digits
    desk.screen.do("windowclose", other)


def _has_keyboard(desk: Desk, window: str) -> bool:
    """Return whether a window has the keyboard; if not, ask for it: one request may go by."""
    if desk.screen.do("getwindowfocus") == window:
        return True
    desk.screen.do("windowactivate", window)
    return False


def test_a_second_keyboard_with_a_focus_of_its_own_gives_nothing_away(desk: Desk) -> None:
    """Plugged in later, it types anywhere; "the window with the keyboard" is that of the first."""
    desk.ready(desk.editor)
    digits = _digits(desk)
    hand = Hand(desk.screen.display)
    with hand.on_its_own():
        for _ in range(10):
            hand.key(DIGIT_7)
            desk.hand.key(DIGIT_7)
    hand.close()
    desk.ready(desk.editor)
    assert _digits(desk) == digits


def _digits(desk: Desk) -> int:
    return int((desk.events()["key_class"] == KeyClass.DIGIT).sum())


def test_a_password_asked_for_in_a_terminal_never_exists(desk: Desk) -> None:
    desk.ready(desk.terminal)
    digits = _digits(desk)
    for line in ("read -s secret", "cat"):
        desk.screen.do("key", "ctrl+u")  # a key that was tried stands there
        desk.screen.do("type", "--delay", "4", line)
        desk.hand.key(RETURN)
        for _ in range(20):
            desk.hand.key(DIGIT_7)
        desk.hand.key(RETURN)
        desk.screen.do("key", "ctrl+d" if line == "cat" else "Return")
    desk.settled()
    assert _digits(desk) == digits
    desk.ready(desk.terminal)


def test_a_shell_that_is_late_gives_no_password_away(desk: Desk) -> None:
    """The password is typed while the shell stands at its prompt, not having read the command."""
    desk.ready(desk.terminal)
    digits = _digits(desk)
    (shell,) = shells_of(int(desk.screen.do("getwindowpid", desk.terminal)))
    desk.screen.do("key", "ctrl+u")
    desk.screen.do("type", "--delay", "4", "read -s secret")
    desk.settled()
    os.kill(shell, signal.SIGSTOP)
    try:
        desk.hand.key(RETURN)
        for _ in range(12):
            desk.hand.key(DIGIT_7, every_s=0.1)
    finally:
        os.kill(shell, signal.SIGCONT)
    desk.settled()
    desk.hand.key(RETURN)
    desk.settled()
    assert _digits(desk) == digits
    desk.ready(desk.terminal)


def test_a_press_says_on_what_it_is_and_rest_what_the_pointer_rests_on(desk: Desk) -> None:
    desk.ready(desk.editor)
    before = len(desk.events())
    desk.hand.move(*FILE_MENU)

    def hovers() -> Any:
        """Return the hovers from the first that is on a menu; others may come before."""
        made = desk.events()[before:]
        made = made[made["kind"] == Kind.HOVER]
        return made[np.logical_or.accumulate(made["role"] == Role.MENU_ITEM)]

    until(lambda: len(hovers()), "the pointer's rest on a menu")
    found: list[Any] = []

    def pressed() -> bool:
        """Press in the text; on a slow computer the editor may not say in time what is there."""
        first = len(desk.settled())
        desk.hand.move(300, 300)
        desk.hand.button(1)
        made = desk.settled()[first:]
        presses = made[np.isin(made["kind"], (Kind.POINTER_DOWN, Kind.POINTER_UP, Kind.CLICK))]
        found[:] = [made, presses]
        return presses["role"].tolist() == [Role.TEXT_AREA] * 3

    until(pressed, "a press says on what it is")
    made, presses = found
    assert [int(role) for role in hovers()["role"][:2]] == [Role.MENU_ITEM, Role.NONE]
    assert hovers()["element"][0] > 0 == hovers()["element"][1]
    (area,) = set(presses["element"])
    assert area not in (0, hovers()["element"][0])
    down = presses[presses["kind"] == Kind.POINTER_DOWN][0]
    assert down["value"] == round(4 * np.log2(445)), "the smaller side, as GTK lays it out"
    assert (np.diff(made["seq"]) > 0).all()
    made = made[~np.isin(made["kind"], (Kind.ELEMENT, Kind.PICTURE))]  # looks are older
    assert (np.diff(made["t_us"]) >= 0).all()


def test_displays_and_hints_of_the_pointer_are_told_at_the_start_and_when_they_change(
    desk: Desk,
) -> None:
    import xcffib
    import xcffib.xinput

    views = [one for one in desk.settled() if one["kind"] == Kind.VIEW]
    names = ("slot", "scroll_x_css_px", "scroll_y_css_px", "button", "edit_chars", "value")
    assert [int(views[0][name]) for name in names] == [1, 1280, 832, 2, 2, 0]
    person = xcffib.connect(display=desk.screen.display)
    person.core.ChangePointerControl(1, 1, 0, do_acceleration=True, do_threshold=False)
    person.flush()
    until(lambda: (desk.events()["kind"] == Kind.VIEW).sum() > len(views), "a change is told")
    after = [one for one in desk.events() if one["kind"] == Kind.VIEW][-1]
    assert [int(after[name]) for name in names] == [1, 1280, 832, 1, 2, 0]
    person.disconnect()


@pytest.mark.soak
def test_the_caret_is_followed_as_numbers_where_a_person_moves_it_and_not_where_typing_does(
    desk: Desk,
) -> None:
    desk.ready(desk.editor)
    desk.screen.do("key", "ctrl+a", "BackSpace")
    desk.settled()
    before = len(desk.events())

    def rows() -> Any:
        made = desk.events()[before:]
        return made[made["kind"] == Kind.SELECTION]

    # The editor may be slow: what comes next waits until a move is told, or what was typed settled.
    for count, keys in (
        (0, ["a"] * 5),
        (1, ["Left"]),
        (1, ["b"]),
        (2, ["End"]),
        (3, ["shift+Home"]),
    ):
        desk.screen.do("key", *keys)
        desk.settled()
        until(lambda count=count: len(rows()) == count, "a move is told, and typing is not")
    assert rows()["value"].tolist() == [1, 2, 1]
    assert rows()["scroll_x_css_px"].tolist() == [-1, 1, -8], "1, 1 and 6, up to powers of two"
    assert rows()["scroll_y_css_px"].tolist() == [4, 8, 0], "4, 6 and 0"
    assert rows()["edit_chars"].tolist() == [0, 0, 8], "six are selected"
    assert set(rows()["role"]) == {Role.TEXT_AREA}


def test_a_password_field_of_a_listed_program_never_exists(desk: Desk) -> None:
    asks = ("zenity", "--password", "--title", "asks")
    desk.screen.start(*asks)
    window = desk.screen.window("zenity", 300, 300, 300, 150)
    desk.ready(desk.editor)
    digits, before = _digits(desk), len(desk.settled())
    desk.screen.focus(window)
    for _ in range(30):
        desk.hand.key(DIGIT_7)
    for y in range(330, 480, 12):
        desk.hand.move(450, y)
        desk.hand.button(3)
    desk.ready(desk.editor)
    assert _digits(desk) == digits
    made = desk.settled()[before:]
    pressed = made[(made["kind"] == Kind.POINTER_DOWN) & (made["button"] == 3)]
    assert len(pressed)
    assert not np.isin(pressed["role"], (Role.TEXT_FIELD, Role.TEXT_AREA)).any()
    desk.screen.do("windowclose", window)


@pytest.mark.soak
def test_while_a_password_prompt_can_be_seen_nothing_typed_anywhere_exists(
    desk: Desk, tmp_path: Path
) -> None:
    """A prompt known by its program file; the editor has the keyboard beside it."""
    desk.ready(desk.editor)
    digits = _digits(desk)
    zenity = Path(shutil.which("zenity") or "").read_bytes()
    (tmp_path / "pinentry-gtk-2").write_bytes(zenity)
    (tmp_path / "pinentry-gtk-2").chmod(0o700)
    prompt = desk.screen.start(str(tmp_path / "pinentry-gtk-2"), "--entry", "--title", "asks")
    desk.screen.window("^asks$", 300, 600, 300, 150, by="--name")
    desk.screen.focus(desk.editor)
    for _ in range(20):
        desk.hand.key(DIGIT_7, every_s=0.03)
    prompt.kill()
    desk.ready(desk.editor)
    assert _digits(desk) == digits


def test_while_a_program_holds_the_keyboard_as_lock_screens_do_no_key_exists(desk: Desk) -> None:
    import xcffib

    desk.ready(desk.editor)
    digits = _digits(desk)
    locker = xcffib.connect(display=desk.screen.display)
    root = locker.get_setup().roots[0].root
    free = xcffib.xproto.GrabMode.Async
    assert locker.core.GrabKeyboard(0, root, 0, free, free).reply().status == 0
    for _ in range(20):
        desk.hand.key(DIGIT_7)
    locker.core.UngrabKeyboard(0)
    locker.flush()
    desk.ready(desk.editor)
    locker.disconnect()
    assert _digits(desk) == digits


def test_a_shortcut_is_recorded_as_the_command_it_asks_for(desk: Desk) -> None:
    desk.ready(desk.editor)
    before = len(desk.settled())
    for keys in ("ctrl+a", "ctrl+c", "ctrl+z", "ctrl+shift+z"):
        desk.screen.do("key", keys)
    made = desk.settled()[before:]
    asked = made["value"][made["kind"] == Kind.COMMAND].tolist()
    assert asked == [Command.SELECT_ALL, Command.COPY, Command.UNDO, Command.REDO]


def test_one_press_of_keys_pauses_and_one_goes_on_however_long_they_are_held(desk: Desk) -> None:
    keys = ("ctrl", "alt", "p")
    down = [word for key in keys for word in ("keydown", key)]
    up = [word for key in reversed(keys) for word in ("keyup", key)]
    for before, words in (("recording", "paused (person)"), ("paused (person)", "recording")):
        desk.agent.read()
        desk.agent.shown = ""
        desk.screen.do(*down, "sleep", "0.9", *up)  # keys repeat after .66 s
        desk.heard()
        told = re.findall(r"overt: (paused \(person\)|recording)", desk.agent.read())
        # The line may be written anew before, where the keyboard went or the server was lost.
        changes = [one for one, _ in groupby([before, *told])]
        assert changes == [before, words]
    desk.ready(desk.editor)


def test_a_locked_screen_closes_recording_and_only_an_own_act_opens_it_again(desk: Desk) -> None:
    def saver(*, active: bool) -> None:
        says = ("org.freedesktop.ScreenSaver.ActiveChanged", f"boolean:{str(active).lower()}")
        send = ["dbus-send", "--session", "--type=signal", "/ScreenSaver", *says]
        subprocess.run(send, env=desk.screen.environment, check=True)

    desk.ready(desk.editor)
    digits = _digits(desk)
    desk.agent.shown = ""
    saver(active=True)
    desk.agent.until("overt: paused (locked)")
    desk.screen.do("key", "ctrl+alt+p")  # not while it is locked
    desk.heard()
    for _ in range(10):
        desk.hand.key(DIGIT_7)
    saver(active=False)
    for _ in range(10):
        desk.hand.key(DIGIT_7)
    assert "overt: recording" not in desk.agent.read()
    desk.go_on()
    desk.ready(desk.editor)
    assert _digits(desk) == digits
    assert desk.agent.read().count("overt: recording") == 1


def test_the_persons_page_shows_what_waits_pauses_and_takes_out(desk: Desk) -> None:
    desk.ready(desk.editor)
    own = desk.page.rpartition("/")[0].rpartition("/")[0]
    assert page_of(desk, own + "/") == page_of(desk, own + "/guessed/") == "404"
    for origin in ("https://example.org", "null"):
        assert page_of(desk, "pause", origin, minutes="10") == "403"
    desk.agent.shown = ""
    assert "Paused for 10 minutes" in page_of(desk, "pause", own, minutes="10")
    desk.agent.until("overt: paused (person)")
    assert "10 min to go" in page_of(desk)
    assert page_of(desk, "pause", own, minutes="1441") == "404"
    page_of(desk, "resume", own)
    desk.agent.until("overt: recording")
    desk.ready(desk.editor)
    places = re.findall(
        r'href="(batch/[^"]+)"', page_of(desk, "remove-application", own, application="99")
    )
    shown = [page_of(desk, place) for place in places[:12]]
    assert all("clock_resolution_us" in one for one in shown)
    assert any("<td>key_down</td>" in one and "<td>letter</td>" in one for one in shown)
    before = len(desk.events())
    assert before > 0
    removed = re.findall(
        r"([\d,]+) events removed", page_of(desk, "remove-last", own, minutes="60")
    )
    assert int(removed[0].replace(",", "")) >= before
    assert not (desk.events()["kind"] == Kind.KEY_DOWN).any()
    desk.ready(desk.editor)


def test_an_action_in_a_chosen_window_comes_with_what_the_window_was_like_before(
    desk: Desk,
) -> None:
    desk.ready(desk.editor)
    # A window that is as it was told last is not told again, and presses came before this test.
    desk.screen.do("windowsize", "--sync", desk.editor, "520", "532")
    desk.settled()
    before = len(desk.events())
    found: list[Any] = []

    def looked() -> bool:
        desk.hand.move(300, 300)
        desk.hand.button(1)
        made = desk.events()[before:]
        found[:] = [made]
        return bool((made["kind"] == Kind.PICTURE).any())

    until(looked, "a picture of the window")
    (made,) = found
    look = made[np.isin(made["kind"], (Kind.ELEMENT, Kind.PICTURE))]
    window = look[look["kind"] == Kind.ELEMENT][0]
    assert (window["role"], window["edit_chars"]) == (Role.PAGE, 0)
    assert set(look["element"][look["kind"] == Kind.PICTURE]) == {window["element"]}
    assert {Role.MENU_ITEM, Role.TEXT_AREA} <= {Role(role) for role in look["role"]}
    after = made["seq"] > look["seq"].max()
    act = made[after & (made["kind"] == Kind.POINTER_DOWN)][0]
    assert look["t_us"].max() < act["t_us"]
    places = {int(entry["y_8th_css_px"]) % 64 for entry in look[look["kind"] == Kind.ELEMENT]}
    assert places == {0}, "on steps of eight pixels"
    desk.settled()
    own = desk.page.rpartition("/")[0].rpartition("/")[0]
    page = page_of(desk, "remove-application", own, application="99")  # closes what is open
    place, *_ = re.findall(r'href="(batch/[^"]+)"><svg class="look"', page)
    one = page_of(desk, place)
    assert "exactly as it would leave" in one
    assert "Learn what windows look like" in page
    before = page_of(desk).count('<svg class="look"')
    assert "events removed" in page_of(desk, "remove", own, batch=place.removeprefix("batch/"))
    assert page_of(desk).count('<svg class="look"') == before - 1


def test_nothing_of_it_lies_in_the_clear_on_the_disk(desk: Desk) -> None:
    found = b"".join(path.read_bytes() for path in (desk.folder / "desk").iterdir())
    for words in (b"OVB1", b"typing-assist", b"event/1", b"device_secret", b"mousepad", b"NUMPY"):
        assert words not in found
    tables = sqlite3.connect(desk.folder / "desk" / "vault.sqlite").execute(
        "SELECT name FROM sqlite_master"
    )
    assert ("kept",) in tables.fetchall()


def test_without_its_sign_nothing_is_recorded_within_a_second_and_another_takes_its_place(
    desk: Desk,
) -> None:
    desk.ready(desk.editor)
    os.kill(_chip(desk), signal.SIGKILL)
    killed_ns = time.monotonic_ns()
    desk.agent.shown = ""
    desk.agent.until("paused (gone)")
    assert time.monotonic_ns() - killed_ns < 5e9  # the promise is a second; machines are busy
    before = len(desk.events())
    for _ in range(10):
        desk.hand.key(A)
    desk.hand.move(100, 200)
    until(lambda: _shows_a_chip(desk), "another chip")
    for _ in range(10):
        desk.hand.key(A)
    desk.go_on()
    desk.ready(desk.editor)
    made = desk.events()[before:]
    resumed = np.flatnonzero(made["kind"] == Kind.RESUME)
    assert len(resumed) == 1
    assert {Kind(kind) for kind in made["kind"][: resumed[0]]} <= {
        *(Kind.BLUR, Kind.PAUSE),
        Kind.HOVER,  # of where the pointer lay before
    }


def _chip(desk: Desk) -> int:
    asked = ["pgrep", "-f", "overt.device.chip", "-P", str(desk.agent.process.pid)]
    return int(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)


def _shows_a_chip(desk: Desk) -> bool:
    asked = ["xdotool", "search", "--onlyvisible", "--name", "^Overt$"]
    found = subprocess.run(asked, env=desk.screen.environment, capture_output=True, text=True)
    return bool(found.stdout.split())


def test_the_terminal_says_when_the_keyboard_is_in_no_window_that_is_switched_on(
    desk: Desk,
) -> None:
    desk.ready(desk.editor)
    desk.agent.shown = ""
    other = desk.screen.start("xev")
    window = desk.screen.window("Event Tester", 300, 600, 300, 100, by="--name")
    desk.screen.do("windowactivate", window)
    desk.agent.until("overt: recording · not in this window")
    other.kill()
    desk.agent.shown = ""
    desk.ready(desk.editor)
    desk.agent.until("overt: recording")
    assert "not in this window" not in desk.agent.shown


def test_a_terminal_that_is_closed_ends_the_recording_in_order(desk: Desk) -> None:
    desk.ready(desk.editor)
    desk.agent.process.send_signal(signal.SIGHUP)
    desk.agent.until("overt: ended")
    assert headers(desk)[-1].end


def test_an_agent_that_was_killed_loses_nothing_it_had_journalled_and_says_unclean(
    desk: Desk,
) -> None:
    with recording(desk.screen, desk.url, desk.folder) as agent:
        agent.until("overt: recording")
        desk.ready(desk.editor)
        before = len(desk.settled())
        agent.process.kill()
    kept = len(desk.events())
    assert kept >= before
    with recording(desk.screen, desk.url, desk.folder) as again:
        again.until("overt: recording")
        waiting = headers(desk)
        again.process.send_signal(signal.SIGINT)
        again.until("overt: ended")
    ended: dict[str, bool] = {}
    for header in waiting:
        ended[header.session] = header.end or ended.get(header.session, False)
    assert list(ended.values()) == [True, False]  # ended in order; killed
    assert sum(header.rows for header in waiting) == kept


def test_all_that_was_produced_arrives_and_leaving_destroys_what_is_here(desk: Desk) -> None:
    produced = len(desk.events())
    sent = device(desk, "send")["counts"]
    assert (sent["acknowledged"], sent["waiting"]) == (produced, 0)
    assert sent["produced"] == produced + sent["removed"]
    with Store.open(desk.data_dir) as store:
        (person,) = store.subjects("desk")
        assert store.stored_counts(person)["events"] == produced
    with _another_notice(desk), recording(desk.screen, desk.url, desk.folder) as agent:
        agent.until("The notice has changed since you joined")
        agent.answer("Choose purposes", "")
        agent.until("Nothing is recorded. What you agreed to before stands")
        assert agent.process.wait(60) == 0
        assert "overt: recording" not in agent.shown
    with recording(desk.screen, desk.url, desk.folder) as agent:
        agent.until("overt: recording")
        assert device(desk, "leave")["job"]
        agent.until("you have left this study")
    assert not list((desk.folder / "desk").iterdir())


@contextmanager
def _another_notice(desk: Desk) -> Iterator[None]:
    """Let the person have agreed to a notice that is another by now."""
    vault = Vault(desk.folder / "desk")
    grant = vault.get_json("grant")
    vault.change({"grant": as_json({**grant, "notice_sha256": "0" * 64})})
    try:
        yield
    finally:
        vault.change({"grant": as_json(grant)})
        vault.close()


def test_recording_starts_only_at_a_terminal_and_only_over_an_encrypted_way(desk: Desk) -> None:
    for address, words in (
        (desk.url, "starts only with a person's own act"),
        ("http://example.org/study/desk", "without encryption"),
        ("https://example.org/other", "address of a study's page"),
    ):
        how = [sys.executable, "-m", "overt", "record", "--study", address]
        done = subprocess.run(
            [*how, "--device-dir", str(desk.folder)],
            stdin=subprocess.DEVNULL if address == desk.url else None,
            env={**desk.screen.environment, "WAYLAND_DISPLAY": ""},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 1
        assert "starts only" in done.stderr or words in done.stderr
